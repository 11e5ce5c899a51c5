"""Whatever happens to messages and processes, history tells exactly what the rows went through."""

from __future__ import annotations

import json
import random
import shutil
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.store.sqlite.store import SqliteStore
from tests.conftest import SCALE
from tests.pipeline.test_convergence import World

Change = tuple[str | None, str | None, str | None]

WATCH = """
CREATE TABLE seen (number INTEGER PRIMARY KEY, key TEXT, price TEXT);
CREATE TRIGGER written AFTER INSERT ON property_record
  BEGIN INSERT INTO seen (key, price) VALUES (new.listing_key, new.list_price); END;
CREATE TRIGGER gone AFTER DELETE ON property_record BEGIN INSERT INTO seen (key) VALUES (old.listing_key); END;
"""
"""The database's own account of every price a row ever had; what was rolled back is not in it."""


@pytest.fixture(scope="module")
def template(memory_dir: Path) -> Path:
    """A migrated, empty database that watches its rows."""
    path = memory_dir / "history-template.db"
    store = SqliteStore(path)
    store.migrate()
    store._database.connection().executescript(WATCH)
    store.close()
    return path


def lived(it: World) -> dict[str, list[Change]]:
    """What the rows of each listing went through after the first: kind, price before, price after."""
    now: dict[str, str | None] = {}
    found: dict[str, list[Change]] = defaultdict(list)
    for key, price in it.rows("SELECT key, price FROM seen ORDER BY number"):
        if key in now and price != now[key]:
            before = now[key]
            kind = "Deleted" if price is None else "Back On Market" if before is None else "Price Change"
            found[key].append((kind, before, price))
        now[key] = price
    return found


def told(it: World) -> dict[str, list[Change]]:
    """What history says of their prices."""
    found: dict[str, list[Change]] = defaultdict(list)
    for key, *change in it.rows(
        "SELECT resource_record_key, change_type, previous_value, new_value FROM history_transactional "
        "WHERE field_name = 'list_price' ORDER BY observed_at"
    ):
        kind, before, after = change
        found[key].append((kind, before, after))
    return found


def assert_rooms_follow(it: World) -> None:
    """Each set of rooms begins as the one before ended, and the last is the one stored."""
    stored = dict(it.rows("SELECT listing_key, count(*) FROM property_room GROUP BY 1"))
    sets: dict[str, int | None] = {}
    for key, field, before, after in it.rows(
        "SELECT resource_record_key, field_name, previous_value, new_value FROM history_transactional "
        "WHERE field_name = 'property_room' OR change_type IN ('Deleted', 'Back On Market') ORDER BY observed_at"
    ):
        if field != "property_room":
            sets[key] = None  # between going and coming back anything may change
            continue
        size = len(json.loads(before or "[]"))
        assert sets.get(key) in (None, size)
        sets[key] = len(json.loads(after or "[]"))
    here = {key for (key,) in it.rows("SELECT listing_key FROM property")}
    assert {key: size for key, size in sets.items() if key in here and size is not None} == {
        key: stored.get(key, 0) for key, size in sets.items() if key in here and size is not None
    }


@given(rng=st.randoms(use_true_random=False), steps=st.integers(20, 150))
@hypothesis_settings(max_examples=8 * SCALE)
def test_history_is_what_the_rows_went_through(
    memory_dir: Path, template: Path, rng: random.Random, steps: int
) -> None:
    folder = memory_dir / "history-world"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    it = World(folder, template, rng, 8)
    try:
        for _ in range(2):
            it.live(steps)
            it.quiet()
        it.assert_in_step()
        assert told(it) == lived(it)
        assert_rooms_follow(it)
        assert it.rows("SELECT * FROM history_transactional WHERE resource_name <> 'property'") == []
    finally:
        it.sqlite.close()
