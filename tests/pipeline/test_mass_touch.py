"""An MLS that gives every listing a new timestamp though none changed costs narrow lines, no wide row, no history."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path

from shared.store.tables import TABLES_OF
from tests.conftest import SCALE
from tests.pipeline.inside import Inside, inside
from tests.pipeline.simulated import simulated
from tests.pipeline.truth import Json, differences

LISTINGS, PHOTOS = (1_000, 1) if SCALE == 1 else (20_000, 1)
WIDE = {
    **{table.name: list(table.primary_key.columns)[1].name for tables in TABLES_OF.values()
       for table in (tables[0], *tables[1])},
    "media": "resource_record_key",
    "media_set": "resource_record_key",
    "source_record": "key",
    "history_transactional": "resource_record_key",
}  # fmt: skip
"""Every table whose rows a record that did not change must not touch, with the column of its key."""


def watch(here: Inside, tables: dict[str, str]) -> None:
    """From now on the database itself keeps account of every row of these tables that is written."""
    with closing(sqlite3.connect(here.database)) as connection, connection:
        connection.execute("CREATE TABLE written (name TEXT, event TEXT, key TEXT)")
        for table, key in tables.items():
            for event, row in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old")):
                connection.execute(
                    f"CREATE TRIGGER watch_{table}_{event} AFTER {event} ON {table} "
                    f"BEGIN INSERT INTO written VALUES ('{table}', '{event}', {row}.{key}); END"
                )


def written(here: Inside) -> dict[str, set[str]]:
    """The keys of which a row was written, by table."""
    found: dict[str, set[str]] = defaultdict(set)
    for table, key in here.rows("SELECT DISTINCT name, key FROM written"):
        found[table].add(key)
    return found


def content(record: Json) -> Json:
    """What a listing says, but for when."""
    return {name: value for name, value in record.items() if name not in ("stamp", "modified")}


def test_quirk_23_a_mass_touch_rewrites_no_wide_row_and_writes_no_history(tmp_path: Path) -> None:
    with simulated(LISTINGS, PHOTOS) as mls:
        here = inside(tmp_path, mls.login_url, media="link")
        first = here.in_step()
        before = {record["key"]: record for record in mls.truth(size="")}
        mls.fault("mass-touch")
        mls.advance()
        after = {record["key"]: record for record in mls.truth(size="")}
        watch(here, WIDE | {"ledger": "key"})
        touch = here.in_step()
        assert differences(here.copy, list(after.values()), media="link") == []

        moved = {key for key in before.keys() & after.keys() if before[key]["stamp"] != after[key]["stamp"]}
        same = {key for key in moved if content(before[key]) == content(after[key])}
        assert len(same) > 0.9 * LISTINGS
        people = {
            copy["key"]
            for records in (before, after)
            for key in records
            if key not in same
            for agent in records[key]["agents"]
            for copy in (agent["member"], agent["office"] or {"key": None})
        }
        rows = written(here)
        assert same <= rows.pop("ledger")
        for table, keys in rows.items():
            # members and offices are rewritten for the listings that did change, if at all
            assert keys <= (people if table.startswith(("member", "office")) else rows["source_record"]), table
        assert not same & rows["source_record"]
        assert not same & rows["property_record"]
        assert not same & rows["history_transactional"]
        assert rows["property_record"] == rows["source_record"] == (before.keys() | after.keys()) - same
        rates = [report.counts["property"]["fetched"] / report.seconds for report in (first, touch)]
        print(f"{LISTINGS} listings: first sync {rates[0]:.0f}/s, touched {rates[1]:.0f}/s")
        assert touch.counts["property"]["unchanged"] >= len(same)
        assert touch.seconds < 1.5 * first.seconds
