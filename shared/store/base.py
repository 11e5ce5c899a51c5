"""What services ask of the store: narrow interfaces over one transaction.

``Store.write()`` opens a transaction; what its parts read is locked until it ends, so that comparing and writing are
one step. Keys are compared as UTF-8 bytes. SQLite and PostgreSQL keep the same promises.

A transaction is of one feed. One that asks for ``media`` or ``object_sets`` alone runs beside others of its kind, and
then keeps to one record; a transaction that needs more asks for that first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from shared.budget import Limits, Share, Use, Wait
from shared.effects import Effect, Line
from shared.known import Known
from shared.lookups import Changes, Metadata, MetadataDocument, MetadataVersion
from shared.mapping.extra import Tally
from shared.mapping.record import Mapped
from shared.messages import SourceRecord

if TYPE_CHECKING:  # only for the types of what it is given
    from shared.rets.dmql.binding import Bound
    from shared.views.spec import ClassView

MICROSECONDS = 1_000_000
DAY = 86_400 * MICROSECONDS
KEEP_MARKS = 10 * DAY
"""A mark older than that is not asked from any more, and a run that did not settle within it never will."""


class StoreError(Exception):
    """The store cannot be used as it is; the text names the remedy."""


class StoreUnavailableError(StoreError):
    """The database does not answer now, or not in time; nobody need do anything but try again."""


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

    def unlike(
        self, feed: str, resource: str, after: str | None, upto: str | None, listed: Mapping[str, str]
    ) -> tuple[set[str], list[Line]]:
        """Of the lines in ``(after, upto]``, locked, the keys of those an inventory finds as they are, and the others.

        The former are stored under the timestamp that is ``listed``, settled, and wanted by nothing; of an inventory
        those are nearly all. The others come whole, in key order.
        """

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
        """A range of this inventory has been handled; the horizon moves to it. Marking again changes nothing.

        Older inventories set aside say nothing any more, and go from quarantine.
        """

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

    def forget(self, feed: str, resource: str, observed_at: int) -> None:
        """The resource is listed no more: its candidates, removals and what it has in quarantine go.

        The horizon moves to ``observed_at``, that of no inventory: what was observed before counts no more.
        """


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


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to where all changes are known to be stored, as the newest settled run left it.

    ``reached`` is on the MLS's clock, None when it told none; ``begun`` is when that run began, on the store's.
    ``unfinished``: a later run has begun, and the store does not show all of it settled.
    """

    reached: int | None
    begun: int
    unfinished: bool = False


class Marks(Protocol):
    """Runs that asked for changes, and the mark they move once the store shows that nothing of them is open.

    Whichever process asks finds the same: only what was committed counts.
    """

    def mark(self, feed: str, resource: str) -> Mark | None:
        """The mark; None before the first run was settled."""

    def begin(self, feed: str, resource: str, run_id: str, begun: int) -> None:
        """A run begins at ``begun``, an ``observed_at``. Runs given up for longer than ``KEEP_MARKS`` are forgotten."""

    def handled(self, feed: str, resource: str, run_id: str, message: str) -> None:
        """The page of changes in ``message`` (an id) has been written. Twice, or of no open run, it changes nothing."""

    def complete(
        self, feed: str, resource: str, run_id: str, reached: int | None, pages: int, inventory: int | None
    ) -> None:
        """All is published: so many pages of changes, and the proven inventory of that ``observed_at``, if any.

        A run that is never completed moves no mark. ``reached`` is where it takes the mark.
        """

    def unhandled(self, feed: str, resource: str, run_id: str, pages: int) -> int:
        """How many of the ``pages`` published by an open run have not been written; 0 once it is settled."""

    def settle(self, feed: str, resource: str, now: int) -> bool:
        """Move the mark to the newest completed run of which nothing is open; whether it moved.

        Nothing is open when every page was written, its inventory (one at least as new) was handled whole, no newer
        inventory is half handled, and every record wanted is one that was asked for in vain and is in back-off.
        """


@dataclass(frozen=True, slots=True)
class LastEntry:
    """How a record's history ends: when that was observed, and whether the record was removed."""

    observed_at: int
    deleted: bool


class Records(Protocol):
    """Rows of listings, members and offices, and the records they were made from."""

    def apply(self, feed: str, resource: str, run_id: str, effects: Sequence[Effect]) -> None:
        """Perform effects on ledger, rows, candidates, quarantine and counters; ``Publish`` is not for the store.

        A member or office inserted where a listing's copy stood is counted as updated.
        """

    def form(self, feed: str) -> str | None:
        """What is told of the mapping and media policy that the feed's rows were made with; None: nothing yet."""

    def set_form(self, feed: str, form: str) -> None:
        """Tell it."""

    def source(self, feed: str, resource: str, key: str) -> SourceRecord | None:
        """The record as the MLS sent it."""

    def sources(self, feed: str, resource: str, keys: Iterable[str]) -> dict[str, SourceRecord]:
        """Those of these records that are stored, as the MLS sent them; all in memory at once."""

    def last_entries(self, feed: str, resource: str, keys: Iterable[str]) -> dict[str, LastEntry]:
        """The newest entry of the history of those of ``keys`` that have one."""

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
        members and offices whose own records were just removed. Returns resource → inserted, updated, removed → rows,
        to be added to what was counted: an own record counted as removed that a copy replaces is updated, not removed.
        """


@dataclass(frozen=True, slots=True)
class PhotoWant:
    """One photo to fetch: which record it belongs to, where it is, and what is stored of it now.

    ``horizon`` is that of the newest inventory handled by now.
    """

    media_key: str
    order: int
    url: str | None
    version: str
    stored_sha256: str | None
    etag: str | None
    last_modified: str | None
    attempts: int
    recheck: bool
    horizon: int


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
    """One photo that could not be had, with the reason's name, and after a colon what the server said, if anything.

    ``horizon`` is that of its want: an inventory handled while it was being tried has it tried once more.
    ``reread``: its address may have expired, so the record is to be read again by the next inventory.
    """

    media_key: str
    version: str
    horizon: int
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
class ObjectsWant:
    """Every object of one type that is no photo's, of one record, to fetch. ``stored`` has by number the SHA-256 of
    those whose bytes are stored now; ``horizon`` is that of the newest inventory handled by now."""

    type: str
    linked: bool
    version: str
    attempts: int
    horizon: int
    stored: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class ObjectStored:
    """One object in hand: a link, if there is a ``url``, or bytes; ``object_name`` is None when the object stored
    already has these."""

    order: int
    description: str = ""
    url: str | None = field(default=None, repr=False)
    object_name: str | None = None
    sha256: str | None = None
    byte_size: int | None = None
    mime_type: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectsFailed:
    """Objects of a type that could not be had, or not all of them, with the reason as of a photo."""

    reason: str
    next_attempt_at: int | None


class ObjectSets(Protocol):
    """Objects that are no photos, by record and type. A transaction may ask for them as for ``media``, see above."""

    def wants(self, feed: str, resource: str, key: str, now: int) -> list[ObjectsWant]:
        """The record's types to fetch now, by name: pending, out of back-off, untried for this inventory."""

    def keep(
        self, feed: str, resource: str, key: str, run_id: str, want: ObjectsWant, objects: Sequence[ObjectStored]
    ) -> set[int]:
        """Point the rows of these at what was fetched, mark their old bytes dead; which numbers that was done for.

        None if this version is not wanted any more, and not those whose name is not *writing* any more.
        """

    def settle(self, feed: str, resource: str, key: str, want: ObjectsWant, orders: Collection[int]) -> None:
        """Objects of these numbers, all kept, are all that the record has of the type: others go, nothing is wanted.

        Unless one was lost meanwhile, or another version is wanted by now.
        """

    def failed(
        self, feed: str, resource: str, key: str, run_id: str, want: ObjectsWant, failure: ObjectsFailed
    ) -> None:
        """Count the attempt; what is stored stays."""


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What a feed still lacks.

    ``wanted`` records, ``photos`` (to fetch or delete; other objects of a type count as one) and ``released`` removals
    can be done now; the rest waits for time, the next inventory or the operator. ``next_due`` is the end of the first
    back-off, in microseconds.
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
class ResourceStatus:
    """What is stored of one resource: rows, and of them those with records of their own.

    ``at_mls`` is how many the last whole inventory listed and ``freshness_seconds`` its age; None for a resource that
    is not listed.
    """

    stored: int
    own: int
    at_mls: int | None
    freshness_seconds: float | None


@dataclass(frozen=True, slots=True)
class RepeatedPhoto:
    """One picture, byte for byte, that many listings have: a firm's logo, or what an MLS sends where it has none."""

    sha256: str
    listings: int


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


KEEP_DOCUMENTS = 10
"""Of how many versions of a feed's metadata the whole text is kept."""


@dataclass(frozen=True, slots=True)
class KeptMetadata:
    """One version of a feed's metadata. Later ones have greater numbers; ``read_at`` is in microseconds."""

    number: int
    version: str
    timestamp: str
    digest: str
    read_at: int


class MetadataDocuments(Protocol):
    """The metadata that a feed's records are named by, version by version. Each method is a transaction of its own."""

    def keep(self, feed: str, found: MetadataDocument) -> int | None:
        """These are the metadata now: their number if they are others than the latest, else None.

        Of the same under another version or date, those are noted. Texts of all but the last ``KEEP_DOCUMENTS`` go.
        """

    def latest(self, feed: str) -> KeptMetadata | None:
        """Those that count now; None before any were kept."""

    def newest(self, feed: str) -> bytes | None:
        """The text of those that count now; None before any were kept."""

    def versions(self, feed: str) -> list[KeptMetadata]:
        """All that there were, the latest first."""

    def document(self, feed: str, number: int) -> bytes | None:
        """The text of one version; None where it is not kept (any more)."""


@dataclass(frozen=True, slots=True)
class MetadataDifference:
    """One thing in which metadata differ from those before: what became of it, and all of it in words (``told``).

    ``number``, ``version`` and ``seen_at`` are those of the metadata that differ, see ``KeptMetadata``; ``parent`` are
    the names above it, ``was`` is its name before if it was renamed.
    """

    number: int
    seen_at: int
    version: str
    subject: str
    change: str
    parent: str
    name: str
    was: str
    told: str


class Drift(Protocol):
    """What metadata were before, and what a feed remembers of that. Each method is a transaction of its own."""

    def known(self, feed: str) -> Known:
        """What is remembered."""

    def follow(self, feed: str, decide: Callable[[Known, int], Known]) -> None:
        """Remember what ``decide`` makes of what is remembered, at the store's clock. Where fields that were held are
        back, records of their class that were read meanwhile are unsettled."""

    def approve(self, feed: str, resource: str | None = None, class_name: str | None = None) -> int:
        """Fields held (of one class, of one resource, of all) are removed; returns how many."""

    def compared(self, feed: str) -> int:
        """The number of the newest metadata that were compared with those before; 0 for none."""

    def record(self, feed: str, differences: Sequence[MetadataDifference], number: int) -> bool:
        """Metadata up to ``number`` have been compared, and differ so from those before. False, and nothing changes,
        when they had been compared already."""

    def differences(self, feed: str, limit: int | None = None) -> list[MetadataDifference]:
        """Those of all versions, the newest version last; with ``limit`` at most so many of the newest."""

    def of_classes(self, feed: str, resource: str, classes: Collection[str]) -> Iterator[tuple[str, str]]:
        """Keys and stamps of what is stored of these classes of a resource, in bounded memory."""


@dataclass(frozen=True, slots=True)
class MadeViews:
    """Names of views that were made (anew), were dropped, or stay as they are since others are made of them."""

    made: list[str]
    dropped: list[str]
    in_use: list[str]


class Views(Protocol):
    """Views of the classes of generic feeds. Each method is a transaction of its own."""

    def make(self, feed: str, views: Sequence[ClassView], undecided: Collection[tuple[str, str]] = ()) -> MadeViews:
        """These are the feed's views: others of its are dropped, those that are as they should be are left alone, and
        so are those of classes ``undecided`` (resource and class), where there are any.

        A view keeps its name; a new one is called ``mls_<feed>_<resource>_<class>``, as near as can be. Whoever reads
        one is waited for some seconds: then raises StoreUnavailableError, and nothing was done.
        """

    def names(self, feed: str) -> dict[tuple[str, str], str]:
        """The feed's views by resource and class, as the server calls these."""

    def find(
        self, name: str, view: ClassView, query: Bound, aliases: dict[str, str], columns: Sequence[str], limit: int
    ) -> tuple[list[tuple[Any, ...]], int]:
        """The first ``limit`` rows, by key, that the query finds in the view of this name, and how many it finds.

        ``aliases`` are by name in the query the columns. Raises DmqlError for a query that is too large.
        """


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """What ``mlsync status`` shows of a feed; its figures are of listings, but for those of ``resources``.

    Photos, and what is held, unavailable or quarantined, are of all resources. Of other objects those of a record and
    type are one pending, or failed, among the photos; ``objects_stored`` counts them, links included.
    """

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
    objects_stored: int = 0
    resources: dict[str, ResourceStatus] = field(default_factory=dict)
    problems: list[dict[str, object]] = field(default_factory=list)
    located: dict[str, int] = field(default_factory=dict)
    """See ``Geocoding.located``."""
    repeated: list[RepeatedPhoto] = field(default_factory=list)
    metadata: MetadataState = field(default_factory=MetadataState)
    metadata_changes: list[MetadataDifference] = field(default_factory=list)
    """Of the newest metadata that changed anything."""
    metadata_known: Known = field(default_factory=Known)
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

    def runs(self, feed: str, kind: str, upto: int, limit: int) -> list[tuple[int, str | None]]:
        """When the feed's last runs of this kind, of those begun by ``upto``, began and how they ended, newest first.

        None: not ended, or cut off.
        """

    def count(self, feed: str, run_id: str, resource: str, counts: Mapping[str, int]) -> None:
        """Add to a run's counters."""

    def counts(self, run_id: str) -> dict[str, dict[str, dict[str, int]]]:
        """A run's counters: feed → resource → name → value."""

    def outstanding(self, feed: str) -> Outstanding:
        """What the feed still lacks."""

    def status(self, feed: str) -> FeedStatus:
        """The feed's state, for people."""


class Budget(Protocol):
    """What each feed may ask of its MLS, shared by all its processes. Each method is a transaction of its own."""

    def take(self, feed: str, limits: Limits, *, forced: bool = False) -> Share | Wait:
        """Leave for one request now, or until when there is none.

        None within the pause of ``refused``; and whoever asks, and whenever, no stretch of time as long as a window of
        ``limits`` has more requests in it than its limit, by the store's clock. ``forced`` counts too and never waits.
        """

    def answered(
        self, feed: str, limits: Limits, share: Share, transaction: str, byte_size: int, *, well: bool
    ) -> None:
        """The request of this share was answered with so many bytes. ``well``: refusals of its kind are over."""

    def refused(self, feed: str, share: Share, transaction: str, reason: str, said: float | None, usual: float) -> int:
        """The MLS asked to be left alone for ``said`` seconds, or did not say for how long; returns until when it is.

        At least as long as it said (a day at most), and longer with every refusal in a row. Several requests under way
        at once count as one refusal.
        """

    def look(self, feed: str, limits: Limits) -> tuple[tuple[Use, ...], Wait | None]:
        """How much of each limit is used, and until when no request may be sent; None: it may now."""


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


Precision = Literal["rooftop", "interpolated", "street", "neighbourhood", "postcode", "city"]


@dataclass(frozen=True, slots=True)
class AddressWant:
    """An address to ask a geocoder about: normalised (see ``shared.geocoding.address``).

    ``asked`` questions of this round brought nothing, nor did ``misses`` earlier rounds. To ``failures`` questions in a
    row no answer came; to ``geocoder_failures`` when other addresses are counted in.
    """

    address: str
    asked: int = 0
    misses: int = 0
    failures: int = 0
    geocoder_failures: int = 0


@dataclass(frozen=True, slots=True)
class Located:
    """Where an address is: degrees, and how near that is to the house."""

    latitude: float
    longitude: float
    precision: Precision


@dataclass(frozen=True, slots=True)
class NotLocated:
    """An address without coordinates so far: why, and when it is due again (microseconds). See ``AddressWant``."""

    reason: str
    next_attempt_at: int
    asked: int = 0
    misses: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class GeocoderPace:
    """When the geocoder may be asked again, in microseconds; of a failure how many in a row, and the last reason."""

    not_before: int
    failures: int = 0
    reason: str | None = None


class Geocoding(Protocol):
    """Addresses of stored listings that have no coordinates, and what a geocoder says of them.

    ``Records.apply`` keeps listings and addresses linked. ``source`` is the geocoder's host; what is said of ``feeds``
    is said of the addresses their listings have now. Each method is a transaction of its own.
    """

    def begin(self, source: str) -> None:
        """A process that asks ``source`` starts: what another geocoder did not find is due again at once."""

    def tell(self, source: str, feeds: Sequence[str]) -> bool:
        """Whether somebody must be told that addresses are due: some are, and nobody was told lately."""

    def take(self, source: str, feeds: Sequence[str], hold: int) -> AddressWant | int | None:
        """The address that has been due longest; nobody else gets one before it is settled, or ``hold`` microseconds.

        An integer: the geocoder is not to be asked before that instant. None: nothing is due.
        """

    def settle(self, source: str, address: str, outcome: Located | NotLocated, pace: GeocoderPace) -> None:
        """What came of asking for an address that was taken."""

    def due(self, source: str, feeds: Sequence[str]) -> bool:
        """Whether there are addresses to be asked for, and the geocoder did not fail when it was last asked."""

    def failing(self, source: str) -> GeocoderPace | None:
        """Why the geocoder failed when it was last asked, and when it may be asked again; None when it did not."""

    def located(self, feed: str) -> dict[str, int]:
        """The feed's listings by where their coordinates are from: ``mls``, ``geocoder``.

        Without coordinates are those whose address is ``pending`` or was ``not_found``, or that have ``no_address``.
        """


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change of a record that was stored; the names are those of the table ``history_transactional``.

    ``field_name`` is None where no single field tells of the change. ``modification_timestamp`` is ISO 8601 in UTC,
    ``observed_at`` microseconds, later with every change of the same record.
    """

    feed: str
    history_transactional_key: str
    resource_name: str
    resource_record_key: str
    resource_record_id: str | None
    field_name: str | None
    previous_value: str | None
    new_value: str | None
    change_type: str | None
    modification_timestamp: str
    observed_at: int


class History(Protocol):
    """What changed of records. Each method is a transaction of its own."""

    def feeds(self, resource: str, key: str) -> list[str]:
        """The feeds in which a record of this key is stored or has a history, by name."""

    def entries(self, feed: str, resource: str, key: str, field: str | None = None) -> Iterator[HistoryEntry]:
        """The record's history, or that of one field, oldest observation first, then by field."""

    def expire(self, feed: str, before: int, limit: int) -> int:
        """Delete up to ``limit`` entries observed before ``before``, the oldest first; returns how many."""


class Leases(Protocol):
    """What one process at a time may do, by name, on the store's clock. Each method is a transaction of its own.

    A lease that is not renewed ends by itself: so does that of a process that died. ``holder`` is a name for one
    process, never used by another.
    """

    def take(self, name: str, holder: str, seconds: float) -> bool:
        """Whether it is the holder's now, for so many seconds: it was nobody's, had ended, or was the holder's."""

    def renew(self, name: str, holder: str, seconds: float) -> bool:
        """Keep it for so many seconds from now. False when it was released, or another has taken it."""

    def release(self, name: str, holder: str) -> None:
        """Give it back; one that is not the holder's (any more) is left alone."""

    def holder(self, name: str) -> str | None:
        """Whose it is now; None when it is nobody's."""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """A sync that somebody asked for, of one feed. ``most``: only so many listings; ``patience`` in microseconds.

    ``run_id`` is the run that serves it, None before one began; ``report`` what came of it, as it was given.
    """

    request_id: str
    feed: str
    most: int | None
    patience: int
    run_id: str | None = None
    report: str | None = None


class Syncs(Protocol):
    """Syncs asked of another process, and which ranges of a run's inventories were handled.

    Each method is a transaction of its own. Requests are forgotten after a day, ranges after ten.
    """

    def ask(self, request_id: str, feed: str, most: int | None, patience: int) -> None:
        """Ask for a sync of the feed."""

    def next(self, feed: str) -> SyncRequest | None:
        """The feed's oldest request without a report, begun or not."""

    def look(self, request_id: str, feed: str) -> SyncRequest | None:
        """The request as it stands; None when it was withdrawn or forgotten."""

    def begin(self, request_id: str, feed: str, run_id: str) -> bool:
        """This run serves the request from now on. False when it was withdrawn or has its report."""

    def answer(self, request_id: str, feed: str, report: str) -> None:
        """This came of it."""

    def withdraw(self, request_id: str, feed: str) -> None:
        """Nobody waits for it any more."""

    def handled(self, run_id: str, feed: str, resource: str, part: int) -> None:
        """A range of the run's inventory was handled, with all it caused published. Twice, it counts once."""

    def parts(self, run_id: str, feed: str, resource: str) -> int:
        """How many ranges of the run's inventory were handled."""


class Forgetting(Protocol):
    """Deleting a feed, in this order; only for the process that has the database. Each can be called again.

    Until ``end`` the feed is known, so that a process that dies on the way leaves nothing that is not found again.
    """

    def feeds(self) -> list[str]:
        """Every feed that ever was synced and is not forgotten, by name."""

    def held(self, feed: str) -> dict[str, int]:
        """How many rows of each table are the feed's; tables with none left out."""

    def rows(self, feed: str, deleted: Callable[[int], None]) -> None:
        """In one transaction: its objects become dead; every row goes but theirs and the feed's own line.

        ``deleted`` is told every now and then how many rows went since.
        """

    def dead(self, feed: str, limit: int) -> list[str]:
        """Up to ``limit`` of its dead objects, by name."""

    def end(self, feed: str) -> None:
        """Nothing is left of it, not even its clock. Raises StoreError while objects of it are in the ledger."""


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

    def disown(self, feed: str, hashes: Iterable[str]) -> int:
        """Pictures of the feed with these contents (SHA-256) are no photos: their objects become dead, their rows want
        them again. Returns how many rows do. Some at a time, not one transaction."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What is stored, wanted, held and failed now, by feed and what else tells it apart. Instants in microseconds.

    ``whole`` are the newest inventories handled whole: when each was taken and how many keys it listed. ``runs`` are
    how the last sync ended and when, ``in_step`` when one last ended in step. ``photo_sets`` are how many records have
    a set of photos, and of how many some photo is missing. ``metadata`` are when they were last
    read, and how often in vain since. ``odd`` are elements ever kept in ``extra``, by resource and whether unknown or
    unfit.
    """

    stored: Mapping[tuple[str, str], int] = field(default_factory=dict)
    wanted: Mapping[tuple[str, str], int] = field(default_factory=dict)
    unavailable: Mapping[tuple[str, str], int] = field(default_factory=dict)
    held: Mapping[tuple[str, str], int] = field(default_factory=dict)
    whole: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    quarantined: Mapping[tuple[str, str], int] = field(default_factory=dict)
    photos_stored: Mapping[str, int] = field(default_factory=dict)
    photo_sets: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    photos_pending: Mapping[str, int] = field(default_factory=dict)
    photos_failed: Mapping[str, int] = field(default_factory=dict)
    runs: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    in_step: Mapping[str, int] = field(default_factory=dict)
    metadata: Mapping[str, tuple[int | None, int]] = field(default_factory=dict)
    odd: Mapping[tuple[str, str, str], int] = field(default_factory=dict)


class Census(Protocol):
    """Figures of all feeds at once, cheap enough to be asked for every few seconds."""

    def take(self) -> Counts:
        """The figures now. Those of one feed agree with its ``FeedStatus`` when nothing is written meanwhile."""

    def listed_since(self, feed: str, resource: str) -> int | None:
        """When the first run began, of those remembered, that took an inventory of the resource; None: none did."""


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
    @property
    def object_sets(self) -> ObjectSets: ...
    @property
    def marks(self) -> Marks: ...


class Store(Protocol):
    """A database of listings. Safe to use from many threads. Constructing it opens nothing."""

    @property
    def feeds(self) -> Feeds: ...
    @property
    def census(self) -> Census: ...
    @property
    def quarantine(self) -> QuarantineBox: ...
    @property
    def objects(self) -> Objects: ...
    @property
    def holds(self) -> Holds: ...
    @property
    def budget(self) -> Budget: ...
    @property
    def geocoding(self) -> Geocoding: ...
    @property
    def lookups(self) -> Lookups: ...
    @property
    def metadata(self) -> MetadataDocuments: ...
    @property
    def drift(self) -> Drift: ...
    @property
    def views(self) -> Views: ...
    @property
    def history(self) -> History: ...
    @property
    def forgetting(self) -> Forgetting: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def syncs(self) -> Syncs: ...

    def write(self) -> AbstractContextManager[Tx]:
        """One read-write transaction: committed at the end, rolled back on an exception.

        Waits a while for a database that does not answer. Raises StoreUnavailableError when it still does not, or when
        it goes away in the midst: nothing is written then, unless it went while it was told to commit.
        """

    def claim(self) -> None:
        """Take the database for this process, where only one may work on it. Raises StoreError when another has it."""

    def migrate(self) -> None:
        """Bring the tables to this version of mlsync. Safe to call from several processes at once."""

    def check(self) -> None:
        """Raise StoreError unless the database answers and its tables are of this version."""

    def recover(self) -> None:
        """What processes that are known to be dead left half done: names *writing* become dead.

        Where others may be alive, nobody is known to be dead.
        """

    def close(self) -> None:
        """Close every connection."""
