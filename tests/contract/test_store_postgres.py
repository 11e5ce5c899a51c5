"""What the store promises on PostgreSQL alone: many processes at once, and a server that comes and goes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

import shared
from shared.effects import Count, Line, PutLine, Quarantine
from shared.messages import SourceRecord
from shared.store.base import NewObject, StoreError, StoreUnavailableError
from shared.store.postgres import database as pg
from shared.store.postgres.connection import MANY, lock_number
from shared.store.postgres.statistics import EVERY
from shared.store.postgres.store import PostgresStore
from shared.store.sql.connection import LockOrderError
from tests.contract.stores import FEED, RUN, START, Kit, Listing, PostgresBackend, fetched
from tests.servers.postgres import OwnPostgres, Postgres, own_postgres

ROOT = Path(shared.__file__).parent.parent
MIGRATE = """
import sys
from shared.store.postgres.store import PostgresStore
store = PostgresStore(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
store.migrate()
store.check()
store.close()
"""
HOSTILE = ["'; DROP TABLE ledger; --", '"', "%s", "?", "{}", "\\", "a\0b", "é\U0001f3e0", "\t\r\n", "x" * 255]


@pytest.fixture
def kit(postgres_backend: PostgresBackend) -> Iterator[Kit]:
    made = Kit(postgres_backend)
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def durable() -> Iterator[OwnPostgres]:
    """A server of these tests' own, to be stopped and started, that keeps what it has acknowledged."""
    with own_postgres(durable=True) as server:
        yield server


@contextmanager
def store_on(url: str, patience: float = 30.0, connections: int = 10) -> Iterator[PostgresStore]:
    store = PostgresStore(url, patience=patience, connections=connections)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def holding(url: str, name: str) -> Iterator[None]:
    """Somebody else has a lock and does not let go of it."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock_number(name),))
        yield


def fetch(kit: Kit, key: str) -> None:
    """Store every photo the record wants; another worker may be doing the same."""
    wants = kit.wants(key)
    names = kit.begin(key, [want.order for want in wants])
    kit.settle(key, *(fetched(want, name) for want, name in zip(wants, names, strict=True)))


def all_at_once(*works: Callable[[], None]) -> None:
    """Run them in threads of their own; raises what any of them raised."""
    with ThreadPoolExecutor(len(works)) as threads:
        for done in [threads.submit(work) for work in works]:
            done.result(timeout=120)


# --- several processes at once


def test_writers_reconcilers_and_media_workers_at_once_lose_nothing(postgres_backend: PostgresBackend) -> None:
    """Separate stores as separate processes have them; the last observation wins, every photo is there once."""
    keys = [str(n) for n in range(12)]
    photos = {1: 1, 2: 1, 3: 1}
    ticks = iter(range(1, 10_000))
    turn = threading.Lock()
    latest: dict[str, tuple[int, int]] = {}

    def write(seed: int) -> None:
        kit, chance = Kit(postgres_backend), random.Random(seed)
        for _ in range(15):
            chosen = chance.sample(keys, 6)
            with turn:
                at = next(ticks)
            with kit.store.write() as tx:
                lines = tx.ledger.lines(FEED, "property", chosen)
                mine = [key for key in chosen if key not in lines or lines[key].observed_at < at]
                listings = [
                    Listing(key, price=at, stamp=at, photos=photos, rooms=at % 3, agents={"7": (f"Ann {at}", "9")})
                    for key in mine
                ]
                effects = [kit._observed(at, listing, lines.get(listing.key), True) for listing in listings]
                tx.records.apply(FEED, "property", RUN, [*effects, Count("pages")])
                tx.records.settle_embedded(FEED, {item.mapped.key: item.mapped for item in effects}, (), lambda _: None)
                for key in mine:
                    with turn:
                        latest[key] = max(latest.get(key, (0, 0)), (at, at))
        kit.store.close()

    def reconcile(seed: int) -> None:
        kit, chance = Kit(postgres_backend), random.Random(seed)
        for _ in range(15):
            with turn:
                at = next(ticks)
            with kit.store.write() as tx:
                lines = list(tx.ledger.between(FEED, "property", None, None))
                stale = [line for line in lines if line.observed_at < at and chance.random() < 0.5]
                tx.records.apply(
                    FEED, "property", RUN,
                    [PutLine(Line(line.key, line.stored, line.observed_at, line.stamp, line.hash, wanted_by=at))
                     for line in stale],
                )  # fmt: skip
                tx.removals.mark_part(FEED, "property", at, 1, 1, len(lines), None)
            kit.store.feeds.observe(FEED)
        kit.store.close()

    def work() -> None:
        kit = Kit(postgres_backend)
        for _ in range(8):
            for key in keys:
                fetch(kit, key)
        kit.store.close()

    all_at_once(*(partial(do, n) for do in (write, reconcile) for n in range(2)), *[work] * 4)
    kit = Kit(postgres_backend)
    for key in keys:
        fetch(kit, key)
    assert kit.counts()["pages"] == 30
    lines = kit.lines(*keys)
    assert {key: line.observed_at for key, line in lines.items()} == {key: at for key, (at, _) in latest.items()}
    prices = {key: int(price) for key, price in kit.rows("SELECT listing_key, list_price FROM property")}
    assert prices == {key: price for key, (_, price) in latest.items()}
    live = {name for name, state in kit.objects().items() if state == "live"}
    assert live == {name for (name,) in kit.rows("SELECT object_key FROM media")}
    assert len(live) == len(keys) * len(photos)
    assert {kit.photo_set(key) for key in keys} == {(3, 3, True)}
    kit.store.close()


def test_observations_of_many_processes_never_tie(postgres_backend: PostgresBackend) -> None:
    given: list[int] = []

    def observe() -> None:
        with store_on(postgres_backend.url) as store:
            given.extend(store.feeds.observe(FEED) for _ in range(50))

    all_at_once(*[observe] * 4)
    assert len(set(given)) == 200


def test_replicas_migrating_at_once_are_safe(postgres: Postgres) -> None:
    url = postgres.create()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, url], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], "\n".join(errors)
    postgres.drop(url)


def test_nothing_is_taken_for_dead_when_a_process_starts(kit: Kit) -> None:
    kit.begin("1")
    with store_on(kit.backend.url) as other:  # type: ignore[attr-defined]
        other.claim()
        other.recover()
    assert list(kit.objects().values()) == ["writing"]


def test_of_processes_without_a_broker_only_one_may_have_the_database(kit: Kit) -> None:
    with store_on(kit.backend.url) as one, store_on(kit.backend.url) as other:  # type: ignore[attr-defined]
        one.claim()
        with pytest.raises(StoreError, match="broker_url"):
            other.claim()
        one.close()
        other.claim()


# --- locks


def test_work_on_photos_does_not_wait_for_other_work_on_photos(kit: Kit) -> None:
    kit.page(10, Listing("1", photos={1: 1}), Listing("2", photos={1: 1}))
    done: list[str] = []

    def other() -> None:
        kit.fetch("2")
        done.append("2")

    with kit.store.write() as tx:
        tx.media.unchanged(FEED, "property", "1", [])
        all_at_once(other)
        assert done == ["2"]


def test_records_wait_for_photos_and_photos_for_records(kit: Kit) -> None:
    kit.page(10, Listing("1", photos={1: 1}))
    order: list[str] = []

    def page() -> None:
        kit.page(20, Listing("1", price=7))
        order.append("page")

    with kit.store.write() as tx:
        tx.media.wants(FEED, "property", "1", kit.now)
        thread = threading.Thread(target=page)
        thread.start()
        time.sleep(0.3)
        order.append("photos")
    thread.join()
    assert order == ["photos", "page"]


def test_a_transaction_cannot_ask_for_more_than_it_has_taken(kit: Kit) -> None:
    with kit.store.write() as tx:
        tx.media.wants(FEED, "property", "1", kit.now)
        with pytest.raises(LockOrderError):
            tx.ledger.lines(FEED, "property", ["1"])


def test_feeds_do_not_wait_for_each_other(kit: Kit) -> None:
    with kit.store.write() as tx:
        tx.ledger.lines("one", "property", ["1"])
        all_at_once(lambda: kit.apply(PutLine(Line("1")), feed="other"))


def test_a_lock_that_somebody_keeps_is_given_up_on(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pg.SESSION, "lock_timeout", "200ms")
    url = kit.backend.url  # type: ignore[attr-defined]
    with store_on(url, patience=0.5) as store, holding(url, f"feed {FEED}"):
        with pytest.raises(StoreUnavailableError, match="busy"), store.write() as tx:
            tx.ledger.lines(FEED, "property", ["1"])
        with pytest.raises(StoreUnavailableError, match="busy"):
            store.holds.approve(FEED)
    kit.apply(PutLine(Line("1")))


# --- a server that comes and goes


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with store_on("postgresql://app:hidden-word@127.0.0.1:1/listings", patience=0.5) as store:
        for attempt in (store.check, store.migrate, lambda: store.feeds.observe(FEED)):
            with pytest.raises(StoreUnavailableError, match=r"listings at 127\.0\.0\.1:1 does not answer") as error:
                attempt()
            assert "hidden-word" not in str(error.value)


def test_a_server_that_refuses_is_not_waited_for(postgres: Postgres) -> None:
    with store_on(postgres.database("nowhere"), patience=60) as store:
        began = time.monotonic()
        for attempt in (store.check, store.migrate, lambda: store.feeds.observe(FEED)):
            with pytest.raises(StoreError, match="nowhere") as error:
                attempt()
            assert not isinstance(error.value, StoreUnavailableError)
        assert time.monotonic() - began < 30


@pytest.mark.parametrize("url", ["postgresql://u:hidden@h:port/x", "postgresql://u:hidden@h/x?nonsense=1"])
def test_an_address_that_is_none_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="postgresql://user:password@host") as error:
        PostgresStore(url)
    assert "hidden" not in str(error.value)


def test_constructing_a_store_opens_nothing(postgres: Postgres) -> None:
    PostgresStore(postgres.database("nowhere"))


def test_passwords_may_have_any_character(postgres: Postgres) -> None:
    word = "p@ss:w/rd?%&#"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS odd")
        connection.execute(f"CREATE ROLE odd LOGIN PASSWORD '{word}'".replace("%", "%%"), ())
    rest = postgres.url.rpartition("@")[2]
    with (
        store_on(f"postgresql://odd:{quote(word, safe='')}@{rest}") as store,
        pytest.raises(StoreError, match="migrate"),
    ):
        store.check()


@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_a_server_restarted_under_load_loses_nothing_it_acknowledged(durable: OwnPostgres, mode: str) -> None:
    """Own transactions wait for the server and are done; a ``write`` cut short says so; nothing is done twice."""
    url = durable.create()
    with store_on(url) as store:
        store.migrate()
    stop = threading.Event()
    acknowledged: dict[str, int] = {}
    cut: list[str] = []

    def observe(feed: str) -> None:
        with store_on(url) as store:
            last = 0
            while not stop.is_set():
                with suppress(pg.CommitUnknownError):
                    now = store.feeds.observe(feed)
                    assert now > last
                    last = now
            acknowledged[feed] = last

    def write(feed: str) -> None:
        with store_on(url) as store:
            n = 0
            while not stop.is_set():
                try:
                    with store.write() as tx:
                        tx.records.apply(feed, "property", RUN, [PutLine(Line(str(n), observed_at=n))])
                except StoreUnavailableError:
                    cut.append(feed)
                else:
                    n += 1
            acknowledged[feed] = n

    def restart() -> None:
        for _ in range(2):
            time.sleep(1)
            durable.stop(mode)
            time.sleep(1)
            durable.start()
        time.sleep(1)
        stop.set()

    all_at_once(
        restart, *(lambda n=n: observe(f"o{n}") for n in range(2)), *(lambda n=n: write(f"w{n}") for n in range(2))
    )
    assert cut
    with store_on(url) as store:
        for feed, last in acknowledged.items():
            if feed.startswith("o"):
                assert store.feeds.observe(feed) > last
            else:
                with store.write() as tx:
                    assert len(tx.ledger.lines(feed, "property", map(str, range(last)))) == last
    durable.drop(url)


def test_a_write_waits_for_a_server_that_starts(durable: OwnPostgres) -> None:
    url = durable.create()
    with store_on(url) as store:
        store.migrate()
        durable.stop()
        thread = threading.Timer(1.0, durable.start)
        thread.start()
        with store.write() as tx:
            tx.records.apply(FEED, "property", RUN, [PutLine(Line("1"))])
        thread.join()
        assert store.feeds.now() > 0
    durable.drop(url)


# --- the clock


def test_now_is_the_servers_clock(postgres_backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine's clock says, and without asking each time."""
    monkeypatch.setattr(time, "time", lambda: 0.0)
    with store_on(postgres_backend.url) as store:
        first = store.feeds.now()
        (server,) = postgres_backend.rows("SELECT (extract(epoch FROM clock_timestamp()) * 1e6)::bigint")
        assert abs(server[0] - first) < 5_000_000
        assert first < store.feeds.now()


# --- values


@pytest.mark.parametrize("word", HOSTILE)
def test_words_that_mean_something_to_sql_mean_nothing(kit: Kit, word: str) -> None:
    line = Line(word, stamp=word, wanted_stamp=word, wanted_by=1, reason=word)
    kit.apply(PutLine(line), Quarantine(word, "record", word.encode(), word, 1))
    shown = word.replace("\0", "\u2400")
    assert kit.lines(word) == {shown: Line(shown, stamp=shown, wanted_stamp=shown, wanted_by=1, reason=shown)}
    (parked,) = kit.store.quarantine.list(FEED)
    assert (parked.key, parked.reason, parked.body) == (shown, shown, word.encode())
    with kit.store.write() as tx:
        names = tx.media.begin(FEED, "property", word, [NewObject(1, word, 1, "jpg")], lambda _, n: f"{word}{n}")
    assert kit.store.objects.has(names[0])


def test_a_record_with_values_no_column_holds_is_stored(kit: Kit) -> None:
    more = {
        "Price": "9" * 40, "Remarks": "a\0b", "ListingID": "x" * 300, "Odd\0Name": {"deep\0er": ["\0"]},
        "Latitude": "1e999", "Parking": "NaN",
    }  # fmt: skip
    kit.page(10, Listing("1", more=more), Listing("2", price=5))
    assert kit.rows("SELECT listing_key FROM property ORDER BY 1") == [("1",), ("2",)]
    assert kit.store.feeds.status(FEED).extra.oddities
    source = more | {"@ID": "1"}
    with kit.store.write() as tx:
        kept = tx.records.source(FEED, "property", "1")
    assert isinstance(kept, SourceRecord)
    assert source.items() <= kept.fields.items()


# --- bounded memory


def test_a_range_of_many_lines_is_read_some_at_a_time(kit: Kit) -> None:
    """And other statements run meanwhile."""
    kit.apply(*(PutLine(Line(f"{n:06}")) for n in range(5_000)))
    with kit.store.write() as tx:
        found = tx.ledger.between(FEED, "property", None, None)
        first = next(found)
        assert tx.ledger.lines(FEED, "property", ["000001"])
        assert [first.key, *(line.key for line in found)] == [f"{n:06}" for n in range(5_000)]


def test_objects_fetched_again_and_again_keep_one_row(kit: Kit) -> None:
    kit.page(10, Listing("1", photos={1: 1}))
    (want,) = kit.wants("1")
    names = [kit.begin("1")[0] for _ in range(3)]
    for name in names:
        kit.settle("1", fetched(want, name))
    assert sorted(kit.objects().values()) == ["dead", "dead", "live"]


def test_tables_that_grow_are_counted_before_autovacuum_comes(postgres_backend: PostgresBackend) -> None:
    store = postgres_backend.open(lambda: START)
    for page in range(EVERY):
        with store.write() as tx:
            lines = [PutLine(Line(f"{page}-{n}", observed_at=1)) for n in range(MANY)]
            tx.records.apply(FEED, "property", RUN, lines)
    store.close()
    known = "SELECT attname, n_distinct FROM pg_stats WHERE tablename = 'ledger' AND attname IN ('feed', 'key')"
    found = dict(postgres_backend.rows(known))
    assert found["feed"] == 1
    assert found["key"] == -1
