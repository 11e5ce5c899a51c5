"""Pages nobody asked for: what changed since the mark, observed before or after an inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

import pytest

from services.reconciler.decide import on_inventory
from services.writer.decide import Read, Unreadable, on_gone, on_page
from shared.effects import (
    AddCandidate,
    DropLine,
    Effect,
    EndCandidacy,
    KeepRecord,
    Line,
    PutLine,
    Quarantine,
    RemoveRecord,
    StoreRecord,
)
from shared.mapping.record import Mapped
from shared.messages import InventoryTaken, PageFetched, SourceRecord

SECOND = 1_000_000
NOW = 9_000_000_000 * SECOND


class Told:
    """One listing's ledger line and candidacy, told of by pages and inventories in any order."""

    def __init__(self, line: Line | None = None) -> None:
        self.lines = {line.key: line} if line else {}
        self.candidates: set[str] = set()
        self.horizon: int | None = None

    @property
    def line(self) -> Line | None:
        return self.lines.get("1")

    @property
    def stored(self) -> str | None:
        """The stored record's stamp, None when there is no row."""
        return self.line.stamp if self.line and self.line.stored else None

    def page(self, at: int, *stamps: str, bad: Sequence[Unreadable] = ()) -> list[Effect]:
        found = [
            Read(SourceRecord("1", stamp, {}), Mapped("property", "1", None, {}, [], [], {}, [], [], stamp.encode()))
            for stamp in stamps
        ]
        message = PageFetched(feed="f", resource="property", observed_at=at, server_date=NOW, asked=[], records=[])
        return self._then(on_page(message, found, bad, self.lines, self.horizon, NOW))

    def inventory(self, at: int, **listed: str) -> list[Effect]:
        entries = [("1", stamp) for stamp in listed.values()]
        taken = InventoryTaken(
            feed="f", resource="property", observed_at=at, server_date=None, after=None, upto=None, entries=entries,
            count=len(entries), part=1, parts=1,
        )  # fmt: skip
        if self.horizon is not None and at < self.horizon:
            return []
        self.horizon = at
        return self._then(on_inventory(taken, list(self.lines.values()), self.candidates))

    def gone(self, at: int) -> list[Effect]:
        return self._then(on_gone(at, sorted(self.candidates), self.lines, self.horizon))

    def _then(self, effects: list[Effect]) -> list[Effect]:
        for effect in effects:
            match effect:
                case PutLine(line) | RemoveRecord(line) | KeepRecord(line=line) | StoreRecord(line=line):
                    self.lines[line.key] = line
                case DropLine(key):
                    del self.lines[key]
                case AddCandidate(key, _):
                    self.candidates.add(key)
                case EndCandidacy(key):
                    self.candidates.discard(key)
                case _:
                    pass
        return effects


def row(at: int = 1, stamp: str = "a", wanted_by: int | None = None) -> Line:
    return Line(
        "1", stored=True, observed_at=at, stamp=stamp, hash=stamp.encode(), wanted_by=wanted_by,
        wanted_stamp=None if wanted_by is None else "b",
    )  # fmt: skip


STARTS: Mapping[str, Line | None] = {
    "unknown": None,
    "stored": row(),
    "stored and wanted": row(wanted_by=2),
    "wanted": Line("1", wanted_stamp="b", wanted_by=2),
    "tombstone": Line("1", observed_at=2),
}


@pytest.fixture(params=STARTS)
def told(request: pytest.FixtureRequest) -> Told:
    """A listing in any state before a page observed at 5 and an inventory of 10 that lacks it."""
    return Told(STARTS[request.param])


def test_a_page_between_inventory_and_removal_brings_nothing_back(told: Told) -> None:
    told.inventory(10)
    assert told.page(5, "b") == []
    told.gone(10)
    assert told.stored is None


def test_a_page_after_the_removal_brings_nothing_back(told: Told) -> None:
    told.inventory(10)
    told.gone(10)
    assert told.page(5, "b") == []
    assert told.stored is None


def test_a_page_after_the_tombstone_went_brings_nothing_back(told: Told) -> None:
    told.inventory(10)
    told.gone(10)
    told.inventory(20)
    assert told.line is None
    for at in (5, 15):
        assert told.page(at, "b") == []


def test_a_page_handled_before_the_inventory_that_lacks_the_listing_is_undone_by_it(told: Told) -> None:
    told.page(5, "b")
    assert told.stored == "b"
    told.inventory(10)
    told.gone(10)
    assert told.stored is None


def test_a_page_observed_after_the_inventory_that_lacks_the_listing_stands(told: Told) -> None:
    told.inventory(10)
    told.page(15, "c")
    told.gone(10)
    assert told.stored == "c"
    assert told.candidates == set()


def test_a_page_observed_after_the_inventory_and_handled_before_it_stands(told: Told) -> None:
    told.page(15, "c")
    told.inventory(10)
    told.gone(10)
    assert told.stored == "c"


def test_a_page_late_for_an_inventory_that_found_the_listing_equal_changes_nothing() -> None:
    told = Told(row(stamp="b"))
    told.inventory(10, listed="b")
    assert told.page(5, "a") == []
    assert told.stored == "b"


@pytest.mark.parametrize("start", ["unknown", "stored", "wanted"])
def test_a_page_older_than_the_inventory_that_wants_its_record_spares_the_request(start: str) -> None:
    told = Told(STARTS[start])
    told.inventory(10, listed="b")
    told.page(5, "b")
    assert told.stored == "b"
    assert told.line is not None
    assert told.line.wanted_by is None


def test_a_page_older_than_the_change_the_inventory_wants_leaves_the_want() -> None:
    told = Told(row())
    told.inventory(10, listed="c")
    told.page(5, "b")
    assert told.line is not None
    assert (told.stored, told.line.wanted_by, told.line.wanted_stamp) == ("b", 10, "c")


def test_what_is_wanted_and_not_on_the_page_counts_no_attempt() -> None:
    told = Told(STARTS["wanted"])
    assert told.page(5) == []
    assert told.line == STARTS["wanted"]


def test_a_record_that_cannot_be_handled_is_set_aside_and_its_row_stays() -> None:
    told = Told(row())
    bad = Unreadable("1", b"?", "nested too deep")
    assert told.page(5, bad=[bad]) == [Quarantine("1", "record", b"?", "nested too deep", 5)]
    assert told.line == row()


@pytest.mark.parametrize("order", list(permutations([(5, "b"), (6, "c"), (7, "d")])), ids=str)
def test_of_pages_in_any_order_and_twice_the_last_observation_stands(order: tuple[tuple[int, str], ...]) -> None:
    told = Told(row())
    for at, stamp in [*order, *order]:
        told.page(at, stamp)
    assert told.stored == "d"
