"""``Views``: every class of a generic feed as a typed view, whatever its names, and found in by queries.

What a view shows is compared with what the metadata make of the same row, and what a query finds with what it means for
values in memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.forget import erase
from services.views import ViewKeeper, ViewSettings
from shared.blobs.local import LocalBlobs
from shared.lookups import LookupValue, Metadata, MetadataVersion
from shared.rets.dmql.binding import Kind, bind
from shared.rets.dmql.evaluate import predicate
from shared.rets.dmql.grammar import parse
from shared.rets.dmql.tree import And, Not, Or, Query
from shared.rets.schema.document import document_of
from shared.rets.schema.kinds import askable, kind_of
from shared.rets.schema.types import Field, Resource, System
from shared.sources.rets.settings import Override, RetsSourceSettings
from shared.store import migrate
from shared.store.base import MadeViews, StoreError, StoreUnavailableError
from shared.store.postgres import connection as postgres_connection
from shared.views.make import MOST_COLUMNS
from tests.conftest import SCALE
from tests.contract.boards import (
    FEED,
    class_of,
    connected,
    lookup,
    make,
    meant,
    plain,
    planned,
    put,
    resource,
    shown,
    views_of,
)
from tests.contract.stores import Kit, PostgresBackend, SqliteBackend


def field(name: str, kind: str, standard: str = "", looked_up: str = "", several: bool = False) -> Field:
    interpretation = ("LookupMulti" if several else "Lookup") if looked_up else ""
    return Field(
        system_name=name, standard_name=standard, data_type=kind, interpretation=interpretation, lookup_name=looked_up
    )


FIELDS = (
    field("STAMP", "DateTime", "ModificationTimestamp"),
    field("TEXT", "Character"), field("CITY", "Character", "City"),
    field("SIZE", "Decimal"), field("PRICE", "Decimal", "ListPrice"), field("STORIES", "Int", "StoriesTotal"),
    field("COUNT", "Int"), field("BEDS", "Small", "BedroomsTotal"), field("LARGE", "Long"),
    field("FLAG", "Boolean"), field("FIRE", "Boolean", "FireplaceYN"),
    field("DAY", "Date"), field("LISTED", "Date", "ListingContractDate"),
    field("AT", "DateTime"), field("CLOCK", "Time"),
    field("STATUS", "Character", looked_up="Status"), field("KIND", "Character", "PropertySubType", "Status"),
    field("ROOF", "Character", "Roof", "Status"),
    field("EXTRAS", "Character", looked_up="Extras", several=True),
    field("HEAT", "Character", "Heating", "Extras", several=True),
    field("SEWER", "Character", "PostalCode", "Extras", several=True),
)  # fmt: skip
KINDS = {each.system_name: kind_of(each) for each in FIELDS}
CODES = ("A", "P", "X Y", "é", "a'b")
LOOKUPS = (lookup("Status", *CODES), lookup("Extras", *CODES))
BOARD = planned(resource("Property", {"RES": FIELDS, "LND": FIELDS[:4]}, lookups=LOOKUPS), time_zone_offset="-05:00")

TEXTS = {
    Kind.CHARACTER: ["Maple", "maple", "M", "Maple Ridge", "by the lake", "P[a]LE_%!", "Ωmega", "a*b", "0", "'; --"],
    Kind.NUMBER: ["0", "-5", "+5", "100", "250.5", "2.0", ".5", "7.", "-0.25", "99999999.123", "2147483648", "1e5",
                  "12 ft", "9223372036854775807", "-", "1.2.3", "NaN", "１２"],
    Kind.BOOLEAN: ["1", "0", "Y", "n", "true", "F", "yes", "maybe", "2"],
    Kind.DATE: ["2024-03-04", "2024-02-29", "2023-12-31", "2024-02-30", "0001-01-01", "soon"],
    Kind.DATETIME: ["2024-03-04T04:59:00Z", "2024-03-04T04:59:00.5Z", "2024-03-04T05:00:00",
                    "2024-03-05T03:30:00+02:00", "2024-03-04", "2024-13-04T00:00:00Z", "now"],
    Kind.TIME: ["09:00", "09:00:00", "10:30:15.25", "00:00:00", "23:59:59", "24:00:00", "noon"],
    Kind.LOOKUP: [*CODES, "unknown"],
    Kind.LOOKUP_MULTI: ["A", "A,P", '"X Y",é', "P,A,P", "unknown,A"],
}  # fmt: skip
ROWS = st.lists(
    st.fixed_dictionaries({}, optional={name: st.sampled_from(TEXTS[kind]) for name, kind in KINDS.items()}),
    min_size=1, max_size=4,
).map(lambda rows: [{"KEY": f"k{number}", **row} for number, row in enumerate(rows)])  # fmt: skip

ASKED = {
    Kind.CHARACTER: ["Maple", '"Maple Ridge"', "M*", "*a*", "?aple", "P[a]LE_%!", "Maple+", "M-", "*_%!", "a\\*b",
                     '"a*b"', "Ω*", "*", '"\'; --"'],
    Kind.NUMBER: ["0", "0+", "100-", "-5-100", "250.50", "0,5,7", ".5", "2147483648+", "99999999.123", "-0.25-0.5"],
    Kind.BOOLEAN: ["1", "0", "Y", "n"],
    Kind.DATE: ["2024-03-04", "2024-01-01+", "2023-12-31-2024-03-01", "TODAY", "TODAY-"],
    Kind.DATETIME: ["2024-03-04", "2024-03-04T04:59:00Z", "2024-03-04T04:59:00Z+", "2024-03-04T04:59:00.5Z-", "TODAY",
                    "2024-03-03T23:59:00-05:00-2024-03-04T00:00:00", "NOW-"],
    Kind.TIME: ["09:00", "09:00-12:00", "10:30:15.25", "10:30:15+"],
    Kind.LOOKUP: ["A", '|A,"X Y"', "~A,P", "+A", "+A,P", '"a\'b"'],
    Kind.LOOKUP_MULTI: ["A", "|A,P", "~A", "+A,P", '"é"', '+"X Y","é"'],
}  # fmt: skip
CRITERIA = st.sampled_from(list(KINDS.items())).flatmap(
    lambda item: st.sampled_from([*ASKED[item[1]], ".ANY.", ".EMPTY."]).map(lambda value: f"({item[0]}={value})")
)
QUERIES: st.SearchStrategy[Query] = st.recursive(
    CRITERIA.map(parse),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: And(tuple(terms))),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: Or(tuple(terms))),
    ),
    max_leaves=5,
)
NOW = datetime(2024, 3, 5, 3, 30, tzinfo=UTC)


def expected(row: Mapping[str, str]) -> dict[str, Any]:
    """The values that the metadata make of a row. A column of the mapping has times in UTC, and as long as they are."""
    return {
        name: plain(value, KINDS.get(name, Kind.CHARACTER))
        for name, value in meant(BOARD, "Property", "RES", row).items()
    }


def found_in(kit: Kit, name: str) -> dict[str, dict[str, Any]]:
    return {
        row["KEY"]: {column: plain(value, KINDS.get(column, Kind.CHARACTER)) for column, value in row.items()
                     if column in KINDS or column == "KEY"}
        for row in shown(kit, name)
    }  # fmt: skip


@contextmanager
def emptied(kit: Kit) -> Iterator[None]:
    """For the next example: the same database without rows."""
    try:
        yield
    finally:
        with connected(kit) as connection:
            for table in ("property_record", "office", "ledger", "source_record"):
                connection.exec_driver_sql(f"DELETE FROM {table}")


def check_values(kit: Kit, rows: list[dict[str, str]]) -> None:
    name = make(kit.store, BOARD)[("Property", "RES")]
    with emptied(kit):
        put(kit, BOARD, "Property", "RES", rows)
        assert found_in(kit, name) == {row["KEY"]: expected(row) for row in rows}


def check_query(kit: Kit, rows: list[dict[str, str]], queries: list[Query]) -> None:
    name = make(kit.store, BOARD)[("Property", "RES")]
    view = next(view for view in views_of(BOARD) if view.class_name == "RES")
    fields = askable(class_of(BOARD, "Property", "RES").described)
    aliases = {column.system_name: column.name for column in view.columns}
    with emptied(kit):
        put(kit, BOARD, "Property", "RES", rows)
        for query in queries:
            bound = bind(query, fields, now=NOW, zone=BOARD.zone)
            holds = predicate(bound)
            wanted = [row["KEY"] for row in rows if holds(meant(BOARD, "Property", "RES", row))]
            got, total = kit.store.views.find(name, view, bound, aliases, ["KEY"], 100)
            assert ([key for (key,) in got], total) == (wanted, len(wanted))


EXAMPLES = settings(max_examples=40 * SCALE, suppress_health_check=list(HealthCheck))
FEWER = settings(max_examples=15 * SCALE, suppress_health_check=list(HealthCheck))
SOME = st.lists(QUERIES, min_size=4, max_size=8)


@EXAMPLES
@given(ROWS)
def test_a_view_shows_what_the_metadata_make_of_a_row_on_sqlite(sqlite_kit: Kit, rows: list[dict[str, str]]) -> None:
    check_values(sqlite_kit, rows)


@FEWER
@given(ROWS)
def test_a_view_shows_what_the_metadata_make_of_a_row_on_postgresql(
    postgres_kit: Kit, rows: list[dict[str, str]]
) -> None:
    check_values(postgres_kit, rows)


@EXAMPLES
@given(ROWS, SOME)
def test_a_query_finds_what_it_means_on_sqlite(
    sqlite_kit: Kit, rows: list[dict[str, str]], queries: list[Query]
) -> None:
    check_query(sqlite_kit, rows, queries)


@FEWER
@given(ROWS, SOME)
def test_a_query_finds_what_it_means_on_postgresql(
    postgres_kit: Kit, rows: list[dict[str, str]], queries: list[Query]
) -> None:
    check_query(postgres_kit, rows, queries)


@pytest.fixture
def sqlite_kit(sqlite_backend: SqliteBackend) -> Iterator[Kit]:
    made = Kit(sqlite_backend)
    yield made
    made.store.close()


@pytest.fixture
def postgres_kit(postgres_backend: PostgresBackend) -> Iterator[Kit]:
    made = Kit(postgres_backend)
    yield made
    made.store.close()


# --- names


LETTERS = st.sampled_from([*"aAbB_ 1é", '"', "'", "%", "?", "\t", "\u202e", "漢", "\\", ";", "]", "$", "/", "."])
HOSTILE = st.one_of(
    st.text(LETTERS, min_size=1, max_size=8),
    st.builds(lambda start, end: start * 70 + end, LETTERS, st.sampled_from(["", "a", "A", "b"])),
    st.sampled_from(["select", "SELECT", "rowid", "ctid", "feed", "oid", "KEY", "key", "#restricted", "order", "#class",
                     "Media", "OpenHouse", "City", "CITY", "ListPrice", "x_decoded", "x", "%s", "$1", ":a"]),
)  # fmt: skip


def check_names(kit: Kit, names: list[str], classes: list[str], kind: str) -> None:
    fields = [field(name, "Character", looked_up="Status") for name in names]
    board = planned(resource(kind, dict.fromkeys(classes, fields), lookups=LOOKUPS))
    made = make(kit.store, board)
    try:
        assert {class_name for _, class_name in made} == set(classes)
        assert len({name.casefold() for name in made.values()}) == len(classes)
        row = {"KEY": "1"} | {each.system_name: f"value {number}" for number, each in enumerate(fields)}
        with emptied(kit):
            put(kit, board, kind, classes[-1], [row])
            (found,) = shown(kit, made[(kind, classes[-1])])
        view = next(view for view in views_of(board) if view.class_name == classes[-1])
        assert {each.system_name: found.pop(each.name) for each in view.columns} == row
        assert set(found.values()) <= set(row.values())  # the decoded ones: no lookup has such codes
        for name in [*made.values(), *(each.name for each in view.columns), *(each.decoded for each in view.columns)]:
            assert len(name.encode()) <= 63
            assert name.isprintable()
    finally:
        kit.store.views.make(FEED, [])


NAMES = st.lists(HOSTILE.filter(lambda name: name != "KEY"), min_size=1, max_size=8, unique=True)
CLASSES = st.lists(HOSTILE, min_size=1, max_size=3, unique=True)


@EXAMPLES
@given(NAMES, CLASSES)
def test_any_names_make_views_on_sqlite(sqlite_kit: Kit, names: list[str], classes: list[str]) -> None:
    check_names(sqlite_kit, names, classes, "Property")


@settings(FEWER, max_examples=6 * SCALE)
@given(NAMES, CLASSES)
def test_any_names_make_views_on_postgresql(postgres_kit: Kit, names: list[str], classes: list[str]) -> None:
    check_names(postgres_kit, names, classes, "Office")


def test_a_name_says_feed_resource_and_class(kit: Kit) -> None:
    assert make(kit.store, BOARD) == {
        ("Property", "RES"): "mls_board_Property_RES", ("Property", "LND"): "mls_board_Property_LND",
    }  # fmt: skip


def test_feeds_resources_and_classes_that_run_into_each_other_have_names_of_their_own(kit: Kit) -> None:
    one = make(kit.store, planned(resource("Property", {"b_c": ()})), "a_Property".lower())
    other = make(kit.store, planned(resource("Property", {"property_B_C": (), "b_c": ()})), "a")
    (first,) = one.values()
    assert first == "mls_a_property_Property_b_c"
    assert other[("Property", "property_B_C")].startswith("mls_a_Property_property_B_C")
    assert len({name.casefold() for name in [first, *other.values()]}) == 3
    kit.store.views.make("a", [])
    assert [name for (name,) in kit.rows("SELECT name FROM metadata_view")] == [first]


def test_what_others_made_is_left_alone(kit: Kit) -> None:
    execute(kit, 'CREATE TABLE "MLS_board_Property_RES" (mine TEXT)')
    made = make(kit.store, BOARD)
    assert made[("Property", "RES")].startswith("mls_board_Property_RES_")
    kit.store.views.make(FEED, [])
    assert kit.rows('SELECT count(*) FROM "MLS_board_Property_RES"') == [(0,)]


def test_more_fields_than_a_view_can_have_leave_the_last_out(kit: Kit) -> None:
    board = planned(
        resource("Property", {"RES": [field(f"F{n}", "Int", looked_up="Status" * (n % 2)) for n in range(2_500)]},
                 lookups=LOOKUPS)
    )  # fmt: skip
    (view,) = views_of(board)
    assert (len(view.columns), view.left_out) == (MOST_COLUMNS - 1, 2_501 - MOST_COLUMNS + 1)
    (name,) = make(kit.store, board).values()
    put(kit, board, "Property", "RES", [{"KEY": "1", "F0": "7", "F1500": "8", "F2400": "9"}])
    assert shown(kit, name) == [{"KEY": "1", "F0": 7, "F1500": 8}]


# --- values


def test_times_of_a_record_and_its_photos_and_what_is_withheld(kit: Kit) -> None:
    fields = [field("STAMP", "DateTime"), field("PHOTOS", "Int", "PhotosCount"),
              field("PHOTO_TS", "DateTime", "PhotosChangeTimestamp"), field("OWNER", "Character")]  # fmt: skip
    chosen = Override(timestamp_field="STAMP", photo_type="Photo")
    board = planned(resource("Property", {"RES": fields}), settings=RetsSourceSettings({"property": chosen}))
    (name,) = make(kit.store, board).values()
    row = {"KEY": "1", "STAMP": "2024-03-04T05:00:00Z", "PHOTOS": "3", "PHOTO_TS": "2024-03-01T05:00:00Z"}
    put(kit, board, "Property", "RES", [row | {"OWNER": "****"}])
    (found,) = shown(kit, name)
    assert found["#restricted"] == '["OWNER"]'
    assert "OWNER" not in found
    assert [plain(found[each], Kind.DATETIME) for each in ("STAMP", "PHOTO_TS")] == [1709528400.0, 1709269200.0]
    assert (found["KEY"], found["PHOTOS"]) == ("1", 3)


SHOWS = [field("LISTING", "Character", "ListingKey"), field("STARTS", "DateTime", "OpenHouseStartTime"),
         field("HOST", "Character"), field("FOOD", "Character", looked_up="Extras", several=True)]  # fmt: skip


def test_open_houses_have_a_view_with_what_has_no_column(kit: Kit) -> None:
    board = planned(
        resource("Property", {"RES": ()}),
        resource(
            "OpenHouse", {"OPH": [*SHOWS, field("CHANGED", "DateTime", "ModificationTimestamp")]}, lookups=LOOKUPS
        ),
    )
    name = make(kit.store, board)[("OpenHouse", "OPH")]
    houses = [{"KEY": f"h{n}", "LISTING": "1", "STARTS": f"2024-03-0{n}T05:00:00Z", "HOST": f"host {n}", "FOOD": "A,P"}
              for n in (1, 2)]  # fmt: skip
    put(kit, board, "Property", "RES", [{"KEY": "1"}], shows=houses)
    found = sorted(shown(kit, name), key=lambda row: str(row["KEY"]))
    assert [(row["KEY"], row["LISTING"], row["HOST"], plain(row["FOOD"], Kind.LOOKUP_MULTI)) for row in found] == [
        ("h1", "1", "host 1", ["A", "P"]), ("h2", "1", "host 2", ["A", "P"]),
    ]  # fmt: skip
    assert plain(found[1]["STARTS"], Kind.DATETIME) == 1709355600.0
    (view,) = [view for view in views_of(board) if view.kind == "open_house"]
    assert "CHANGED" not in [each.system_name for each in view.columns]  # it is kept nowhere


def test_a_truth_kept_as_such_is_the_code_it_came_as(kit: Kit) -> None:
    board = planned(
        resource("Property", {"RES": [field("FIRE", "Character", "FireplaceYN", "YesNo")]},
                 lookups=(lookup("YesNo", "Y", "N", "U"),))
    )  # fmt: skip
    (name,) = make(kit.store, board).values()
    put(kit, board, "Property", "RES", [{"KEY": key, "FIRE": value} for key, value in zip("123", "YNU", strict=True)])
    assert sorted(row["FIRE"] for row in shown(kit, name)) == ["N", "U", "Y"]


def test_fields_that_share_a_column_keep_their_own_values(kit: Kit) -> None:
    fields = [field("FLOORS", "Decimal", "Stories"), field("LEVELS", "Decimal", "StoriesTotal")]
    board = planned(resource("Property", {"RES": fields}))
    (name,) = make(kit.store, board).values()
    put(kit, board, "Property", "RES", [{"KEY": "1", "FLOORS": "2", "LEVELS": "3"}])
    assert shown(kit, name) == [{"KEY": "1", "FLOORS": 2, "LEVELS": 3}]


def test_other_texts_of_codes_show_at_once(kit: Kit) -> None:
    (name, _) = make(kit.store, BOARD).values()
    put(kit, BOARD, "Property", "RES", [{"KEY": "1", "STATUS": "A", "EXTRAS": "P,A,new", "KIND": "new"}])

    def read(*texts: tuple[str, str]) -> tuple[Any, Any, Any]:
        values = [LookupValue(code, text) for code, text in texts]
        lookups = {("property", "Status"): values, ("property", "Extras"): values}
        kit.store.lookups.read(FEED, MetadataVersion("1"), Metadata(lookups))
        (row,) = shown(kit, name)
        return row["STATUS_decoded"], plain(row["EXTRAS_decoded"], Kind.LOOKUP_MULTI), row["KIND_decoded"]

    assert read(("A", "Active")) == ("Active", ["P", "Active", "new"], "new")
    assert read(("A", "On offer"), ("P", "Pending")) == ("On offer", ["Pending", "On offer", "new"], "new")
    kit.store.lookups.read("other", MetadataVersion("1"), Metadata({("property", "Status"): [LookupValue("A", "no")]}))
    assert shown(kit, name)[0]["STATUS_decoded"] == "On offer"


def test_a_view_has_the_records_of_its_class_and_feed_alone(kit: Kit) -> None:
    names = make(kit.store, BOARD)
    put(kit, BOARD, "Property", "RES", [{"KEY": "1"}])
    put(kit, BOARD, "Property", "LND", [{"KEY": "2"}])
    put(kit, BOARD, "Property", "RES", [{"KEY": "3"}], feed="other")
    assert {class_name: [row["KEY"] for row in shown(kit, name)] for (_, class_name), name in names.items()} == {
        "RES": ["1"], "LND": ["2"],
    }  # fmt: skip


# --- made anew


def test_views_are_made_when_something_changed_and_dropped_with_their_class(kit: Kit) -> None:
    one, two = "mls_board_Property_RES", "mls_board_Property_LND"
    assert kit.store.views.make(FEED, views_of(BOARD)) == MadeViews([one, two], [], [])
    assert kit.store.views.make(FEED, views_of(BOARD)) == MadeViews([], [], [])
    more = planned(resource("Property", {"RES": [*FIELDS, field("NEW", "Int")]}, lookups=LOOKUPS))
    assert kit.store.views.make(FEED, views_of(more)) == MadeViews([one], [two], [])
    put(kit, more, "Property", "RES", [{"KEY": "1", "NEW": "7"}])
    assert shown(kit, one) == [{"KEY": "1", "NEW": 7}]
    assert kit.store.views.names(FEED) == {("Property", "RES"): one}
    assert kit.store.views.names("other") == {}


def test_a_view_that_somebody_dropped_is_made_again(kit: Kit) -> None:
    name = make(kit.store, BOARD)[("Property", "RES")]
    execute(kit, f'DROP VIEW "{name}"')
    assert kit.store.views.make(FEED, views_of(BOARD)).made == [name]
    assert shown(kit, name) == []


def test_a_mapping_that_puts_values_elsewhere_makes_other_views(kit: Kit, tmp_path: Any) -> None:
    file = tmp_path / "board.yaml"
    file.write_text("property:\n  COUNT: [city_region, text, Somewhere else]\n")
    name = make(kit.store, BOARD)[("Property", "RES")]
    put(kit, BOARD, "Property", "RES", [{"KEY": "1", "COUNT": "7"}])
    assert name in kit.store.views.make(FEED, views_of(BOARD, f"rets {file}")).made
    assert shown(kit, name) == [{"KEY": "1", "COUNT": 7}]  # as long as it stands in extra, until it is mapped again
    execute(kit, "UPDATE property_record SET city_region = '8', extra = '{\"#class\": \"RES\"}'")
    assert shown(kit, name) == [{"KEY": "1", "COUNT": 8}]


def execute(kit: Kit, sql: str) -> None:
    with connected(kit) as connection:
        connection.exec_driver_sql(sql)


def test_nothing_is_left_of_the_views_of_a_forgotten_feed(kit: Kit, tmp_path: Any) -> None:
    (name, _) = make(kit.store, BOARD).values()
    blobs = LocalBlobs(tmp_path / "media")
    blobs.prepare()
    erase(kit.store, blobs, FEED, kit.store.forgetting.held(FEED), lambda _what, _total: closing_watch())
    assert kit.store.views.names(FEED) == {}
    with pytest.raises(Exception, match=name):
        shown(kit, name)


@contextmanager
def closing_watch() -> Iterator[Any]:
    yield lambda _more: None


def test_a_migration_drops_them_and_the_next_sync_makes_them_again(kit: Kit) -> None:
    names = make(kit.store, BOARD)
    with connected(kit) as connection:
        migrate.drop_views(connection)
        for table in ("property_record", "lookup", "ledger"):
            connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO another")
            connection.exec_driver_sql(f"ALTER TABLE another RENAME TO {table}")
    assert kit.store.views.names(FEED) == {}
    assert make(kit.store, BOARD) == names


def test_readers_go_on_while_a_view_is_made_anew_on_sqlite(sqlite_kit: Kit) -> None:
    name = make(sqlite_kit.store, BOARD)[("Property", "RES")]
    put(sqlite_kit, BOARD, "Property", "RES", [{"KEY": str(n)} for n in range(300)])
    assert isinstance(sqlite_kit.backend, SqliteBackend)
    with closing(sqlite3.connect(sqlite_kit.backend.path)) as reader:
        reading = reader.execute(f'SELECT "KEY" FROM "{name}"')
        first = reading.fetchone()
        sqlite_kit.store.views.make(FEED, views_of(planned(resource("Property", {"RES": FIELDS[:2]}))))
        assert len([first, *reading]) == 300


def test_a_reader_is_not_waited_for_long_and_nobody_else_waits_on_postgresql(
    postgres_kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_connection, "PATIENCE", "200ms")
    name = make(postgres_kit.store, BOARD)[("Property", "RES")]
    assert isinstance(postgres_kit.backend, PostgresBackend)
    other = views_of(planned(resource("Property", {"RES": FIELDS[:2]})))
    with psycopg.connect(postgres_kit.backend.url) as reader:
        reader.execute(f'SELECT * FROM "{name}"')
        with pytest.raises(StoreUnavailableError):
            postgres_kit.store.views.make(FEED, other)
    assert len(postgres_kit.store.views.names(FEED)) == 2
    assert postgres_kit.store.views.make(FEED, other).made == [name]


def test_what_is_made_of_a_view_keeps_it_as_it_is_and_migrations_say_so_on_postgresql(postgres_kit: Kit) -> None:
    name = make(postgres_kit.store, BOARD)[("Property", "RES")]
    execute(postgres_kit, f'CREATE VIEW mine AS SELECT "KEY" FROM "{name}"')
    changed = views_of(planned(resource("Property", {"RES": FIELDS[:2], "LND": FIELDS[:2]})))
    made = postgres_kit.store.views.make(FEED, changed)
    assert (made.made, made.in_use) == (["mls_board_Property_LND"], [name])
    assert postgres_kit.store.views.make(FEED, []).in_use == [name]
    with connected(postgres_kit) as connection, pytest.raises(StoreError, match=f"{name} cannot be dropped"):
        migrate.drop_views(connection)


def test_readers_with_another_search_path_read_all_types_on_postgresql(postgres_kit: Kit) -> None:
    name = make(postgres_kit.store, BOARD)[("Property", "RES")]
    row = {"KEY": "1", "SIZE": "1.5", "COUNT": "7", "FLAG": "1", "DAY": "2024-02-29", "AT": "2024-03-04T05:00:00Z",
           "CLOCK": "09:00"}  # fmt: skip
    put(postgres_kit, BOARD, "Property", "RES", [row])
    with connected(postgres_kit) as connection:
        connection.exec_driver_sql("SET search_path = ''")
        (found,) = connection.exec_driver_sql(f'SELECT * FROM public."{name}"')
    assert {each for each in row if found._mapping[each] is None} == set()


# --- kept as the metadata say


def keeper(kit: Kit, override: Override | None = None) -> ViewKeeper:
    chosen = RetsSourceSettings({"property": override} if override else {})
    return ViewKeeper(kit.store, {FEED: ViewSettings(chosen, "rets")})


def keep(kit: Kit, *resources: Resource) -> None:
    kit.store.metadata.keep(FEED, document_of(System(resources=resources)))


def test_views_follow_the_metadata_that_are_kept(kit: Kit) -> None:
    keeper(kit).bring(FEED)
    assert kit.store.views.names(FEED) == {}
    keep(kit, resource("Property", {"RES": FIELDS, "LND": ()}))
    keeper(kit).bring("ddf")
    keeper(kit).bring(FEED)
    assert len(kit.store.views.names(FEED)) == 2
    keep(kit, resource("Property", {"RES": FIELDS}))
    keeper(kit).bring(FEED)
    assert len(kit.store.views.names(FEED)) == 1


def test_metadata_that_do_not_go_with_the_settings_leave_the_views_as_they_are(kit: Kit) -> None:
    keep(kit, resource("Property", {"RES": FIELDS}))
    keeper(kit).bring(FEED)
    keep(kit, resource("Property", {"RES": FIELDS[:3]}))
    keeper(kit, Override(timestamp_field="GONE")).bring(FEED)
    (name,) = kit.store.views.names(FEED).values()
    put(kit, BOARD, "Property", "RES", [{"KEY": "1", "SIZE": "7"}])
    assert shown(kit, name) == [{"KEY": "1", "SIZE": 7}]
