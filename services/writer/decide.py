"""What a page of records does to what is stored. Pure: no I/O, no clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from shared.backoff import next_attempt_at
from shared.effects import (
    Count,
    DropLine,
    Effect,
    EndCandidacy,
    KeepRecord,
    Line,
    ObjectsWanted,
    Photo,
    PutLine,
    Quarantine,
    RecheckPhotos,
    RemoveRecord,
    RetryPhotos,
    StoreRecord,
)
from shared.mapping.record import Mapped
from shared.mapping.times import modified_in, parse_stamp
from shared.messages import PageFetched, SourceRecord

SECOND = 1_000_000
MINUTE = 60 * SECOND

NOT_DELIVERED = "the MLS lists it but does not deliver it"
OLDER_COPY = "the MLS delivers an older copy than it lists"
WITHOUT_KEY = "the MLS lists it but does not deliver it, or without its key: see quarantine"
SAME_CLOCK_MARGIN = 2 * SECOND
"""A record read this close to its timestamp by the server's own ``Date`` may change again under the same timestamp."""
OTHER_CLOCK_MARGIN = MINUTE
"""The same margin when the server told no ``Date`` and the store's clock must do."""


@dataclass(frozen=True, slots=True)
class Read:
    """A record of a page, mapped, with its photos and other objects as the feed's settings see them."""

    source: SourceRecord
    mapped: Mapped
    photos: Sequence[Photo] = ()
    objects: Sequence[ObjectsWanted] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record of a page that cannot be mapped, or (``kind`` xml) not even read, with its bytes and the reason."""

    key: str
    body: bytes
    reason: str
    kind: Literal["record", "xml"] = "record"


def on_page(
    page: PageFetched,
    read: Sequence[Read],
    unreadable: Sequence[Unreadable],
    lines: Mapping[str, Line],
    horizon: int | None,
    now: int,
) -> list[Effect]:
    """Write what was observed later than the ledger says, meet wants, count what was asked for and did not come.

    ``lines`` holds the ledger's lines of every key asked for or received, ``horizon`` the ``observed_at`` of the newest
    proven inventory: a page older than it may only fill a want.
    """
    effects: list[Effect] = []
    came = {item.mapped.key for item in read}
    for item in {item.mapped.key: item for item in read}.values():
        effects += _record(page, item, lines.get(item.mapped.key), horizon, now)
    lost = sorted(set(page.asked) - came - {bad.key for bad in unreadable})
    unreadable, lost = _told_by_elimination(unreadable, lost)
    for bad in unreadable:
        line = lines.get(bad.key)
        if not _counts(page, line, horizon):
            continue
        may_be = () if bad.key else tuple(lost)
        effects.append(Quarantine(bad.key, bad.kind, bad.body, bad.reason, page.observed_at, may_be))
        effects += _in_vain(line, page.observed_at, f"quarantined: {bad.reason}", now)
    keyless = any(not bad.key for bad in unreadable)
    for key in lost:
        reason = page.failure or (WITHOUT_KEY if keyless else NOT_DELIVERED)
        effects += _in_vain(lines.get(key), page.observed_at, reason, now)
    return effects


def _told_by_elimination(unreadable: Sequence[Unreadable], lost: list[str]) -> tuple[Sequence[Unreadable], list[str]]:
    """Where one record came without its key and one key asked for did not come, they belong together."""
    keyless = [bad for bad in unreadable if not bad.key]
    if len(keyless) != 1 or len(lost) != 1:
        return unreadable, lost
    return [bad if bad.key else dataclasses.replace(bad, key=lost[0]) for bad in unreadable], []


def _record(page: PageFetched, item: Read, line: Line | None, horizon: int | None, now: int) -> list[Effect]:
    key, mapped = item.mapped.key, item.mapped
    if not _counts(page, line, horizon):
        return []
    line = line or Line(key)
    unsettled = is_unsettled(mapped.modified, page.server_date, page.observed_at)
    met = line.wanted_by is not None and (
        page.observed_at > line.wanted_by or (not unsettled and item.source.stamp == line.wanted_stamp)
    )
    after = replace(
        line, stored=True, observed_at=page.observed_at, stamp=item.source.stamp, hash=mapped.hash, unsettled=unsettled
    )
    effects: list[Effect] = [EndCandidacy(key)]
    if met and _is_older(item.source.stamp, line.wanted_stamp):
        # A replica that lags answered. What it has is written, as every last observation, and still wanted.
        met = False
        if not line.asked:
            reason = f"{OLDER_COPY}: of {item.source.stamp[:40]}, listed of {(line.wanted_stamp or '')[:40]}"
            after = _tried(after, reason, now)
            effects.append(Count("unavailable"))
    elif met:
        after = replace(
            after, wanted_stamp=None, wanted_by=None, attempts=0, attempted_by=None, next_attempt_at=None, reason=None
        )
    if line.stored and line.hash == mapped.hash:
        effects += [KeepRecord(mapped, after, item.objects), Count("unchanged")]
    else:
        effects += [
            StoreRecord(mapped, item.photos, item.source, after, insert=not line.stored, objects=item.objects),
            Count("updated" if line.stored else "inserted"),
        ]
    if line.stored and line.wanted_stamp == line.stamp and not line.unsettled and met:
        effects.append(RecheckPhotos(key))  # nothing but its age asked for this record: ask for its photos too
    if line.stored and line.unsettled:
        effects.append(RetryPhotos(key))  # a photo's address may have expired: the record may have brought another
    return effects


def _counts(page: PageFetched, line: Line | None, horizon: int | None) -> bool:
    """Whether what a page says of a key still matters."""
    if line is not None and page.observed_at <= line.observed_at:
        return False  # delivered again, or overtaken by a later observation
    # else it would bring back what an inventory saw gone, or undo what one found equal
    return horizon is None or page.observed_at > horizon or (line is not None and line.wanted_by is not None)


def is_unsettled(modified: datetime | None, server_date: int | None, observed_at: int) -> bool:
    """Whether a record was read so close to its own timestamp that it may change again without a new one."""
    if modified is None:
        return False
    stamped = int(modified.timestamp() * SECOND)
    if server_date is not None:
        return abs(server_date - stamped) <= SAME_CLOCK_MARGIN
    return abs(observed_at - stamped) <= OTHER_CLOCK_MARGIN


def _in_vain(line: Line | None, observed_at: int, reason: str, now: int) -> list[Effect]:
    if line is None or line.wanted_by is None or line.asked or observed_at < line.wanted_by:
        return []  # not wanted, already counted for this inventory, or asked before it
    return [PutLine(_tried(line, reason, now)), Count("unavailable")]


def _tried(line: Line, reason: str, now: int) -> Line:
    """The line with one more attempt, on behalf of the inventory that wants the record."""
    attempts = line.attempts + 1
    due = next_attempt_at(attempts, now)
    return replace(line, attempts=attempts, attempted_by=line.wanted_by, reason=reason, next_attempt_at=due)


def _is_older(stamp: str, wanted: str | None) -> bool:
    """Whether both are timestamps and ``stamp`` is the earlier one: not "different", since a record may have changed
    after it was listed."""
    try:
        return wanted is not None and parse_stamp(modified_in(stamp)) < parse_stamp(modified_in(wanted))
    except ValueError:
        return False


def became_known(effects: Iterable[Effect], lines: Mapping[str, Line], since: int | None) -> list[datetime]:
    """When the MLS says that each record new or changed was made so; what measures how fresh the rows are.

    ``lines`` are those before. Left out is what says nothing of that: a change under the timestamp that was stored, and
    a new record of before ``since``, when its resource was first listed (None: it never was): a first load is as old
    as it is.
    """
    found: list[datetime] = []
    for effect in effects:
        if not isinstance(effect, StoreRecord) or effect.mapped.modified is None:
            continue
        modified, before = effect.mapped.modified, lines.get(effect.line.key)
        if effect.insert:
            counts = since is not None and modified.timestamp() * SECOND > since
        else:
            counts = before is not None and before.stamp != effect.line.stamp
        if counts:
            found.append(modified)
    return found


def on_gone(observed_at: int, keys: Sequence[str], lines: Mapping[str, Line], horizon: int | None) -> list[Effect]:
    """Remove released candidates that still are: nothing newer than the inventory has been observed of them."""
    if horizon is not None and observed_at < horizon:
        return []
    effects: list[Effect] = []
    for key in keys:
        line = lines.get(key)
        effects.append(EndCandidacy(key))
        if line is not None and line.stored and line.observed_at < observed_at:
            effects += [RemoveRecord(Line(key, observed_at=observed_at)), Count("removed")]
    return effects


def on_unlisted(lines: Iterable[Line]) -> list[Effect]:
    """Give up records of a resource that is listed no more: no tombstone stays, for no inventory will lack them."""
    effects: list[Effect] = []
    for line in lines:
        if line.stored:
            effects += [RemoveRecord(Line(line.key, observed_at=line.observed_at)), Count("removed")]
        effects.append(DropLine(line.key))
    return effects
