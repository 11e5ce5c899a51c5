"""A copy of an MLS as it lies in its database and photo store, read with nothing of the program under test."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import psycopg
from minio import Minio
from minio.error import S3Error
from psycopg.rows import dict_row

Facts = dict[str, Any]


class Database(Protocol):
    """Committed rows, which other processes may be changing."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Those of a query that both databases understand, as the driver has them."""

    def table(self, name: str, where: str = "TRUE") -> Iterator[Facts]:
        """Those of a table, NULLs left out: numbers of any exactness as Decimal, instants as ISO 8601 text in UTC."""


class Photos(Protocol):
    """The objects of a photo store, also those half written, by name."""

    def names(self) -> set[str]:
        """All of them."""

    def read(self, name: str) -> bytes:
        """One of them."""


@dataclass(frozen=True)
class Copy:
    """Both together."""

    database: Database
    photos: Photos


@dataclass(frozen=True)
class SqliteFile:
    """A database in a file, opened anew for every question."""

    path: Path

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)) as connection:
            return connection.execute(sql).fetchall()

    def table(self, name: str, where: str = "TRUE") -> Iterator[Facts]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)) as connection:
            types = {column: declared for _, column, declared, *_ in connection.execute(f"PRAGMA table_info({name})")}
            types |= {column: "NUMERIC" for column in ("latitude", "longitude") if column in types}  # of the view
            for row in connection.execute(f"SELECT * FROM {name} WHERE {where}"):
                yield {
                    column: _declared(value, types[column])
                    for column, value in zip(types, row, strict=True)
                    if value is not None
                }


def _declared(value: Any, declared: str) -> Any:
    if declared.startswith("NUMERIC"):
        return Decimal(str(value))
    if declared == "JSON":
        return json.loads(value)
    if declared == "BOOLEAN":
        return {0: False, 1: True}[value]
    return value


@dataclass(frozen=True)
class Postgres:
    """A database of a server."""

    url: str

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(sql.encode()).fetchall()

    def table(self, name: str, where: str = "TRUE") -> Iterator[Facts]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            for row in connection.execute(f"SELECT * FROM {name} WHERE {where}".encode()):
                yield {column: _plain(value) for column, value in row.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        text = value.astimezone(UTC).isoformat(timespec="microseconds" if value.microsecond else "seconds")
        return text.removesuffix("+00:00") + "Z"
    return value.isoformat() if isinstance(value, date) else value


@dataclass(frozen=True)
class Folder:
    """A photo store that is a folder."""

    path: Path

    def names(self) -> set[str]:
        paths = (path for path in self.path.rglob("*") if path.is_symlink() or not path.is_dir())
        return {path.relative_to(self.path).as_posix() for path in paths}

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()


@dataclass(frozen=True)
class Bucket:
    """A photo store that is a bucket, below a prefix that ends with a slash, or the whole of it."""

    client: Minio
    bucket: str
    prefix: str = ""

    def names(self) -> set[str]:
        found = self.client.list_objects(self.bucket, self.prefix, recursive=True)
        return {str(item.object_name).removeprefix(self.prefix) for item in found}

    def read(self, name: str) -> bytes:
        try:
            answer = self.client.get_object(self.bucket, self.prefix + name)
        except S3Error as error:
            if error.code != "NoSuchKey":
                raise
            return b""  # it went since its name was read, and is no longer what its row says
        try:
            return answer.read()
        finally:
            answer.close()
            answer.release_conn()


def in_files(database: Path, photos: Path) -> Copy:
    """The copy of the embedded form."""
    return Copy(SqliteFile(database), Folder(photos))
