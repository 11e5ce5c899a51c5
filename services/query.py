"""Records of a generic feed as they are stored, found by a query in the MLS's own language and names. Asks no MLS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from services.app import rets_state
from services.operator import opened
from services.tabular import Form, rendered
from services.views import Described, described
from shared.mapping.spec import load_spec
from shared.rets.dmql.binding import Field, Kind, bind
from shared.rets.dmql.errors import DmqlError
from shared.rets.dmql.grammar import parse
from shared.rets.schema.kinds import askable
from shared.settings import Settings, SettingsError
from shared.store.base import StoreError
from shared.views.make import class_views
from shared.views.spec import ClassView


def query(
    settings: Settings, feed: str, class_name: str, dmql: str, select: Sequence[str], limit: int, form: Form
) -> tuple[str, str]:
    """The rows that a query finds in a class, and in words how many there are.

    Fields are named by SystemName or StandardName, in ``select`` also by column of the class's view; without it every
    field is shown. Raises SettingsError, SourceError, StoreError.
    """
    chosen = settings.feeds[feed]
    if chosen.protocol != "rets":
        raise SettingsError(
            f"feeds.{feed}.protocol is {chosen.protocol}, which has no classes; ask its tables by SQL, see "
            "docs/data-dictionary.md"
        )
    try:
        parsed = parse(dmql)
    except DmqlError as error:
        raise SettingsError(f"the query: {error}") from None
    with opened(settings) as store:
        found = described(store, feed, rets_state(chosen).settings)
        if found is None:
            raise StoreError(f"nothing is stored of {feed} yet; mlsync sync {feed} reads it")
        view = _chosen(class_views(found.plan, load_spec(chosen.mapping)), found, class_name)
        name = store.views.names(feed).get((view.resource, view.class_name))
        if name is None:
            raise StoreError(f"the class has no view yet; mlsync sync {feed} makes it")
        aliases = _aliases(view, found)
        columns = _columns(view, aliases, select)
        fields = _fields(view, found, aliases)
        try:
            bound = bind(parsed, fields, now=datetime.now(UTC), zone=found.plan.zone)
            rows, total = store.views.find(name, view, bound, aliases, [column for _, column in columns], limit)
        except DmqlError as error:
            raise SettingsError(f"the query: {error}") from None
    kinds = {column.name: column.kind for column in view.columns}
    several = {column.decoded for column in view.columns if column.kind is Kind.LOOKUP_MULTI}
    shown = [
        {
            asked: _written(value, kinds.get(column, Kind.LOOKUP_MULTI if column in several else Kind.CHARACTER))
            for (asked, column), value in zip(columns, row, strict=True)
        }
        for row in rows
    ]
    return rendered([asked for asked, _ in columns], shown, form), f"{len(rows)} of {total}"


def _chosen(views: Sequence[ClassView], found: Described, asked: str) -> ClassView:
    """The class of this name; ``RESOURCE:CLASS`` where several resources have one."""
    resource, _, name = asked.rpartition(":")
    fitting = [
        view
        for view in views
        if name.lower() in _names(found, view.resource, view.class_name)
        and (not resource or resource.lower() in _names(found, view.resource))
    ]
    exact = [view for view in fitting if view.class_name == name] or fitting
    if len(exact) == 1:
        return exact[0]
    if exact:
        there = ", ".join(f"{view.resource}:{view.class_name}" for view in exact)
        raise SettingsError(f"several classes are called {asked}; give one of {there}")
    there = ", ".join(f"{view.resource}:{view.class_name}" for view in views)
    raise SettingsError(f"there is no class {asked}; there are {there}")


def _names(found: Described, resource: str, class_name: str | None = None) -> set[str]:
    """Of a resource, or a class of it: its name and its StandardName, letters' case aside."""
    entry = found.system.resource(resource) if class_name is None else found.system.resource_class(resource, class_name)
    return {entry.name.lower(), entry.standard_name.lower()} if entry is not None else set()


def _aliases(view: ClassView, found: Described) -> dict[str, str]:
    """Columns of the view by every name that a query may use. A StandardName that two fields have is nobody's."""
    columns = {column.system_name: column.name for column in view.columns}
    standard: dict[str, list[str]] = {}
    for field in _described(view, found):
        if field.standard_name and field.system_name in columns:
            standard.setdefault(field.standard_name, []).append(columns[field.system_name])
    return {name: names[0] for name, names in standard.items() if len(set(names)) == 1} | columns


def _described(view: ClassView, found: Described) -> Sequence[Any]:
    return next(
        each.described.fields
        for plan in found.plan.resources.values()
        for each in plan.classes
        if (each.resource, each.name) == (view.resource, view.class_name)
    )


def _fields(view: ClassView, found: Described, aliases: Mapping[str, str]) -> dict[str, Field]:
    """What a query may ask for, with the values of lookups: a wrong one is an error rather than no row."""
    plan = next(plan for plan in found.plan.resources.values() if plan.kind == view.kind)
    class_ = next(each for each in plan.classes if each.name == view.class_name)
    by_system = askable(class_.described, plan.lookups)
    names = {column.name: column.system_name for column in view.columns}
    return {alias: by_system[names[column]] for alias, column in aliases.items()}


def _columns(view: ClassView, aliases: Mapping[str, str], select: Sequence[str]) -> list[tuple[str, str]]:
    """What is shown: the name as it was asked for, and the column."""
    if not select:
        return [(column.system_name, column.name) for column in view.columns]
    named = {column.name: column.name for column in view.columns}
    named |= {column.decoded: column.decoded for column in view.columns if column.decoded}
    named |= {view.restricted: view.restricted} | dict(aliases)
    unknown = [name for name in select if name not in named]
    if unknown:
        raise SettingsError(f"--select {unknown[0]}: {view.class_name} has no such field; see mlsync metadata")
    return [(name, named[name]) for name in dict.fromkeys(select)]


def _written(value: Any, kind: Kind) -> str:
    """The same text whatever database it comes from."""
    match value:
        case None:
            return ""
        case _ if kind is Kind.BOOLEAN:
            return "true" if value else "false"
        case float() | Decimal():
            text = format(Decimal(repr(value)) if isinstance(value, float) else value, "f")
            return text.rstrip("0").rstrip(".") if "." in text else text
        case date() | time():
            return value.isoformat()
        case str() if kind is Kind.LOOKUP_MULTI:
            return ",".join(msgspec.json.decode(value, type=list[str]))
        case list():
            return ",".join(map(str, value))
    return str(value)
