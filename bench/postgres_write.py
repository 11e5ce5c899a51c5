"""Writing pages of 100 listings into PostgreSQL, against one bare COPY of the same bytes into the same tables.

What is timed is each transaction as the writer opens it, from BEGIN until its COMMIT is on the disk: reading ledger
and horizon, deciding, history (which maps what changed), rows of all tables, source records, photos, addresses, members
and offices, counters, photos pending. Not timed: reading XML, mapping the page's records, and publishing. The server
is a real one on a disk with fsync on; checkpoints and autovacuum are put off, so that WAL is what the listings cost.
Before changed and touched listings are written, the ledger wants them and all photos are stored, as in a feed at work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from time import perf_counter

import psycopg

from bench.figures import Figure
from bench.pages import FEED, Pages, changed, listings, rekeyed, touched
from shared.messages import SourceRecord
from shared.store.postgres import statistics
from shared.store.postgres.store import PostgresStore
from shared.store.postgres.values import shape_of
from shared.store.tables import metadata
from tests.servers.postgres import OwnPostgres, own_postgres

LISTINGS = 1_000
BY_ROWS = 100
"""Listings written row by row; more take long."""
FEW, MANY = 5_000, 50_000
SOME = 300
"""Listings written to each of two sizes in a round."""
NEITHER = {"derived"}
"""Tables a migration fills."""
WIDE = ("property_record", "property_room", "media", "source_record", "history_transactional")
PHOTOS_STORED = (
    "UPDATE media SET stored_version = wanted_version, pending = false, content_sha256 = md5(media_key), "
    "byte_size = 200000, width = 1024, height = 768, mime_type = 'image/jpeg', "
    "object_key = feed || '/' || resource_record_key || '/' || media_key WHERE pending",
    "INSERT INTO media_object (name, feed, resource, key, state, at, byte_size, content_sha256) SELECT object_key, "
    "feed, resource_name, resource_record_key, 'live', 0, byte_size, content_sha256 FROM media ON CONFLICT DO NOTHING",
    "UPDATE media_set SET photos_stored = photos_count, complete_at = 0",
)
KEYS = ("listing_key", "resource_record_key", "key")
OF_LISTINGS = (
    "property_record", "property_room", "property_agent", "property_parking", "property_utility", "open_house",
    "source_record", "ledger", "media", "media_set", "record_reference", "listing_address",
)  # fmt: skip


def measure(rounds: int) -> list[Figure]:
    """New, changed, touched and redelivered listings, and what 50,000 stored listings cost."""
    records = listings(LISTINGS)
    with own_postgres(durable=True) as server:
        _put_checkpoints_off(server)
        template = _migrated(server)
        found = [_round(server, template, records) for _ in range(rounds)]
        sizes = _sizes(server, template, records, rounds)
    of: Callable[[str], list[float]] = lambda name: [one[name] for one in found]  # noqa: E731
    rates: dict[str, float | str] = {name: round(median(of(name))) for name in found[0] if name.endswith("listings/s")}
    return [
        _figure("PostgreSQL, new listings", of("new of COPY"), 0.45, "one bare COPY of the same bytes", rates),
        _figure(
            "PostgreSQL, new listings, against rows", of("new of rows"), 8, "row INSERTs, a page per commit", rates
        ),
        _figure("PostgreSQL, changed listings", of("changed of COPY"), 0.25, "one bare COPY of the same bytes", rates),
        _ceiling("PostgreSQL, changed listings, WAL", of("changed WAL"), 14, "KB a listing"),
        _figure("PostgreSQL, delivered again", of("again of changed"), 20, "changed listings", rates),
        _figure("PostgreSQL, touched by the MLS", of("touched of changed"), 8, "changed listings", rates),
        _ceiling("PostgreSQL, delivered again, WAL", of("again WAL"), 0.4, "KB a listing"),
        _ceiling("PostgreSQL, touched by the MLS, WAL", of("touched WAL"), 0.4, "KB a listing"),
        _ceiling("PostgreSQL, touched by the MLS, wide rows written", of("touched wide"), 0, "rows"),
        *(
            _figure(f"PostgreSQL, {what} listings with {MANY:,} stored", ratios, 0.75, f"with {FEW:,} stored", {})
            for what, ratios in sizes.items()
        ),
    ]


def _figure(path: str, rounds: list[float], target: float, floor: str, detail: dict[str, float | str]) -> Figure:
    return Figure(path, median(rounds), target, True, "x", floor, rounds, detail)


def _ceiling(path: str, rounds: list[float], target: float, unit: str) -> Figure:
    return Figure(path, median(rounds), target, False, unit, "none", rounds, {})


def _round(server: OwnPostgres, template: str, records: Sequence[SourceRecord]) -> dict[str, float]:
    count = len(records)
    with _database(server, template) as url, _database(server, template) as bare, _database(server, template) as slow:
        store = PostgresStore(url)
        pages = Pages(store)
        pages.want(records)
        new = count / pages.write(records)
        data = _dumped(url)
        copy = count / _copied(bare, data)
        rows = BY_ROWS / _by_rows(slow, url, [record.key for record in records[:BY_ROWS]])
        store_photos(url)
        others = [changed(record) for record in records]
        pages.want(others)
        before = _wal(url)
        change = count / pages.write(others)
        change_wal = (_wal(url) - before) / count / 1024
        store_photos(url)
        last = [touched(record) for record in others]
        pages.want(last)
        observed_at = store.feeds.observe(FEED)
        before, wide = _wal(url), _versions(url)
        touch = count / pages.write(last, observed_at=observed_at)
        touch_wal, written = (_wal(url) - before) / count / 1024, len(_versions(url) - wide)
        before = _wal(url)
        again = count / pages.write(last, observed_at=observed_at)
        again_wal = (_wal(url) - before) / count / 1024
        store.close()
    return {
        "bare COPY, listings/s": copy, "new, listings/s": new, "changed, listings/s": change,
        "touched, listings/s": touch, "delivered again, listings/s": again, "row INSERTs, listings/s": rows,
        "new of COPY": new / copy, "new of rows": new / rows, "changed of COPY": change / copy,
        "again of changed": again / change, "touched of changed": touch / change, "changed WAL": change_wal,
        "touched WAL": touch_wal, "again WAL": again_wal, "touched wide": float(written),
    }  # fmt: skip


def _sizes(server: OwnPostgres, template: str, records: Sequence[SourceRecord], rounds: int) -> dict[str, list[float]]:
    """The rates with many stored over those with few, round by round, both databases by turns."""
    found: dict[str, list[float]] = {"new": [], "changed": [], "touched": []}
    with _database(server, template) as few, _database(server, template) as many:
        all_pages = {}
        for url, size in ((few, FEW), (many, MANY)):
            store = PostgresStore(url)
            all_pages[url] = Pages(store)
            all_pages[url].write(records)
            store_photos(url)
            _multiply(url, size // len(records))
        for turn in range(rounds):
            fresh = rekeyed(records[:SOME], f"{turn}-")
            others = [changed(record) for record in fresh]
            last = [touched(record) for record in others]
            for what, some in (("new", fresh), ("changed", others), ("touched", last)):
                spent = {}
                for url in (few, many) if turn % 2 else (many, few):
                    all_pages[url].want(some)
                    spent[url] = all_pages[url].write(some)
                found[what].append(spent[few] / spent[many])
        for pages in all_pages.values():
            pages.store.close()
    return found


# --- the databases


def _put_checkpoints_off(server: OwnPostgres) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET checkpoint_timeout = '1h'")
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("ALTER SYSTEM SET max_wal_size = '32GB'")
        connection.execute("SELECT pg_reload_conf()")


def _migrated(server: OwnPostgres) -> str:
    url = server.create()
    store = PostgresStore(url)
    store.migrate()
    store.close()
    return url.rpartition("/")[2]


@contextmanager
def _database(server: OwnPostgres, template: str) -> Iterator[str]:
    url = server.create(template)
    try:
        yield url
    finally:
        server.drop(url)


def _wal(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
    assert row is not None
    return int(row[0])


def _versions(url: str) -> set[tuple[str, str, str]]:
    """The versions of rows that wide tables have: one written is another, were it written with what it had."""
    with psycopg.connect(url) as connection:
        return {
            (name, place, by)
            for name in WIDE
            for place, by in connection.execute(f"SELECT ctid::text, xmin::text FROM {name}")
        }


def store_photos(url: str) -> None:
    """Have every photo stored, and what that leaves behind vacuumed, as the server does by and by."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in PHOTOS_STORED:
            connection.execute(statement)
        connection.execute("VACUUM media, media_set")


def _multiply(url: str, times: int) -> None:
    """Have so many times the listings, under other keys, and the store's own look at tables that have grown."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table in OF_LISTINGS:
            names = shape_of(table).names
            columns = ", ".join(f'"{name}"' for name in names)
            values = ", ".join(f"n || '-' || \"{name}\"" if name in KEYS else f'"{name}"' for name in names)
            which = "WHERE resource = 'property'" if table in ("ledger", "source_record") else ""
            connection.execute(
                f'INSERT INTO "{table}" ({columns}) SELECT {_fixed(table, values)} '
                f'FROM "{table}", generate_series(100001, {100_000 + times - 1}) AS n {which}'
            )
        statistics.refresh(connection)


def _fixed(table: str, values: str) -> str:
    """A reference's own key is that of a member or office."""
    return values.replace("n || '-' || \"key\"", '"key"') if table == "record_reference" else values


# --- the floors


def _tables() -> list[str]:
    return [table.name for table in metadata.sorted_tables if table.name not in NEITHER]


def _dumped(url: str) -> dict[str, bytes]:
    data = {}
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table in _tables():
            with cursor.copy(f'COPY "{table}" TO STDOUT (FORMAT BINARY)') as copy:
                data[table] = b"".join(copy)
    return data


def _copied(url: str, data: dict[str, bytes]) -> float:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        began = perf_counter()
        for table, whole in data.items():
            with cursor.copy(f'COPY "{table}" FROM STDIN (FORMAT BINARY)') as copy:
                copy.write(whole)
        connection.commit()
        return perf_counter() - began


def _by_rows(url: str, source: str, keys: Sequence[str]) -> float:
    """An INSERT for each row of these listings, in one transaction."""
    rows = {}
    with psycopg.connect(source) as connection:
        for table in OF_LISTINGS:
            shape = shape_of(table)
            of = next(name for name in KEYS if name in shape.names)
            found = connection.execute(f'SELECT {shape.columns} FROM "{table}" WHERE "{of}" = ANY(%s)', (list(keys),))
            rows[table] = [
                [psycopg.types.json.Jsonb(value) if kind == "jsonb" and value is not None else value
                 for value, kind in zip(row, shape.types, strict=True)] for row in found
            ]  # fmt: skip
    with psycopg.connect(url) as connection:
        began = perf_counter()
        for table, some in rows.items():
            shape = shape_of(table)
            marks = ", ".join(["%s"] * len(shape.names))
            for row in some:
                connection.execute(f'INSERT INTO "{table}" ({shape.columns}) VALUES ({marks})', row)
        connection.commit()
        return perf_counter() - began


if __name__ == "__main__":
    for one in measure(5):
        print(one)
