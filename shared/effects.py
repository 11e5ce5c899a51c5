"""What a decision asks to be done. Services decide (pure), the store performs, in one transaction.

Effects are compared in tests as plain values. They carry whole ledger lines rather than changes to them: the lines
were read under lock in the same transaction, so what a decision returns is simply what is true afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from shared.mapping.record import Mapped, MediaItem
from shared.messages import Message, SourceRecord

BREAKS_ANSWERS = "the MLS fails over this record: "
"""How the reason of an attempt begins when the record was asked for alone and no usable answer came."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """One key's line in the ledger: what is stored of it, and what is wanted.

    ``observed_at`` is that of the stored row, or of the removal when ``stored`` is false, or 0 when the key was never
    read. ``stamp`` is the stored record's source timestamp verbatim. ``unsettled`` says it was read so soon after that
    timestamp that a second change may share it. ``wanted_by`` is the inventory (its ``observed_at``) that wants the
    record, with ``wanted_stamp``. ``attempts`` counts inventories for which the record was asked for in vain, the last
    of them ``attempted_by``; ``next_attempt_at`` is the end of the back-off in microseconds.
    """

    key: str
    stored: bool = False
    observed_at: int = 0
    stamp: str | None = None
    hash: bytes | None = None
    unsettled: bool = False
    wanted_stamp: str | None = None
    wanted_by: int | None = None
    attempts: int = 0
    attempted_by: int | None = None
    next_attempt_at: int | None = None
    reason: str | None = None

    def is_stale(self, stamp: str, observed_at: int) -> bool:
        """Whether an inventory of ``observed_at`` that lists this key with ``stamp`` must want the record."""
        if self.observed_at >= observed_at:
            return False
        return not self.stored or self.stamp != stamp or self.unsettled

    @property
    def asked(self) -> bool:
        """Whether the record was already asked for in vain on behalf of the inventory that wants it."""
        return self.attempted_by is not None and self.attempted_by == self.wanted_by

    @property
    def breaks_answers(self) -> bool:
        """Whether no answer with this record in it could be read, so that it had better be asked for alone."""
        return self.reason is not None and self.reason.startswith(BREAKS_ANSWERS)


@dataclass(frozen=True, slots=True)
class Effect:
    """Base of all effects."""


@dataclass(frozen=True, slots=True)
class PutLine(Effect):
    """The key's line is now this."""

    line: Line


@dataclass(frozen=True, slots=True)
class DropLine(Effect):
    """The key has no line any more."""

    key: str


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo of a record as the feed's media policy sees it.

    ``version`` is what must be stored, None when the policy is to store no photo; ``url`` where the MLS shows it.
    """

    item: MediaItem
    url: str | None
    version: str | None


@dataclass(frozen=True, slots=True)
class ObjectsWanted:
    """Every object of a type that is no photo's, as the record had them when it was of ``version``.

    ``linked``: their addresses rather than their bytes.
    """

    type: str
    linked: bool
    version: str


@dataclass(frozen=True, slots=True)
class StoreRecord(Effect):
    """Write the record's rows, photos and objects wanted (``insert``: there were none), its source and its line."""

    mapped: Mapped
    photos: Sequence[Photo]
    source: SourceRecord
    line: Line
    insert: bool
    objects: Sequence[ObjectsWanted] = ()


@dataclass(frozen=True, slots=True)
class KeepRecord(Effect):
    """The record reads as stored: write its line, its source timestamp and which objects are wanted, but no row."""

    mapped: Mapped
    line: Line
    objects: Sequence[ObjectsWanted] = ()


@dataclass(frozen=True, slots=True)
class RemoveRecord(Effect):
    """Delete the record's rows, mark its objects dead, leave ``line`` as a tombstone."""

    line: Line


@dataclass(frozen=True, slots=True)
class AddHistory(Effect):
    """An entry of the record's history: this field of it changed, or (field None) the record as a whole.

    Values are text as people read them; ``change_type`` is one of RESO's or None; ``record_id`` the listing's id.
    ``modified`` is when the change was made, aware, ``observed_at`` when it was seen, in microseconds.
    """

    key: str
    field: str | None
    previous: str | None
    new: str | None
    change_type: str | None
    modified: datetime
    observed_at: int
    record_id: str | None = None


@dataclass(frozen=True, slots=True)
class RecheckPhotos(Effect):
    """Ask again for the record's photos, by conditional request."""

    key: str


@dataclass(frozen=True, slots=True)
class RetryPhotos(Effect):
    """The record was read again: those of its photos that could not be had are asked for at once."""

    key: str


@dataclass(frozen=True, slots=True)
class AddCandidate(Effect):
    """The inventory of ``by`` lacks this stored key: weigh it for removal."""

    key: str
    by: int


@dataclass(frozen=True, slots=True)
class EndCandidacy(Effect):
    """The key was seen again: it is no candidate for removal any more."""

    key: str


@dataclass(frozen=True, slots=True)
class Quarantine(Effect):
    """Set bytes aside that cannot be handled, with the reason.

    ``may_be``: of a record without a key, the keys asked for that did not come; it is the record of one of them.
    """

    key: str
    kind: str
    body: bytes
    reason: str
    observed_at: int
    may_be: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Count(Effect):
    """Add ``n`` to the run's counter ``name``."""

    name: str
    n: int = 1


@dataclass(frozen=True, slots=True)
class Publish(Effect):
    """Send a message, after the commit."""

    message: Message
