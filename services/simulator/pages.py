"""One answer to a Search being written: a head with the counts, the records, a foot (DDF guide, Search)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from itertools import count as numbers_from

from .answers import Answer, RefusedError
from .disturbing import ENTITIES, HOSTILE_KEYS, HOSTILE_STAMP, bombed
from .faults import Faults
from .formats import escape
from .making import key_of
from .people import FIRST_AGENT, FIRST_OFFICE
from .render import master_row, person_xml, property_xml
from .world import View

PAGE = 100
_FLUSH = 64 * 1024
_OPENING = '<?xml version="1.0" encoding="utf-8"?>\n<RETS ReplyCode="0" ReplyText="Operation successful">\n'
_BEYOND = 900_000_000
_FOREIGN = 800_000_000
"""Keys from these on belong to no listing."""
_FIRST = {"Agent": FIRST_AGENT, "Office": FIRST_OFFICE}


def copy_of(view: View, number: int, faults: Faults) -> View:
    """The copy of the MLS that this listing is answered from, which may be behind."""
    return view.world.before() if faults.hits("stale-copy", key_of(number)) else view


class Writer:
    """One answer being written."""

    def __init__(self, view: View, resource: str, base: str, language: int, faults: Faults) -> None:
        self._view, self._resource, self._base = view, resource, base
        self._language, self._faults = language, faults

    def master(self, count: str) -> Answer:
        """Every key with its timestamp."""
        empty = self._faults.on("empty-inventory")
        total = 0 if empty else self._total()
        if (not total and empty is None) or empty == "20201":
            raise RefusedError(20201, "No Records Found")
        rows = iter(()) if empty else self._rows()
        if self._faults.kind("endless") == "rows" and self._faults.strikes("endless"):
            rows = chain(rows, self._more_rows())
        return self._answer(self._head(count, total, total, 1, total), rows, total, streamed=True, count=count)

    def details(
        self, count: str, numbers: Sequence[int], total: int | None = None, limit: int = PAGE, offset: int = 1
    ) -> Answer:
        """Whole records."""
        found = len(numbers) if total is None else total
        if not found or (not numbers and count != "2"):
            raise RefusedError(20201, "No Records Found")
        head = self._head(count, found, limit, offset, len(numbers))
        records = (self._record(number) for number in numbers)
        return self._answer(head, records, len(numbers), streamed=False, count=count)

    def _answer(self, head: bytes, records: Iterable[bytes], total: int, streamed: bool, count: str) -> Answer:
        if count == "2":
            return Answer(head)
        foot = b"</RETS-RESPONSE>\n</RETS>\n"
        if self._faults.strikes("entity-bomb"):
            head, foot = bombed(head), ENTITIES.encode() + foot
        if self._faults.strikes("late-status"):
            code = self._faults.kind("late-status")
            records = islice(records, 0 if code == "20201" else total // 2)
            status = f'<RETS-STATUS ReplyCode="{code}" ReplyText="It went wrong on the way" />\n'
            foot = foot.replace(b"</RETS>", status.encode() + b"</RETS>")
        if streamed:
            return Answer(_chunks(head, records, foot), fragile=True)
        return Answer(b"".join((head, *records, foot)), fragile=True)

    def _head(self, count: str, total: int, limit: int, offset: int, returned: int) -> bytes:
        total = max(0, total + int(self._faults.on("count-mismatch") or 0))
        counted = f'<COUNT Records="{total}"></COUNT>\n' if count != "0" else ""
        head = f"{_OPENING}{counted}"
        if count == "2":
            return f"{head}</RETS>\n".encode()
        pages = -(-total // limit) if limit else 0
        return (
            f'{head}<RETS-RESPONSE xmlns="urn:CREA.Search.{self._resource}">\n<Pagination><TotalRecords>{total}'
            f"</TotalRecords><Limit>{limit}</Limit><Offset>{offset}</Offset><TotalPages>{pages}</TotalPages>"
            f"<RecordsReturned>{returned}</RecordsReturned></Pagination>\n"
        ).encode()

    def _hostile(self) -> Sequence[str]:
        wanted = self._resource == "Property" and self._faults.on("hostile-keys") is not None
        return HOSTILE_KEYS if wanted else ()

    def _total(self) -> int:
        snapshot = self._view.snapshot(self._resource)
        if self._resource == "Property" and self._faults.on("short-inventory") is not None:
            return sum(1 for _ in self._numbers()) + len(self._hostile())
        return snapshot.live + len(self._hostile())

    def _numbers(self) -> Iterator[int]:
        numbers = self._view.snapshot(self._resource).numbers()
        if self._resource != "Property" or self._faults.on("short-inventory") is None:
            return numbers
        return (number for number in numbers if not self._faults.hits("short-inventory", key_of(number)))

    def _rows(self) -> Iterator[bytes]:
        snapshot, resource = self._view.snapshot(self._resource), self._resource
        if resource == "Property":
            shown = ""
            for number in self._numbers():
                key = self._listed(number)
                shown = shown if shown and self._faults.hits("doubled-keys", key) else key
                yield master_row(resource, shown, snapshot.stamp(number)).encode()
            for key in self._hostile():
                text = escape(key).replace("\t", "&#9;").replace("\n", "&#10;")
                yield master_row(resource, text, HOSTILE_STAMP).encode()
            return
        first = _FIRST[resource]
        for number in snapshot.numbers():
            yield master_row(resource, str(first + number), snapshot.stamp(number)).encode()

    def _listed(self, number: int) -> str:
        """The key of a listing as the master list has it."""
        foreign = self._faults.on("foreign-inventory") is not None
        return str(_FOREIGN + number) if foreign else key_of(number)

    def _more_rows(self) -> Iterator[bytes]:
        for key in numbers_from(_BEYOND):
            if key % 1000 == 0:
                time.sleep(0.005)  # a client that never leaves must not take the whole machine
            yield master_row(self._resource, str(key), HOSTILE_STAMP).encode()

    def _record(self, number: int) -> bytes:
        if self._resource == "Agent":
            return person_xml(self._view.agent(number), "AgentDetails").encode()
        if self._resource == "Office":
            return person_xml(self._view.office(number), "OfficeDetails").encode()
        key, faults = key_of(number), self._faults
        view = copy_of(self._view, number, faults)
        if not view.listings.has(number) or faults.hits("missing-record", key):
            return b""
        listing = view.listing(number, self._language)
        faults.tally("expired-photo-url", f"{key}/{listing.stamp}")
        xml = property_xml(view, listing, self._base, faults)
        return xml * 2 if faults.hits("duplicate-records", key) else xml


def _chunks(head: bytes, records: Iterable[bytes], foot: bytes) -> Iterator[bytes]:
    buffer = bytearray(head)
    for record in records:
        buffer += record
        if len(buffer) >= _FLUSH:
            yield bytes(buffer)
            buffer.clear()
    buffer += foot
    yield bytes(buffer)
