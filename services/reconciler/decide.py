"""What an inventory says about what is stored. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from msgspec.structs import replace

from shared.effects import AddCandidate, DropLine, Effect, EndCandidacy, Line, PutLine
from shared.messages import InventoryTaken, ListingsDeleted
from shared.store.base import Candidates


def on_inventory(
    taken: InventoryTaken, lines: Iterable[Line], candidates: Collection[str], alike: Iterable[str] = ()
) -> list[Effect]:
    """Want what is missing or differs; note as candidates what this range of a proven inventory lacks.

    ``lines`` are the ledger's lines in the range but those of the keys ``alike``, which are stored and settled as they
    are listed and wanted by nothing, so that nothing is to be done. ``candidates`` are the keys in it that are
    candidates for removal now; they are weighed together once every range has been handled (``weigh``), never here.
    """
    here = dict(taken.entries)
    effects: list[Effect] = [EndCandidacy(key) for key in candidates if key in here]
    for key in alike:
        del here[key]
    for line in lines:
        stamp = here.pop(line.key, None)
        if stamp is not None:
            effects += _listed(line, stamp, taken.observed_at)
        elif taken.proven:
            effects += _absent(line, taken.observed_at)
    effects += [PutLine(Line(key, wanted_stamp=stamp, wanted_by=taken.observed_at)) for key, stamp in here.items()]
    return effects


def _listed(line: Line, stamp: str, observed_at: int) -> list[Effect]:
    if line.wanted_by is not None and line.wanted_by > observed_at:
        return []  # a newer inventory has spoken
    unread = line.wanted_stamp == stamp and line.observed_at < observed_at  # wanted for its age, not read since
    if not unread and not line.is_stale(stamp, observed_at):
        return [] if line.wanted_by is None else [PutLine(without_want(line))]
    if line.wanted_by is not None and line.wanted_stamp == stamp:
        again = replace(line, wanted_by=observed_at)
    else:  # a new timestamp starts afresh, whatever was tried before
        again = replace(without_want(line), wanted_stamp=stamp, wanted_by=observed_at)
    return [] if again == line else [PutLine(again)]


def _absent(line: Line, observed_at: int) -> list[Effect]:
    if line.observed_at >= observed_at or (line.wanted_by or 0) >= observed_at:
        return []  # seen later than this inventory
    if not line.stored:
        return [DropLine(line.key)]  # a tombstone or a want never met: the MLS lacks the key, so nothing is owed
    effects: list[Effect] = [AddCandidate(line.key, observed_at)]
    if line.wanted_by is not None:
        effects.append(PutLine(without_want(line)))
    return effects


def without_want(line: Line) -> Line:
    """The line with nothing wanted and no attempts remembered."""
    return replace(
        line, wanted_stamp=None, wanted_by=None, attempts=0, attempted_by=None, next_attempt_at=None, reason=None
    )


def on_deleted(observed_at: int, keys: Iterable[str], lines: Mapping[str, Line], horizon: int | None) -> list[Effect]:
    """Deletions the server itself names: candidates like any other, and a tombstone even for a key never heard of.

    They move no horizon; one older than the horizon says nothing new.
    """
    if horizon is not None and observed_at < horizon:
        return []
    effects: list[Effect] = []
    for key in sorted(set(keys)):
        line = lines.get(key, Line(key))
        if line.observed_at >= observed_at or (line.wanted_by or 0) >= observed_at:
            continue
        effects.append(AddCandidate(key, observed_at) if line.stored else PutLine(Line(key, observed_at=observed_at)))
    return effects


def weigh(known: Candidates, *, at_least: int, share: float) -> Literal["held", "released"] | None:
    """Whether an inventory's candidates may be removed: None while ranges of it are missing.

    They are held when the inventory is empty, or when together with what the last day removed they are more than the
    larger of ``at_least`` listings and ``share`` (a fraction) of what was stored at the day's beginning. Those an
    operator approved, or that have been lacking for as long as the feed's policy asks, go in any case and do not count;
    but no policy empties a site.
    """
    if known.parts_missing:
        return None
    waiting = known.seen + known.held - known.confirmed
    if not waiting:
        return "released"
    limit = max(at_least, share * (known.stored + known.removed_today))
    if known.count == 0 or waiting + known.removed_today > limit:
        return "held"
    return "released"


def lacking_since(seen: InventoryTaken | ListingsDeleted, confirm_after: int | None) -> int:
    """Since when a key must have been lacking to be removed whatever the guard says; 0: none is.

    Never by an empty inventory, however often it is repeated: that is how an outage looks.
    """
    if confirm_after is None or isinstance(seen, ListingsDeleted) or seen.count == 0:
        return 0
    return seen.observed_at - confirm_after


def lanes(keys: Sequence[str], lines: Mapping[str, Line], most: int) -> tuple[list[str], list[str]]:
    """``keys`` apart: what to ask for at once, and what may wait behind it.

    Of a range that has more than ``most`` keys of which nothing is stored, those may wait: a first load, or a feed that
    was widened. What is stored and has changed never does.
    """
    new = [key for key in keys if key not in lines or not lines[key].stored]
    if len(new) <= most:
        return list(keys), []
    late = set(new)
    return [key for key in keys if key not in late], new


def to_reread(observed_at: int, previous: int | None, stored: int, *, within: int) -> tuple[int, int]:
    """Which records to read again though nothing says they changed: ``(observed before, at most how many)``.

    Every record is to be read within ``within`` microseconds. Those older than five sevenths of that are eligible, and
    each inventory takes the share of the remaining two sevenths that has passed since the one before: a first load is
    not repeated in one burst a week later.
    """
    window = within * 2 // 7
    passed = window if previous is None else min(window, observed_at - previous)
    return observed_at - (within - window), -(-stored * passed // window)
