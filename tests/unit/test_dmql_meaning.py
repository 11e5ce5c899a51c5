"""What a query means: asked of records in memory, of SQLite and of PostgreSQL, it finds the same."""

from __future__ import annotations

import json
import sqlite3
import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.rets.dmql import build
from shared.rets.dmql.binding import MAX_STARS, Bound, Field, Kind, bind
from shared.rets.dmql.errors import DmqlError, DmqlFieldError
from shared.rets.dmql.evaluate import predicate
from shared.rets.dmql.grammar import parse
from shared.rets.dmql.tree import Not, Or, Query
from shared.rets.dmql.where import MAX_VALUES, where
from tests.conftest import SCALE
from tests.servers.postgres import Postgres

ZONE = timezone(timedelta(hours=-5))
NOW = datetime(2024, 3, 5, 3, 30, tzinfo=UTC)  # still the 4th at the server
FIELDS = {
    "Key": Field(Kind.CHARACTER),
    "City": Field(Kind.CHARACTER),
    "Price": Field(Kind.NUMBER),
    "Sold": Field(Kind.BOOLEAN),
    "Listed": Field(Kind.DATE),
    "Modified": Field(Kind.DATETIME),
    "Open": Field(Kind.TIME),
    "Status": Field(Kind.LOOKUP, frozenset({"A", "P", "S", "X Y"})),
    "Extras": Field(Kind.LOOKUP_MULTI),
}


def row(key: str, *values: Any) -> dict[str, Any]:
    return dict(zip(FIELDS, (key, *values), strict=True))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 3, day, hour, minute, tzinfo=UTC)


ROWS = [
    row("1", "MAPLETON", Decimal(100), True, date(2024, 3, 4), at(4, 4, 59), time(9), "A", ("POOL", "GARAGE")),
    row("2", "Maple Ridge", Decimal("250.5"), False, date(2024, 3, 5), at(4, 5), time(10, 30), "P", ("POOL",)),
    row("3", "by the lake", Decimal(-5), True, date(2024, 1, 5), at(5, 3, 30), time(13), "S", ()),
    row("4", "P[a]LE_%!", Decimal(0), False, date(2023, 12, 31), at(5, 5), time(0), "X Y", ("X,Y", "SPA")),
    row("5", "", None, None, None, None, None, None, None),
    row("6", None, None, None, None, None, None, None, None),
]


def bound(text: str) -> Bound:
    return bind(parse(text), FIELDS, now=NOW, zone=ZONE)


def in_memory(query: Bound) -> list[str]:
    holds = predicate(query)
    return [record["Key"] for record in ROWS if holds(record)]


@contextmanager
def sqlite() -> Iterator[Callable[[Bound], list[str]]]:
    def adapt(value: Any) -> Any:
        match value:
            case Decimal():
                return float(value)
            case datetime():
                return value.isoformat().replace("+00:00", "Z")
            case date() | time():
                return value.isoformat()
            case tuple():
                return json.dumps(value)
        return value

    connection = sqlite3.connect(":memory:")
    columns = {name: f'"c{number}"' for number, name in enumerate(FIELDS)}
    connection.execute(f"CREATE TABLE t ({', '.join(columns.values())})")
    marks = ", ".join("?" * len(FIELDS))
    connection.executemany(f"INSERT INTO t VALUES ({marks})", [[adapt(v) for v in r.values()] for r in ROWS])

    def ask(query: Bound) -> list[str]:
        sql, values = where(query, columns, "sqlite", adapt=adapt)
        return [key for (key,) in connection.execute(f'SELECT "c0" FROM t WHERE {sql} ORDER BY 1', values)]

    yield ask
    connection.close()


@contextmanager
def postgresql(server: Postgres) -> Iterator[Callable[[Bound], list[str]]]:
    columns = {name: f'"c{number}"' for number, name in enumerate(FIELDS)}
    types = ["text", "text", "numeric", "boolean", "date", "timestamptz", "time", "text", "jsonb"]
    with psycopg.connect(server.url) as connection:
        connection.execute(
            f"CREATE TEMPORARY TABLE t ({', '.join(map(' '.join, zip(columns.values(), types, strict=True)))})"
        )
        marks = ", ".join(["%s"] * len(FIELDS))
        for record in ROWS:
            values = [json.dumps(v) if isinstance(v, tuple) else v for v in record.values()]
            connection.execute(f"INSERT INTO t VALUES ({marks})", values)

        def ask(query: Bound) -> list[str]:
            sql, values = where(query, columns, "postgresql")
            found = connection.execute(f'SELECT "c0" FROM t WHERE {sql} ORDER BY 1'.replace("?", "%s"), values)
            return [key for (key,) in found]

        yield ask
        connection.rollback()


CASES = {
    "(Key=*)": "123456",
    "(Key=0+)": "123456",
    "(Key=3-)": "123",
    "(City=MAPLETON)": "1",
    "(City=mapleton)": "",
    "(City=Maple*)": "2",
    "(City=*lake*)": "3",
    "(City=P?a?LE*)": "4",
    "(City=P[a]LE_%!)": "4",
    "(City=*_%!)": "4",
    "(City=*[a]*)": "4",
    '(City="Maple Ridge","by the lake")': "23",
    '(City="*lake*")': "",
    "(City=.EMPTY.)": "56",
    "(City=.ANY.)": "123456",
    "~(City=MAPLETON)": "23456",
    "~(City=.EMPTY.)": "1234",
    "(Price=0+)": "124",
    "(Price=100-)": "134",
    "(Price=-5-100)": "134",
    "(Price=-5--10)": "",
    "(Price=-5-)": "3",
    "(Price=100,250.50)": "12",
    '(Price="100")': "1",
    "(Price=|100,0)": "14",
    "(Price=.EMPTY.)": "56",
    "~(Price=0+)": "356",
    "(Sold=1)": "13",
    "(Sold=N)": "24",
    "(Listed=2024-01-05)": "3",
    "(Listed=2024-01-05-2024-03-04)": "13",
    "(Listed=TODAY)": "1",
    "(Listed=NOW+)": "12",
    "(Listed=2024-03-05T00:00:00+)": "2",
    "(Modified=2024-03-04)": "23",
    "(Modified=TODAY)": "23",
    "(Modified=TODAY+)": "234",
    "(Modified=2024-03-03-2024-03-04)": "123",
    "(Modified=NOW)": "3",
    "(Modified=NOW-)": "123",
    "(Modified=2024-03-04T00:00:00)": "2",
    "(Modified=2024-03-04T05:00:00Z+)": "234",
    "(Modified=2024-03-03T23:59:00-05:00-2024-03-04T00:00:00)": "12",
    "(Open=09:00-12:00)": "12",
    "(Open=12:00:00+)": "3",
    "(Status=A)": "1",
    '(Status=|A,"X Y")': "14",
    "(Status=~A,P)": "3456",
    "(Status=+A)": "1",
    "(Status=+A,P)": "",
    "(Status=.EMPTY.)": "56",
    "(Extras=POOL)": "12",
    "(Extras=|GARAGE,SPA)": "14",
    "(Extras=+POOL,GARAGE)": "1",
    "(Extras=~POOL)": "3456",
    '(Extras="X,Y")': "4",
    "(Extras=.EMPTY.)": "356",
    "(Price=0+),(Status=|A,P)|(City=*lake*)": "123",
    "NOT ((Price=0+) AND (Status=A))": "23456",
}


@pytest.mark.parametrize("text", CASES)
def test_in_memory(text: str) -> None:
    assert in_memory(bound(text)) == list(CASES[text])


def test_sqlite_finds_the_same() -> None:
    with sqlite() as ask:
        assert {text: "".join(ask(bound(text))) for text in CASES} == CASES


def test_postgresql_finds_the_same(postgres: Postgres) -> None:
    with postgresql(postgres) as ask:
        assert {text: "".join(ask(bound(text))) for text in CASES} == CASES


def _compound(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        st.builds(Not, inner), several.map(lambda t: build.both(*t)), several.map(lambda t: build.either(*t))
    )


QUERIES = st.recursive(st.sampled_from(list(CASES)).map(parse), _compound, max_leaves=6)


@settings(max_examples=60 * SCALE)
@given(QUERIES)
def test_any_combination_finds_the_same_in_memory_and_in_sqlite(query: Query) -> None:
    meant = bind(query, FIELDS, now=NOW, zone=ZONE)
    with sqlite() as ask:
        assert ask(meant) == in_memory(meant)
        assert ask(Not(meant)) == [record["Key"] for record in ROWS if record["Key"] not in in_memory(meant)]


# --- what cannot be meant


@pytest.mark.parametrize(("text", "position"), [("(a=1)", 1), ("(Key=1),(b=2)", 9), ('(Status="Q")', 1)])
def test_unknown_fields_and_lookup_values_are_told_apart_from_nonsense(text: str, position: int) -> None:
    with pytest.raises(DmqlFieldError) as caught:
        bound(text)
    assert caught.value.position == position


@pytest.mark.parametrize(
    "text",
    [
        "(Price=abc)",
        "(Price=5-x)",
        "(Price=" + "9" * 65 + ")",
        "(Price=A*)",
        "(Sold=2)",
        "(Listed=2024-02-30)",
        "(Listed=05/03/2024)",
        "(Modified=2024-03-05T25:00:00)",
        "(Modified=TODAY-7)",
        "(Modified=0001-01-01T00:00:00+05:00)",
        "(Modified=9999-12-31)",
        "(Open=24:00)",
        "(City=" + "*a" * (MAX_STARS + 1) + ")",
    ],
)
def test_values_that_their_field_cannot_have_are_refused_with_the_place(text: str) -> None:
    with pytest.raises(DmqlError) as caught:
        bound(text)
    assert caught.value.position == 1
    assert not isinstance(caught.value, DmqlFieldError)


def test_a_field_without_a_column_and_too_many_values_make_no_statement() -> None:
    with pytest.raises(DmqlFieldError):
        where(bound("(Price=1)"), {}, "sqlite")
    many = bind(build.equals("Key", *map(str, range(MAX_VALUES + 1))), FIELDS, now=NOW)
    with pytest.raises(DmqlError, match="values"):
        where(many, {"Key": "k"}, "sqlite")


def test_values_are_parameters_and_never_part_of_the_statement() -> None:
    sql, values = where(bound("""(City="x' OR 1=1; --"),(Status=A)"""), {"City": "c", "Status": "s"}, "postgresql")
    assert sql == "((c IS NOT NULL AND c IN (?)) AND (s IS NOT NULL AND s IN (?)))"
    assert values == ["x' OR 1=1; --", "A"]


def test_two_thousand_alternatives_are_no_deep_statement() -> None:
    several = Or(tuple(build.between("Price", number, number) for number in range(2_000)))
    with sqlite() as ask:
        assert ask(bind(several, FIELDS, now=NOW)) == ["1", "4"]


def test_a_pattern_of_many_stars_takes_little_time() -> None:
    holds = predicate(bound("(City=" + "*a" * (MAX_STARS - 1) + "*b)"))
    started = clock.thread_time()
    assert not holds({"City": "a" * 2000})
    assert clock.thread_time() - started < 1
