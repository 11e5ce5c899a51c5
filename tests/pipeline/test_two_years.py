"""Unattended for years: every day's sync ends exactly where the MLS is."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import SCALE
from tests.pipeline.repeated import reading
from tests.pipeline.simulated import simulated

DAYS, LISTINGS = (12, 200) if SCALE == 1 else (730, 2_000)


def test_two_years_synced_daily_without_a_difference(memory_dir: Path) -> None:
    folder = memory_dir / "years"
    folder.mkdir()
    lived: set[str] = set()
    with simulated(LISTINGS, 0, seed=24) as mls, reading(mls, folder) as feed:
        for day in range(DAYS + 1):
            report = feed.sync()
            assert report.in_step, f"day {day}: {report}"
            assert feed.differences() == [], f"day {day}"
            lived |= feed.stored()
            happened = mls.advance()
        assert happened["day"] == DAYS + 1
    assert len(lived) > LISTINGS * (1 + DAYS / 400), "hardly anything came and went: this proved little"
