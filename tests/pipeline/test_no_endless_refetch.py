"""What cannot be had is not asked for again and again: three inventories, then when a back-off ends or it changes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from shared.settings import load
from tests.pipeline.hasty import Hasty, configure, quiet, sync_here
from tests.pipeline.simulated import Mls, simulated

LISTINGS, PHOTOS = 40, 2
SYNCS = 10
FREE = 3
"""So many inventories in a row are believed to bring what did not come; photos have one more."""
REQUESTS = ("Search", "Photo", "GetObject")


class Watched:
    """Syncs, and what each of them asked for besides the master list."""

    def __init__(self, mls: Mls, app: Hasty) -> None:
        self.mls, self.app = mls, app

    def asked(self) -> Counter[str]:
        """What one sync asks for."""
        before: Counter[str] = Counter(self.mls.stats()["requests"])
        ended = sync_here(self.app)
        assert ended.code in (0, 3), ended
        found: Counter[str] = Counter(self.mls.stats()["requests"])
        found.subtract(before)
        return Counter({name: found[name] - (name == "Search") for name in REQUESTS})


@pytest.mark.parametrize(
    ("fault", "lacking"),
    [
        ("missing-record=0.2", True),
        ("missing-key=0.2", True),
        ("deep-nesting=0.1", True),
        ("hostile-keys", False),
        ("unfit-values=1", False),
        ("unknown-elements=1", False),
        ("ghost-photo=0.2", True),
        ("not-an-image=0.2", True),
        ("image-bomb=0.2", True),
    ],
)
def test_ten_syncs_in_which_nothing_changes_ask_three_times_then_rest(
    tmp_path: Path, fault: str, lacking: bool
) -> None:
    quiet()
    with simulated(LISTINGS, PHOTOS, faults=(fault,)) as mls:
        app = Hasty(load(configure(tmp_path, mls.login_url, {}, {})))
        with app.running():
            syncs = Watched(mls, app)
            first = syncs.asked()
            again = [syncs.asked() for _ in range(SYNCS)]
            assert [asked.total() for asked in again[FREE:]] == [0] * (SYNCS - FREE)
            assert any(asked.total() for asked in again[:FREE]) == lacking
            assert max(asked["Search"] for asked in again) <= first["Search"]
            if not lacking:
                return
            app.days += 1.1
            waited = [syncs.asked() for _ in range(3)]
            assert waited[0].total(), "the back-off has ended"
            assert [asked.total() for asked in waited[1:]] == [0, 0]


@pytest.mark.parametrize("fault", ["missing-record=0.2", "missing-key=0.2", "deep-nesting=0.1"])
def test_a_new_timestamp_ends_a_back_off(tmp_path: Path, fault: str) -> None:
    quiet()
    with simulated(LISTINGS, 0, faults=(fault,)) as mls:
        app = Hasty(load(configure(tmp_path, mls.login_url, {}, {})))
        with app.running():
            syncs = Watched(mls, app)
            for _ in range(FREE + 1):
                rested = syncs.asked()
            assert rested["Search"] == 0
            lacking = app.store.feeds.outstanding("ddf").unavailable
            mls.fault("mass-touch", "1")
            mls.advance()
            mls.fault(fault.partition("=")[0], "off")
            assert lacking > 0
            assert syncs.asked()["Search"] > 0
            left = app.store.feeds.outstanding("ddf")
            assert (left.unavailable, left.quarantined) == (0, 0)
