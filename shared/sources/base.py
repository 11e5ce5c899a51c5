"""What the services ask of an MLS, free of any protocol's words."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from shared.lookups import Metadata, MetadataDocument, MetadataVersion
from shared.messages import BrokenRecord, SourceRecord


class SourceError(Exception):
    """The MLS could not be asked, or its answer is unusable. The text names the thing and the remedy, no secret."""


class SourceUnavailableError(SourceError):
    """Passing: try again later. ``retry_after`` is in seconds when the server said so."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SourcePausedError(SourceUnavailableError):
    """The MLS is left alone for ``retry_after`` seconds: by our own budget or hours, or because it asked for that.

    Nothing failed: whoever wanted to ask waits for its turn, and counts no attempt.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message, retry_after)
        self.retry_after: float = retry_after


class SourceUnreadableError(SourceUnavailableError):
    """The answer came whole but cannot be read, again and again. Asking for fewer records at once may tell which."""


class SourceAwayError(SourceUnavailableError):
    """Something else answers in the MLS's place (a maintenance page, a portal): nothing is wrong with what is asked."""


class SourceRefusedError(SourceError):
    """Final until the operator acts: credentials, rights, configuration."""


@dataclass(frozen=True, slots=True)
class Range:
    """The keys in ``(after, upto]`` (None: open end) with their stamps as written, sorted by the key's UTF-8 bytes."""

    after: str | None
    upto: str | None
    entries: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Inventory:
    """A master list. ``packed`` holds ``key NUL stamp`` as UTF-8, sorted, one per distinct key (the last one wins).

    ``proven`` says that the answer was whole and that the number of distinct keys is the one the server announced;
    ``doubt`` says in words why not. ``server_date`` is the answer's ``Date`` in microseconds, None without.
    ``untold`` are classes of records that cannot be read now, with the reason: it says nothing of what they hold.
    """

    packed: list[bytes]
    server_date: int | None
    proven: bool
    doubt: str = ""
    untold: Mapping[str, str] = field(default_factory=dict)

    def ranges(self, size: int) -> Iterator[Range]:
        """Cut into ranges of at most ``size`` keys which together cover everything; one open range when empty."""
        after: str | None = None
        starts = range(0, len(self.packed), size)
        if not starts:
            yield Range(None, None, [])
        for start in starts:
            block = self.packed[start : start + size]
            entries = [_unpack(item) for item in block]
            last = start + size >= len(self.packed)
            upto = None if last else entries[-1][0]
            yield Range(after, upto, entries)
            after = upto


def _unpack(item: bytes) -> tuple[str, str]:
    key, _, stamp = item.partition(b"\0")
    return key.decode(), stamp.decode()


@dataclass(frozen=True, slots=True)
class Page:
    """Records the MLS gave for one request. Keys it did not give are simply absent; ``key`` may be "" when it was.

    ``doubt``, of a page of changes: why the pages so far may not be all that changed, "" if nothing says so.
    ``broken`` are those it gave that cannot be read; they harm no other. ``unaskable``: keys that no query can name
    safely, so that they were not asked for. ``partial``: the MLS says that it stopped before the end.
    """

    records: list[SourceRecord]
    server_date: int | None
    doubt: str = ""
    broken: list[BrokenRecord] = field(default_factory=list)
    unaskable: list[str] = field(default_factory=list)
    partial: bool = False


Fault = Literal["", "empty", "truncated", "text", "too_large"]
"""What is wrong with bytes that came and are no object: none came, not all did, they are a page of text in place of
something else, or more than is allowed."""


@dataclass(frozen=True, slots=True)
class PhotoObject:
    """One photo, or other object, as the MLS gave it: bytes, or where to fetch them, or why there is none.

    ``order`` is the object's number (0: nobody knows, or, of an error, all of them). Exactly one of ``data``, ``url``
    and ``error`` is set; ``fault`` may stand with an ``error``.
    """

    order: int
    content_type: str = ""
    data: bytes | None = field(default=None, repr=False)
    url: str | None = None
    error: str | None = None
    description: str = ""
    fault: Fault = ""


class Source(Protocol):
    """One MLS under one credential. Not safe for use from two threads at once: a session pool hands it out.

    Every method may log in first, logs in again once when the session was lost and replays, and raises
    SourceUnavailableError or SourceRefusedError.
    """

    def login(self) -> None:
        """Open a session if none is open."""

    def inventory(self, resource: str) -> Inventory:
        """Every key of ``resource`` with its timestamp as written.

        Raises SourceUnavailableError when the answer is cut.
        """

    def records(self, resource: str, keys: Sequence[str]) -> Page:
        """The records of at most 100 keys, in one request."""

    def changes(self, resource: str, since: int, limit: int) -> Iterator[Page]:
        """What changed after ``since`` (microseconds, the MLS's clock), at most ``limit`` (1 to 100) records a request.

        Each page is asked for when it is taken; there is at least one, with no record when nothing changed. It ends
        whatever the server says, and is never proof: what the last page's ``doubt`` does not tell an inventory finds.
        """

    def metadata_version(self) -> MetadataVersion | None:
        """What the MLS said of its metadata when the session began; asks for nothing. None without a session."""

    def metadata(self) -> Metadata:
        """Every lookup with its values.

        What is returned came whole and could be read to its last line. Raises SourceUnreadableError when it is empty
        or unreadable in any part: that is no evidence of what there is.
        """

    def described(self) -> MetadataDocument | None:
        """The metadata that records given until now were named by; asks for nothing.

        None where names do not depend on any, or nothing has been read yet. The same object as long as they are the
        same.
        """

    def photos(self, resource: str, key: str, *, location: bool, orders: Collection[int] = ()) -> Iterator[PhotoObject]:
        """Every photo of one record, in bounded memory; with ``location`` URLs instead of bytes, where offered.

        ``orders`` are the numbers wanted, where they are known: an MLS that gives but one object at a time is asked for
        each of them.
        """

    def objects(self, resource: str, key: str, kind: str, *, location: bool) -> Generator[PhotoObject, None, None]:
        """Every object of a type that is no photo's, of one record, each under a number of its own but for errors of
        all of them; with ``location`` URLs instead of bytes, where offered."""

    def close(self) -> None:
        """Log out; never raises. The source may log in again afterwards."""
