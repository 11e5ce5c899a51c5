"""All the metadata of a server, in as few requests as it lets one (RETS 1.7.2 §12, §11.1.1).

First the whole at once (``METADATA-SYSTEM``, ``*``). What that leaves open, since servers refuse it, cut it short or
do not know the form, is asked for by type, and then below each item by its name, a form that every server knows. Of
the two formats the other is tried when the first is refused or cannot be read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shared.rets.answer import Answer
from shared.rets.errors import RetsParseError, RetsReplyError, RetsTruncatedError
from shared.rets.mend import Mender
from shared.rets.metadata import MAX_BYTES, MetadataReader, Segment
from shared.rets.schema.assemble import Assembler
from shared.rets.schema.tables import ESSENTIAL, KINDS, TABLES, Table, chain
from shared.rets.schema.types import System
from shared.rets.session import RetsSession
from shared.sources.base import SourceAwayError, SourcePausedError, SourceUnavailableError

Format = Literal["COMPACT", "STANDARD-XML"]

MAX_REQUESTS: Final = 5_000
"""Requests for one server's metadata."""
_WIDE_SECONDS: Final = 2.0
"""So long a request for much is repeated after a fault: asking for less may be the remedy."""
_OTHER_FORMAT: Final = frozenset({"20506", "20513", "20514"})
_NEEDED: Final = frozenset({"system", "resource", "class", "table"})
"""Without these there is nothing to work with; of others a refusal is noted."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The metadata, the format they came in, and what was odd about them, in words."""

    system: System
    format: Format
    requests: int
    oddities: tuple[str, ...] = ()


def fetch_metadata(
    session: RetsSession, *, first: Format = "COMPACT", whole: bool = True, kinds: Collection[str] = ESSENTIAL
) -> Fetched:
    """Everything of ``kinds``. ``whole``: whether to try for all of it in one answer.

    Raises RetsParseError when the server names no resource or an answer cannot be read in either format, RetsReplyError
    when it refuses even the smallest request, and what ``RetsSession.ask`` raises.
    """
    return _Fetch(session, first).fetch(whole, kinds)


class _Fetch:
    def __init__(self, session: RetsSession, first: Format) -> None:
        self._session = session
        self._format: Format = first
        self._other: Format | None = "STANDARD-XML" if first == "COMPACT" else "COMPACT"
        self._assembler = Assembler()
        self._requests = 0
        self._notes: list[str] = []

    def fetch(self, whole: bool, kinds: Collection[str]) -> Fetched:
        if whole:
            self._wide("METADATA-SYSTEM", ())
        for kind, table in TABLES.items():
            if kind in kinds:
                self._complete(table)
        system = self._assembler.system()
        if not system.resources:
            raise RetsParseError("the metadata name no resource")
        return Fetched(system, self._format, self._requests, (*self._assembler.oddities, *self._notes))

    def _complete(self, table: Table) -> None:
        """Whatever of this type is still lacking."""
        above = chain(table.kind)
        if not above:
            if self._lacking(table):
                self._narrow(table, ())
            return
        lacking = self._lacking(table)
        if len(lacking) > 1 and self._wide(table.request, ()) and len(above) > 1:
            for resource in dict.fromkeys(names[0] for names in self._lacking(table)):
                if not self._wide(table.request, (resource,)):
                    break
        for names in self._lacking(table):
            self._narrow(table, names)

    def _lacking(self, table: Table) -> list[tuple[str, ...]]:
        """The names below which no table of this type came though there may be one."""
        answered = self._assembler.answered
        return [
            names
            for names in self._assembler.below(table.kind)
            if (table.kind, tuple(name.lower() for name in names)) not in answered and not self._has_none(table, names)
        ]

    def _has_none(self, table: Table, names: tuple[str, ...]) -> bool:
        """Whether the parent says that it has no such table: version and date are there, and blank."""
        if not table.stamps or table.kind in ESSENTIAL:
            return False
        found = [self._assembler.value(table.kind, names, table.stamps + each) for each in ("version", "date")]
        return all(each == "" for each in found)

    def _wide(self, request: str, below: Sequence[str]) -> bool:
        """Ask for all there is below. False when the server gave nothing of it: then it is asked in parts."""
        identifier = ":".join([*below, "*" if request == "METADATA-SYSTEM" else "0"])
        try:
            found = self._ask(request, identifier, _WIDE_SECONDS)
        except (SourcePausedError, SourceAwayError, RetsTruncatedError):
            raise
        except RetsReplyError as error:
            if not error.code.startswith("205"):
                raise
            self._notes.append(f"{request} {identifier} was refused with {error.code}")
            return False
        except SourceUnavailableError as error:
            self._notes.append(f"{request} {identifier} could not be had: {error}")
            return False
        self._assembler.add(found)
        return bool(found)

    def _narrow(self, table: Table, names: tuple[str, ...]) -> None:
        """Ask for the table below one item. Some may be absent, and say so in as many ways as there are codes."""
        if any(":" in name for name in names):
            self._notes.append(f"{table.request} of {names[-1]!r} cannot be asked for")
            return
        identifier = ":".join(names) or "0"
        try:
            self._assembler.add(self._ask(table.request, identifier, None), names)
        except RetsReplyError as error:
            if table.kind in _NEEDED or not error.code.startswith("205"):
                raise
            self._notes.append(f"{table.request} {identifier} was refused with {error.code}")

    def _ask(self, request: str, identifier: str, seconds: float | None) -> list[Segment]:
        """One request, in the other format too where this one is refused, until one format is known to serve."""
        arguments = {"Type": request, "ID": identifier}
        *others, last = [self._format] + ([self._other] if self._other else [])
        for each in others:
            try:
                return self._once(arguments, each, seconds)
            except RetsReplyError as error:
                if error.code not in _OTHER_FORMAT:
                    raise
            except RetsParseError as error:
                self._notes.append(f"{request} {identifier} in {each} could not be read: {error}")
        return self._once(arguments, last, seconds)

    def _once(self, arguments: dict[str, str], form: Format, seconds: float | None) -> list[Segment]:
        self._requests += 1
        if self._requests > MAX_REQUESTS:
            raise RetsParseError(f"the metadata would take more than {MAX_REQUESTS} requests")
        found = self._session.ask("GetMetadata", arguments | {"Format": form}, self._read, seconds=seconds)
        if found:
            self._format, self._other = form, None
        return found

    def _read(self, answer: Answer) -> list[Segment]:
        reader = MetadataReader(KINDS)
        mender = Mender(encoding=self._session.settings.encoding, max_bytes=MAX_BYTES)
        found = reader.read(answer.chunks(), mender)
        answer.reply = reader.reply
        return found
