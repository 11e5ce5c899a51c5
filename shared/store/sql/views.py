"""Views of the classes of feeds: made, dropped, asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from shared.rets.dmql.binding import Bound, Kind
from shared.rets.dmql.where import where
from shared.store.base import MadeViews
from shared.store.sql.connection import Connection, Database, Row, quoted
from shared.store.sql.values import instant
from shared.store.sql.view_text import PostgresText, SqliteText, ViewText
from shared.views.naming import fit
from shared.views.spec import ClassView

_TEXTS: Final[dict[str, ViewText]] = {"postgresql": PostgresText(), "sqlite": SqliteText()}


class SqlViews:
    """See ``shared.store.base.Views``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, feed: str, views: Sequence[ClassView], undecided: Collection[tuple[str, str]] = ()) -> MadeViews:
        text = _TEXTS[self._database.dialect]
        made, dropped, in_use = [], [], []
        with self._database.write() as connection:
            connection.lock("", of="views")
            there = connection.relations()
            rows = connection.execute(
                "SELECT name, resource, class_name, digest FROM metadata_view WHERE feed = ?", (feed,)
            ).fetchall()
            old = {name: digest for name, _, _, digest in rows}
            named = {(resource, class_name): name for name, resource, class_name, _ in rows}
            taken = {name.casefold() for name in there | old.keys()}
            for view in views:
                which = view.resource, view.class_name
                if which in undecided and which in named:
                    continue
                name = named.pop(which, None) or fit(f"mls_{feed}_{view.resource}_{view.class_name}", taken)
                sql = text.create(name, feed, view)
                digest = sha256(sql.encode()).hexdigest()
                if old.get(name) == digest and name in there:
                    continue
                if name in there and connection.in_use(name):
                    in_use.append(name)
                    continue
                connection.define(f"DROP VIEW IF EXISTS {quoted([name])}")
                connection.define(sql)
                connection.execute("DELETE FROM metadata_view WHERE name = ?", (name,))
                connection.execute("INSERT INTO metadata_view VALUES (?, ?, ?, ?, ?)", (name, feed, *which, digest))
                made.append(name)
            for which, name in named.items():
                if which in undecided:
                    continue
                if name in there and connection.in_use(name):
                    in_use.append(name)
                else:
                    drop(connection, name)
                    dropped.append(name)
        return MadeViews(made, dropped, in_use)

    def names(self, feed: str) -> dict[tuple[str, str], str]:
        rows = self._database.read("SELECT resource, class_name, name FROM metadata_view WHERE feed = ?", (feed,))
        return {(resource, class_name): name for resource, class_name, name in rows}

    def find(
        self, name: str, view: ClassView, query: Bound, aliases: dict[str, str], columns: Sequence[str], limit: int
    ) -> tuple[list[Row], int]:
        sqlite = self._database.dialect == "sqlite"
        kinds = {column.name: column.kind for column in view.columns}
        of = {
            field: f"rtrim({quoted([column])}, 'Z')" if sqlite and kinds[column] is Kind.DATETIME else quoted([column])
            for field, column in aliases.items()
        }
        condition, values = where(query, of, self._database.dialect, adapt=_for_sqlite if sqlite else _as_is)
        key = next(column.name for column in view.columns if column.places and column.places[0].name == view.key)
        found = f"FROM {quoted([name])} WHERE {condition}"
        rows = self._database.read(
            f"SELECT {quoted(columns)} {found} ORDER BY {quoted([key])} LIMIT ?", (*values, limit)
        )
        ((total,),) = self._database.read(f"SELECT count(*) {found}", values)
        return rows, total


def drop(connection: Connection, name: str) -> None:
    """Drop a view that we made. What others made of it keeps it from going, and is an error."""
    connection.define(f"DROP VIEW IF EXISTS {quoted([name])}")
    connection.execute("DELETE FROM metadata_view WHERE name = ?", (name,))


def _as_is(value: Any) -> Any:
    return value


def _for_sqlite(value: Any) -> Any:
    """As views on SQLite have it; instants without their Z, behind which a fraction would sort wrongly."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() and abs(value) < 1 << 63 else float(value)
        case datetime():
            return (instant(value) or "").removesuffix("Z")
        case date() | time():
            return value.isoformat()
    return value
