"""A whole generic feed from a server with each of the habits of docs/servers.md that rows, addresses or sessions show.

What is stored is compared with the simulated MLS's own rows, which know of none of that.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from services.simulator.main import Options, Simulator
from tests.pipeline.board import Board, board

LISTINGS = 16
ROWS = {
    16: ("illegal-characters", "surrogate-references"),
    17: ("wrong-encoding=2", "edge-delimiters=both", "delimiter=7C"),
}
SESSIONS = {
    2: ("cookie-changes=refused:6",),
    7: ("auth=both-but-digest",),
    12: ("moved-login=redirect",),
    13: ("login-form=null", "user-order"),
}


def through(here: Board) -> None:
    """Two syncs with days between them; all is as it is at the MLS."""
    assert here.sync()["inserted"] == LISTINGS
    assert here.differences() == []
    here.sim.control.advance(2)
    here.feed["remove_at_least"] = LISTINGS
    here.sync()
    assert here.differences() == []


@pytest.mark.parametrize("quirk", ROWS)
def test_rows_however_they_are_written(tmp_path: Path, quirk: int) -> None:
    with board(tmp_path, *ROWS[quirk], listings=LISTINGS, photos=0) as here:
        through(here)


def test_quirk_18_rows_escaped_twice(tmp_path: Path) -> None:
    with board(tmp_path, "double-escaping", listings=LISTINGS, photos=0, unescape="always") as here:
        through(here)


def test_quirk_18_of_rows_escaped_twice_those_are_undone_that_show_it(tmp_path: Path) -> None:
    with board(tmp_path, "double-escaping", listings=3 * LISTINGS, photos=0) as here:
        here.sync()
        twice = [row for row in here.sim.control.rows("Property", "RES") if '"' in str(row.get("REMARKS"))]
        assert twice
        left = here.differences()
        assert all("&amp;" in line for line in left)  # which may be meant so
        assert not [row for row in twice if str(row["LIST_KEY"]) in " ".join(left)]


@pytest.mark.usefixtures("each_form")
@pytest.mark.parametrize("quirk", SESSIONS)
def test_logins_and_sessions_however_they_are(tmp_path: Path, quirk: int) -> None:
    with board(tmp_path, *SESSIONS[quirk], listings=LISTINGS, media="location") as here:
        through(here)


@pytest.mark.usefixtures("each_form")
def test_quirk_12_addresses_that_are_others_with_every_login(tmp_path: Path) -> None:
    with board(tmp_path, "moved-login=sessions", "session-lost=9", listings=LISTINGS, sessions=2) as here:
        through(here)
        assert here.sim.control.stats()["logins"] > 2


def test_quirk_11_searches_by_get_alone_that_may_not_be_long(tmp_path: Path) -> None:
    """Where nothing takes a POST, as many keys are asked for at once as an address has room for."""
    with board(tmp_path, "no-post=405", "long-address=600", listings=3 * LISTINGS, photos=0) as here:
        assert here.sync()["inserted"] == 3 * LISTINGS
        assert here.differences() == []


@pytest.mark.usefixtures("each_form")
@pytest.mark.parametrize("way", ["renewed:2", "refused:6"])
def test_quirk_2_cookies_that_change_also_change_the_proof_of_the_program(tmp_path: Path, way: str) -> None:
    proof = {"user_agent": "Agreed/1", "user_agent_password": SecretStr("agreed-On-this")}
    options = Options(
        personality="mls", listings=LISTINGS, photos=1, user_agents=["Agreed"], user_agent_password="agreed-On-this",
        faults=["cookie-name=RETS-Session-ID", f"cookie-changes={way}"],
    )  # fmt: skip
    with Simulator(options) as sim:
        here = Board(tmp_path, sim, proof)
        through(here)
        assert sim.control.stats()["struck"]["cookie-changes"] > 1
        logins = sim.control.stats()["logins"]
        assert logins > 3 if way.startswith("refused") else logins <= 4
