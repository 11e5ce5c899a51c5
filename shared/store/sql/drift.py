"""What metadata were before, and what a feed remembers of that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from collections.abc import Sequence as Some
from dataclasses import astuple, fields
from typing import Any

from shared.known import HELD, REMOVED, Known, KnownClass, KnownField
from shared.mapping.extra import CLASS
from shared.store.base import MetadataDifference
from shared.store.sql.connection import Connection, Database, marks, quoted, transaction, upsert
from shared.store.tables import TABLES_OF

FIELD = [item.name for item in fields(KnownField)]
KIND = [item.name for item in fields(KnownClass)]
DIFFERENCE = [item.name for item in fields(MetadataDifference)]
KEYS = ("feed", "resource", "class_name")
PUT_FIELD = upsert("metadata_field", ("feed", *FIELD), (*KEYS, "element"))
PUT_CLASS = upsert("metadata_class", ("feed", *KIND), KEYS)
PUT_COMPARED = upsert("metadata_compared", ("feed", "number"), ("feed",))


class SqlDrift:
    """See ``shared.store.base.Drift``."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    def known(self, feed: str) -> Known:
        return known_of(self._database.read, feed)

    @transaction
    def follow(self, connection: Connection, feed: str, decide: Callable[[Known, int], Known]) -> None:
        connection.lock(feed)
        before = known_of(lambda sql, values: connection.execute(sql, values).fetchall(), feed)
        after = decide(before, self._now())
        kept = {(each.resource, each.class_name, each.element) for each in after.fields}
        connection.executemany(
            "DELETE FROM metadata_field WHERE feed = ? AND resource = ? AND class_name = ? AND element = ?",
            [(feed, *key) for each in before.fields
             if (key := (each.resource, each.class_name, each.element)) not in kept],
        )  # fmt: skip
        there = {(each.resource, each.class_name) for each in after.classes}
        connection.executemany(
            "DELETE FROM metadata_class WHERE feed = ? AND resource = ? AND class_name = ?",
            [(feed, each.resource, each.class_name) for each in before.classes
             if (each.resource, each.class_name) not in there],
        )  # fmt: skip
        _read_again(connection, feed, before, after)
        same = {*before.fields, *before.classes}
        connection.executemany(PUT_FIELD, [(feed, *astuple(each)) for each in after.fields if each not in same])
        connection.executemany(PUT_CLASS, [(feed, *astuple(each)) for each in after.classes if each not in same])

    @transaction
    def approve(
        self, connection: Connection, feed: str, resource: str | None = None, class_name: str | None = None
    ) -> int:
        connection.lock(feed)
        values: list[Any] = [REMOVED, feed, HELD]
        which = ""
        for column, value in (("resource", resource), ("class_name", class_name)):
            if value is not None:
                which += f" AND {column} = ?"
                values.append(value)
        return connection.execute(
            f"UPDATE metadata_field SET state = ? WHERE feed = ? AND state = ?{which}", values
        ).rowcount

    def compared(self, feed: str) -> int:
        rows = self._database.read("SELECT number FROM metadata_compared WHERE feed = ?", (feed,))
        return rows[0][0] if rows else 0

    @transaction
    def record(
        self, connection: Connection, feed: str, differences: Some[MetadataDifference], number: int
    ) -> bool:  # fmt: skip
        connection.lock(feed)
        row = connection.execute("SELECT number FROM metadata_compared WHERE feed = ?", (feed,)).fetchone()
        if row is not None and row[0] >= number:
            return False
        connection.executemany(
            f"INSERT INTO metadata_difference ({quoted(('feed', 'place', *DIFFERENCE))}) "
            f"VALUES ({marks(len(DIFFERENCE) + 2)})",
            [(feed, place, *astuple(each)) for place, each in enumerate(differences, 1)],
        )
        connection.execute(PUT_COMPARED, (feed, number))
        return True

    def differences(self, feed: str, limit: int | None = None) -> list[MetadataDifference]:
        last = "" if limit is None else f" LIMIT {int(limit)}"
        rows = self._database.read(
            f"SELECT {quoted(DIFFERENCE)} FROM metadata_difference WHERE feed = ? "
            f"ORDER BY number DESC, place DESC{last}",
            (feed,),
        )
        return [MetadataDifference(*row) for row in reversed(rows)]

    def of_classes(self, feed: str, resource: str, classes: Collection[str]) -> Iterator[tuple[str, str]]:
        table = TABLES_OF[resource][0]
        key = list(table.primary_key.columns)[1].name
        rows = self._database.stream(
            f'SELECT l.key, l.stamp FROM ledger l JOIN "{table.name}" r ON r.feed = l.feed AND r."{key}" = l.key '
            f"WHERE l.feed = ? AND l.resource = ? AND l.stored AND r.extra ->> '{CLASS}' IN ({marks(len(classes))})",
            (feed, resource, *classes),
        )
        return ((key, stamp or "") for key, stamp in rows)


def _read_again(connection: Connection, feed: str, before: Known, after: Known) -> None:
    """What was read of a class while fields of it were held lacks what these said meanwhile: now that they are back the
    next inventory asks for it."""
    told = {(each.resource, each.class_name, each.element) for each in after.fields if not each.state}
    since: dict[tuple[str, str], int] = {}
    for each in before.fields:
        back = each.state == HELD and (each.resource, each.class_name, each.element) in told
        if back and each.since is not None and each.resource in TABLES_OF:
            where = each.resource, each.class_name
            since[where] = min(each.since, since.get(where, each.since))
    for (resource, name), began in since.items():
        table = TABLES_OF[resource][0]
        key = list(table.primary_key.columns)[1].name
        connection.execute(
            "UPDATE ledger SET unsettled = true WHERE feed = ? AND resource = ? AND stored AND observed_at >= ? "
            f'AND key IN (SELECT "{key}" FROM "{table.name}" WHERE feed = ? AND extra ->> \'{CLASS}\' = ?)',
            (feed, resource, began, feed, name),
        )


def known_of(read: Callable[[str, Some[Any]], list[tuple[Any, ...]]], feed: str) -> Known:
    """See ``Drift.known``."""
    found = read(f"SELECT {quoted(FIELD)} FROM metadata_field WHERE feed = ? ORDER BY {', '.join(KEYS)}", (feed,))
    kinds = read(f"SELECT {quoted(KIND)} FROM metadata_class WHERE feed = ? ORDER BY {', '.join(KEYS)}", (feed,))
    return Known(tuple(_field(*row) for row in found), tuple(_class(*row) for row in kinds))


def _field(
    resource: str, name: str, element: str, system_name: str, entry: str, standard: object, state: str,
    since: int | None,
) -> KnownField:  # fmt: skip
    return KnownField(resource, name, element, system_name, entry, bool(standard), state, since)


def _class(
    resource: str, name: str, key: str, timestamp: str, pictured: object, stopped: str, since: int | None
) -> KnownClass:
    return KnownClass(resource, name, key, timestamp, bool(pictured), stopped, since)
