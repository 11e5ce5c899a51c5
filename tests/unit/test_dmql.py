"""DMQL2 and DMQL: read, printed, built. What is read is what was printed; what cannot be read says where."""

from __future__ import annotations

import time
import tracemalloc
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.rets.dmql import build
from shared.rets.dmql.errors import DmqlError
from shared.rets.dmql.grammar import MAX_DEPTH, MAX_LENGTH, Dialect, parse
from shared.rets.dmql.printing import text_of
from shared.rets.dmql.tree import (
    And,
    Choice,
    Chosen,
    Criterion,
    Items,
    Literal,
    Not,
    Or,
    Query,
    Special,
    Word,
)
from tests.conftest import SCALE


def words(*texts: str) -> Items:
    return Items(tuple(map(Word, texts)))


def quoted(text: str) -> Items:
    return Items((Literal(text),))


def a(value: Any = "1", field: str = "a") -> Criterion:
    return Criterion(field, words(value) if isinstance(value, str) else value)


# --- reading


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        (
            "(ListPrice=310000-455000),(Status=|A,P)",
            And((a("310000-455000", "ListPrice"), a(Chosen(Choice.ANY, (Word("A"), Word("P"))), "Status"))),
        ),
        (
            'NOT (Kind=|APT) AND (Owner="Lee ""Bo"" Ng, Pat")',
            And(
                (Not(a(Chosen(Choice.ANY, (Word("APT"),)), "Kind")), a(Items((Literal('Lee "Bo" Ng, Pat'),)), "Owner"))
            ),
        ),
        ("(Modified=2024-03-05T00:00:00Z+)", a("2024-03-05T00:00:00Z+", "Modified")),
        ("(Street=Maple*),(R=*lake*,P?LE)", And((a("Maple*", "Street"), a(words("*lake*", "P?LE"), "R")))),
        ("(Extras=+POOL,GARAGE)", a(Chosen(Choice.ALL, (Word("POOL"), Word("GARAGE"))), "Extras")),
        ("(Kind=~APT)", a(Chosen(Choice.NONE, (Word("APT"),)), "Kind")),
        ("(Closed=.EMPTY.)", a(Special.EMPTY, "Closed")),
        ("( Closed = .ANY. )", a(Special.ANY, "Closed")),
        ("(LP=-5-10),(LP=-5--10),(LP=-5-)", And((a("-5-10", "LP"), a("-5--10", "LP"), a("-5-", "LP")))),
        ("(Key=1,2,3)", a(words("1", "2", "3"), "Key")),
        ("(((a=1)))", a()),
    ],
)
def test_the_examples_of_the_guide(text: str, tree: Query) -> None:
    assert parse(text) == tree


def test_not_binds_before_and_and_before_or() -> None:
    read = parse("~(a=1),(a=2)|(a=3)AND(a=4)OR NOT((a=5)|(a=6))")
    last: Query = Or((a("5"), a("6")))
    meant: list[Query] = [And((Not(a()), a("2"))), And((a("3"), a("4"))), Not(last)]
    assert read == Or(tuple(meant))


def test_keywords_may_be_names_of_fields_and_texts() -> None:
    assert parse("(OR=NOT)OR(NOT=AND)AND(AND=TODAY)") == Or((a("NOT", "OR"), And((a("AND", "NOT"), a("TODAY", "AND")))))


def test_a_criterion_knows_where_it_stood() -> None:
    read = parse("(a=1), (b=2)")
    assert isinstance(read, And)
    assert [term.position for term in read.terms if isinstance(term, Criterion)] == [1, 8]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("  ", 0),
        ("a=1", 0),
        ("(a=1", 4),
        ("(a=1))", 5),
        ("(a=b c)", 5),
        ("(a=)", 3),
        ("(a=1)(b=2)", 5),
        ("(a=1),", 6),
        ('(a="b)', 3),
        ('(a="\x0b")', 3),
        ("(a=.ANY.,b)", 3),
        ("(a=|A|B)", 5),
        ("(a=1)or(a=2)", 5),
        ("(a=1)ORx(a=2)", 5),
        ("(=1)", 1),
        ("()", 1),
        ("~~(a=1)", 1),
        ("(" * (MAX_DEPTH + 1), MAX_DEPTH),
        ("(a=" + "x" * MAX_LENGTH + ")", MAX_LENGTH),
    ],
)
def test_what_is_no_query_is_refused_with_its_place(text: str, position: int) -> None:
    with pytest.raises(DmqlError) as caught:
        parse(text)
    assert caught.value.position == position
    assert len(str(caught.value)) < 200


def test_parentheses_in_quotes_are_not_counted() -> None:
    assert parse('(a="' + "(" * 1000 + '")') == a(quoted("(" * 1000))


@pytest.mark.parametrize("text", ["~(a=1)", "NOT (a=1)", "(a=1)AND(b=2)", "(a=1)OR(b=2)", '(a="x")'])
def test_dmql_knows_no_words_negation_or_quotes(text: str) -> None:
    parse(text)
    with pytest.raises(DmqlError):
        parse(text, Dialect.DMQL)


def test_dmql_knows_the_rest() -> None:
    text = "(a=|A,B),((b=5+)|(c=*x*)),(d=1-2)"
    assert parse(text, Dialect.DMQL) == parse(text)
    assert text_of(parse(text), Dialect.DMQL) == text


@pytest.mark.parametrize("query", [Not(a()), a(quoted("x y"))])
def test_what_dmql_cannot_say_is_not_printed_in_it(query: Query) -> None:
    with pytest.raises(DmqlError, match="DMQL has no"):
        text_of(query, Dialect.DMQL)


# --- printing is the inverse of reading

ODD = ["A", "5+", "-5--10", "2024-01-05", "*x*", "P?LE", "NOT", "OR", "TODAY", ".x.", "Québec", "/x/", "-", "é"]
SIGNS = r"[A-Za-z0-9*?.:/'&#@;<>\[\]{}!$%^_-][A-Za-z0-9*?.+:/'&#@;<>\[\]{}!$%^_-]{0,7}"
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f", min_codepoint=32), max_size=8)
ITEMS = st.one_of(st.sampled_from(ODD).map(Word), st.from_regex(SIGNS, fullmatch=True).map(Word), TEXTS.map(Literal))
LISTS = st.lists(ITEMS, min_size=1, max_size=3).map(tuple)
VALUES = st.one_of(LISTS.map(Items), st.builds(Chosen, st.sampled_from(Choice), LISTS), st.sampled_from(Special))
NAMES = st.sampled_from(["a", "OR", "NOT", "AND", "L_1", "x:y", "7", "N" * 128])
CRITERIA = st.builds(Criterion, NAMES, VALUES)


def _compound(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(st.builds(Not, inner), st.builds(And, several), st.builds(Or, several))


QUERIES: st.SearchStrategy[Query] = st.recursive(CRITERIA, _compound, max_leaves=12)


@settings(max_examples=100 * SCALE)
@given(QUERIES)
def test_reading_inverts_printing(query: Query) -> None:
    assert parse(text_of(query)) == query


def test_a_tree_too_deep_or_too_long_is_not_printed() -> None:
    deep: Query = a()
    for _ in range(MAX_DEPTH + 2):
        deep = Not(Not(deep))
    with pytest.raises(DmqlError, match="nested"):
        text_of(deep)
    with pytest.raises(DmqlError, match="longer"):
        text_of(a(words(*["x" * 100] * 1000)))


def test_the_deepest_tree_that_can_be_read_can_be_printed() -> None:
    text = "~(" * (MAX_DEPTH - 1) + "~(a=1)" + ")" * (MAX_DEPTH - 1)
    assert text_of(parse(text)) == text


# --- building

MOMENT = datetime(2024, 3, 5, 9, 0, 0, 500_000, tzinfo=timezone(timedelta(hours=-5)))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (build.equals("City", "ACT"), "(City=ACT)"),
        (build.equals("City", "St. John's"), '(City="St. John\'s")'),
        (build.equals("City", 'a "b", (c)'), '(City="a ""b"", (c)")'),
        (build.equals("Key", 1, 22), "(Key=1,22)"),
        (build.any_of("S", ["A", "P P", ".ANY."]), '(S=|A,"P P",".ANY.")'),
        (build.none_of("S", ["A"]), "(S=~A)"),
        (build.all_of("S", ["A", "B"]), "(S=+A,B)"),
        (build.at_least("P", Decimal("1E+2")), "(P=100+)"),
        (build.at_least("T", MOMENT), "(T=2024-03-05T14:00:00Z+)"),
        (build.at_most("T", MOMENT), "(T=2024-03-05T14:00:01Z-)"),
        (build.at_most("T", datetime(2024, 3, 5)), "(T=2024-03-05T00:00:00-)"),  # noqa: DTZ001
        (build.between("D", date(2024, 1, 2), date(2024, 1, 3)), "(D=2024-01-02-2024-01-03)"),
        (build.between("P", -5, -1), "(P=-5--1)"),
        (build.between("K", "A1", "B2"), "(K=A1+),(K=B2-)"),
        (build.starts_with("N", "Map"), "(N=Map*)"),
        (build.contains("N", "lake"), "(N=*lake*)"),
        (build.is_empty("N"), "(N=.EMPTY.)"),
        (build.either(build.has_any("N"), build.both(build.equals("a", "1"))), "(N=.ANY.)|(a=1)"),
    ],
)
def test_queries_from_values(query: Query, text: str) -> None:
    assert text_of(query) == text
    assert parse(text) == query


@pytest.mark.parametrize(
    "make",
    [
        lambda: build.equals("City", "a\nb"),
        lambda: build.equals("City"),
        lambda: build.equals("no name", "x"),
        lambda: build.equals("a=1)|(b", "x"),
        lambda: build.at_least("K", "a-b"),
        lambda: build.starts_with("N", "St. J"),
        lambda: build.contains("N", ""),
        lambda: build.at_least("P", Decimal("NaN")),
        lambda: build.at_most("T", datetime.max.replace(tzinfo=UTC)),
        lambda: build.at_most("T", datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))),
    ],
)
def test_what_cannot_be_said_is_not_built(make: Any) -> None:
    with pytest.raises(DmqlError):
        text_of(make())


@settings(max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=0, max_size=20))
def test_no_text_breaks_out_of_its_quotes(text: str) -> None:
    query = build.both(build.equals("a", text), build.any_of("b", [text, "x"]))
    read = parse(text_of(query))
    assert isinstance(read, And)
    assert len(read.terms) == 2
    first = read.terms[0]
    assert isinstance(first, Criterion)
    assert isinstance(first.value, Items)
    assert first.value.items[0].text == text


# --- hostile

PIECES = [
    "(", ")", "=", ",", "|", "~", "+", "-", '"', '""', " ", "\n", "\x00", "\x0b", "é", "\U0001f3e0", "\ud800", "OR",
    "AND", "NOT", ".ANY.", ".EMPTY.", "TODAY", "a", "(a=1)", "(b=|x,y)", '(c="q")', "9" * 50, "*" * 30, "?", "((((",
    "))))", "a=",
]  # fmt: skip


@settings(max_examples=100 * SCALE)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30), st.sampled_from(Dialect))
def test_whatever_is_asked_is_a_query_or_an_error_with_a_place(pieces: list[str], dialect: Dialect) -> None:
    text = "".join(pieces)
    query = place = None
    try:
        query = parse(text, dialect)
    except DmqlError as error:
        place = error.position
    if query is None:
        assert place is not None
        assert 0 <= place <= len(text)
    else:
        assert parse(text_of(query, dialect), dialect) == query


@pytest.mark.parametrize(
    "text",
    [
        '(a="' + '""' * 30_000,
        "(a=1)," * 10_000,
        "(a=" + "x," * 30_000,
        "(" * 60_000,
        '"' * 60_001,
        "~" * 60_000,
        "A" * 60_000,
        "(" + "A" * 60_000 + "=1)",
        "(a=" + " " * 60_000,
        "(a=1)" + " " * 60_000 + "x",
    ],
)
def test_long_nonsense_is_refused_in_bounded_time_and_memory(text: str) -> None:
    parse("(a=1)")
    tracemalloc.start()
    started = time.thread_time()
    try:
        with pytest.raises(DmqlError):
            parse(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.thread_time() - started < 8
    assert peak < 200 << 20
