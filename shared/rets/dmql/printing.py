"""A tree printed as a query, such that reading it gives the tree again."""

from __future__ import annotations

from shared.rets.dmql.errors import DmqlError
from shared.rets.dmql.grammar import MAX_DEPTH, MAX_LENGTH, Dialect
from shared.rets.dmql.tree import And, Chosen, Criterion, Item, Items, Literal, Not, Or, Query, Value


def text_of(query: Query, dialect: Dialect = Dialect.DMQL2) -> str:
    """The query's text, operators as signs. Raises DmqlError for what the dialect cannot say, or is beyond bounds."""
    text = _printed(query, dialect, 0)
    if len(text) > MAX_LENGTH:
        raise DmqlError(f"the query is longer than {MAX_LENGTH} characters")
    return text


def _printed(query: Query, dialect: Dialect, depth: int) -> str:
    # A criterion has parentheses of its own.
    if depth >= MAX_DEPTH:
        raise DmqlError(f"parentheses are nested deeper than {MAX_DEPTH}")
    match query:
        case Criterion(name, value):
            return f"({name}={_value(value, dialect)})"
        case Not(term):
            if dialect is Dialect.DMQL:
                raise DmqlError("DMQL has no NOT")
            return f"~{_within(term, dialect, depth)}"
        case And(terms):
            return ",".join(
                _within(term, dialect, depth) if isinstance(term, And | Or) else _printed(term, dialect, depth)
                for term in terms
            )
        case Or(terms):
            return "|".join(
                _within(term, dialect, depth) if isinstance(term, Or) else _printed(term, dialect, depth)
                for term in terms
            )


def _within(query: Query, dialect: Dialect, depth: int) -> str:
    if isinstance(query, Criterion):
        return _printed(query, dialect, depth)
    return f"({_printed(query, dialect, depth + 1)})"


def _value(value: Value, dialect: Dialect) -> str:
    match value:
        case Items(items):
            return ",".join(_item(item, dialect) for item in items)
        case Chosen(how, items):
            return how.value + ",".join(_item(item, dialect) for item in items)
        case special:
            return special.value


def _item(item: Item, dialect: Dialect) -> str:
    if not isinstance(item, Literal):
        return item.text
    if dialect is Dialect.DMQL:
        raise DmqlError("DMQL has no quoted texts: only letters and digits can be asked for")
    return '"' + item.text.replace('"', '""') + '"'
