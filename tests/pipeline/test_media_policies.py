"""Each media policy keeps of photos what it promises, and a changed one is carried out by the next sync."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.simulated import Installation, Mls, simulated
from tests.pipeline.truth import Media

pytestmark = pytest.mark.usefixtures("each_form")

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


@pytest.mark.parametrize(
    ("policy", "style"), [*((policy, "table") for policy in KEPT), ("location", "header"), ("bytes", "header")]
)
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
def test_a_changed_policy_is_carried_out_by_the_next_sync_without_asking_for_a_record(
    tmp_path: Path, mls: Mls, before: str, after: str
) -> None:
    first = installed(tmp_path, mls, before).sync()["photos"]["stored"]
    here = installed(tmp_path, mls, after)
    report = here.sync()
    assert here.differences(mls, media=KEPT[after]) == []
    assert report["fetched"] == 0
    kept = here.count("media", "object_key IS NOT NULL")
    assert report["photos"]["deleted"] == (first if KEPT[after] != "stored" else 0)
    assert report["photos"]["stored"] == (kept if KEPT[before] != "stored" else 0)
    if KEPT[after] != "stored":
        assert here.copy.photos.names() == set()


def test_another_photo_size_replaces_every_photo(tmp_path: Path, mls: Mls) -> None:
    here = installed(tmp_path, mls, "url")
    count = here.sync()["photos"]["stored"]
    here.settings["MLSYNC_FEEDS__DDF__PHOTO_SIZE"] = "ThumbnailPhoto"
    assert here.sync()["photos"] == {"stored": count, "deleted": count, "failed": 0}
    assert here.differences(mls, size="ThumbnailPhoto") == []
    assert here.sync()["photos"]["stored"] == 0
