"""``mlsync query``: stored records by the MLS's own names, on either database, without asking it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from services.query import query
from services.tabular import Form
from shared.lookups import LookupValue, Metadata, MetadataVersion
from shared.rets.schema.document import document_of
from shared.rets.schema.types import Field, System
from shared.settings import FeedSettings, Settings, SettingsError
from shared.store.base import StoreError
from tests.contract.boards import FEED, lookup, make, planned, put, resource
from tests.contract.stores import Kit, PostgresBackend, SqliteBackend

FIELDS = (
    Field(system_name="MOD", standard_name="ModificationTimestamp", data_type="DateTime"),
    Field(system_name="PRICE", standard_name="ListPrice", data_type="Decimal"),
    Field(system_name="SOLD", data_type="Boolean"),
    Field(system_name="ON", standard_name="Listed", data_type="Date"),
    Field(system_name="EXTRAS", data_type="Character", interpretation="LookupMulti", lookup_name="Extras"),
    Field(system_name="NOTE", standard_name="Remark", data_type="Character"),
    Field(system_name="NOTE2", standard_name="Remark", data_type="Character"),
)
EXTRAS = lookup("Extras", "POOL", "SPA")
SYSTEM = System(
    version="1.0",
    resources=(
        resource("Property", {"RES": FIELDS, "LND": FIELDS}, lookups=(EXTRAS,)),
        resource("Agent", {"ALL": FIELDS[:1]}),
        resource("Office", {"ALL": FIELDS[:1]}),
    ),
)
BOARD = planned(*SYSTEM.resources)
ROWS: list[Mapping[str, str]] = [
    {"KEY": "1", "MOD": "2024-03-04T05:00:00.5Z", "PRICE": "500000", "SOLD": "1", "ON": "2024-03-04",
     "EXTRAS": "SPA,POOL", "NOTE": "=1+1"},
    {"KEY": "2", "MOD": "2024-03-05T05:00:00Z", "PRICE": "600000.50", "SOLD": "N", "NOTE": "plain"},
    {"KEY": "3", "PRICE": "700000"},
]  # fmt: skip


def settings(kit: Kit, **feed: Any) -> Settings:
    assert isinstance(kit.backend, SqliteBackend | PostgresBackend)
    url = f"sqlite:///{kit.backend.path}" if isinstance(kit.backend, SqliteBackend) else kit.backend.url
    chosen = {"protocol": "rets", "login_url": "http://127.0.0.1:1/login", "username": "u"} | feed
    return Settings(database_url=url, feeds={FEED: FeedSettings(password=SecretStr("p"), **chosen)})


@pytest.fixture
def filled(kit: Kit) -> Settings:
    kit.store.metadata.keep(FEED, document_of(SYSTEM))
    make(kit.store, BOARD)
    texts = [LookupValue(each.value, each.long_value) for each in EXTRAS.values]
    kit.store.lookups.read(FEED, MetadataVersion("1.0"), Metadata({("property", "Extras"): texts}))
    put(kit, BOARD, "Property", "RES", ROWS)
    put(kit, BOARD, "Agent", "ALL", [{"KEY": "a"}])
    return settings(kit)


def rows(filled: Settings, class_name: str, dmql: str, *select: str, limit: int = 10) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(query(filled, FEED, class_name, dmql, select, limit, Form.json)[0])
    return found


def test_values_read_the_same_in_every_database(filled: Settings) -> None:
    assert rows(filled, "RES", "(KEY=1,2)") == [
        {"KEY": "1", "MOD": "2024-03-04T05:00:00.500000Z", "PRICE": "500000", "SOLD": "true", "ON": "2024-03-04",
         "EXTRAS": "SPA,POOL", "NOTE": "=1+1", "NOTE2": ""},
        {"KEY": "2", "MOD": "2024-03-05T05:00:00Z", "PRICE": "600000.5", "SOLD": "false", "ON": "", "EXTRAS": "",
         "NOTE": "plain", "NOTE2": ""},
    ]  # fmt: skip


def test_fields_are_named_by_either_name_and_shown_as_asked_for(filled: Settings) -> None:
    found = rows(filled, "res", "(ListPrice=600000+),~(PRICE=700000)", "ListPrice", "KEY", "ListPrice")
    assert found == [{"ListPrice": "600000.5", "KEY": "2"}]
    assert rows(filled, "RES", "(EXTRAS=+POOL,SPA)", "EXTRAS_decoded") == [
        {"EXTRAS_decoded": "SPA in words,POOL in words"}
    ]


def test_no_more_rows_than_asked_for_and_how_many_there_are(filled: Settings) -> None:
    text, said = query(filled, FEED, "RES", "(KEY=*)", ["KEY"], 2, Form.table)
    assert (text.split(), said) == (["KEY", "1", "2"], "2 of 3")


def test_no_cell_of_csv_is_a_formula(filled: Settings) -> None:
    text, _ = query(filled, FEED, "RES", "(KEY=1)", ["NOTE"], 2, Form.csv)
    assert list(csv.reader(io.StringIO(text))) == [["NOTE"], ["'=1+1"]]


def test_a_class_that_two_resources_have_is_named_with_its_resource(filled: Settings) -> None:
    with pytest.raises(SettingsError, match="Agent:ALL, Office:ALL"):
        rows(filled, "ALL", "(KEY=*)")
    assert rows(filled, "agent:ALL", "(KEY=*)", "KEY") == [{"KEY": "a"}]
    assert rows(filled, "Office:all", "(KEY=*)", "KEY") == []


@pytest.mark.parametrize(
    ("class_name", "dmql", "select", "said"),
    [
        ("XXX", "(KEY=1)", [], "there is no class XXX; there are Property:RES"),
        ("RES", "(KEY=", [], "the query"),
        ("RES", "(NOPE=1)", [], "no field NOPE"),
        ("RES", "(Remark=1)", [], "no field Remark"),  # two have that StandardName
        ("RES", "(EXTRAS=GARAGE)", [], "EXTRAS has no value 'GARAGE'"),
        ("RES", "(PRICE=much)", [], "'much' is not a number"),
        ("RES", "(KEY=1)", ["NOPE"], "--select NOPE"),
    ],
)
def test_what_cannot_be_asked_is_said(
    filled: Settings, class_name: str, dmql: str, select: list[str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        rows(filled, class_name, dmql, *select)


def test_before_the_first_sync_there_is_nothing_to_ask(kit: Kit) -> None:
    with pytest.raises(StoreError, match="mlsync sync board"):
        rows(settings(kit), "RES", "(KEY=1)")
    kit.store.metadata.keep(FEED, document_of(SYSTEM))
    with pytest.raises(StoreError, match="mlsync sync board"):
        rows(settings(kit), "RES", "(KEY=1)")


def test_a_feed_of_the_ddf_has_no_classes(kit: Kit) -> None:
    with pytest.raises(SettingsError, match="has no classes"):
        rows(settings(kit, protocol="ddf"), "RES", "(KEY=1)")
