"""The Search transaction: master lists, records by key, records changed since (DDF guide, Search)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from .answers import Answer, Call, RefusedError
from .faults import Faults
from .making import key_of, number_of
from .people import FIRST_AGENT, FIRST_OFFICE
from .render import master_row, person_xml, property_xml
from .vocabulary import CULTURES
from .world import View, World

RESOURCES = ("Property", "Agent", "Office")
PAGE = 100
_FLUSH = 64 * 1024
_OPENING = '<?xml version="1.0" encoding="utf-8"?>\n<RETS ReplyCode="0" ReplyText="Operation successful">\n'
_MASTER = re.compile(r"\(\s*ID\s*=\s*(?:\*|0\+)\s*\)", re.IGNORECASE)
_KEYS = re.compile(r"\(\s*ID\s*=([0-9]+(?:,[0-9]+)*)\)", re.IGNORECASE)
_SINCE = re.compile(r"\(\s*LastUpdated\s*=\s*([0-9T:.Z+-]+)\s*\)", re.IGNORECASE)


def search(world: World, call: Call, faults: Faults) -> Answer:
    """Answer a Search. Raises RefusedError with 20201, 20203, 20206 or 20208."""
    resource = call.get("searchtype")
    if resource not in RESOURCES or call.get("class") != resource:
        raise RefusedError(20203, f"SearchType and Class must be equal and one of {', '.join(RESOURCES)}")
    if call.get("querytype") != "DMQL2":
        raise RefusedError(20203, "QueryType must be DMQL2")
    if call.get("format", "STANDARD-XML").upper() != "STANDARD-XML":
        raise RefusedError(20203, "Format is not supported: use STANDARD-XML")
    count = call.get("count", "1") or "1"
    if count not in ("0", "1", "2"):
        raise RefusedError(20203, "Count must be 0, 1 or 2")
    culture = call.get("culture", CULTURES[0]) or CULTURES[0]
    if culture not in CULTURES:
        raise RefusedError(20203, f"Culture must be one of {', '.join(CULTURES)}")
    view, query = world.view(), call.get("query")
    writer = _Writer(view, resource, call.base, CULTURES.index(culture), faults)
    if _MASTER.fullmatch(query):
        return writer.master(count)
    if keys := _KEYS.fullmatch(query):
        return writer.details(count, _by_key(view, resource, keys[1]))
    if since := _SINCE.fullmatch(query):
        numbers = world.changed_since(resource, view, _instant(since[1]))
        limit, offset = _paging(call, len(numbers))
        return writer.details(count, numbers[offset - 1 : offset - 1 + limit], len(numbers), limit, offset)
    raise RefusedError(20206, "Query must be (ID=*), (ID=key,…) or (LastUpdated=…), URL-encoded")


def number_in(resource: str, key: str) -> int | None:
    """The number behind a key of a resource, living or not; None when it can be none."""
    if resource == "Property":
        return number_of(key)
    first = FIRST_AGENT if resource == "Agent" else FIRST_OFFICE
    return int(key) - first if key.isascii() and key.isdigit() and len(key) <= 9 and int(key) >= first else None


def _by_key(view: View, resource: str, text: str) -> list[int]:
    keys = dict.fromkeys(text.split(","))
    if len(keys) > PAGE:
        raise RefusedError(20208, f"Maximum Records Exceeded: at most {PAGE} IDs")
    numbers = (number_in(resource, key) for key in keys)
    snapshot = view.snapshot(resource)
    return [number for number in numbers if number is not None and snapshot.has(number)]


def _paging(call: Call, total: int) -> tuple[int, int]:
    limit, offset = call.get("limit", "None") or "None", call.get("offset", "1") or "1"
    if not re.fullmatch(r"\d{1,9}|none", limit, re.IGNORECASE) or not re.fullmatch(r"\d{1,9}", offset):
        raise RefusedError(20203, "Limit and Offset must be numbers")
    wanted = max(total, 1) if limit.lower() == "none" else int(limit)
    if wanted > PAGE:
        raise RefusedError(20208, f"Maximum Records Exceeded: Limit is at most {PAGE}")
    if not wanted or not int(offset):
        raise RefusedError(20203, "Limit and Offset start at 1")
    return wanted, int(offset)


def _instant(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(20206, "LastUpdated must be a date or an instant such as 2024-03-05T14:00:00Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


class _Writer:
    """One answer being written: a head with the counts, the records, a foot."""

    def __init__(self, view: View, resource: str, base: str, language: int, faults: Faults) -> None:
        self._view, self._resource, self._base = view, resource, base
        self._language, self._faults = language, faults

    def master(self, count: str) -> Answer:
        empty = self._faults.on("empty-inventory")
        snapshot = self._view.snapshot(self._resource)
        total = 0 if empty else snapshot.live
        if (not total and empty is None) or empty == "20201":
            raise RefusedError(20201, "No Records Found")
        rows = iter(()) if empty else self._rows()
        head = self._head(count, total, total, 1, total)
        return self._answer(head, rows, streamed=True, count=count)

    def details(
        self, count: str, numbers: Sequence[int], total: int | None = None, limit: int = PAGE, offset: int = 1
    ) -> Answer:
        found = len(numbers) if total is None else total
        if not found or (not numbers and count != "2"):
            raise RefusedError(20201, "No Records Found")
        head = self._head(count, found, limit, offset, len(numbers))
        return self._answer(head, (self._record(number) for number in numbers), streamed=False, count=count)

    def _answer(self, head: bytes, records: Iterable[bytes], streamed: bool, count: str) -> Answer:
        if count == "2":
            return Answer(head)
        foot = b"</RETS-RESPONSE>\n</RETS>\n"
        if streamed:
            return Answer(_chunks(head, records, foot), fragile=True)
        return Answer(b"".join((head, *records, foot)), fragile=True)

    def _head(self, count: str, total: int, limit: int, offset: int, returned: int) -> bytes:
        total += int(self._faults.on("count-mismatch") or 0)
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

    def _rows(self) -> Iterator[bytes]:
        snapshot, resource = self._view.snapshot(self._resource), self._resource
        if resource == "Property":
            for number in snapshot.numbers():
                yield master_row(resource, key_of(number), snapshot.stamp(number)).encode()
            return
        first = FIRST_AGENT if resource == "Agent" else FIRST_OFFICE
        for number in snapshot.numbers():
            yield master_row(resource, str(first + number), snapshot.stamp(number)).encode()

    def _record(self, number: int) -> bytes:
        if self._resource == "Agent":
            return person_xml(self._view.agent(number), "AgentDetails").encode()
        if self._resource == "Office":
            return person_xml(self._view.office(number), "OfficeDetails").encode()
        if self._faults.hits("missing-record", key_of(number)):
            return b""
        return property_xml(self._view, self._view.listing(number, self._language), self._base, self._faults)


def _chunks(head: bytes, records: Iterable[bytes], foot: bytes) -> Iterator[bytes]:
    buffer = bytearray(head)
    for record in records:
        buffer += record
        if len(buffer) >= _FLUSH:
            yield bytes(buffer)
            buffer.clear()
    buffer += foot
    yield bytes(buffer)
