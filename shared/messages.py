"""Every message that travels between services: frozen, versioned, encoded as msgpack.

A message is named as a fact or a request. An optional field with a default may join a version, readers
deployed first; any other change is a new class with a new version.

A first load, or whatever else is much at once, goes by queues of its own (``backlog``), which their consumers look at
after the others: what changed meanwhile does not wait behind it. What follows from such a message goes the same way.

Instants are integers: microseconds since 1970-01-01T00:00:00Z. ``observed_at`` is always issued by the
store (see ``shared.store.base``), never by a process's own clock.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import msgspec


class SourceRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One record as the MLS sent it: names and strings, nested as in the XML, nothing interpreted.

    ``fields`` maps element name to value. A value is a string (an element with text only, stripped; "" when empty),
    a dict (an element with attributes or children; attributes are ``@Name``, text beside them is ``#text``), or a
    list of those where siblings repeat. ``key`` is "" when the MLS sent none; ``stamp`` is its timestamp verbatim.
    ``untold`` are elements (of a part ``Part/Name``) that the MLS used to send and that it can send no more: what was
    read of them last stays.
    """

    key: str
    stamp: str
    fields: dict[str, Any]
    untold: tuple[str, ...] = ()


class BrokenRecord(msgspec.Struct, frozen=True, gc=False):
    """A record that no parser reads: its XML, cut where it is very long, and why. ``key`` is "" where not even that
    can be read."""

    key: str
    body: bytes
    reason: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What every message shares: which feed it is about."""

    TYPE: ClassVar[str]
    QUEUE: ClassVar[str]

    feed: str

    @property
    def queue(self) -> str:
        """The queue this message goes to."""
        return self.QUEUE


def backlog_of(queue: str) -> str:
    """The queue for what may wait behind all that is on ``queue``."""
    return f"{queue}.backlog"


class PageFetched(Message, frozen=True, kw_only=True):
    """Up to 100 records of one resource as the MLS sent them, and the keys that were asked for: none, of changes.

    ``broken`` are those that came and cannot be read. ``failure`` says why none of the keys asked for came, where that
    is known.
    """

    TYPE: ClassVar[str] = "page.fetched.v1"
    QUEUE: ClassVar[str] = "writer"

    resource: str
    observed_at: int
    server_date: int | None
    asked: list[str]
    records: list[SourceRecord]
    failure: str = ""
    broken: list[BrokenRecord] = []
    backlog: bool = False

    @property
    def queue(self) -> str:
        """The lane's."""
        return backlog_of(self.QUEUE) if self.backlog else self.QUEUE


class InventoryTaken(Message, frozen=True, kw_only=True):
    """Within the key range ``(after, upto]`` the MLS has exactly ``entries``: (key, stamp as written), sorted by key.

    ``count`` is the number of distinct keys of the whole inventory, ``part`` this range's number from 1 of ``parts``.
    ``proven`` says that the answer was whole and its distinct keys equal the announced count: only then is the
    absence of a key evidence. ``limited`` says that only the keys named here are to be brought in step now.
    """

    TYPE: ClassVar[str] = "inventory.taken.v1"
    QUEUE: ClassVar[str] = "reconciler"

    resource: str
    observed_at: int
    server_date: int | None
    after: str | None
    upto: str | None
    entries: list[tuple[str, str]]
    count: int
    part: int
    parts: int
    proven: bool = True
    limited: bool = False


class RecordsRequested(Message, frozen=True, kw_only=True):
    """Up to a page of keys that the ledger wants. Each feed has a queue of its own: a slow MLS delays no other."""

    TYPE: ClassVar[str] = "records.requested.v1"
    QUEUE: ClassVar[str] = "fetcher"

    resource: str
    keys: list[str]
    backlog: bool = False

    @property
    def queue(self) -> str:
        """The feed's own, the lane's."""
        queue = f"{self.QUEUE}.{self.feed}"
        return backlog_of(queue) if self.backlog else queue


class ListingsDeleted(Message, frozen=True, kw_only=True):
    """Keys that the server itself names as deleted."""

    TYPE: ClassVar[str] = "listings.deleted.v1"
    QUEUE: ClassVar[str] = "reconciler"

    resource: str
    observed_at: int
    keys: list[str]


class ListingsGone(Message, frozen=True, kw_only=True):
    """The candidates of the inventory or deletion of ``observed_at`` are released: remove those that still are."""

    TYPE: ClassVar[str] = "listings.gone.v1"
    QUEUE: ClassVar[str] = "writer"

    resource: str
    observed_at: int


class PhotosPending(Message, frozen=True, kw_only=True):
    """A record has photos to fetch or objects to delete: look at what the store says of it."""

    TYPE: ClassVar[str] = "photos.pending.v1"
    QUEUE: ClassVar[str] = "media"

    resource: str
    key: str
    backlog: bool = False

    @property
    def queue(self) -> str:
        """The lane's."""
        return backlog_of(self.QUEUE) if self.backlog else self.QUEUE


class AddressesPending(Message, frozen=True, kw_only=True):
    """Listings have no coordinates, and their addresses are to be looked up: look at what the store says of them.

    ``feed`` is one of those they belong to; whoever looks, looks for all.
    """

    TYPE: ClassVar[str] = "addresses.pending.v1"
    QUEUE: ClassVar[str] = "geocoder"


TYPES: dict[str, type[Message]] = {
    cls.TYPE: cls
    for cls in (
        PageFetched, InventoryTaken, RecordsRequested, ListingsDeleted, ListingsGone, PhotosPending, AddressesPending
    )
}  # fmt: skip

M = TypeVar("M", bound=Message)


class Envelope(msgspec.Struct, frozen=True):
    """What wraps a message: its id, type, the run it belongs to and when it was made (microseconds)."""

    id: str
    type: str
    run_id: str
    created_at: int
    body: msgspec.Raw


class UndecodableError(ValueError):
    """The bytes are no message of a known type; the text says why."""


_encoder = msgspec.msgpack.Encoder()
_envelopes = msgspec.msgpack.Decoder(Envelope)
_bodies = {name: msgspec.msgpack.Decoder(cls) for name, cls in TYPES.items()}


def encode(message: Message, *, id: str, run_id: str, created_at: int) -> bytes:
    """The message in its envelope, as msgpack. The same arguments give the same bytes."""
    body = msgspec.Raw(_encoder.encode(message))
    return _encoder.encode(Envelope(id, message.TYPE, run_id, created_at, body))


def decode(body: bytes) -> tuple[Envelope, Message]:
    """The envelope and the typed message within.

    Raises UndecodableError when the bytes are not msgpack, the type is unknown, or a field has another shape.
    """
    try:
        envelope = _envelopes.decode(body)
        decoder = _bodies.get(envelope.type)
        if decoder is None:
            raise UndecodableError(f"unknown message type {envelope.type!r}")
        return envelope, decoder.decode(envelope.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UndecodableError(f"not a message: {error}") from error
