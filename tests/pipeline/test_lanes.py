"""What changed does not wait behind a first load, in one process or in several."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.pipeline.forms import Servers
from tests.pipeline.processes import distributed
from tests.pipeline.simulated import Installation, synced, until

LISTINGS = 700
CHANGED = "stored AND wanted_by IS NOT NULL"
TO_LOAD = "NOT stored AND wanted_by IS NOT NULL"


@pytest.mark.parametrize("several", [False, True], ids=["one process", "several"])
def test_a_change_during_a_first_load_is_visible_long_before_its_end(
    request: pytest.FixtureRequest, tmp_path: Path, several: bool
) -> None:
    here: Installation
    with ExitStack() as stack:
        if several:
            servers: Servers = request.getfixturevalue("servers")
            mls, here = stack.enter_context(distributed(servers, tmp_path, LISTINGS, 0, page_size="10", every="2s"))
            mls.fault("slow", "150")
            stack.enter_context(here.running("fetcher", "reconciler writer media"))
        else:
            mls, here = stack.enter_context(synced(tmp_path, LISTINGS, 0, page_size="10", every="2s"))
            mls.fault("slow", "150")
            stack.enter_context(here.start("run"))
        until(lambda: here.count("ledger", "stored") >= 100)
        mls.advance(2)
        until(lambda: here.count("ledger", CHANGED) > 0)
        until(lambda: here.count("ledger", CHANGED) == 0)
        assert here.count("ledger", TO_LOAD) > 100
        mls.fault("slow", "off")
        until(lambda: here.differences(mls) == [], 90)
