"""What services ask of the store: narrow interfaces over one transaction.

``Store.write()`` opens a transaction; what its parts read is locked until it ends, so that comparing and writing are
one step. Keys are compared as UTF-8 bytes. SQLite and PostgreSQL keep the same promises with their own SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from shared.effects import Effect, Line
from shared.lookups import Changes, Metadata, MetadataVersion
from shared.mapping.extra import Tally
from shared.mapping.record import Mapped
from shared.messages import SourceRecord

MICROSECONDS = 1_000_000
DAY = 86_400 * MICROSECONDS


class StoreError(Exception):
    """The store cannot be used as it is; the text names the remedy."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """The newest proven inventory of a resource of which a range was handled; ``complete`` once all were."""

    observed_at: int
    count: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Candidates:
    """The removal candidates of one inventory, for weighing.

    ``seen`` and ``held`` await a decision; of them ``confirmed`` have been lacking for long enough. ``approved`` are
    those an operator released. ``previous`` is the last inventory that was handled whole.
    """

    seen: int
    held: int
    released: int
    stored: int
    removed_today: int
    count: int
    parts_missing: int
    complete: bool = False
    previous: int | None = None
    approved: int = 0
    confirmed: int = 0


class Ledger(Protocol):
    """Which keys are stored and wanted."""

    def horizon(self, feed: str, resource: str) -> Horizon | None:
        """The newest proven inventory of which a range was handled; None before the first."""

    def lines(self, feed: str, resource: str, keys: Iterable[str]) -> dict[str, Line]:
        """The lines of ``keys`` that exist, locked, by key."""

    def between(self, feed: str, resource: str, after: str | None, upto: str | None) -> Iterator[Line]:
        """Every line in ``(after, upto]`` in key order, locked."""

    def due(self, feed: str, resource: str, after: str | None, upto: str | None, now: int) -> list[str]:
        """Keys in ``(after, upto]`` that are wanted, not yet asked for in vain by that inventory, not in back-off."""

    def unread_longest(self, feed: str, resource: str, before: int, limit: int) -> list[Line]:
        """Stored lines that nothing wants and that were observed before ``before``, oldest first."""


class Removals(Protocol):
    """Inventories handled and the keys they lack."""

    def candidates_between(self, feed: str, resource: str, after: str | None, upto: str | None) -> set[str]:
        """Keys in ``(after, upto]`` that are candidates now."""

    def mark_part(
        self, feed: str, resource: str, observed_at: int, part: int, parts: int, count: int, server_date: int | None
    ) -> None:
        """A range of this inventory has been handled; the horizon moves to it. Marking again changes nothing."""

    def weighed(
        self, feed: str, resource: str, observed_at: int, *, deletion: bool = False, lacking_since: int = 0
    ) -> Candidates:
        """What must be known to weigh the candidates of this inventory (or ``deletion``) together.

        Confirmed are those that no inventory since ``lacking_since`` or earlier has listed; by default none.
        """

    def decide(
        self,
        feed: str,
        resource: str,
        observed_at: int,
        state: Literal["held", "released"],
        now: int,
        lacking_since: int = 0,
    ) -> None:
        """Its candidates are now held (but for confirmed and approved ones) or released; the inventory is complete."""

    def released(self, feed: str, resource: str, observed_at: int, limit: int) -> list[str]:
        """Up to ``limit`` keys released by this inventory that are still candidates, in key order."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One removal that is held, or approved and waiting for the next inventory. Instants in microseconds."""

    feed: str
    resource: str
    key: str
    since: int
    by: int
    state: str


class Holds(Protocol):
    """Removals held, for the operator. Each method is a transaction of its own."""

    def list(self, feed: str | None = None) -> list[Hold]:
        """Every removal held or approved, by feed, resource and key."""

    def approve(self, feed: str, keys: Iterable[str] | None = None) -> int:
        """Let these (None: all held now) go with the next inventory that lacks them; returns how many."""

    def discard(self, feed: str, keys: Iterable[str] | None = None) -> int:
        """Forget that these (None: all) were lacking; returns how many. A later inventory may hold them again."""


class Records(Protocol):
    """Rows of listings, members and offices, and the records they were made from."""

    def apply(self, feed: str, resource: str, run_id: str, effects: Sequence[Effect]) -> None:
        """Perform effects on ledger, rows, candidates, quarantine and counters; ``Publish`` is not for the store."""

    def source(self, feed: str, resource: str, key: str) -> SourceRecord | None:
        """The record as the MLS sent it."""

    def settle_embedded(
        self,
        feed: str,
        stored: Mapping[str, Mapped],
        removed: Iterable[str],
        remap: Callable[[SourceRecord], Mapped | None],
        orphaned: Iterable[tuple[str, str]] = (),
    ) -> dict[str, dict[str, int]]:
        """Make member and office rows what the stored listings say (a later observation wins, then the greater key).

        ``stored`` are the listings just written or kept, ``removed`` the keys just removed; called in their
        transaction, after ``apply``. ``remap`` maps a stored source record again. ``orphaned`` are (resource, key) of
        members and offices whose own records were just removed. Returns resource → inserted, updated, removed → rows.
        """


@dataclass(frozen=True, slots=True)
class PhotoWant:
    """One photo to fetch: which record it belongs to, where it is, and what is stored of it now."""

    media_key: str
    order: int
    url: str | None
    version: str
    stored_sha256: str | None
    etag: str | None
    last_modified: str | None
    attempts: int
    recheck: bool


@dataclass(frozen=True, slots=True)
class PhotoStored:
    """One photo fetched and verified. ``object_name`` is None when the object stored already has these bytes."""

    media_key: str
    version: str
    object_name: str | None
    sha256: str
    byte_size: int
    width: int
    height: int
    mime_type: str
    etag: str | None
    last_modified: str | None


@dataclass(frozen=True, slots=True)
class PhotoFailed:
    """One photo that could not be had, with the reason's name.

    ``reread``: its address may have expired, so the record is to be read again by the next inventory.
    """

    media_key: str
    version: str
    reason: str
    next_attempt_at: int | None
    reread: bool = False


@dataclass(frozen=True, slots=True)
class NewObject:
    """An object about to be put."""

    order: int
    sha256: str
    byte_size: int
    extension: str


class Media(Protocol):
    """Photos wanted, and the ledger of objects."""

    def wants(self, feed: str, resource: str, key: str, now: int) -> list[PhotoWant]:
        """The record's photos to fetch now, in display order: pending, out of back-off, untried for this inventory."""

    def pending(self, feed: str, resource: str, keys: Iterable[str], now: int) -> list[str]:
        """Which of ``keys`` have photos to fetch now or dead objects to delete."""

    def pending_between(self, feed: str, resource: str, after: str | None, upto: str | None, now: int) -> list[str]:
        """Keys in ``(after, upto]`` that have photos to fetch now or dead objects to delete."""

    def begin(
        self, feed: str, resource: str, key: str, objects: Sequence[NewObject], name: Callable[[NewObject, int], str]
    ) -> list[str]:
        """Write names never used before to the object ledger as *writing*.

        ``name`` makes one from an object and the store's ``n``, which is never given twice.
        """

    def settle(
        self,
        feed: str,
        resource: str,
        key: str,
        run_id: str,
        stored: Sequence[PhotoStored],
        failed: Sequence[PhotoFailed],
    ) -> list[str]:
        """Point the rows at their objects, mark the old ones dead; returns object names that did not become live.

        An object becomes live only if its row still wants that version and its name is still *writing*.
        """

    def unchanged(self, feed: str, resource: str, key: str, photos: Sequence[tuple[str, str]]) -> None:
        """These photos, (media key, version), are stored as the server still has them."""

    def dead(self, feed: str, resource: str, key: str) -> list[str]:
        """The record's dead objects."""

    def struck(self, feed: str, resource: str, run_id: str, names: Sequence[str]) -> None:
        """These dead objects are deleted: strike them from the ledger."""


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What a feed still lacks.

    ``wanted`` records, ``photos`` (to fetch or delete) and ``released`` removals can be done now; the rest waits for
    time, the next inventory or the operator. ``next_due`` is the end of the first back-off, in microseconds.
    """

    wanted: int = 0
    photos: int = 0
    released: int = 0
    unavailable: int = 0
    photos_failed: int = 0
    held: int = 0
    quarantined: int = 0
    next_due: int | None = None


@dataclass(frozen=True, slots=True)
class MetadataState:
    """The state of metadata that is stored, and the last attempt to read another. Instants in microseconds.

    ``read`` is None before the first reading, ``failed`` after a success. ``age_seconds`` is how long ago they were
    read. ``values`` counts the lookup values the MLS has, ``removed`` those that it has no more.
    """

    read: MetadataVersion | None = None
    read_at: int | None = None
    age_seconds: float | None = None
    failed: MetadataVersion | None = None
    failed_at: int | None = None
    failure: str | None = None
    attempts: int = 0
    next_attempt_at: int | None = None
    values: int = 0
    removed: int = 0


class Lookups(Protocol):
    """What the metadata say: the texts that codes stand for. Each method is a transaction of its own."""

    def state(self, feed: str) -> MetadataState:
        """Which metadata are stored."""

    def read(self, feed: str, version: MetadataVersion, found: Metadata) -> Changes:
        """These are the metadata now. Values they lack are marked as removed, none is deleted; a failure before is
        forgotten. Returns what that changed."""

    def failed(
        self, feed: str, version: MetadataVersion, reason: str, attempts: int, next_attempt_at: int | None
    ) -> None:
        """Reading this version has failed so many times. What is stored stays as it is."""


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """What ``mlsync status`` shows of a feed."""

    last_run: dict[str, object] | None
    freshness_seconds: float | None
    at_mls: int | None
    stored: int
    photos_stored: int
    photos_pending: int
    photos_failed: int
    held: int
    quarantined: int
    unavailable: int
    next_due: int | None
    resources: dict[str, int] = field(default_factory=dict)
    problems: list[dict[str, object]] = field(default_factory=list)
    metadata: MetadataState = field(default_factory=MetadataState)
    extra: Tally = field(default_factory=Tally)


class Feeds(Protocol):
    """The clock, the runs and the state of each feed. Each method is a transaction of its own."""

    def observe(self, feed: str) -> int:
        """The next ``observed_at``: the store's clock in microseconds, later than every one this feed was given."""

    def now(self) -> int:
        """The store's clock in microseconds."""

    def start_run(self, feed: str, run_id: str, kind: str) -> None:
        """A run begins."""

    def finish_run(self, feed: str, run_id: str, outcome: str, error: str | None = None) -> None:
        """A run has ended."""

    def last_finished(self, kind: str) -> int | None:
        """When the last run of this kind ended well, of any feed; None if none did."""

    def form(self, feed: str) -> str | None:
        """The mapping and media policy that all of the feed's rows were made with; None when that is not known."""

    def set_form(self, feed: str, form: str) -> None:
        """All of the feed's rows have been made with this mapping and media policy."""

    def count(self, feed: str, run_id: str, resource: str, counts: Mapping[str, int]) -> None:
        """Add to a run's counters."""

    def counts(self, run_id: str) -> dict[str, dict[str, dict[str, int]]]:
        """A run's counters: feed → resource → name → value."""

    def outstanding(self, feed: str) -> Outstanding:
        """What the feed still lacks."""

    def status(self, feed: str) -> FeedStatus:
        """The feed's state, for people."""


@dataclass(frozen=True, slots=True)
class Parked:
    """One thing in quarantine."""

    id: str
    feed: str
    resource: str
    key: str
    kind: str
    reason: str
    observed_at: int
    at: int
    body: bytes


class QuarantineBox(Protocol):
    """What could not be handled, with its bytes. Each method is a transaction of its own."""

    def put(self, feed: str, resource: str, key: str, kind: str, reason: str, body: bytes, observed_at: int) -> None:
        """Set aside; the same thing is kept once."""

    def list(self, feed: str | None = None) -> list[Parked]:
        """Everything set aside, oldest first."""

    def drop(self, ids: Sequence[str]) -> None:
        """Forget these."""


@dataclass(frozen=True, slots=True)
class KnownObject:
    """One line of the object ledger; ``state`` is writing, live or dead, since ``at``."""

    name: str
    feed: str
    resource: str
    key: str
    state: str
    at: int
    byte_size: int
    content_sha256: str


class Objects(Protocol):
    """The object ledger as a whole, for the audit. Each method is a transaction of its own."""

    def known(self) -> Iterator[KnownObject]:
        """Every line, in the order of names as bytes."""

    def has(self, name: str) -> bool:
        """Whether the ledger has the name now, in any state."""

    def bury(self, older_than: int) -> int:
        """Names *writing* since before ``older_than`` become dead; returns how many."""

    def strike(self, names: Sequence[str]) -> None:
        """These dead objects are deleted: strike them from the ledger."""

    def lost(self, names: Sequence[str]) -> int:
        """These live objects are gone or damaged: their rows want them again. Returns how many rows do."""


class Tx(Protocol):
    """One transaction, with what can be asked within it."""

    @property
    def ledger(self) -> Ledger: ...
    @property
    def removals(self) -> Removals: ...
    @property
    def records(self) -> Records: ...
    @property
    def media(self) -> Media: ...


class Store(Protocol):
    """A database of listings. Safe to use from many threads. Constructing it opens nothing."""

    @property
    def feeds(self) -> Feeds: ...
    @property
    def quarantine(self) -> QuarantineBox: ...
    @property
    def objects(self) -> Objects: ...
    @property
    def holds(self) -> Holds: ...
    @property
    def lookups(self) -> Lookups: ...

    def write(self) -> AbstractContextManager[Tx]:
        """One read-write transaction: committed at the end, rolled back on an exception."""

    def migrate(self) -> None:
        """Bring the tables to this version of mlsync. Safe to call from several processes at once."""

    def check(self) -> None:
        """Raise StoreError unless the database answers and its tables are of this version."""

    def recover(self) -> None:
        """What processes that are known to be dead left half done: names *writing* become dead."""

    def close(self) -> None:
        """Close every connection."""
