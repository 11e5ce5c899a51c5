"""``Forgetting``: of a feed nothing is left, of others everything, whenever it is killed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    insert,
    select,
)

from services.forget import erase
from shared.blobs.local import LocalBlobs
from shared.store.base import StoreError
from shared.store.sql import forgetting
from shared.store.tables import metadata
from tests.contract.stores import Kit

GONE, STAYS = "gone", "stays"
ROWS = 3
"""Of each feed in each table; more than are deleted at once."""
FEED_TABLES = [table for table in metadata.sorted_tables if "feed" in table.columns]
KINDS: tuple[tuple[type, Callable[[str], Any]], ...] = (
    (Text, lambda text: text),
    (Boolean, lambda _: True),
    (Integer, lambda text: int(text[-1])),
    (Numeric, lambda text: Decimal(text[-1])),
    (LargeBinary, str.encode),
    (DateTime, lambda _: datetime(2024, 3, 5, tzinfo=UTC)),
    (Date, lambda _: date(2024, 3, 5)),
    (JSON, lambda text: [text]),
)


def value(column: Column[Any], feed: str, number: int) -> Any:
    if column.name == "feed":
        return feed
    if column.name == "state":
        return ("writing", "live", "dead")[number]
    if column.name == "name":
        return f"{feed}/1/{number}.jpg"
    return next(make for kind, make in KINDS if isinstance(column.type, kind))(f"{feed} {column.name} {number}")


def fill(kit: Kit, feed: str) -> None:
    """Rows in every table there is, whoever defined it."""
    engine = kit.backend.engine()
    with engine.begin() as connection:
        for table in FEED_TABLES:
            alone = [column.name for column in table.primary_key.columns] == ["feed"]
            for number in range(1 if alone else ROWS):
                row = {column.name: value(column, feed, number) for column in table.columns}
                connection.execute(insert(table).values(row))
    engine.dispose()


def everything(kit: Kit) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    engine = kit.backend.engine()
    with engine.connect() as connection:
        found = {
            name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for name, table in metadata.tables.items()
        }
    engine.dispose()
    return found


def of(rows: dict[str, list[tuple[Any, ...]]], table: Table, feed: str) -> list[tuple[Any, ...]]:
    place = [column.name for column in table.columns].index("feed")
    return [row for row in rows[table.name] if row[place] == feed]


@contextmanager
def silent(_what: str, _total: int) -> Iterator[Callable[[int], None]]:
    yield lambda _more: None


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    made = LocalBlobs(tmp_path / "media")
    made.prepare()
    return made


@pytest.fixture
def full(kit: Kit, blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """Two feeds with rows everywhere and photos, and one photo each that no ledger names."""
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    for feed in (GONE, STAYS):
        fill(kit, feed)
        for number in range(ROWS + 1):
            blobs.put(f"{feed}/1/{number}.jpg", b"photo", "image/jpeg")
    return kit


def test_nothing_is_left_of_a_forgotten_feed_and_everything_of_the_other(full: Kit, blobs: LocalBlobs) -> None:
    before = everything(full)
    assert all(of(before, table, GONE) for table in FEED_TABLES)
    held = full.store.forgetting.held(GONE)
    assert held.keys() == {table.name for table in FEED_TABLES}
    erase(full.store, blobs, GONE, held, silent)
    after = everything(full)
    for table in FEED_TABLES:
        assert of(after, table, GONE) == [], table.name
        assert after[table.name] == of(before, table, STAYS), table.name
    others = metadata.tables.keys() - {table.name for table in FEED_TABLES}
    assert {name: after[name] for name in others} == {name: before[name] for name in others}
    assert list(blobs.keys()) == [f"{STAYS}/1/{number}.jpg" for number in range(ROWS + 1)]
    assert full.store.forgetting.held(GONE) == {}
    assert full.store.forgetting.feeds() == [STAYS]


class Killed(BaseException):
    """The process dies here."""


class Mortal:
    """Calls through, and dies at the step chosen: before a call or after it."""

    def __init__(self, real: Any, step: Callable[[], None]) -> None:
        self._real = real
        self._step = step

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name in ("forgetting", "objects"):
            return Mortal(found, self._step)

        def call(*arguments: Any) -> Any:
            self._step()
            answer = found(*arguments)
            self._step()
            return answer

        return call


def erase_until(kit: Kit, blobs: LocalBlobs, left: int) -> bool:
    """Forget the feed; die after ``left`` steps, if it has as many. Whether it came to its end."""
    steps = itertools.count()

    def step() -> None:
        if next(steps) == left:
            raise Killed

    @contextmanager
    def counting(_what: str, _total: int) -> Iterator[Callable[[int], None]]:
        yield lambda _more: step()  # within the transaction that deletes the rows, too

    store: Any = Mortal(kit.store, step)
    photos: Any = Mortal(blobs, step)
    try:
        erase(store, photos, GONE, kit.store.forgetting.held(GONE), counting)
    except Killed:
        return False
    return True


def test_killed_at_any_step_it_goes_on_and_ends_the_same(full: Kit, blobs: LocalBlobs) -> None:
    """Again and again, one step later each time: first while the rows go, then while the photos do."""
    before = everything(full)
    place = metadata.tables["media_object"].columns.keys().index("state")
    died, left, rows_gone = 0, 0, False
    while not erase_until(full, blobs, left):
        now = everything(full)
        gone = not of(now, metadata.tables["media"], GONE)
        if not gone:
            assert now == before  # all rows or none
        assert all(row[place] == "dead" for row in of(now, metadata.tables["media_object"], GONE) if gone)
        assert all(blobs.exists(row[0]) for row in now["media_object"] if row[place] != "dead")
        assert GONE in full.store.forgetting.feeds() or full.store.forgetting.held(GONE) == {}
        full.reopen()
        died += 1
        left, rows_gone = (left + 1, rows_gone) if rows_gone == gone else (0, True)
    assert rows_gone
    assert died > 50
    after = everything(full)
    assert {table.name: of(after, table, GONE) for table in FEED_TABLES} == {table.name: [] for table in FEED_TABLES}
    assert {table.name: after[table.name] for table in FEED_TABLES} == {
        table.name: of(before, table, STAYS) for table in FEED_TABLES
    }
    assert list(blobs.keys()) == [f"{STAYS}/1/{number}.jpg" for number in range(ROWS + 1)]


def test_a_feed_is_not_at_its_end_while_the_ledger_names_objects(full: Kit) -> None:
    full.store.forgetting.rows(GONE, lambda _: None)
    with pytest.raises(StoreError, match="3 objects of gone"):
        full.store.forgetting.end(GONE)
    assert GONE in full.store.forgetting.feeds()


def test_what_was_never_there_holds_nothing(full: Kit) -> None:
    assert full.store.forgetting.held("nobody") == {}
    assert full.store.forgetting.dead("nobody", 10) == []


def test_a_feed_whose_login_never_worked_can_be_forgotten(kit: Kit, blobs: LocalBlobs) -> None:
    kit.store.feeds.start_run("typo", "run", "sync")
    assert kit.store.forgetting.feeds() == ["typo"]
    erase(kit.store, blobs, "typo", kit.store.forgetting.held("typo"), silent)
    assert kit.store.forgetting.feeds() == []
