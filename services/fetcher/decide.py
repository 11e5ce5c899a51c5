"""What is worth a request: which of the keys asked for, and whether the metadata. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

from shared.effects import Line
from shared.lookups import MetadataVersion
from shared.messages import InventoryTaken
from shared.sources.base import Inventory, Page
from shared.store.base import DAY, MetadataState


def still_wanted(keys: Sequence[str], lines: Mapping[str, Line], now: int) -> list[str]:
    """Keys the ledger wants now: not met meanwhile, not asked for in vain by the same inventory, not in back-off."""
    return [key for key in keys if (line := lines.get(key)) is not None and _is_wanted(line, now)]


def apart(keys: Sequence[str], lines: Mapping[str, Line]) -> list[list[str]]:
    """``keys`` in requests of their own: first those that go together, then one by one those whose record broke the
    answer when it was last asked for alone. So a page is halved to find them once, not at every inventory."""
    breaking = [key for key in keys if key in lines and lines[key].breaks_answers]
    together = [key for key in keys if key not in breaking]
    return [part for part in (together, *([key] for key in breaking)) if part]


def _is_wanted(line: Line, now: int) -> bool:
    due = line.next_attempt_at is None or line.next_attempt_at <= now
    return line.wanted_by is not None and not line.asked and due


def left_over(keys: Sequence[str], page: Page) -> list[str]:
    """Keys to ask for anew because the MLS stopped half way; none when it got nowhere, which would go on for ever."""
    came = {record.key for record in page.records} | {record.key for record in page.broken}
    left = [key for key in keys if key not in came and key not in page.unaskable]
    return left if page.partial and len(left) < len(keys) else []


def with_untold(taken: Inventory, stored: Iterable[tuple[str, str]]) -> Inventory:
    """The inventory with what is ``stored`` (keys and stamps) of records that it says nothing of, as if it named them
    as they are: nothing is known of them. One that it names all the same is as it says."""
    named = {item.partition(b"\0")[0] for item in taken.packed}
    added = [f"{key}\0{stamp}".encode() for key, stamp in stored if key.encode() not in named]
    return dataclasses.replace(taken, packed=sorted(taken.packed + added, key=lambda item: item.partition(b"\0")[0]))


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


SILENT_AGE = DAY
"""How old metadata may be whose state the MLS does not tell, in microseconds."""


def metadata_due(said: MetadataVersion, known: MetadataState, now: int) -> bool:
    """Whether to read the metadata: what the MLS says of them is not what they were read as, and this state of them
    was not tried in vain so lately that it must wait. They are read once per state and language, then not again."""
    if known.read is not None and known.read.same(said):
        told = said.version or said.timestamp
        if told or (known.read_at is not None and now - known.read_at < SILENT_AGE):
            return False
    tried = known.failed is not None and known.failed.same(said)
    return not tried or known.next_attempt_at is None or known.next_attempt_at <= now
