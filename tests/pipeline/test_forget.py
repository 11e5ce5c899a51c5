"""`mlsync forget FEED` leaves nothing of the feed and everything of the others, whenever it is killed."""

from __future__ import annotations

import os
import pty
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from shared.store.tables import metadata
from tests.conftest import SCALE
from tests.pipeline.inside import Inside, inside
from tests.pipeline.simulated import MLSYNC, Installation, process, simulated, until

LISTINGS, PHOTOS = (40, 4) if SCALE == 1 else (400, 8)
TABLES = [table.name for table in metadata.sorted_tables if "feed" in table.columns]


def rows_of(here: Installation, feed: str) -> dict[str, list[tuple[Any, ...]]]:
    """Everything the database has of a feed; tables with nothing left out."""
    found = {name: here.rows(f"SELECT * FROM {name} WHERE feed = '{feed}' ORDER BY rowid") for name in TABLES}
    return {name: rows for name, rows in found.items() if rows}


def files_of(here: Installation, feed: str) -> dict[str, bytes]:
    """Every photo of a feed."""
    paths = (path for path in (here.media / feed).rglob("*") if path.is_file())
    return {path.relative_to(here.media).as_posix(): path.read_bytes() for path in paths}


def both(folder: Path, login_url: str) -> Inside:
    """Two feeds, of which the commands' settings know only one."""
    here = inside(folder, login_url)
    here.feeds = ("ddf", "old")
    here.in_step()
    return here


def test_a_forgotten_feed_leaves_nothing_and_the_other_keeps_every_byte(tmp_path: Path) -> None:
    with simulated(LISTINGS, PHOTOS) as mls:
        here = both(tmp_path, mls.login_url)
        mls.advance()
        here.in_step()
        kept, files = rows_of(here, "ddf"), files_of(here, "ddf")
        assert rows_of(here, "old").keys() == kept.keys()
        assert {"history_transactional", "property_record", "media_object", "run", "feed"} <= kept.keys()
        asked = here.run("forget", "old")
        assert asked.code == 2
        assert "--yes" in asked.err
        assert rows_of(here, "old")
        done = here.run("forget", "old", "--yes")
        assert done.code == 0, done.err
        assert done.out == f"old is forgotten: {_words(kept)}\n"
        assert rows_of(here, "old") == {}
        assert not (here.media / "old").exists()
        assert (rows_of(here, "ddf"), files_of(here, "ddf")) == (kept, files)
        again = here.run("forget", "old", "--yes")
        assert again.code == 1
        assert "nothing is stored of a feed old; feeds in the database: ddf" in again.err
        assert here.differences(mls) == []
        out = here.run("forget", "ddf", "--yes").out
        assert "ddf is still configured: the next sync reads it all again" in out
        assert [path for path in here.media.rglob("*") if path.is_file()] == []
        here.feeds = ("ddf",)
        assert here.in_step().counts["property"]["inserted"] == len(mls.keys())
        assert here.differences(mls) == []


def _words(rows: dict[str, list[tuple[Any, ...]]]) -> str:
    count = sum(len(some) for some in rows.values())
    listings, photos = len(rows["property_record"]), len(rows["media_object"])
    return f"{listings:,} listings, {photos:,} photos stored, {count:,} rows in all"


def killed_once(here: Installation, happened: str) -> None:
    """Start to forget; kill it once the database is being written, or the first photo is gone."""
    photos = len(files_of(here, "old"))
    log = Path(f"{here.database}-wal")
    with process([str(MLSYNC), "forget", "old", "--yes"], here.env, here.folder, subprocess.DEVNULL) as running:
        while running.poll() is None:
            if happened == "writing" and log.exists():
                break
            # os.walk passes over folders that vanish under it, which is what happens here
            if happened == "deleting" and sum(len(names) for _, _, names in os.walk(here.media / "old")) < photos:
                break
            time.sleep(0.002)
        running.kill()


@pytest.mark.parametrize("happened", ["writing", "deleting"])
def test_killed_it_is_finished_by_the_next_one(tmp_path: Path, happened: str) -> None:
    with simulated(LISTINGS, PHOTOS) as mls:
        here = both(tmp_path, mls.login_url)
        kept, files = rows_of(here, "ddf"), files_of(here, "ddf")
        killed_once(here, happened)
        here.run("forget", "old", "--yes")
        assert rows_of(here, "old") == {}
        assert not (here.media / "old").exists()
        assert (rows_of(here, "ddf"), files_of(here, "ddf")) == (kept, files)


def test_it_is_refused_while_another_process_has_the_database(tmp_path: Path) -> None:
    with simulated(5, 1) as mls:
        here = Installation(tmp_path, mls.login_url)
        with here.start("run"):
            until(lambda: here.count("property") == 5 and here.count("media", "pending") == 0)
            done = here.run("forget", "ddf", "--yes")
            assert done.code == 1
            assert "in use by mlsync, process" in done.err
            assert here.count("property") == 5


@pytest.mark.parametrize(("typed", "code"), [("ddf", 0), ("y", 1)])
def test_at_a_terminal_the_feeds_name_confirms_it(tmp_path: Path, typed: str, code: int) -> None:
    with simulated(5, 1) as mls:
        here = inside(tmp_path, mls.login_url)
        here.in_step()
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [MLSYNC, "forget", "ddf"], env=here.env, cwd=here.folder, stdin=end, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as running:  # fmt: skip
        os.close(end)
        os.write(terminal, f"{typed}\n".encode())
        out, _ = running.communicate(timeout=60)
    os.close(terminal)
    assert "ddf holds 5 listings" in out
    assert running.returncode == code
    assert here.count("property") == (5 if code else 0)
    assert ("nothing was deleted" in out) == bool(code)
