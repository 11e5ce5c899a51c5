"""What the store promises on SQLite alone: one process works on a file, and disks fill up."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import shared
from shared.effects import Line, PutLine, Quarantine
from shared.store.base import NewObject, StoreError
from shared.store.sqlite.store import SqliteStore

ROOT = Path(shared.__file__).parent.parent

CLAIM = """
import sys
from pathlib import Path
from shared.store.base import NewObject
from shared.store.sqlite.store import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
store.claim()
store.feeds.observe("ddf")
with store.write() as tx:
    tx.media.begin("ddf", "property", "1", [NewObject(1, "s", 1, "jpg")], lambda item, n: f"{n}.jpg")
print("claimed", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path, sqlite_template: Path) -> Path:
    return Path(shutil.copy(sqlite_template, tmp_path / "mlsync.db"))


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(path)
    yield made
    made.close()


@contextmanager
def owner(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has claimed the file and is about to put an object."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(path)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "claimed\n"
        yield process
        process.kill()


# --- one process at a time


def test_a_second_process_is_refused_and_told_who_has_the_file(path: Path, store: SqliteStore) -> None:
    with owner(path) as process, pytest.raises(StoreError, match=f"in use by mlsync, process {process.pid}"):
        store.claim()


def test_a_file_in_use_can_still_be_read(path: Path, store: SqliteStore) -> None:
    with owner(path):
        store.check()
        assert store.feeds.status("ddf").stored == 0
        assert [item.state for item in store.objects.known()] == ["writing"]


def test_a_process_killed_frees_the_file_and_what_it_left_half_done_is_cleared_up(
    path: Path, store: SqliteStore
) -> None:
    with owner(path) as process:
        process.kill()
        process.wait()
        store.claim()
        store.recover()
        assert [item.state for item in store.objects.known()] == ["dead"]


def test_closing_gives_the_file_back(path: Path, store: SqliteStore) -> None:
    store.claim()
    store.close()
    other = SqliteStore(path)
    other.claim()
    other.close()


def test_two_stores_of_one_process_do_not_share_a_file(path: Path, store: SqliteStore) -> None:
    store.claim()
    with pytest.raises(StoreError, match=f"process {os.getpid()}"):
        SqliteStore(path).claim()


# --- opening


def test_constructing_a_store_opens_nothing(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "folder" / "mlsync.db")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a" / "b" / "mlsync.db")
    store.migrate()
    store.check()
    store.close()


def test_checking_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="mlsync migrate"):
        SqliteStore(tmp_path / "mlsync.db").check()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"no database at all " * 100, b"SQLite format 3\0" + b"\xff" * 4_000])
@pytest.mark.parametrize("method", ["check", "migrate"])
def test_a_file_that_is_no_database_is_named(tmp_path: Path, content: bytes, method: str) -> None:
    path = tmp_path / "mlsync.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"mlsync\.db"):
        getattr(SqliteStore(path), method)()
    assert path.read_bytes() == content


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "mlsync.db").mkdir()
    with pytest.raises(StoreError, match=r"mlsync\.db"):
        SqliteStore(tmp_path / "mlsync.db").migrate()


# --- disks fill up


def full(store: SqliteStore) -> None:
    """The disk has room for a few pages more."""
    connection = store._database.connection()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 4}")


def test_a_full_disk_is_named_as_such_and_leaves_nothing_half_written(store: SqliteStore) -> None:
    full(store)

    def write() -> None:
        with store.write() as tx:
            tx.records.apply("ddf", "property", "r", [PutLine(Line("1"))])
            tx.records.apply("ddf", "property", "r", [Quarantine("1", "record", b"x" * 1_000_000, "no", 1)])

    with pytest.raises(sqlite3.OperationalError, match="full"):
        write()
    assert store.quarantine.list() == []
    with store.write() as tx:
        assert tx.ledger.lines("ddf", "property", ["1"]) == {}
        tx.records.apply("ddf", "property", "r", [PutLine(Line("1"))])


def test_a_commit_that_fails_leaves_the_store_usable(store: SqliteStore) -> None:
    """Whatever makes it fail (here a deferred constraint of the test's own), nothing of it stays and the next works."""
    connection = store._database.connection()
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("CREATE TABLE parent (a PRIMARY KEY)")
    connection.execute("CREATE TABLE child (a REFERENCES parent (a) DEFERRABLE INITIALLY DEFERRED)")

    def write() -> None:
        with store.write() as tx:
            tx.records.apply("ddf", "property", "r", [PutLine(Line("1"))])
            connection.execute("INSERT INTO child VALUES (1)")

    with pytest.raises(sqlite3.IntegrityError):
        write()
    with store.write() as tx:
        assert tx.ledger.lines("ddf", "property", ["1"]) == {}


# --- durability


def test_a_commit_is_on_the_disk_before_it_returns(store: SqliteStore) -> None:
    with store.write() as tx:
        tx.records.apply("ddf", "property", "r", [PutLine(Line("1"))])
    connection = store._database.connection()
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_objects_begun_in_a_killed_process_keep_their_names_taken(path: Path, store: SqliteStore) -> None:
    with owner(path) as process:
        process.kill()
        process.wait()
    taken = {item.name for item in store.objects.known()}
    with store.write() as tx:
        names = tx.media.begin("ddf", "property", "1", [NewObject(1, "s", 1, "jpg")], lambda item, n: f"{n}.jpg")
    assert not taken & set(names)
