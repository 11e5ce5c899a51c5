"""Metadata as documents, version by version."""

from __future__ import annotations

from collections.abc import Callable

import zstandard

from shared.lookups import MetadataDocument
from shared.store.base import KEEP_DOCUMENTS, KeptMetadata
from shared.store.sql.connection import Connection, Database, Row, transaction

COLUMNS = "number, version, timestamp, digest, read_at"


class SqlDocuments:
    """See ``shared.store.base.MetadataDocuments``."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    @transaction
    def keep(self, connection: Connection, feed: str, found: MetadataDocument) -> int | None:
        connection.lock(feed)
        latest = connection.execute(
            "SELECT number, digest FROM metadata_document WHERE feed = ? ORDER BY number DESC LIMIT 1", (feed,)
        ).fetchone()
        number, digest = latest or (0, None)
        body = zstandard.ZstdCompressor(level=9).compress(found.document)
        if digest == found.digest:
            connection.execute(
                "UPDATE metadata_document SET version = ?, timestamp = ?, document = ? WHERE feed = ? AND number = ?",
                (found.version, found.timestamp, body, feed, number),
            )
            return None
        connection.execute(
            f"INSERT INTO metadata_document (feed, {COLUMNS}, document) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (feed, number + 1, found.version, found.timestamp, found.digest, self._now(), body),
        )
        connection.execute(
            "UPDATE metadata_document SET document = NULL WHERE feed = ? AND number <= ? AND document IS NOT NULL",
            (feed, number + 1 - KEEP_DOCUMENTS),
        )
        return int(number) + 1

    def latest(self, feed: str) -> KeptMetadata | None:
        rows = self._database.read(
            f"SELECT {COLUMNS} FROM metadata_document WHERE feed = ? ORDER BY number DESC LIMIT 1", (feed,)
        )
        return _kept(rows[0]) if rows else None

    def newest(self, feed: str) -> bytes | None:
        rows = self._database.read(
            "SELECT document FROM metadata_document WHERE feed = ? AND document IS NOT NULL "
            "ORDER BY number DESC LIMIT 1",
            (feed,),
        )
        return zstandard.ZstdDecompressor().decompress(rows[0][0]) if rows else None

    def versions(self, feed: str) -> list[KeptMetadata]:
        rows = self._database.read(
            f"SELECT {COLUMNS} FROM metadata_document WHERE feed = ? ORDER BY number DESC", (feed,)
        )
        return [_kept(row) for row in rows]

    def document(self, feed: str, number: int) -> bytes | None:
        rows = self._database.read(
            "SELECT document FROM metadata_document WHERE feed = ? AND number = ? AND document IS NOT NULL",
            (feed, number),
        )
        return zstandard.ZstdDecompressor().decompress(rows[0][0]) if rows else None


def _kept(row: Row) -> KeptMetadata:
    number, version, timestamp, digest, read_at = row
    return KeptMetadata(number, version, timestamp, digest, read_at)
