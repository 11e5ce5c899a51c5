"""A generic feed's metadata and rows, put into a store as its services would: with no MLS and no process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from shared.effects import Line, StoreRecord
from shared.mapping.mapping import load
from shared.mapping.spec import load_spec
from shared.rets.dmql.binding import Kind
from shared.rets.schema.types import Field, Lookup, LookupType, Resource, ResourceClass, System
from shared.rets.schema.values import ValueReader
from shared.sources.rets.plan import ClassPlan, Plan, make_plan
from shared.sources.rets.rows import RowReader
from shared.sources.rets.settings import KINDS, RetsSourceSettings
from shared.sources.rets.settings import Kind as Stored
from shared.store.base import Store
from shared.views.make import class_views
from shared.views.naming import quoted
from shared.views.spec import ClassView
from tests.contract.stores import RUN, Kit

FEED = "board"
KEY = Field(system_name="KEY", data_type="Character")
NAMES: dict[str, Stored] = {"Property": "property", "Agent": "member", "Office": "office", "OpenHouse": "open_house"}


def resource(name: str, classes: Mapping[str, Sequence[Field]], **more: Any) -> Resource:
    """A resource whose classes have the key ``KEY`` and these fields."""
    made = tuple(ResourceClass(class_name=each, fields=(KEY, *fields)) for each, fields in classes.items())
    return Resource(resource_id=name, key_field="KEY", classes=made, **more)


def planned(*resources: Resource, settings: RetsSourceSettings | None = None, **more: Any) -> Plan:
    return make_plan(System(resources=resources, **more), settings or RetsSourceSettings())


def lookup(name: str, *codes: str) -> Lookup:
    values = tuple(LookupType(value=code, long_value=f"{code} in words") for code in codes)
    return Lookup(lookup_name=name, values=values)


def views_of(plan: Plan, mapping: str = "rets") -> list[ClassView]:
    return class_views(plan, load_spec(mapping))


def make(store: Store, plan: Plan, feed: str = FEED) -> dict[tuple[str, str], str]:
    """Make the feed's views; their names."""
    made = store.views.make(feed, views_of(plan))
    assert made.in_use == []
    return store.views.names(feed)


def class_of(plan: Plan, resource: str, name: str) -> ClassPlan:
    return next(each for each in plan.resource(NAMES[resource]).classes if each.name == name)


def put(
    kit: Kit, plan: Plan, resource: str, name: str, rows: Sequence[Mapping[str, str]], feed: str = FEED,
    shows: Sequence[Mapping[str, str]] = (),
) -> None:  # fmt: skip
    """Store rows of a class as the server sent them; listings with the open houses ``shows``."""
    kind = NAMES[resource]
    assert kind in KINDS
    reader = RowReader(class_of(plan, resource, name), plan.resource(kind).lookups, plan.zone)
    houses = []
    if shows:
        (each,) = plan.resource("open_house").classes
        open_houses = RowReader(each, plan.resource("open_house").lookups, plan.zone)
        houses = [open_houses.open_house(show) for show in shows]
    effects = []
    for row in rows:
        source = reader.record(row, houses)
        mapped = load("rets").map(feed, kind, source)
        line = Line(mapped.key, stored=True, observed_at=1, stamp=source.stamp, hash=mapped.hash)
        effects.append(StoreRecord(mapped, [], source, line, insert=True))
    with kit.store.write() as tx:
        tx.records.apply(feed, kind, RUN, effects)


@contextmanager
def connected(kit: Kit) -> Iterator[Connection]:
    """A transaction of somebody else's."""
    engine = kit.backend.engine()
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def shown(kit: Kit, name: str) -> list[dict[str, Any]]:
    """Every row of a view, without what is NULL; values alike in every database."""
    with connected(kit) as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TimeZone = 'UTC'")
        found = [dict(row._mapping) for row in connection.exec_driver_sql(f"SELECT * FROM {quoted(name)}")]
    return [{column: value for column, value in row.items() if value is not None} for row in found]


def meant(plan: Plan, resource: str, name: str, row: Mapping[str, str]) -> dict[str, Any]:
    """A row's values by SystemName, as the metadata type them."""
    reader = ValueReader(class_of(plan, resource, name).described, plan.resource(NAMES[resource]).lookups,
                         zone=plan.zone, indicator="****")  # fmt: skip
    return reader.read(row).values


def plain(value: Any, kind: Kind) -> Any:
    """A value of a view, or of a reader, in one form."""
    match value:
        case datetime():
            return value.timestamp()
        case date() | time():
            return value.isoformat()
        case float() | int() | Decimal() if kind is Kind.NUMBER:
            return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        case str() if kind is Kind.DATETIME:
            return datetime.fromisoformat(value).timestamp()
        case str() if kind is Kind.LOOKUP_MULTI:
            return json.loads(value)
        case tuple():
            return list(value)
        case int() if kind is Kind.BOOLEAN:
            return bool(value)
    return value
