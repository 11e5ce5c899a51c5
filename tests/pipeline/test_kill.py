"""A sync killed at any instant is made good by the next one: rows and files."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

from tests.conftest import SCALE
from tests.pipeline.simulated import MLSYNC, Installation, process, synced

LISTINGS, PHOTOS = (60, 3) if SCALE == 1 else (300, 5)
KILLS = 4 if SCALE == 1 else 30


def killed_after(here: Installation, seconds: float) -> bool:
    """Start a sync and kill it after so many seconds; whether it was still running then."""
    with process([str(MLSYNC), "sync"], here.env, here.folder, subprocess.DEVNULL) as running:
        try:
            running.wait(seconds)
        except subprocess.TimeoutExpired:
            running.kill()
        return running.wait() < 0


def test_a_sync_killed_at_random_instants_ends_equal_to_the_mls(tmp_path: Path) -> None:
    """Every other kill falls into a first sync, with everything to do, every other into that of a few days later."""
    rng = random.Random(20_240_305)
    killed = 0
    with synced(tmp_path / "unharmed", LISTINGS, PHOTOS) as (mls, unharmed):
        unharmed.folder.mkdir()
        started = time.monotonic()
        unharmed.sync()
        length = time.monotonic() - started
        for number in range(0, KILLS, 2):
            folder = tmp_path / str(number)
            folder.mkdir()
            here = Installation(folder, mls.login_url)
            for _ in range(2):
                killed += killed_after(here, rng.uniform(0.3, 1.0) * length)
                here.sync()
                assert here.differences(mls) == [], f"kill {number} of {KILLS}"
                mls.advance(3)
    assert killed >= KILLS // 3  # the rest had finished before


def test_a_first_sync_killed_again_and_again_ends_equal_to_the_mls(tmp_path: Path) -> None:
    rng = random.Random(9)
    with synced(tmp_path, LISTINGS, PHOTOS) as (mls, here):
        for _ in range(KILLS // 2):
            killed_after(here, rng.uniform(0.9, 1.6))
        here.sync()
        assert here.differences(mls) == []
