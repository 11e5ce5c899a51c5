"""``mlsync run`` as it is watched: real processes, and Prometheus's view of them over HTTP."""

from __future__ import annotations

import json
import re
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.metrics_page import render
from tests.pipeline.simulated import MLSYNC, Installation, Mls, process, synced, until
from tests.servers.process import free_ports

MESSAGE = {"timestamp", "level", "event", "logger", "consumer", "queue", "type", "run_id", "message_id", "feed",
           "attempt", "outcome", "seconds"}  # fmt: skip
BROKER_ONLY = {"mlsync_broker_connected", "mlsync_broker_connections_total"}
"""Of a process that talks to a broker; their own tests are where brokers are."""


class Seen:
    """One scrape."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples with these labels; 0 when there is none."""
        return sum(
            sample.value for sample in self.samples if sample.name == name and labels.items() <= sample.labels.items()
        )


@dataclass
class Watched:
    """A running ``mlsync run``."""

    running: subprocess.Popen[str]
    port: int
    log: Path

    def ask(self, path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def status(self, path: str) -> int:
        return self.ask(path)[0]

    def look(self) -> Seen:
        """What Prometheus would see now."""
        return Seen(self.ask("/metrics")[1].decode())

    def lines(self) -> list[dict[str, Any]]:
        """What was logged so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def run(here: Installation, *, to_its_end: bool = True, **settings: str) -> Iterator[Watched]:
    (port,) = free_ports(1)
    log = here.folder / "mlsync.log"
    env = here.env | {"MLSYNC_HTTP_PORT": str(port)} | {f"MLSYNC_{name.upper()}": to for name, to in settings.items()}
    with log.open("w") as err, process([str(MLSYNC), "run"], env, here.folder, err.fileno()) as running:
        made = Watched(running, port, log)
        until(lambda: '"event": "endpoints"' in log.read_text())
        yield made
        if to_its_end:
            running.send_signal(signal.SIGTERM)
            assert running.wait(timeout=30) == 0


def syncs(here: Installation) -> int:
    return here.count("run", "kind = 'sync' AND finished_at IS NOT NULL")


def fresh_state(watched: Watched, after: float) -> None:
    """Wait for figures read after that instant."""
    until(lambda: watched.look().value("mlsync_state_timestamp_seconds") > after)


FAULTS = ("ghost-photo=0.2", "missing-record=0.1", "unknown-elements=0.5", "unfit-values=0.2")


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mls, Installation, Watched]]:
    """A process that has synced twice with an MLS in which not everything is well, and whose figures are of then."""
    folder = tmp_path_factory.mktemp("watching")
    with synced(
        folder, 60, 2, faults=FAULTS, every="3s", requests_per_day="5000", resources="property,member,office",
    ) as (mls, here), run(here, to_its_end=False) as watched:  # fmt: skip
        until(lambda: syncs(here) >= 1)
        mls.advance(2)
        until(lambda: watched.look().value("mlsync_records_total", outcome="updated") > 0)
        count = syncs(here)
        until(lambda: syncs(here) >= count + 2)
        mls.fault("slow", "110000")  # from now on nothing comes, so that all figures stay as they are
        until(lambda: here.count("run", "kind = 'sync' AND finished_at IS NULL") == 1)
        time.sleep(1)
        fresh_state(watched, time.time())
        yield mls, here, watched


def test_the_state_is_what_status_says(troubled: tuple[Mls, Installation, Watched]) -> None:
    _, here, watched = troubled
    seen = watched.look()
    before = time.time()
    status = here.status()
    after = time.time()
    assert seen.value("mlsync_state_up") == 1
    assert seen.value("mlsync_records_stored", feed="ddf", resource="property") == status["stored"] > 0
    for resource, told in status["resources"].items():
        assert seen.value("mlsync_records_stored", resource=resource) == told["stored"] > 0
        assert seen.value("mlsync_inventory_whole_records", resource=resource) == told["at_mls"]
    assert seen.value("mlsync_inventory_whole_records", resource="property") == status["at_mls"]
    taken = seen.value("mlsync_inventory_whole_timestamp_seconds", resource="property")
    assert before - taken - 1 <= status["freshness_seconds"] <= after - taken + 1
    for state, told in status["photos"].items():
        assert seen.value(f"mlsync_photos_{state}", feed="ddf") == told
    assert status["photos"]["failed"] > 0
    assert seen.value("mlsync_removals_held") == status["held"]
    assert seen.value("mlsync_records_unavailable") == status["unavailable"] > 0
    assert seen.value("mlsync_quarantined", feed="ddf") == status["quarantined"]
    assert seen.value("mlsync_run_last_outcome") == 1
    budget = status["budget"]["requests_per_day"]
    assert seen.value("mlsync_budget_limit", window="requests_per_day") == budget["limit"] == 5_000
    assert seen.value("mlsync_budget_remaining", window="requests_per_day") == budget["limit"] - budget["used"]


def test_the_deeds_are_what_the_runs_counted_and_the_mls_saw(troubled: tuple[Mls, Installation, Watched]) -> None:
    mls, here, watched = troubled
    seen = watched.look()
    counted: Counter[str] = Counter()
    for resource, name, value in here.rows("SELECT resource, name, sum(value) FROM run_count GROUP BY 1, 2"):
        counted[name if name.startswith("photos") or resource == "" else f"{resource} {name}"] += value
    for outcome in ("inserted", "updated", "unchanged", "removed"):
        found = seen.value("mlsync_records_total", resource="property", outcome=outcome)
        assert found == counted[f"property {outcome}"], outcome
    assert seen.value("mlsync_records_fetched_total", resource="property") == counted["property fetched"] > 0
    assert seen.value("mlsync_photos_total", outcome="stored") == counted["photos_stored"]
    for outcome in ("deleted", "failed"):  # counted by the store if it was not settled meanwhile by another message
        extra = seen.value("mlsync_photos_total", outcome=outcome) - counted[f"photos_{outcome}"]
        assert 0 <= extra <= 5, outcome
    assert seen.value("mlsync_photo_failures_total", reason="http_404") > 0
    assert seen.value("mlsync_photo_bytes_total") >= here.rows("SELECT sum(byte_size) FROM media")[0][0] > 0
    asked = mls.stats()["requests"]
    for transaction in ("Search", "GetMetadata", "Logout"):
        answered = seen.value("mlsync_rets_requests_total", transaction=transaction, code="0")
        assert answered == pytest.approx(asked[transaction], abs=1), transaction  # one is under way
        assert seen.value("mlsync_rets_request_seconds_count", transaction=transaction) == answered
    assert seen.value("mlsync_logins_total", outcome="ok") >= syncs(here) - 1
    assert seen.value("mlsync_logins_total", outcome="failed") == 0
    assert seen.value("mlsync_sessions_open") == 1
    assert seen.value("mlsync_run_seconds_count") == syncs(here)
    assert seen.value("mlsync_inventories_total", outcome="proven") >= syncs(here)
    assert seen.value("mlsync_elements_unknown_total") > 0
    assert seen.value("mlsync_values_unfit_total") > 0


def test_freshness_is_of_changes_and_not_of_the_first_load(troubled: tuple[Mls, Installation, Watched]) -> None:
    *_, watched = troubled
    seen = watched.look()
    timed = seen.value("mlsync_freshness_seconds_count", resource="property")
    inserted = seen.value("mlsync_records_total", resource="property", outcome="inserted")
    assert inserted >= 50
    assert 0 < timed <= seen.value("mlsync_records_total", resource="property", outcome="updated") + inserted - 50
    borders = {item.labels["le"] for item in seen.samples if item.name == "mlsync_freshness_seconds_bucket"}
    assert {"10.0", "900.0", "3600.0", "604800.0", "+Inf"} <= borders


def test_every_metric_in_the_docs_is_served_and_no_other(troubled: tuple[Mls, Installation, Watched]) -> None:
    *_, watched = troubled
    served = set(re.findall(r"^# TYPE (mlsync_\w+)", watched.look().text, re.MULTILINE))
    told = set(re.findall(r"^\| `(\w+)`", render(), re.MULTILINE))
    maybe = {
        "mlsync_listings_located",
        "mlsync_metadata_read_timestamp_seconds",
        "mlsync_run_in_step_timestamp_seconds",
    }
    assert served <= told
    assert told - served <= BROKER_ONLY | maybe


def test_promtool_finds_nothing_to_say(troubled: tuple[Mls, Installation, Watched]) -> None:
    *_, watched = troubled
    text = watched.ask("/metrics")[1]
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_no_series_says_when_it_was_created(troubled: tuple[Mls, Installation, Watched]) -> None:
    *_, watched = troubled
    assert not [item.name for item in watched.look().samples if item.name.endswith("_created")]


def test_a_run_can_be_followed_through_all_services_by_its_id(troubled: tuple[Mls, Installation, Watched]) -> None:
    _, here, watched = troubled
    seen = watched.look()
    (run_id,) = here.rows("SELECT run_id FROM run WHERE kind = 'sync' ORDER BY started_at LIMIT 1")[0]
    of_it = [line for line in watched.lines() if line.get("run_id") == run_id]
    messages = [line for line in of_it if line["event"] == "message"]
    assert {line["queue"] for line in messages} == {"fetcher.ddf", "reconciler", "writer", "media"}
    assert all(line.keys() >= MESSAGE for line in messages)
    assert {line["event"] for line in of_it} >= {"message", "metadata read", "sync"}
    settled = Counter(line["queue"] for line in watched.lines() if line["event"] == "message")
    for queue, count in settled.items():
        # what was put off is told at debug only
        assert seen.value("mlsync_messages_total", queue=queue) >= count


def test_a_stuck_consumer_is_unhealthy_until_it_goes_on(tmp_path: Path) -> None:
    with (
        synced(tmp_path, 20, 1, faults=("slow=2500",), media="none") as (mls, here),
        run(here, stuck_after="1.5s") as watched,
    ):
        assert watched.status("/healthz") == 200  # the inventory takes long, but no message does
        until(lambda: watched.status("/healthz") == 503)
        assert json.loads(watched.ask("/healthz")[1])["checks"] == {"loops": "1 of fetcher.ddf stuck"}
        assert watched.status("/metrics") == 200
        mls.fault("slow", "off")
        until(lambda: watched.status("/healthz") == 200)


def test_not_ready_while_the_database_or_the_photo_store_cannot_be_used(tmp_path: Path) -> None:
    with synced(tmp_path, 10, 1) as (_, here), run(here) as watched:
        until(lambda: syncs(here) == 1 and watched.status("/readyz") == 200)
        with closing(sqlite3.connect(here.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            until(lambda: watched.status("/readyz") == 503)
            assert json.loads(watched.ask("/readyz")[1])["checks"]["database"] == "no answer within 5 seconds"
            assert watched.status("/healthz") == 200
            other.execute("ROLLBACK")
        until(lambda: watched.status("/readyz") == 200)
        here.media.rename(here.media.with_name("away"))
        until(lambda: watched.status("/readyz") == 503)
        assert "data/media" in json.loads(watched.ask("/readyz")[1])["checks"]["photo_store"]
        here.media.with_name("away").rename(here.media)
        until(lambda: watched.status("/readyz") == 200)


def test_a_port_in_use_is_told_before_anything_is_done(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        here = Installation(tmp_path, "http://127.0.0.1:1/login", {"MLSYNC_HTTP_PORT": str(port)})
        done = here.run("run")
    assert done.code == 2
    assert f"MLSYNC_HTTP_PORT): cannot listen on 127.0.0.1 port {port}" in done.err
    assert not here.database.exists()


def test_without_a_port_nothing_is_served(tmp_path: Path) -> None:
    with synced(tmp_path, 10, 1) as (_, here), here.start("run") as running:
        until(lambda: syncs(here) == 1)
        open_ones = psutil.Process(running.pid).net_connections("inet")
        assert [one.laddr for one in open_ones if one.status == psutil.CONN_LISTEN] == []
