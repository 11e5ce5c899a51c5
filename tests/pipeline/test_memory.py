"""What a first sync costs in memory does not grow with the MLS."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import SCALE
from tests.pipeline.simulated import process, synced

LIMIT_MIB = 256
SIZES = [(4_000, 0), (300, 5)] if SCALE == 1 else [(20_000, 0), (2_000, 5)]
WATCHED = """
import sys
from services.cli import main
try:
    main()
finally:
    print(open("/proc/self/status").read(), file=sys.stderr)
"""
"""The command, which tells at its end how much memory it ever had; asking from outside could miss the peak."""


@pytest.mark.parametrize(("listings", "photos"), SIZES)
def test_a_first_sync_stays_under_the_limit(tmp_path: Path, listings: int, photos: int) -> None:
    with synced(tmp_path, listings, photos) as (mls, here):
        started = time.monotonic()
        with process([sys.executable, "-c", WATCHED, "sync", "--json"], here.env, here.folder) as running:
            _, err = running.communicate(timeout=3600)
        seconds = time.monotonic() - started
        assert running.returncode == 0, err[-2000:]
        peak = re.search(r"VmHWM:\s*(\d+) kB", err)
        assert peak is not None
        mib = int(peak[1]) / 1024
        print(f"{listings} listings with {photos} photos: {mib:.0f} MiB, {seconds:.0f} s")
        assert here.count("property") == listings
        assert here.count("media", "pending") == 0
        assert mib < LIMIT_MIB
        assert here.differences(mls) == []
