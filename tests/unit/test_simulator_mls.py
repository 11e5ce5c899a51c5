"""The simulator as an MLS such as any board may run: our client reads it by nothing but what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from services.simulator.main import Options, Simulator
from shared.rets.answer import Answer
from shared.rets.compact import CompactReader
from shared.rets.dmql.grammar import parse
from shared.rets.errors import RetsReplyError
from shared.rets.login import User
from shared.rets.metadata import MetadataReader
from shared.rets.objects import ObjectRequest, read_all
from shared.rets.records import RecordReader
from shared.rets.schema.assemble import Assembler
from shared.rets.schema.fetch import fetch_metadata
from shared.rets.schema.tables import KINDS
from shared.rets.schema.types import System
from shared.rets.schema.values import Typed, ValueReader
from shared.rets.search import Ending, Search, SearchFormat, ending
from shared.rets.session import RetsSession
from shared.rets.settings import RetsSettings

LISTINGS = 40


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(Options(personality="mls", listings=LISTINGS, photos=2)) as running:
        yield running


@pytest.fixture(scope="module")
def session(sim: Simulator) -> Iterator[RetsSession]:
    opened = RetsSession(RetsSettings(sim.login_url, "demo", SecretStr("demo")), sleep=lambda _: None)
    yield opened
    opened.logout()


@pytest.fixture(scope="module")
def system(session: RetsSession) -> System:
    return fetch_metadata(session).system


def ask(session: RetsSession, search: Search) -> tuple[list[dict[str, str]], Ending]:
    def read(answer: Answer) -> tuple[list[dict[str, str]], Ending]:
        reader = CompactReader()
        rows = list(reader.stream(answer.chunks(), session.mender()))
        answer.reply = reader.reply
        return rows, ending(reader, len(rows), search)

    return session.ask("Search", search.arguments(), read)


def typed(session: RetsSession, system: System, name: str, query: str, **more: Any) -> list[Typed]:
    described = system.resource_class("Property", name)
    resource = system.resource("Property")
    assert described is not None
    assert resource is not None
    fields = tuple(field.system_name for field in described.fields)
    rows, ended = ask(session, Search("Property", name, parse(query), fields, **more))
    assert ended == Ending(len(rows), len(rows), more=False)
    reader = ValueReader(described, resource.lookups, decoded=more.get("format") == "COMPACT-DECODED")
    found = [reader.read(row) for row in rows]
    assert not any(item.misfits or item.unknown for item in found)
    return found


def test_metadata_come_whole_in_one_request(session: RetsSession, system: System) -> None:
    assert [resource.name for resource in system.resources] == ["Property", "Agent", "Office", "OpenHouse"]
    assert [each.name for each in system.resources[0].classes] == ["RES", "LND", "COM"]
    assert fetch_metadata(session).requests <= 6
    for resource in system.resources:
        for described in resource.classes:
            names = {field.system_name for field in described.fields}
            assert {resource.key_field, described.class_time_stamp} <= names
    assert len(system.foreign_keys) == 3


@pytest.mark.parametrize("whole", [True, False])
def test_both_formats_and_ways_of_asking_give_the_same_metadata(
    session: RetsSession, system: System, whole: bool
) -> None:
    assert fetch_metadata(session, first="STANDARD-XML", whole=whole).system == system
    assert fetch_metadata(session, whole=whole).system == system


def test_the_three_classes_share_all_listings(session: RetsSession, system: System) -> None:
    found = {name: typed(session, system, name, "(LIST_KEY=0+)") for name in ("RES", "LND", "COM")}
    keys = [item.values["LIST_KEY"] for items in found.values() for item in items]
    assert len(keys) == len(set(keys)) == LISTINGS
    assert all(found.values())
    assert all("BEDS" not in item.values for item in found["LND"])


@pytest.mark.parametrize("form", ["COMPACT", "COMPACT-DECODED"])
def test_queries_find_what_their_values_say(session: RetsSession, system: System, form: SearchFormat) -> None:
    everything = typed(session, system, "RES", "(LIST_KEY=*)", format=form)
    prices = sorted(item.values["PRICE"] for item in everything if "PRICE" in item.values)
    middle = prices[len(prices) // 2]
    assert isinstance(middle, Decimal)
    for query, holds in (
        (f"(PRICE={middle}+)", lambda v: v.get("PRICE", -1) >= middle),
        ("~(TRANS=|ForSale)", lambda v: v.get("TRANS") != "ForSale"),
        ("(FEATURES=|Treed,Level)", lambda v: {"Treed", "Level"} & set(v.get("FEATURES", ()))),
        ("(CITY=M*)|(BEDS=3+)", lambda v: v.get("CITY", "").startswith("M") or v.get("BEDS", 0) >= 3),
        ("(LEASE=.EMPTY.)", lambda v: "LEASE" not in v),
        ("(MOD_TS=2024-01-01T00:00:00Z+)", lambda v: v["MOD_TS"] >= datetime.fromisoformat("2024-01-01T00:00:00Z")),
    ):
        wanted = [item for item in everything if holds(item.values)]
        assert 0 < len(wanted) < len(everything) or query.startswith("(MOD"), query
        if wanted:
            assert typed(session, system, "RES", query, format=form) == wanted


def test_standard_names_apply_to_everything(session: RetsSession) -> None:
    query = parse("(ListPrice=0+),(StateOrProvince=.ANY.)")
    search = Search(
        "Property", "ResidentialProperty", query, ("ListingKey", "ListPrice"), standard_names=True, limit=2, offset=2
    )
    rows, ended = ask(session, search)
    assert [set(row) for row in rows] == [{"ListingKey", "ListPrice"}] * 2
    assert ended.more
    assert ended.doubt == ""


def test_standard_xml(session: RetsSession) -> None:
    search = Search("Property", "RES", parse("(LIST_KEY=0+)"), format="STANDARD-XML", limit=3)
    reader = RecordReader("ResidentialProperty", key="LIST_KEY", stamp="MOD_TS")
    with session.search(search.arguments()) as answer:
        records = list(reader.read(answer.chunks(), session.mender()))
    assert len(records) == 3
    assert all(record.key == record.fields["LIST_KEY"] and record.stamp for record in records)
    assert reader.maxrows


@pytest.mark.parametrize("resource", ["Agent", "Office", "OpenHouse"])
def test_other_resources(session: RetsSession, system: System, resource: str) -> None:
    found = system.resource(resource)
    assert found is not None
    (described,) = found.classes
    keys = (found.key_field, described.class_time_stamp)
    rows, ended = ask(session, Search(resource, described.name, parse(f"({found.key_field}=0+)"), keys))
    assert rows
    assert len({row[found.key_field] for row in rows}) == ended.total == len(rows)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Query": "(NOPE=1)"}, "20200"),
        ({"Query": "(TRANS=|Nope)"}, "20200"),
        ({"Query": "(PRICE=cheap)"}, "20206"),
        ({"Query": "PRICE=1"}, "20206"),
        ({"Query": ""}, "20206"),
        ({"Select": "LIST_KEY,NOPE"}, "20202"),
        ({"Class": "XXX"}, "20203"),
        ({"SearchType": "Tax"}, "20203"),
        ({"QueryType": "SQL"}, "20203"),
        ({"Limit": "0"}, "20203"),
        ({"Format": "COMPACT:1"}, "20514"),
    ],
)
def test_what_is_asked_wrongly_is_refused(session: RetsSession, change: dict[str, str], code: str) -> None:
    arguments = Search("Property", "RES", parse("(LIST_KEY=0+)"), ("LIST_KEY",)).arguments()
    with pytest.raises(RetsReplyError) as caught, session.search(arguments | change):
        pass
    assert caught.value.code == code


def test_nothing_found_is_empty(session: RetsSession) -> None:
    rows, ended = ask(session, Search("Property", "RES", parse("(CITY=Atlantis)"), ("LIST_KEY",)))
    assert (rows, ended) == ([], Ending(0, 0, more=False))


def test_dmql_of_old(session: RetsSession) -> None:
    arguments = Search("Property", "RES", parse("(BEDS=1+),(BEDS=9-)"), ("LIST_KEY",)).arguments()
    with session.search(arguments | {"QueryType": "DMQL"}) as answer:
        assert answer.reply is not None
        assert answer.reply.code == "0"


def test_photos_by_the_key_of_the_listing(session: RetsSession) -> None:
    rows, _ = ask(session, Search("Property", "RES", parse("(PHOTO_CNT=1+)"), ("LIST_KEY", "PHOTO_CNT")))
    key, count = rows[0]["LIST_KEY"], int(rows[0]["PHOTO_CNT"])
    with session.get_object(ObjectRequest("Property", "Photo", {key: ()}).arguments()) as answer:
        objects = list(read_all(answer, [key]))
    assert [item.content_type for item in objects] == ["image/jpeg"] * count


@pytest.mark.parametrize("version", ["RETS/1.5", "RETS/1.7.2", "RETS/1.8"])
def test_each_version_has_its_login(sim: Simulator, system: System, version: str) -> None:
    session = RetsSession(RetsSettings(sim.login_url, "demo", SecretStr("demo"), rets_version=version))
    try:
        session.login()
        told = session.capabilities
        assert told is not None
        assert told.user == User("demo", "4", "AGENT", "A-77")
        assert told.timeout_seconds == 1800
        assert told.values["metadataversion"] == system.version
        assert ("minmetadatatimestamp" in told.values) == (version != "RETS/1.5")
        arguments = {"Type": "METADATA-SYSTEM", "ID": "*", "Format": "STANDARD-XML"}
        assembler = Assembler()
        with session.get_metadata(arguments) as answer:
            body = b"".join(answer.chunks())
        assembler.add(MetadataReader(KINDS).read([body], session.mender()))
        assert assembler.system().resources == system.resources
        assert (b"<System>" in body) == (version == "RETS/1.5")
    finally:
        session.logout()


def test_a_day_passes_here_too(system: System) -> None:
    with Simulator(Options(personality="mls", listings=LISTINGS, photos=0)) as own:
        session = RetsSession(RetsSettings(own.login_url, "demo", SecretStr("demo")))
        before = {row["LIST_KEY"]: row["MOD_TS"] for row in _stamps(session)}
        own.control.advance(20)
        after = {row["LIST_KEY"]: row["MOD_TS"] for row in _stamps(session)}
        session.logout()
    assert before != after
    assert any(after[key] != stamp for key, stamp in before.items() if key in after)


def _stamps(session: RetsSession) -> list[dict[str, str]]:
    rows, _ = ask(session, Search("Property", "RES", parse("(LIST_KEY=0+)"), ("LIST_KEY", "MOD_TS")))
    return rows
