"""Values that a login may not see (RestrictedIndicator, RETS 1.7.2 §7.4.9): NULL and marked, until they may be seen.

The MLS withholds price and remarks of some listings. What is stored of the others, and of all else, is what it has.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import SCALE
from tests.pipeline.board import CLASSES, FEED, Board, board

LISTINGS = 40 if SCALE == 1 else 1_000
MARK = "#restricted"
COLUMNS = {"ListPrice": "list_price", "PublicRemarks": "public_remarks"}
WITHHELD = frozenset(str(20_000_000 + number) for number in range(1, LISTINGS + 1, 3))


def withhold(here: Board, keys: frozenset[str]) -> None:
    here.sim.control.fault("withheld", f"ids:{','.join(sorted(keys))}" if keys else "off")


def listings(here: Board) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = here.rows("property", "listing_key")
    return found


def marked(here: Board) -> set[str]:
    """Listings with the mark, which names both elements of each, and of which neither column has a value."""
    found = set()
    for key, row in listings(here).items():
        if MARK in row:
            assert row[MARK] == sorted(COLUMNS)
            assert not COLUMNS.values() & row.keys()
            found.add(key)
    return found


def others(here: Board) -> list[str]:
    """What is not as it is at the MLS, but for what is withheld and marked."""
    allowed = tuple(f"listing {key}: " for key in marked(here))
    names = (MARK, *COLUMNS.values())
    return [
        line for line in here.differences() if not (line.startswith(allowed) and line.split(": ")[1].startswith(names))
    ]


def in_views(here: Board) -> set[str]:
    """The same by the views of the classes."""
    found = set()
    for name in CLASSES:
        for row in here.here.copy.database.table(f'"mls_{FEED}_Property_{name}"'):
            if MARK in row:
                assert not {"PRICE", "REMARKS"} & row.keys()
                found.add(row["LIST_KEY"])
    return found


def stamps(here: Board) -> dict[str, str]:
    """By listing the timestamps of what is stored of it."""
    lines = here.rows("ledger", "resource", "key")
    return {key: line["stamp"] for (resource, key), line in lines.items() if resource == "property" and line["stored"]}


def entries(here: Board) -> list[dict[str, Any]]:
    return list(here.here.copy.database.table("history_transactional", f"feed = '{FEED}'"))


def read_long_ago(here: Board) -> None:
    """As if all that was read had been read ten days before."""
    place = here.here.place
    connect = (
        partial(psycopg.connect, place.settings["MLSYNC_DATABASE_URL"])
        if place
        else partial(sqlite3.connect, here.here.database)
    )
    with closing(connect()) as connection:
        ago = 10 * 86_400_000_000
        connection.execute(f"UPDATE ledger SET observed_at = observed_at - {ago}")
        connection.execute(f"UPDATE inventory SET complete_at = complete_at - {ago}, whole = whole - {ago}")
        connection.commit()


@pytest.mark.usefixtures("each_form")
@pytest.mark.parametrize("server", [(), ("one-format=STANDARD-XML",)], ids=["COMPACT", "STANDARD-XML"])
def test_what_is_withheld_is_null_and_marked_until_it_may_be_seen(tmp_path: Path, server: tuple[str, ...]) -> None:
    with board(tmp_path, *server, listings=LISTINGS, photos=0) as here:
        withhold(here, WITHHELD)
        here.sync()
        living = listings(here).keys()
        assert marked(here) == WITHHELD & living
        assert others(here) == []
        assert in_views(here) == WITHHELD & living

        # Some may be seen now, and others no more. No timestamp tells it: what is stored stays ...
        hidden = frozenset(key for key in living if int(key) % 4 == 0)
        withhold(here, hidden)
        assert here.sync()["fetched"] == 0
        assert marked(here) == WITHHELD & living

        # ... until a record changes at the MLS,
        before = stamps(here)
        here.sim.control.advance(2)
        here.feed["remove_at_least"] = LISTINGS
        assert here.sync()["updated"]
        now = stamps(here)
        changed = {key for key, stamp in now.items() if stamp != before.get(key)}
        assert changed & hidden
        assert marked(here) == (hidden & changed) | (WITHHELD & (now.keys() - changed))

        newly = (hidden & changed & before.keys()) - WITHHELD
        told = [row for row in entries(here) if row["field_name"] == "public_remarks" and "new_value" not in row]
        assert newly
        assert {row["resource_record_key"] for row in told} == newly

        # or is read again: all are, from the oldest on, within the time that `reread` says.
        read_long_ago(here)
        here.sync()
        living = listings(here).keys()
        assert marked(here) == hidden & living
        assert in_views(here) == hidden & living
        assert others(here) == []

        withhold(here, frozenset())
        read_long_ago(here)
        here.sync()
        assert here.differences() == []
        assert list(here.viewed()) == []
