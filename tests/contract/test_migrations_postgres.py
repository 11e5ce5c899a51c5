"""Migrations on PostgreSQL: the tables of this version with their real types, once, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from shared.store import migrate
from shared.store.base import StoreError
from shared.store.listing_tables import property_record
from shared.store.postgres.store import PostgresStore
from shared.store.tables import metadata
from tests.servers.postgres import Postgres

COLUMNS = (
    "SELECT table_name, column_name, data_type, collation_name, is_nullable, numeric_precision, numeric_scale, "
    "column_default FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version' "
    "ORDER BY table_name, ordinal_position"
)
INDEXES = (
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' "
    "AND tablename <> 'alembic_version' ORDER BY 2"
)


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """An empty database."""
    made = postgres.create()
    yield made
    postgres.drop(made)


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    made = PostgresStore(url)
    yield made
    made.close()


def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(sql).fetchall()


def do(url: str, sql: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(sql)


def test_migrating_an_empty_database_gives_exactly_the_tables_of_this_version(store: PostgresStore, url: str) -> None:
    store.migrate()
    store.check()
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_every_column_and_index_is_as_the_tables_say(store: PostgresStore, url: str, postgres: Postgres) -> None:
    """What comparing metadata does not look at: collations, keys, conditions of indexes, the order of columns."""
    store.migrate()
    do(url, "DROP VIEW property")
    plain = postgres.create()
    engine = create_engine(plain.replace("postgresql:", "postgresql+psycopg:", 1))
    metadata.create_all(engine)
    engine.dispose()
    assert rows(url, COLUMNS) == rows(plain, COLUMNS)
    assert rows(url, INDEXES) == rows(plain, INDEXES)
    postgres.drop(plain)


def test_keys_compare_as_bytes_and_lines_have_room_to_change(store: PostgresStore, url: str) -> None:
    store.migrate()
    collations = rows(
        url,
        "SELECT DISTINCT collation_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND column_name IN ('feed', 'key', 'listing_key', 'media_key') AND table_name <> 'property'",
    )
    assert collations == [("C",)]
    assert rows(url, "SELECT reloptions FROM pg_class WHERE relname = 'ledger'") == [(["fillfactor=70"],)]


def test_the_view_has_every_column_of_the_listing_and_its_timestamp(store: PostgresStore, url: str) -> None:
    store.migrate()
    found = [row[1] for row in rows(url, COLUMNS) if row[0] == "property"]
    added = ["modification_timestamp", "list_aor", "coordinates_source", "coordinates_precision"]
    assert found == [*(column.name for column in property_record.columns), *added]


def test_migrating_twice_is_harmless(store: PostgresStore, url: str) -> None:
    store.migrate()
    do(url, "INSERT INTO feed (feed, clock, object_number) VALUES ('ddf', 7, 7)")
    store.migrate()
    assert rows(url, "SELECT * FROM feed") == [("ddf", 7, 7, None)]


def test_a_migration_that_fails_leaves_the_database_as_it_was(store: PostgresStore, url: str) -> None:
    do(url, "CREATE TABLE run (in_the text, way text)")
    before = rows(url, COLUMNS)
    with pytest.raises(Exception, match="run"):
        store.migrate()
    assert rows(url, COLUMNS) == before
    do(url, "DROP TABLE run")
    store.migrate()
    store.check()


def test_listings_stored_before_there_were_addresses_get_theirs(store: PostgresStore, url: str) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
    with engine.begin() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    do(
        url,
        "INSERT INTO property_record (feed, listing_key, city) "
        "SELECT f, n::text, 'City ' || n FROM unnest(ARRAY['ddf', 'other']) f, generate_series(1, 600) n",
    )
    store.migrate()
    assert rows(url, "SELECT count(*) FROM listing_address WHERE address = '||city ' || listing_key || '|||'") == [
        (1_200,)
    ]


def test_a_database_without_tables_is_refused_with_the_remedy(store: PostgresStore) -> None:
    with pytest.raises(StoreError, match="mlsync migrate"):
        store.check()


@pytest.mark.parametrize("method", ["check", "migrate"])
def test_a_newer_database_is_refused(store: PostgresStore, url: str, method: str) -> None:
    store.migrate()
    do(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"newer mlsync \(revision 9999\)"):
        getattr(store, method)()


def test_a_database_that_does_not_keep_unicode_is_refused(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS ascii")
        connection.execute("CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    store = PostgresStore(postgres.database("ascii"))
    for attempt in (store.check, store.migrate):
        with pytest.raises(StoreError, match="ENCODING 'UTF8'"):
            attempt()
    postgres.drop(postgres.database("ascii"))
