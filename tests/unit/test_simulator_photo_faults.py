"""Faults of photos do what their line says, and leave the other photos as they were."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from PIL import Image

from services.simulator.main import Options, Simulator
from services.simulator.multipart import Part, content_type, first_preferred, multipart
from tests.unit.simulator_client import faultless, get_object, login, search

PARTS = [Part(1, b"one", description="a fine house"), Part(3, code=20403), Part(4, b"four")]
LOCATED = [Part(1, url="http://x/1.jpg"), Part(2, url="http://x/2.jpg")]


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator(Options(listings=40, photos=3)) as simulator:
        yield simulator


@pytest.fixture
def sim(running: Simulator) -> Iterator[Simulator]:
    with faultless(running) as simulator:
        yield simulator


def photos(sim: Simulator) -> list[dict[str, Any]]:
    return [photo for record in sim.control.truth() for photo in record["photos"]]


def album(sim: Simulator) -> dict[str, Any]:
    """A listing with several photos."""
    return next(record for record in sim.control.truth() if len(record["photos"]) > 1)


@pytest.mark.parametrize("fault", ["half-photo", "placeholder-photo", "image-bomb", "not-an-image"])
def test_a_spoiled_photo_is_withheld_and_the_others_are_as_ever(sim: Simulator, fault: str) -> None:
    sim.control.fault(fault, "0.3")
    spoiled = 0
    for photo in photos(sim)[:40]:
        data = requests.get(photo["url"], timeout=10).content
        good = hashlib.sha256(data).hexdigest() == photo["sha256"]
        assert good != photo.get("withheld", False)
        assert photo.get("withheld_reason") == (None if good else fault)
        spoiled += not good
    assert 3 < spoiled < 25


def test_half_a_photo_is_half_of_it(sim: Simulator) -> None:
    sim.control.fault("half-photo", "1")
    photo = photos(sim)[0]
    answer = requests.get(photo["url"], timeout=10)
    assert len(answer.content) == photo["bytes"] // 2
    assert answer.content.startswith(b"\xff\xd8")


def test_the_placeholder_is_one_good_picture_for_all(sim: Simulator) -> None:
    sim.control.fault("placeholder-photo", "1")
    some = photos(sim)[:5]
    bodies = {requests.get(photo["url"], timeout=10).content for photo in some}
    (body,) = bodies
    assert {photo["sent"]["sha256"] for photo in some} == {hashlib.sha256(body).hexdigest()}
    assert {photo["sent"]["bytes"] for photo in some} == {len(body)}
    Image.open(io.BytesIO(body)).load()


def test_the_image_bomb_is_small_and_huge(sim: Simulator) -> None:
    sim.control.fault("image-bomb", "1")
    answer = requests.get(photos(sim)[0]["url"], timeout=30)
    assert answer.headers["Content-Type"] == "image/png"
    assert len(answer.content) < 500_000
    assert re.match(rb"\x89PNG\r\n\x1a\n....IHDR\x00\x00\x750\x00\x00\x750", answer.content, re.DOTALL)


def test_spoiled_photos_are_spoiled_for_getobject_too(sim: Simulator) -> None:
    record = album(sim)
    sim.control.fault("half-photo", "1")
    answer = get_object(sim, login(sim), f"{record['key']}:{record['photos'][0]['order']}")
    assert len(answer.content) == record["photos"][0]["bytes"] // 2


def test_an_expired_url_is_renewed_by_the_second_fetch(sim: Simulator) -> None:
    record = album(sim)
    url, key, session = record["photos"][0]["url"], record["key"], login(sim)
    sim.control.fault("expired-photo-url", f"ids:{key}")
    statuses, told = [], []
    for _ in range(3):
        search(sim, session, f"(ID={key})")
        statuses.append(requests.get(url, timeout=10).status_code)
        told.append({photo.get("withheld_reason") for photo in photos(sim) if key in photo["url"]})
    assert statuses == [403, 200, 200]
    assert told == [{"expired-photo-url"}, {None}, {None}]
    assert not any(photo.get("withheld") for photo in photos(sim))
    other = next(photo for photo in photos(sim) if key not in photo["url"])
    assert requests.get(other["url"], timeout=10).status_code == 200
    assert get_object(sim, session, f"{key}:*").status_code == 200


def test_an_object_can_be_refused_while_its_url_works(sim: Simulator) -> None:
    record, session = album(sim), login(sim)
    for code in ("20402", "20403"):
        sim.control.fault("no-object", f"{code}:ids:{record['key']}")
        assert f'ReplyCode="{code}"' in get_object(sim, session, f"{record['key']}:*").text
    withheld = {found["key"] for found in sim.control.truth(size="") if found.get("object_withheld")}
    assert withheld == {record["key"]}
    assert requests.get(record["photos"][0]["url"], timeout=10).status_code == 200


def test_a_single_part_can_come_where_a_multipart_was_asked(sim: Simulator) -> None:
    record, session = album(sim), login(sim)
    sim.control.fault("single-part", "image")
    answer = get_object(sim, session, f"{record['key']}:*")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert hashlib.sha256(answer.content).hexdigest() == record["photos"][0]["sha256"]
    assert answer.headers["Object-ID"] == str(record["photos"][0]["order"])
    sim.control.fault("single-part", "text")
    assert get_object(sim, session, f"{record['key']}:*").headers["Content-Type"] == "text/plain"
    sim.control.fault("single-part", "empty")
    assert get_object(sim, session, f"{record['key']}:*").content == b""
    answer = get_object(sim, session, f"{record['key']}:{record['photos'][1]['order']}")
    assert hashlib.sha256(answer.content).hexdigest() == record["photos"][1]["sha256"]


def test_a_location_can_be_ignored(sim: Simulator) -> None:
    record, session = album(sim), login(sim)
    honest = get_object(sim, session, f"{record['key']}:*").content
    sim.control.fault("location-ignored")
    assert get_object(sim, session, f"{record['key']}:*", Location="1").content == honest


def test_multipart_defects_reach_the_client(sim: Simulator) -> None:
    record, session = album(sim), login(sim)
    honest = get_object(sim, session, f"{record['key']}:*")
    sim.control.fault("multipart-defects", "no-first-crlf")
    answer = get_object(sim, session, f"{record['key']}:*")
    assert b"\r\n" + answer.content == honest.content
    sim.control.fault("multipart-defects", "charset-boundary")
    answer = get_object(sim, session, f"{record['key']}:*")
    assert answer.headers["Content-Type"] == "multipart/parallel; boundary=creaboundary;charset=utf-8"


def test_each_multipart_defect_is_one_thing() -> None:
    honest = b"".join(multipart("7", first_preferred(iter(PARTS))))

    def body(defect: str, parts: list[Part] = PARTS) -> bytes:
        return b"".join(multipart("7", first_preferred(iter(parts)), defect))

    assert b"\r\n" + body("no-first-crlf") == honest
    assert body("no-closing") + b"\r\n--creaboundary--\r\n" == honest
    assert body("quoted-boundary").replace(b"crea boundary", b"creaboundary") == honest
    assert content_type("quoted-boundary") == 'multipart/parallel; boundary="crea boundary"'
    assert body("unquoted-boundary") == honest
    assert content_type("unquoted-boundary") == "multipart/parallel; boundary=creaboundary"
    assert body("charset-boundary") == honest
    assert content_type("charset-boundary").endswith(";charset=utf-8")
    assert b"Object-ID:4\r\n" in body("no-space-headers")
    assert re.sub(rb"(?m)^([A-Z][A-Za-z-]+):(?=\S)", rb"\1: ", body("no-space-headers")) == honest
    assert body("missing-ids") == re.sub(rb"(Content|Object)-ID: \d+\r\n", b"", honest)
    assert body("description-header") == honest.replace(b"Content-Description:", b"Description:")
    assert body("folded-header") == honest.replace(b"a fine house", b"a\r\nfine house")
    assert body("header-only") == honest
    bare = body("header-only", LOCATED)
    assert b"Location: http://x/1.jpg\r\nPreferred: 1\r\n\r\n\r\n--creaboundary" in bare
    assert b"ReplyCode" not in bare
