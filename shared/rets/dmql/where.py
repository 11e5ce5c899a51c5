"""A query as the condition of an SQL statement, for PostgreSQL or SQLite.

Every condition is true or false, never unknown, so that what is negated means the same as in
``shared.rets.dmql.evaluate``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from shared.rets.dmql.binding import Bound, Kind, Like, OneOf, Test, Within
from shared.rets.dmql.errors import DmqlError, DmqlFieldError
from shared.rets.dmql.tree import And, Not, Or, Special

Database = Literal["postgresql", "sqlite"]

MAX_VALUES: Final = 30_000
"""Values of one statement: SQLite takes 32,766."""


def where(
    bound: Bound,
    columns: Mapping[str, str],
    database: Database,
    *,
    adapt: Callable[[Any], Any] = lambda value: value,
) -> tuple[str, list[Any]]:
    """The condition, with ``?`` for values, and the values in their order, each through ``adapt``.

    ``columns`` has each field's column as SQL; who gives it vouches for it. Lookups of several values are JSON arrays,
    ``jsonb`` in PostgreSQL. Raises DmqlFieldError for a field without a column, DmqlError for more than ``MAX_VALUES``.
    """
    writer = _Writer(columns, database, adapt)
    sql = writer.write(bound)
    if len(writer.values) > MAX_VALUES:
        raise DmqlError(f"the query has more than {MAX_VALUES} values")
    return sql, writer.values


class _Writer:
    def __init__(self, columns: Mapping[str, str], database: Database, adapt: Callable[[Any], Any]) -> None:
        self._columns = columns
        self._postgres = database == "postgresql"
        self._adapt = adapt
        self.values: list[Any] = []

    def write(self, bound: Bound) -> str:
        match bound:
            case Not(term):
                return f"NOT {self.write(term)}"
            case And(terms):
                return _joined([self.write(term) for term in terms], "AND")
            case Or(terms):
                return _joined([self.write(term) for term in terms], "OR")
            case Test(field):
                column = self._columns.get(field)
                if column is None:
                    raise DmqlFieldError(f"the field {field} has no column here")
                return self._test(column, bound)

    def _test(self, column: str, test: Test) -> str:
        several, text = test.kind is Kind.LOOKUP_MULTI, test.kind in {Kind.CHARACTER, Kind.LOOKUP}
        match test.condition:
            case OneOf(values):
                found = (
                    _joined([self._holds(column, value) for value in values], "OR")
                    if several
                    else f"{column} IN ({', '.join(map(self._value, values))})"
                )
            case Within(low, high, closed):
                compared = f'{column} COLLATE "C"' if text and self._postgres else column
                bounds = [f"{compared} >= {self._value(low)}"] if low is not None else []
                bounds += [f"{compared} {'<=' if closed else '<'} {self._value(high)}"] if high is not None else []
                found = " AND ".join(bounds)
            case Like(pattern):
                found = self._like(column, pattern)
            case Special.ANY:
                return "1 = 1"
            case Special.EMPTY:
                empty = f" OR {column} = ''" if text else self._no_elements(column) if several else ""
                return f"({column} IS NULL{empty})"
        return f"({column} IS NOT NULL AND {found})"

    def _value(self, value: Any) -> str:
        self.values.append(self._adapt(value))
        return "?"

    def _holds(self, column: str, value: Any) -> str:
        asked = self._value(value)
        if self._postgres:
            return f"{column} @> to_jsonb(CAST({asked} AS text))"
        return f"EXISTS (SELECT 1 FROM json_each({column}) WHERE value = {asked})"  # noqa: S608

    def _no_elements(self, column: str) -> str:
        return f" OR {column} = CAST('[]' AS jsonb)" if self._postgres else f" OR {column} = '[]'"

    def _like(self, column: str, pattern: str) -> str:
        if not self._postgres:
            return f"{column} GLOB {self._value(pattern.replace('[', '[[]'))}"
        for sign, escaped in (("!", "!!"), ("%", "!%"), ("_", "!_"), ("*", "%"), ("?", "_")):
            pattern = pattern.replace(sign, escaped)
        return f"{column} LIKE {self._value(pattern)} ESCAPE '!'"


def _joined(parts: list[str], operator: str) -> str:
    """Halved again and again: databases bound how deep an expression may nest, and read a long row as a deep one."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_joined(parts[:middle], operator)} {operator} {_joined(parts[middle:], operator)})"
