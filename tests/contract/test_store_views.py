"""``Views``: every class of a generic feed as a typed view, whatever its names, and found in by queries.

What a view shows is compared with what the metadata make of the same row, and what a query finds with what it means for
values in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.rets.dmql.binding import Kind, bind
from shared.rets.dmql.evaluate import predicate
from shared.rets.dmql.grammar import parse
from shared.rets.dmql.tree import And, Not, Or, Query
from shared.rets.schema.kinds import askable, kind_of
from shared.rets.schema.types import Field
from tests.conftest import SCALE
from tests.contract.boards import (
    class_of,
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
    Kind.DATETIME: ["2024-03-04T04:59:00Z", "2024-03-04T04:59:00.5Z", "2024-03-04T05:00:00", "2024-03-05T03:30:00+02:00",
                    "2024-03-04", "2024-13-04T00:00:00Z", "now"],
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
        engine = kit.backend.engine()
        with engine.begin() as connection:
            for table in ("property_record", "ledger", "source_record"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
        engine.dispose()


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


EXAMPLES = settings(max_examples=40 * SCALE, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
FEWER = settings(max_examples=15 * SCALE, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
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
