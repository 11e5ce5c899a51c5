"""The DDF source against the simulator: what it brings is the truth, and every fault ends as it should."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from services.simulator.main import Options, Simulator
from shared.rets.session import RetsSession
from shared.rets.settings import RetsSettings
from shared.sources.base import SourceRefusedError, SourceUnavailableError
from shared.sources.ddf import DdfSettings, DdfSource

LISTINGS = 120


class World:
    """A simulator and a source at it that waits without sleeping."""

    def __init__(self, simulator: Simulator, password: str = "demo", **settings: Any) -> None:
        self.control = simulator.control
        self.waited: list[float] = []
        self.seen: list[tuple[str, str]] = []
        self.session = RetsSession(
            RetsSettings(simulator.login_url, "demo", SecretStr(password), **settings),
            after_response=lambda transaction, code, _: self.seen.append((transaction, code)),
            sleep=self.waited.append,
        )
        self.source = DdfSource(self.session, DdfSettings(photo_size="ThumbnailPhoto"))

    def listed(self, resource: str = "property") -> list[str]:
        found = self.source.inventory(resource)
        assert found.proven, found.doubt
        return [key for block in found.ranges(1000) for key, _ in block.entries]

    def truth(self, resource: str = "property", size: str = "") -> dict[str, dict[str, Any]]:
        return {entry["key"]: entry for entry in self.control.truth(resource, size)}


@contextmanager
def world(*faults: str, password: str = "demo", listings: int = LISTINGS, **options: Any) -> Iterator[World]:
    with Simulator(Options(listings=listings, photos=3, seed=7, faults=list(faults), **options)) as simulator:
        here = World(simulator, password)
        try:
            yield here
        finally:
            here.source.close()


@pytest.mark.parametrize("resource", ["property", "member", "office"])
def test_inventory_is_the_truth_day_after_day(resource: str) -> None:
    with world() as here:
        for _ in range(3):
            found = here.source.inventory(resource)
            assert found.proven
            pairs = [entry for block in found.ranges(50) for entry in block.entries]
            assert pairs == sorted((key, entry["stamp"]) for key, entry in here.truth(resource).items())
            here.control.advance(3)
        assert here.seen.count(("Login", "0")) == 1


@pytest.mark.parametrize("listings", [0, 1, 99, 100, 101])
def test_any_number_of_listings(listings: int) -> None:
    with world(listings=listings) as here:
        assert len(here.listed()) == listings


def test_records_have_the_key_and_stamp_of_the_inventory() -> None:
    with world() as here:
        keys = here.listed()
        page = here.source.records("property", keys[:100])
        truth = here.truth()
        assert [record.key for record in page.records] == keys[:100]
        for record in page.records:
            assert record.stamp == truth[record.key]["stamp"]
            assert record.fields["@ID"] == record.key
        assert page.server_date is not None


@pytest.mark.parametrize("style", ["table", "header"])
def test_photos_are_the_truth_byte_for_byte_and_by_address(style: str) -> None:
    with world(location_style=style, listings=20) as here:
        for key, entry in here.truth(size="ThumbnailPhoto").items():
            photos = list(here.source.photos("property", key, location=False))
            hashes = [hashlib.sha256(photo.data or b"").hexdigest() for photo in photos]
            assert hashes == [photo["sha256"] for photo in entry["photos"]]
            located = list(here.source.photos("property", key, location=True))
            assert [(photo.order, photo.error) for photo in located] == [(photo.order, None) for photo in photos]
            assert all(photo.url for photo in located)


@pytest.mark.parametrize(
    ("fault", "logins", "challenges", "pauses"),
    [
        ("auth=basic", 1, 1, 0),
        ("auth=digest-noqop", 1, 1, 0),
        ("auth=md5-sess", 1, 1, 0),
        ("auth=sha-256", 1, 1, 0),
        ("nonce-per-request=401", 1, 7, 0),
        ("nonce-per-request=nextnonce", 1, 1, 0),
        ("stale-nonce=2", 1, 7, 0),
        ("session-lost=4", 2, 2, 0),
        ("relative-capabilities", 1, 1, 0),
        ("reply-order", 1, 1, 0),
        ("http-503=3", 1, 1, 3),
        ("cut=first:2", 1, 1, 2),
        ("truncated=first:2", 1, 1, 2),
        ("slow=5", 1, 1, 0),
    ],
)
def test_faults_that_change_nothing(fault: str, logins: int, challenges: int, pauses: int) -> None:
    with world(fault) as here:
        keys = here.listed()
        assert keys == sorted(here.truth())
        for _ in range(5):
            page = here.source.records("property", keys[:100])
            assert [record.key for record in page.records] == keys[:100]
        assert here.seen.count(("Login", "0")) == logins
        assert sum(code == "http-401" for _, code in here.seen) == challenges
        assert len(here.waited) == pauses


@pytest.mark.parametrize("fault", ["illegal-characters=1", "surrogate-references=1", "wrong-encoding=1"])
def test_broken_characters_are_mended(fault: str) -> None:
    with world() as honest, world(fault) as here:
        keys = here.listed()[:100]
        expected = [record.fields for record in honest.source.records("property", keys).records]
        found = [record.fields for record in here.source.records("property", keys).records]
        differing = {
            name
            for one, other in zip(expected, found, strict=True)
            for name in one
            if one[name] != other[name] and name not in {"Photo", "AlternateURL"}
        }
        assert differing == set()


@pytest.mark.parametrize("fault", ["cut", "truncated", "http-503"])
def test_faults_that_do_not_pass_are_unavailable(fault: str) -> None:
    with world() as here:
        here.source.login()
        here.control.fault(fault)
        with pytest.raises(SourceUnavailableError):
            here.source.inventory("property")
        here.control.fault(fault, "off")
        assert len(here.listed()) == LISTINGS


@pytest.mark.parametrize("fault", ["count-mismatch=1", "count-mismatch=-1"])
def test_wrong_count_leaves_the_inventory_unproven(fault: str) -> None:
    with world(fault) as here:
        found = here.source.inventory("property")
        assert (len(found.packed), found.proven) == (LISTINGS, False)
        assert "announced" in found.doubt


@pytest.mark.parametrize("fault", ["empty-inventory=0", "empty-inventory=20201"])
def test_an_empty_list_that_announces_nothing_is_what_the_server_says(fault: str) -> None:
    with world(fault) as here:
        found = here.source.inventory("property")
        assert (found.packed, found.proven) == ([], True)


def test_missing_records_are_absent() -> None:
    with world("missing-record=3") as here:
        keys = here.listed()[:100]
        got = {record.key for record in here.source.records("property", keys).records}
        assert 0 < len(got) < len(keys)
        assert got < set(keys)


def test_photos_that_are_none_are_errors_not_images() -> None:
    with world("ghost-photo=2", "not-an-image=3", listings=30) as here:
        photos = [photo for key in here.listed() for photo in here.source.photos("property", key, location=False)]
        good = [photo for photo in photos if photo.data]
        assert 0 < len(good) < len(photos)
        assert all(photo.error for photo in photos if not photo.data)
        assert all((photo.data or b"").startswith(b"\xff\xd8") for photo in good)


def test_wrong_password_is_refused_without_waiting() -> None:
    with world(password="wrong") as here:
        with pytest.raises(SourceRefusedError):
            here.source.login()
        assert here.waited == []


def test_a_second_login_waits_and_then_is_unavailable() -> None:
    with world("one-session") as here:
        here.source.login()
        waited: list[float] = []
        session = RetsSession(here.session.settings, sleep=waited.append)
        with pytest.raises(SourceUnavailableError, match="another session"):
            session.login()
        assert waited
        assert all(seconds >= 30 for seconds in waited)
        here.source.close()
        session.login()
        session.logout()
