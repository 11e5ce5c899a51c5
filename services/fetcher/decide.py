"""Which of the keys asked for are still worth a request. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shared.effects import Line
from shared.messages import InventoryTaken
from shared.sources.base import Inventory, Page


def still_wanted(keys: Sequence[str], lines: Mapping[str, Line], now: int) -> list[str]:
    """Keys the ledger wants now: not met meanwhile, not asked for in vain by the same inventory, not in back-off."""
    return [key for key in keys if (line := lines.get(key)) is not None and _is_wanted(line, now)]


def _is_wanted(line: Line, now: int) -> bool:
    due = line.next_attempt_at is None or line.next_attempt_at <= now
    return line.wanted_by is not None and not line.asked and due


def left_over(keys: Sequence[str], page: Page) -> list[str]:
    """Keys to ask for anew because the MLS stopped half way; none when it got nowhere, which would go on for ever."""
    came = {record.key for record in page.records}
    left = [key for key in keys if key not in came and key not in page.unaskable]
    return left if page.partial and len(left) < len(keys) else []


def to_messages(
    feed: str, resource: str, observed_at: int, taken: Inventory, size: int, *, limited: bool = False
) -> Iterator[InventoryTaken]:
    """An inventory cut into key ranges that together cover every key there can be."""
    parts = max(1, -(-len(taken.packed) // size))
    for number, part in enumerate(taken.ranges(size), start=1):
        yield InventoryTaken(
            feed=feed,
            resource=resource,
            observed_at=observed_at,
            server_date=taken.server_date,
            after=part.after,
            upto=part.upto,
            entries=part.entries,
            count=len(taken.packed),
            part=number,
            parts=parts,
            proven=taken.proven,
            limited=limited,
        )
