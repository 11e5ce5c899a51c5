"""`mlsync audit media` repairs the photo folder both ways, and the next sync brings back what was lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from services.audit import audit
from shared.blobs.local import LocalBlobs
from shared.store.sqlite.store import SqliteStore
from tests.pipeline.simulated import synced


def test_what_is_lost_damaged_or_strange_is_repaired(tmp_path: Path) -> None:
    with synced(tmp_path, 15, 3) as (mls, here):
        here.sync()
        gone, damaged, *rest = sorted(here.media.rglob("*.jpg"))
        gone.unlink()
        damaged.write_bytes(damaged.read_bytes()[:-100])
        (here.media / "ddf" / "20000001" / "stranger.jpg").write_bytes(b"nobody knows me")
        done = here.run("audit", "media", "--json")
        assert done.json() == {"objects": len(rest) + 2, "deleted": 1, "lost": 2}
        assert done.code == 3  # not in step until the next sync
        assert sorted(here.media.rglob("*.jpg")) == rest
        assert here.status()["photos"] == {"stored": len(rest), "pending": 2, "failed": 0}
        assert here.sync()["photos"]["stored"] == 2
        assert here.differences(mls) == []
        again = here.run("audit", "media", "--json")
        assert (again.code, again.json()) == (0, {"objects": len(rest) + 2, "deleted": 0, "lost": 0})


def test_an_audit_in_words_says_what_it_did(tmp_path: Path) -> None:
    with synced(tmp_path, 5, 2) as (mls, here):
        here.sync()
        next(here.media.rglob("*.jpg")).unlink()
        done = here.run("audit", "media")
        assert "1 lost or damaged" in done.out
        here.sync()
        assert here.differences(mls) == []


class Listed(LocalBlobs):
    """A folder whose listing passed the last name before that was put."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        yield from list(super().keys(prefix))[:-1]


def test_a_photo_stored_while_the_audit_goes_on_is_not_lost(tmp_path: Path) -> None:
    with synced(tmp_path, 5, 2) as (mls, here):
        here.sync()
        store = SqliteStore(here.database)
        try:
            found = audit(store, Listed(here.media), ["ddf"])
        finally:
            store.close()
        assert found.lost == 0
        assert here.differences(mls) == []
