"""Whatever goes wrong on the way, alone, a sync ends in step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SCALE
from tests.pipeline.simulated import Installation, Mls, simulated, synced

pytestmark = pytest.mark.usefixtures("each_form")

LISTINGS, PHOTOS, PAGE = 40, 2, "10"

ON_THE_WIRE = (
    "session-lost=3",
    "stale-nonce=3",
    "nonce-per-request=401",
    "nonce-per-request=nextnonce",
    "http-503=first:2",
    "cut=7",
    "truncated=7",
    "relative-capabilities",
    "reply-order",
    "one-session",
    "auth=md5-sess",
    "auth=sha-256",
    "auth=basic",
)
IN_THE_TEXT = ("illegal-characters", "surrogate-references", "wrong-encoding")
FAULTS = (*ON_THE_WIRE, *IN_THE_TEXT) if SCALE > 1 else ("session-lost=3", "cut=7", "wrong-encoding")
OF_PHOTOS = ("session-lost=5", "http-503=9", "cut=6", "truncated=6") if SCALE > 1 else ("session-lost=5", "truncated=6")
"""By a process of its own each; what it comes to with any fault is in ``test_every_fault``."""


@pytest.fixture(scope="module")
def shared_mls() -> Iterator[Mls]:
    """One simulator for all tests that let no day pass."""
    with simulated(LISTINGS, PHOTOS) as mls:
        yield mls


@pytest.fixture
def mls(shared_mls: Mls, request: pytest.FixtureRequest) -> Iterator[Mls]:
    """The simulator with one fault on."""
    name, _, value = request.param.partition("=")
    shared_mls.fault(name, value or None)
    yield shared_mls
    shared_mls.fault(name, "off")


@pytest.mark.parametrize("mls", FAULTS, indirect=True)
def test_a_sync_ends_in_step_in_spite_of(tmp_path: Path, mls: Mls) -> None:
    here = Installation(tmp_path, mls.login_url, {"MLSYNC_FEEDS__DDF__PAGE_SIZE": PAGE})
    assert here.sync()["inserted"] == LISTINGS
    assert here.differences(mls) == []


@pytest.mark.parametrize("mls", OF_PHOTOS, indirect=True)
def test_photos_taken_from_getobject_end_in_step_in_spite_of(tmp_path: Path, mls: Mls) -> None:
    here = Installation(tmp_path, mls.login_url, {"MLSYNC_FEEDS__DDF__MEDIA": "bytes"})
    here.sync()
    assert here.differences(mls) == []


def test_days_pass_among_all_faults_of_the_wire_and_the_text_and_all_ends_in_step(tmp_path: Path) -> None:
    faults = ("session-lost=11", "stale-nonce=7", "http-503=23", "cut=13", "truncated=17", *IN_THE_TEXT)
    with synced(tmp_path, LISTINGS, PHOTOS, faults=faults, page_size=PAGE) as (mls, here):
        here.sync()
        for _ in range(2):
            mls.advance(3)
            here.sync()
            assert here.differences(mls) == []
