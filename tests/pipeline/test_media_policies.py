"""Each media policy keeps of photos what it promises, and a changed one is carried out by the next sync."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.simulated import Installation, Mls, simulated
from tests.pipeline.truth import Media

LISTINGS, PHOTOS = 30, 3
KEPT: dict[str, Media] = {"none": "none", "link": "link", "url": "stored", "location": "stored", "bytes": "stored"}


@pytest.fixture(scope="module")
def mls() -> Iterator[Mls]:
    """One simulator, whose days pass from test to test."""
    with simulated(LISTINGS, PHOTOS) as running:
        yield running


def installed(folder: Path, mls: Mls, media: str) -> Installation:
    """An installation with a media policy."""
    return Installation(folder, mls.login_url, {"MLSYNC_FEEDS__DDF__MEDIA": media})


def asked(mls: Mls) -> tuple[int, int]:
    """Photos asked for by URL, and GetObject requests, so far."""
    requests = mls.stats()["requests"]
    return requests.get("Photo", 0), requests.get("GetObject", 0)


def listings_with_photos(here: Installation) -> int:
    """How many listings have any."""
    return here.count("property", "photos_count > 0")


@pytest.mark.parametrize("style", ["table", "header"])
@pytest.mark.parametrize("policy", KEPT)
def test_a_policy_keeps_what_it_promises_and_asks_no_more_than_it_needs(
    tmp_path: Path, mls: Mls, policy: str, style: str
) -> None:
    mls.fault("location-style", style)
    here = installed(tmp_path, mls, policy)
    photos, objects = asked(mls)
    here.sync()
    assert here.differences(mls, media=KEPT[policy]) == []
    photos, objects = asked(mls)[0] - photos, asked(mls)[1] - objects
    stored = here.count("media", "object_key IS NOT NULL")
    albums = listings_with_photos(here)
    assert (photos, objects) == {
        "none": (0, 0),
        "link": (0, 0),
        "url": (stored, 0),
        "location": (stored, albums),
        "bytes": (0, albums),
    }[policy]
    mls.advance(2)
    here.sync()
    assert here.differences(mls, media=KEPT[policy]) == []
    mls.fault("location-style", "off")


@pytest.mark.parametrize(
    ("before", "after"), [("url", "none"), ("url", "link"), ("link", "url"), ("none", "url"), ("bytes", "url")]
)
def test_a_changed_policy_is_carried_out_when_records_are_read_again(
    tmp_path: Path, mls: Mls, before: str, after: str
) -> None:
    installed(tmp_path, mls, before).sync()
    here = installed(tmp_path, mls, after)
    here.sync()
    assert here.differences(mls, media=KEPT[after]) == []
