"""The simulated MLS's metadata drift, and what is searched by drifts with them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from services.simulator.control import ControlError
from services.simulator.main import Options, Simulator
from services.simulator.mls.schema import DRIFTS
from shared.rets.compact import CompactReader
from shared.rets.dmql.grammar import parse
from shared.rets.errors import RetsReplyError
from shared.rets.schema.difference import differences
from shared.rets.schema.fetch import fetch_metadata
from shared.rets.schema.types import System
from shared.rets.search import Search
from shared.rets.session import RetsSession
from shared.rets.settings import RetsSettings


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(Options(personality="mls", listings=20, photos=0, control=True)) as running:
        yield running


def session_at(sim: Simulator) -> RetsSession:
    return RetsSession(RetsSettings(sim.login_url, "demo", SecretStr("demo")), sleep=lambda _: None)


def rows(session: RetsSession, *select: str, query: str = "(LIST_KEY=0+)") -> list[dict[str, str]]:
    asked = Search("Property", "RES", parse(query), select)
    return session.ask(
        "Search", asked.arguments(), lambda answer: list(CompactReader().stream(answer.chunks(), session.mender()))
    )


def described(session: RetsSession) -> System:
    session.login()
    return fetch_metadata(session).system


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ("added", ["Property RES: field PARKING added", "Property RES: field MORE_INFO added"]),
        ("added+renamed", ["Property RES: field BEDS is now BEDROOMS", "Property RES: field PARKING added",
                           "Property RES: field INFO_LINK added"]),
        ("removed", ["Property RES: field HEAT removed"]),
        ("key", ["Property RES: field LIST_KEY is now LIST_ID"]),
        ("timestamp", ["Property LND: field MOD_TS removed"]),
        ("photos", ["Property RES: field PHOTO_CNT removed"]),
        ("class", ["Property: class LND removed"]),
        ("key+removed+restored", []),
    ],
)  # fmt: skip
def test_metadata_say_what_drifted(sim: Simulator, kinds: str, told: list[str]) -> None:
    session = session_at(sim)
    before = described(session)
    said = sim.control.drift(kinds)
    after = described(session)
    assert [str(each) for each in differences(before, after)] == told
    assert (after.version, after.date) == (said["version"], said["timestamp"])
    assert (after.version, after.date) != (before.version, before.date)
    session.logout()
    session.login()
    assert session.capabilities is not None
    assert session.capabilities.values["metadataversion"] == after.version
    session.logout()


def test_a_third_of_a_classs_fields_and_values_of_a_lookup(sim: Simulator) -> None:
    session = session_at(sim)
    before = described(session)
    sim.control.drift("third+lookups")
    told = [str(each) for each in differences(before, described(session))]
    assert sum(line.endswith(" removed") and " field " in line for line in told) == 9
    assert sum("lookup value" in line for line in told) == 3
    session.logout()


def test_searches_follow_at_once_and_refuse_what_is_gone(sim: Simulator) -> None:
    session = session_at(sim)
    before = rows(session, "LIST_KEY", "BEDS")
    sim.control.drift("renamed")
    with pytest.raises(RetsReplyError) as selected:
        rows(session, "LIST_KEY", "BEDS")
    with pytest.raises(RetsReplyError) as asked:
        rows(session, "LIST_KEY", query="(BEDS=1+)")
    assert (selected.value.code, asked.value.code) == ("20202", "20200")
    assert [row["BEDROOMS"] for row in rows(session, "LIST_KEY", "BEDROOMS")] == [row["BEDS"] for row in before]
    session.logout()


def test_the_switch_lets_them_drift_in_the_midst_of_searches(sim: Simulator) -> None:
    session = session_at(sim)
    sim.control.fault("metadata-drift", "renamed+added:2")
    assert rows(session, "BEDS")
    assert rows(session, "BEDS")
    with pytest.raises(RetsReplyError):
        rows(session, "BEDS")
    assert rows(session, "BEDROOMS", "PARKING")
    assert "metadata-drift" not in sim.control.fault("slow", "off")
    session.logout()


def test_drifts_are_asked_for_by_name(sim: Simulator) -> None:
    request = urllib.request.Request(f"{sim.base}/control/drift?kind=added", method="POST")
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["version"] == "1.0.13"
    wrong = urllib.request.Request(f"{sim.base}/control/drift?kind=nonsense", method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(wrong)
    told = refused.value.read().decode()
    assert all(name in told for name in DRIFTS)
    with pytest.raises(ControlError):
        sim.control.drift("added+nonsense")
