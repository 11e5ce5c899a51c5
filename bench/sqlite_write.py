"""Writing pages of 100 new listings into SQLite, against ``executemany`` of the same rows into tables without keys.

What is timed of mlsync is each transaction as the writer opens it (see ``bench.postgres_write``). The floor writes the
same values, ready for SQLite, a page of each table per commit, with the same journal and the same waiting for the disk.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.figures import Figure
from bench.pages import AT_ONCE, Pages, listings
from shared.messages import SourceRecord
from shared.store.sqlite.store import SqliteStore
from shared.store.tables import metadata

LISTINGS = 1_000
NEITHER = {"derived"}


def measure(rounds: int) -> list[Figure]:
    """New listings."""
    records = listings(LISTINGS)
    found = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="mlsync-bench-", dir=".") as folder:
            found.append(_round(Path(folder), records))
    ratios = [floor / ours for ours, floor in found]
    detail: dict[str, float | str] = {
        "listings/s": round(LISTINGS / median(ours for ours, _ in found)),
        "floor, listings/s": round(LISTINGS / median(floor for _, floor in found)),
    }
    floor = "executemany into tables without keys"
    return [Figure("SQLite, new listings", median(ratios), 0.6, True, "x", floor, ratios, detail)]


def _round(folder: Path, records: Sequence[SourceRecord]) -> tuple[float, float]:
    store = SqliteStore(folder / "mlsync.db")
    store.migrate()
    ours = Pages(store).write(records)
    store.close()
    return ours, _floor(folder)


def _floor(folder: Path) -> float:
    tables = [table.name for table in metadata.sorted_tables if table.name not in NEITHER]
    with closing(sqlite3.connect(folder / "mlsync.db")) as written:
        rows = {table: written.execute(f'SELECT * FROM "{table}"').fetchall() for table in tables}
        names = {table: [line[1] for line in written.execute(f'PRAGMA table_info("{table}")')] for table in tables}
    with closing(sqlite3.connect(folder / "floor.db", isolation_level=None)) as bare:
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("PRAGMA synchronous=FULL")
        bare.execute("PRAGMA cache_size=-16000")
        for table in tables:
            columns = ", ".join(f'"{name}"' for name in names[table])
            bare.execute(f'CREATE TABLE "{table}" ({columns})')
        pages = LISTINGS // AT_ONCE
        began = perf_counter()
        for page in range(pages):
            bare.execute("BEGIN IMMEDIATE")
            for table, some in rows.items():
                part = some[len(some) * page // pages : len(some) * (page + 1) // pages]
                marks = ", ".join("?" * len(names[table]))
                bare.executemany(f'INSERT INTO "{table}" VALUES ({marks})', part)
            bare.execute("COMMIT")
        return perf_counter() - began


if __name__ == "__main__":
    for one in measure(5):
        print(one)
