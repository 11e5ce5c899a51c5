"""Listings without coordinates get those of their addresses: asked for once, politely, and never in anybody's way."""

from __future__ import annotations

import functools
import re
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.app import App
from services.geocoder.service import Geocoder as Service
from services.geocoder.settings import GeocoderSettings as ServiceSettings
from services.report import statuses
from services.simulator.vocabulary import CITIES
from services.sync import sync
from shared.consumer import Consumer
from shared.messages import AddressesPending, PageFetched, SourceRecord
from shared.settings import FeedSettings, GeocoderSettings, Settings
from shared.store.sqlite.store import SqliteStore
from shared.transport.memory import MemoryTransport
from tests.conftest import SCALE
from tests.geocoder import Geocoder, geocoder
from tests.pipeline.simulated import (
    MLSYNC,
    PASSWORD,
    USERNAME,
    Installation,
    Mls,
    process,
    simulated,
    synced,
    until,
)

GEOCODED = re.compile(r"property \d+: (latitude|longitude|coordinates_source|coordinates_precision) is ")
LISTINGS = 64 * SCALE
KEY = "s3cret-of-the-geocoder"


def installed(here: Installation, server: Geocoder, **settings: object) -> None:
    """Let an installation use the geocoder."""
    chosen = {"url": server.url, "requests_per_second": 50, **settings}
    here.settings |= {f"MLSYNC_GEOCODER__{name.upper()}": str(value) for name, value in chosen.items()}


def time_passes(database: Path, seconds: int) -> None:
    """Bring nearer when the geocoder may be asked again, and for what."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE geocoder SET not_before = not_before - ?", (seconds * 1_000_000,))
        connection.execute("UPDATE geocode SET next_attempt_at = next_attempt_at - ?", (seconds * 1_000_000,))


def idle(app: App) -> bool:
    assert isinstance(app.transport, MemoryTransport)
    return app.transport.wait_idle(0.2)


def reached(server: Geocoder, number: int) -> bool:
    return len(server.questions) >= number


def asked(server: Geocoder) -> Counter[str]:
    """How often each place was asked for, structured and as free text counted apart."""
    return Counter(question.asked for question in server.questions)


# --- the whole of it


def test_what_the_mls_does_not_locate_is_looked_up_once_and_slowly(tmp_path: Path) -> None:
    rate = 10.0
    with geocoder(rate) as server, synced(tmp_path, LISTINGS, 0) as (mls, here):
        installed(here, server, requests_per_second=rate, query=f"key={KEY}")
        report = here.sync()

        truth = {record["key"]: record["fields"] for record in mls.truth(size="")}
        bare = {key for key, fields in truth.items() if "latitude" not in fields}
        assert len(bare) >= 20
        assert report["located"]["mls"] == len(truth) - len(bare)
        assert report["located"]["pending"] == report["located"]["no_address"] == 0
        assert report["located"]["geocoder"] + report["located"]["not_found"] == len(bare)
        assert report["located"]["geocoder"] > len(bare) / 2

        # nothing but what was looked up differs from the MLS, and only where it says nothing
        differing = here.differences(mls)
        assert [line for line in differing if not GEOCODED.match(line)] == []
        assert {line.split()[1].rstrip(":") for line in differing} <= bare
        cities = {city[0]: city for city in CITIES}
        rows = here.rows(
            "SELECT listing_key, latitude, longitude, coordinates_precision FROM property "
            f"WHERE coordinates_source = '{server.host}'"
        )
        assert len(rows) == report["located"]["geocoder"]
        assert {key for key, *_ in rows} <= bare
        for key, latitude, longitude, precision in rows:
            _, _, north, east, _, _ = cities[truth[key]["city"]]
            assert abs(latitude - north) < 0.2
            assert abs(longitude - east) < 0.2
            assert precision in ("rooftop", "interpolated", "street")
        assert {precision for *_, precision in rows} > {"rooftop"}

        # politely: never sooner than agreed, nothing twice, saying who asks
        questions = server.questions[:]
        assert len(questions) > len(bare)
        assert server.too_soon == 0
        assert min(server.gaps()) >= 1 / rate
        assert set(asked(server).values()) == {1}
        assert {question.headers["user-agent"] for question in questions} == {"mlsync/0.1"}
        assert {question.parameters["key"] for question in questions} == {KEY}
        assert not any("unit" in value for question in questions for value in question.parameters.values())

        # what is known is not asked again: not by a later sync, not for another feed, not after days
        here.settings |= {
            name.replace("__DDF__", "__SECOND__"): value for name, value in here.env.items() if "__DDF__" in name
        }
        mls.advance(3)
        done = here.run("sync", "--json")
        assert done.code == 0, done.err
        first, second = done.json()["feeds"]["ddf"]["located"], done.json()["feeds"]["second"]["located"]
        assert first == second
        assert first["pending"] == 0
        assert set(asked(server).values()) == {1}
        assert len(server.questions) < 1.5 * len(questions)
        checked = here.run("check")
        assert f"geocoder: {server.host} says that it works" in checked.out
        assert KEY not in done.out + done.err + checked.out + checked.err


def test_a_sync_killed_again_and_again_spends_no_more_than_one_question_each(tmp_path: Path) -> None:
    kills = 2
    with geocoder() as server, synced(tmp_path, 40, 0) as (_, here):
        installed(here, server, requests_per_second=20, timeout=1)
        for number in range(kills):
            before = len(server.questions)
            with process([str(MLSYNC), "sync"], here.env, here.folder, subprocess.DEVNULL) as running:
                until(functools.partial(reached, server, before + number + 1))
                running.kill()
                running.wait()
        report = here.sync()
        assert report["located"]["pending"] == 0
        counts = asked(server)
        assert sum(counts.values()) - len(counts) <= kills
        assert max(counts.values()) <= 2


# --- one by one, within this process


class World:
    """Writer and geocoder on a real store, fed with listings by hand."""

    def __init__(self, app: App) -> None:
        self.app = app

    def page(self, addresses: dict[str, dict[str, str]], feed: str = "ddf") -> None:
        """Listings of these addresses have been read together."""
        at = self.app.store.feeds.observe(feed)
        records = [SourceRecord(key, f"{at}", {"@ID": key, "Address": place}) for key, place in addresses.items()]
        page = PageFetched(
            feed=feed, resource="property", observed_at=at, server_date=None, asked=[], records=records
        )  # fmt: skip
        self.app.outbox.publish(page, "run")

    def put(self, key: str, line: str = "1 King Street", feed: str = "ddf", **place: str) -> None:
        """A listing has been read; return once nothing is left to do."""
        where = {"StreetAddress": line, "City": "Toronto", "Province": "Ontario", "Country": "Canada"} | place
        self.page({key: where}, feed)
        until(lambda: idle(self.app), 20)

    def seen(self, key: str, feed: str = "ddf") -> tuple[Any, ...]:
        """Latitude, longitude, source and precision as people read them."""
        sql = "SELECT latitude, longitude, coordinates_source, coordinates_precision FROM property"
        assert isinstance(self.app.store, SqliteStore)
        rows = self.app.store._database.read(f"{sql} WHERE feed = ? AND listing_key = ?", (feed, key))
        return rows[0]


def settings(folder: Path, server: Geocoder, **chosen: Any) -> Settings:
    feed = FeedSettings(
        protocol="ddf", login_url="http://127.0.0.1:9/", username="u", password=SecretStr("p"), media="none"
    )  # fmt: skip
    private = feed.model_copy(update={"geocode": False})
    return Settings.model_construct(
        database_url=f"sqlite:///{folder}/mlsync.db",
        media_url=f"file:{folder}/media",
        feeds={"ddf": feed, "second": feed, "private": private},
        geocoder=GeocoderSettings(url=server.url, **{"requests_per_second": 200, "timeout": 2, **chosen}),
    )


@contextmanager
def world(folder: Path, server: Geocoder, **chosen: Any) -> Iterator[World]:
    with App(settings(folder, server, **chosen)).running(("writer", "geocoder")) as app:
        yield World(app)


@pytest.fixture
def server() -> Iterator[Geocoder]:
    with geocoder() as running:
        yield running


def test_an_address_that_changes_loses_its_coordinates_and_is_looked_up_anew(tmp_path: Path, server: Geocoder) -> None:
    with world(tmp_path, server) as it:
        it.put("a", "100 King Street")
        first = it.seen("a")
        assert first[2:] == (server.host, "rooftop")
        it.put("a", "200 King Street")
        assert it.seen("a")[:2] != first[:2]
        it.put("a", "nowhere in particular")
        assert it.seen("a") == (None, None, None, None)
        it.put("a", "Unit 7 - 100 King Street")
        assert it.seen("a") == first
        assert max(asked(server).values()) == 1


def test_the_mls_s_own_coordinates_win_at_once_and_cost_no_question(tmp_path: Path, server: Geocoder) -> None:
    with world(tmp_path, server) as it:
        it.put("a", Latitude="43.7", Longitude="-79.4")
        it.put("private", feed="private")
        assert it.seen("a") == (43.7, -79.4, "mls", None)
        assert it.seen("private", "private") == (None, None, None, None)
        assert server.questions == []
        it.put("b")
        assert it.seen("b")[2] == server.host
        assert it.seen("private", "private") == it.seen("b")  # what is known is known
        it.put("b", Latitude="43.7", Longitude="-79.4")
        assert it.seen("b") == (43.7, -79.4, "mls", None)
        assert len(server.questions) == 1


def test_two_feeds_share_an_answer(tmp_path: Path, server: Geocoder) -> None:
    with world(tmp_path, server) as it:
        it.put("a")
        it.put("b", "5-1 KING STREET", "second")
        assert it.seen("a") == it.seen("b", "second")
        assert len(server.questions) == 1


def test_a_postal_code_the_server_does_not_know_is_left_out(tmp_path: Path, server: Geocoder) -> None:
    with world(tmp_path, server) as it:
        it.put("a", PostalCode="M5V0A9", City="Ottawa (Orléans)", Province="ON")
        structured, free = server.questions
        assert structured.parameters["postalcode"] == "M5V 0A9"
        assert free.parameters["q"] == "1 king street, orléans, ottawa, Ontario"
        assert it.seen("a")[2] == server.host


def test_an_answer_that_is_too_coarse_or_elsewhere_is_not_believed(tmp_path: Path, server: Geocoder) -> None:
    province = (
        b'[{"lat": "50", "lon": "-85", "place_rank": 8, "addresstype": "state", "address": {"country_code":"ca"}}]'
    )
    abroad = b'[{"lat": "1", "lon": "2", "place_rank": 30, "address": {"country_code": "us", "city": "Toronto"}}]'
    with world(tmp_path, server) as it:
        for key, body in (("a", province), ("b", abroad), ("c", b"[]")):
            server.fail(200, body)
            it.put(key, f"1 {key} Street")
            assert it.seen(key) == (None, None, None, None)
        assert isinstance(it.app.store, SqliteStore)
        rows = it.app.store._database.read("SELECT reason, misses, next_attempt_at > ? FROM geocode ORDER BY address",
                                           (it.app.store.feeds.now() + 29 * 86_400_000_000,))  # fmt: skip
        assert rows == [("too_coarse", 1, 1), ("elsewhere", 1, 1), ("nothing", 1, 1)]
        server.recover()
        asked_so_far = len(server.questions)
        it.put("d", "1 a Street")
        assert len(server.questions) == asked_so_far


def test_one_address_that_a_server_chokes_on_stops_no_other(tmp_path: Path, server: Geocoder) -> None:
    server.choke = "atlantis"
    with world(tmp_path, server) as it:
        it.page(
            {
                "bad": {"StreetAddress": "0 Atlantis Road", "City": "Toronto"},
                "good": {"StreetAddress": "1 King Street", "City": "Toronto"},
            }
        )
        until(lambda: len(server.questions) == 1 and not it.app.addresses_due())
        assert it.seen("good") == (None, None, None, None)
    time_passes(tmp_path / "mlsync.db", 60)
    with world(tmp_path, server) as it:
        it.page({})
        until(lambda: len(server.questions) == 3 and not it.app.addresses_due())
        assert it.seen("good")[2] == server.host
        assert it.app.store.geocoding.located("ddf") == {
            "mls": 0, "geocoder": 1, "pending": 1, "not_found": 0, "no_address": 0
        }  # fmt: skip


def test_the_rate_holds_for_all_who_ask_together(tmp_path: Path) -> None:
    rate = 25.0
    with geocoder(rate) as server, world(tmp_path, server, requests_per_second=rate) as it:
        chosen = ServiceSettings(server.url, ("ddf",), rate, timeout=2)
        others = [Service(chosen, it.app.store, it.app.outbox) for _ in range(3)]
        for other in others:
            consumer = Consumer(it.app.transport, ["geocoder"], other.handle, name="other")
            it.app._threads += consumer.run_in_threads(1, it.app.stopping)
        it.page({f"{n}": {"StreetAddress": f"{n} King Street", "City": "Toronto"} for n in range(1, 21)})
        for _ in range(5):  # as if several had been told
            it.app.outbox.publish(AddressesPending(feed="ddf"), "run")
        until(lambda: len(server.questions) >= 20)
        until(lambda: idle(it.app))
        assert server.too_soon == 0
        assert min(server.gaps()) >= 1 / rate
        assert len(server.questions) == len(asked(server)) == 20
        for other in others:
            other.close()


# --- beside a sync, within this process


@contextmanager
def beside(folder: Path, mls: Mls, server: Geocoder, **chosen: Any) -> Iterator[App]:
    """All services of one feed."""
    every = settings(folder, server, **chosen)
    login = {"login_url": mls.login_url, "username": USERNAME, "password": SecretStr(PASSWORD)}
    with App(every.model_copy(update={"feeds": {"ddf": every.feeds["ddf"].model_copy(update=login)}})).running() as app:
        yield app


def test_a_geocoder_that_is_down_holds_up_no_sync_and_a_later_one_goes_on(tmp_path: Path, server: Geocoder) -> None:
    server.fail(503, Retry_After="600")
    with simulated(20, 0) as mls:
        with beside(tmp_path, mls, server) as app:
            started = time.monotonic()
            (report,) = sync(app, ["ddf"])
            assert time.monotonic() - started < 10
            assert report.in_step
            assert len(server.questions) == 1
            pending = report.located["pending"]
            assert pending > 3
            assert report.remaining == [f"{pending} addresses still to look up; the geocoder fails, see mlsync status"]
            (problem,) = statuses(app.settings)["ddf"].problems
            assert (problem["kind"], problem["key"], problem["reason"]) == ("geocoder", server.host, "http_5xx")
        server.recover()
        with beside(tmp_path, mls, server) as app:
            sync(app, ["ddf"])
            assert len(server.questions) == 1  # it asked for ten minutes
        time_passes(tmp_path / "mlsync.db", 600)
        with beside(tmp_path, mls, server) as app:
            (report,) = sync(app, ["ddf"])
            assert report.located["pending"] == 0
            assert report.located["geocoder"] > 0
            assert (report.remaining, statuses(app.settings)["ddf"].problems) == ([], [])


def test_addresses_take_no_longer_than_a_sync_waits_and_go_on_with_the_next(tmp_path: Path, server: Geocoder) -> None:
    with simulated(20, 0) as mls, beside(tmp_path, mls, server, requests_per_second=3) as app:
        (report,) = sync(app, ["ddf"], wait=0)
        assert report.in_step
        assert report.located["pending"] > 0
        assert report.remaining[0].endswith("addresses still to look up; the next sync goes on")
        (later,) = sync(app, ["ddf"], wait=1)
        assert 0 < later.located["pending"] < report.located["pending"]
        assert len(server.questions) < 20
        (last,) = sync(app, ["ddf"])
        assert last.located["pending"] == 0
        assert set(asked(server).values()) == {1}


def test_a_scheduled_sync_waits_for_no_address(tmp_path: Path, server: Geocoder) -> None:
    with simulated(20, 0) as mls, beside(tmp_path, mls, server, requests_per_second=1) as app:
        started = time.monotonic()
        (report,) = sync(app, ["ddf"], wait=3_600, within=3_600)
        assert time.monotonic() - started < 10
        assert report.located["pending"] > 0


def test_a_geocoder_that_hangs_costs_a_sync_its_timeout_at_most(tmp_path: Path, server: Geocoder) -> None:
    server.answering.clear()
    with simulated(20, 0) as mls, beside(tmp_path, mls, server, timeout=1) as app:
        started = time.monotonic()
        (report,) = sync(app, ["ddf"])
        assert time.monotonic() - started < 10
        assert report.in_step
        assert report.located["pending"] > 0
        assert len(server.questions) == 1
