"""An MLS that lies about what it has: nothing that exists is removed, and the next honest answer puts all in step."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from services.outcome import FeedReport
from tests.pipeline.repeated import Feed, reading
from tests.pipeline.simulated import simulated

LISTINGS = 60
LIES = 10
"""How often each kind is told."""
BELIEVED = 5
"""So many removals at once are believed: the default of ``remove_at_least``."""

DETECTED = {
    "empty-inventory": ("0",),
    "count-mismatch": ("1", "17", "-1", "-59"),
    "truncated": ("1",),
    "cut": ("1",),
    "late-status": ("20203", "20208", "20209"),
    "doubled-keys": ("0.05", "0.5"),
    "endless": ("rows:1",),
}
"""Faults by which an inventory gives itself away."""
PLAUSIBLE = {
    "empty-inventory (20201)": ("empty-inventory", ("20201",)),
    "short-inventory": ("short-inventory", ("0.2", "0.5", "0.97")),
    "foreign-inventory": ("foreign-inventory", ("1",)),
}
"""Faults that only the guard can meet: whole answers in which all counts agree."""
KINDS = [*DETECTED, *PLAUSIBLE]


def test_there_are_ten_kinds() -> None:
    assert len(KINDS) == 10


@pytest.mark.parametrize("kind", KINDS)
def test_ten_lies_of_a_kind_remove_nothing_that_exists_and_are_explained(kind: str, memory_dir: Path) -> None:
    fault, values = PLAUSIBLE.get(kind, (kind, DETECTED.get(kind, ())))
    rng = random.Random(kind)
    folder = memory_dir / kind.replace(" ", "-")
    folder.mkdir()
    with simulated(LISTINGS, 0, seed=7) as mls, reading(mls, folder) as feed:
        assert feed.sync().in_step
        for lie in range(LIES):
            if rng.random() < 0.5:
                mls.advance()
            before, living = feed.stored(), set(mls.keys())
            mls.fault(fault, values[lie % len(values)])
            for _ in range(rng.choice((1, 1, 2))):
                report = feed.sync()
                gone = before - feed.stored()
                assert not gone & living, f"removed though they exist: {sorted(gone & living)}"
                assert not report.in_step
                _explained(feed, report, kind)
            mls.fault(fault, "off")
            report = feed.sync()
            assert report.in_step, report
            assert feed.differences() == []


def _explained(feed: Feed, report: FeedReport, kind: str) -> None:
    """Why nothing was removed is said where an operator looks."""
    shown = [item for item in feed.app.store.feeds.status("ddf").problems if item["kind"] == "held"]
    assert len(shown) == report.left.held
    if kind in PLAUSIBLE or not (report.doubt or report.error):
        assert shown
        assert any("removals held" in line for line in report.remaining)
        for item in shown:
            reason = str(item["reason"])
            assert "was empty" in reason or ("keys lacks it and" in reason and "too many" in reason)
    else:
        assert report.doubt or report.error


def test_a_lie_small_enough_to_be_believed_heals_at_the_next_honest_inventory(memory_dir: Path) -> None:
    folder = memory_dir / "believed"
    folder.mkdir()
    with simulated(LISTINGS, 0, seed=7) as mls, reading(mls, folder) as feed:
        feed.sync()
        before = feed.stored()
        mls.fault("short-inventory", f"ids:{','.join(sorted(before)[3 : 3 + BELIEVED])}")
        report = feed.sync()
        assert report.in_step
        assert len(before - feed.stored()) == BELIEVED
        mls.fault("short-inventory", "off")
        assert feed.sync().in_step
        assert feed.stored() == before
        assert feed.differences() == []
