"""Metrics that are read from the store: what they say, how often they ask, and what they do when nobody answers."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from services import state_metrics
from services.polite import Polite
from services.state_metrics import FAMILIES, KINDS, OUTCOMES, StateMetrics
from shared.budget import SECOND
from shared.effects import Line, PutLine
from shared.settings import FeedSettings
from shared.store.sqlite.store import SqliteStore

START = 1_800_000_000


def feed_settings(**more: object) -> FeedSettings:
    return FeedSettings.model_validate(
        {"protocol": "ddf", "username": "feeduser", "password": SecretStr("pass-word"), **more}
    )


@dataclass
class World:
    """A store on a clock the test moves, and what Prometheus would see of it."""

    store: SqliteStore
    feeds: dict[str, FeedSettings]
    now: float = START
    stopping: threading.Event = field(default_factory=threading.Event)
    located: dict[str, int] = field(default_factory=dict)

    def metrics(self) -> StateMetrics:
        polite = {name: Polite(name, feed, self.store, lambda _: None) for name, feed in self.feeds.items()}
        return StateMetrics(self.store, self.feeds, polite, lambda _: self.located, self.stopping)


@contextmanager
def world(folder: Path, **feeds: FeedSettings) -> Iterator[World]:
    store = SqliteStore(folder / "mlsync.db", lambda: made.now)
    made = World(store, feeds or {"ddf": feed_settings()})
    store.migrate()
    try:
        yield made
    finally:
        store.close()


def scraped(metrics: StateMetrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Samples by name and labels."""
    registry = CollectorRegistry()
    registry.register(metrics)
    text = generate_latest(registry).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_an_empty_store_shows_zeros_where_a_figure_is_known_and_nothing_where_none_is(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        found = scraped(here.metrics())
    assert found["mlsync_state_up", ()] == 1
    assert found["mlsync_state_timestamp_seconds", ()] == START
    listings = (("feed", "ddf"), ("resource", "property"))
    for name in ("mlsync_records_stored", "mlsync_records_wanted", "mlsync_removals_held"):
        assert found[name, listings] == 0
    assert found["mlsync_quarantined", (("feed", "ddf"), ("kind", "record"))] == 0
    names = {name for name, _ in found}
    assert not names & {"mlsync_inventory_whole_timestamp_seconds", "mlsync_run_in_step_timestamp_seconds"}


def test_registering_reads_nothing(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        metrics = here.metrics()
        here.store.close()
        here.store.path.unlink()
        CollectorRegistry().register(metrics)
        assert {family.name for family in metrics.describe()} == set(FAMILIES)
        assert not here.store.path.exists()


def test_how_the_last_sync_ended_is_one_of_a_fixed_set(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        for number, outcome in enumerate(("in_step", "of a later version")):
            here.now = START + 60 * number
            here.store.feeds.start_run("ddf", f"run-{number}", "sync")
            here.store.feeds.finish_run("ddf", f"run-{number}", outcome)
        found = scraped(here.metrics())
    outcomes = {
        dict(labels)["outcome"]: value for (name, labels), value in found.items() if name == "mlsync_run_last_outcome"
    }
    assert outcomes == {outcome: float(outcome == "other") for outcome in OUTCOMES}
    assert found["mlsync_run_in_step_timestamp_seconds", (("feed", "ddf"),)] == START
    assert found["mlsync_run_last_timestamp_seconds", (("feed", "ddf"),)] == START + 60


def test_what_is_left_of_a_budget_and_until_when_the_mls_is_left_alone(tmp_path: Path) -> None:
    with world(tmp_path, ddf=feed_settings(requests_per_hour=10)) as here:
        polite = Polite("ddf", here.feeds["ddf"], here.store, lambda _: None)
        for _ in range(3):
            share = polite.take("Search")
        window = (("feed", "ddf"), ("window", "requests_per_hour"))
        found = scraped(here.metrics())
        assert (found["mlsync_budget_limit", window], found["mlsync_budget_remaining", window]) == (10, 7)
        assert found["mlsync_paused_until_timestamp_seconds", (("feed", "ddf"),)] == 0
        polite.refused(share, "Search", "too many requests", 120.0, 5.0)
        found = scraped(here.metrics())
        assert found["mlsync_paused_until_timestamp_seconds", (("feed", "ddf"),)] == START + 120
        here.now += 2 * 3600
        found = scraped(here.metrics())
        assert found["mlsync_budget_remaining", window] == 10  # though nobody has asked since


def test_labels_stay_few_whatever_is_in_the_store(tmp_path: Path) -> None:
    hostile = 'x"} 1\nmlsync_evil 1\n# '
    with world(tmp_path) as here:
        here.located = {"mls": 3, hostile: 4}
        for number in range(50):
            here.store.quarantine.put(f"{hostile}{number}", hostile, "k", f"{hostile}{number}", "r", b"%d" % number, 1)
            line = Line(f"k{number}", wanted_by=1, reason="no")
            with here.store.write() as tx:
                tx.records.apply(f"{hostile}{number}", "property", "run", [PutLine(line)])
                tx.removals.mark_part("ddf", f"{hostile}{number}", 1, 1, 1, 1, None)
        found = scraped(here.metrics())
    allowed = {
        "feed": {"ddf", ""}, "resource": {"property", "member", "office"}, "kind": set(KINDS),
        "outcome": set(OUTCOMES), "source": {"mls"}, "window": set(),
    }  # fmt: skip
    for name, labels in found:
        assert name in FAMILIES
        for label, value in labels:
            assert value in allowed[label], (name, label)
    assert found["mlsync_quarantined", (("feed", ""), ("kind", "other"))] == 50
    assert len(found) < 40


def test_it_is_read_at_most_every_15_seconds(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        metrics = here.metrics()
        before = scraped(metrics)
        here.now += 3
        here.store.feeds.start_run("ddf", "run-1", "sync")
        here.store.feeds.finish_run("ddf", "run-1", "in_step")
        for _ in range(20):
            assert scraped(metrics) == before


@pytest.mark.parametrize("how", ["gone", "locked"])
def test_a_database_that_does_not_answer_leaves_only_that_it_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(state_metrics, "EVERY", 0.0)
    monkeypatch.setattr(state_metrics, "REST", 0.0)
    monkeypatch.setattr(state_metrics, "PATIENCE", 1.0)
    monkeypatch.setattr(state_metrics, "GOOD_FOR", 0.0)
    with world(tmp_path) as here:
        metrics = here.metrics()
        assert scraped(metrics)["mlsync_state_up", ()] == 1
        with closing(sqlite3.connect(here.store.path)) as other:
            if how == "locked":
                here.store.close()
                other.execute("PRAGMA locking_mode=EXCLUSIVE")
                other.execute("BEGIN EXCLUSIVE")
            else:
                other.execute("ALTER TABLE ledger RENAME TO elsewhere")
            for _ in range(2):
                assert scraped(metrics) == {("mlsync_state_up", ()): 0}
            if how == "locked":
                other.execute("ROLLBACK")
            else:
                other.execute("ALTER TABLE elsewhere RENAME TO ledger")
        monkeypatch.setattr(state_metrics, "PATIENCE", 60.0)
        assert scraped(here.metrics())["mlsync_state_up", ()] == 1


def test_a_process_that_stops_leaves_the_store_alone(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        metrics = here.metrics()
        here.stopping.set()
        assert scraped(metrics) == {("mlsync_state_up", ()): 0}


def test_the_instants_are_seconds(tmp_path: Path) -> None:
    with world(tmp_path) as here, here.store.write() as tx:
        tx.removals.mark_part("ddf", "property", START * SECOND + 250_000, 1, 1, 7, None)
        tx.removals.decide("ddf", "property", START * SECOND + 250_000, "released", START * SECOND)
    with world(tmp_path) as here:
        found = scraped(here.metrics())
    listings = (("feed", "ddf"), ("resource", "property"))
    assert found["mlsync_inventory_whole_timestamp_seconds", listings] == START + 0.25
    assert found["mlsync_inventory_whole_records", listings] == 7
