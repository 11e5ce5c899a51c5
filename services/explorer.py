"""Looking at an MLS as it is: its metadata, its records, what it says of itself. Nothing is stored."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from services.tabular import Form, rendered
from services.visit import visiting
from shared.rets.answer import Answer
from shared.rets.dmql.errors import DmqlError
from shared.rets.dmql.grammar import parse
from shared.rets.rows import RowsReader, in_some_format
from shared.rets.schema.fetch import fetch_metadata
from shared.rets.schema.types import Field, Lookup, Resource, ResourceClass, System
from shared.rets.search import FORMATS, Search, SearchFormat
from shared.rets.server_information import server_information
from shared.rets.session import RetsSession
from shared.settings import Settings, SettingsError
from shared.telemetry import escape

SECONDS = 600.0
"""How long a command may keep others from the session."""
FIELDS = ("system_name", "standard_name", "long_name", "data_type", "interpretation", "lookup_name", "maximum_length",
          "searchable", "required")  # fmt: skip


def metadata(settings: Settings, feed: str, resource: str | None, class_name: str | None, form: Form) -> str:
    """The tree of resources and classes; of a resource its classes, objects and lookups with their values; of a class
    its fields. Raises SourceError, SettingsError for what there is not."""
    with visiting(settings, feed, SECONDS) as (session, _):
        session.login()
        system = fetch_metadata(session).system
    if resource is None:
        return _tree(system, form)
    found = system.resource(resource)
    if found is None:
        raise SettingsError(
            f"there is no resource {resource}; there are {', '.join(each.name for each in system.resources)}"
        )
    if class_name is None:
        return _resource(found, form)
    described = system.resource_class(resource, class_name)
    if described is None:
        there = ", ".join(each.name for each in found.classes)
        raise SettingsError(f"{found.name} has no class {class_name}; it has {there}")
    if form is Form.json:
        return json.dumps(msgspec.to_builtins(described), indent=1)
    return rendered(FIELDS, [_texts(each, FIELDS) for each in described.fields], form)


def _tree(system: System, form: Form) -> str:
    if form is Form.json:
        return json.dumps(msgspec.to_builtins(system), indent=1)
    columns = ("resource", "key_field", "class", "standard_name", "fields", "timestamp")
    return rendered(columns, [_line(each, kind) for each in system.resources for kind in each.classes], form)


def _line(resource: Resource, kind: ResourceClass) -> dict[str, str]:
    return {
        "resource": resource.name, "key_field": resource.key_field, "class": kind.name,
        "standard_name": kind.standard_name, "fields": str(len(kind.fields)), "timestamp": kind.class_time_stamp,
    }  # fmt: skip


def _resource(resource: Resource, form: Form) -> str:
    """Classes, objects and the values of lookups, told apart by the first column."""
    if form is Form.json:
        return json.dumps(msgspec.to_builtins(resource), indent=1)
    rows = [
        *({"what": "class", "name": kind.name, "text": kind.visible_name} for kind in resource.classes),
        *({"what": "object", "name": each.object_type, "text": each.mime_type} for each in resource.objects),
        *(line for lookup in resource.lookups for line in _values(lookup)),
    ]
    return rendered(("what", "name", "value", "text"), rows, form)


def _values(lookup: Lookup) -> Iterator[dict[str, str]]:
    for each in lookup.values:
        yield {"what": "lookup", "name": lookup.lookup_name, "value": each.value, "text": each.long_value}


def search(
    settings: Settings, feed: str, resource: str, class_name: str, dmql: str, select: Sequence[str], limit: int,
    form: Form,
) -> tuple[str, str]:  # fmt: skip
    """The rows that a query finds, as the server writes them, and in words what there is besides.

    Without ``select`` every field that the metadata name. Raises SourceError, SettingsError.
    """
    try:
        query = parse(dmql)
    except DmqlError as error:
        raise SettingsError(f"the query: {error}") from None
    with visiting(settings, feed, SECONDS) as (session, _):
        session.login()
        described = functools.cache(lambda: _described(session, resource, class_name))
        shown = tuple(select) or tuple(each.system_name for each in described()[1].fields if each.system_name)
        if not shown:
            raise SettingsError(f"the metadata name no fields of {resource} {class_name}; name some by --select")

        def ask(which: SearchFormat) -> _Found:
            key, fields, wanted = "", tuple[Field, ...](), shown
            if which == "STANDARD-XML":  # records are known by their key alone
                key, fields = described()[0].key_field, described()[1].fields
                wanted = tuple(dict.fromkeys([key, *shown]))
            asked = Search(resource, class_name, query, wanted, which, limit=limit)

            def read(answer: Answer) -> _Found:
                reader = RowsReader(asked, key, fields)
                rows: list[Mapping[str, str]] = []
                for row in reader.stream(answer, session.mender):
                    if len(rows) < limit:
                        rows.append(row)
                return _Found(rows, reader.ended.total, reader.in_format)

            return session.ask("Search", asked.arguments(), read)

        chosen = settings.feeds[feed]
        others = [each for each in FORMATS if each != chosen.search_format and chosen.protocol == "rets"]
        found, _ = in_some_format([chosen.search_format, *others], ask, lambda found: found.in_format)
    total = "an unknown number" if found.total is None else found.total
    return rendered(shown, found.rows, form), f"{len(found.rows)} of {total}"


@dataclass(frozen=True, slots=True)
class _Found:
    rows: list[Mapping[str, str]]
    total: int | None
    in_format: bool


def _described(session: RetsSession, resource: str, class_name: str) -> tuple[Resource, ResourceClass]:
    system = fetch_metadata(session).system
    found, described = system.resource(resource), system.resource_class(resource, class_name)
    if found is None or described is None:
        raise SettingsError(f"the metadata name no class {class_name} of {resource}; see mlsync metadata")
    return found, described


def info(settings: Settings, feed: str, *, as_json: bool) -> str:
    """Who logged in, what the server offers, its notice and what it says of itself. Raises SourceError."""
    with visiting(settings, feed, SECONDS) as (session, _):
        session.login()
        capabilities = session.capabilities
        assert capabilities is not None
        parameters = server_information(session)
        user = capabilities.user
        found: dict[str, Any] = {
            "user": {"id": user.user_id, "level": user.level, "class": user.user_class, "agent": user.agent_code},
            "timeout_seconds": capabilities.timeout_seconds,
            "metadata_version": capabilities.values.get("metadataversion", ""),
            "metadata_timestamp": capabilities.values.get("metadatatimestamp", ""),
            "offers": dict(capabilities.offered()),
            "notice": session.action,
            "server_information": [msgspec.to_builtins(each) for each in parameters],
        }
    return json.dumps(found, indent=1) if as_json else "\n".join(_in_words(found))


def _in_words(found: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield f"{indent}{escape(name)}:"
            yield from _in_words(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{indent}{escape(name)}:"
            for item in value:
                yield f"{indent}  " + escape(" ".join(f"{key}={text}" for key, text in item.items() if text))
        elif value not in (None, ""):
            yield f"{indent}{escape(name)}: {escape(str(value))}"


def _texts(entry: msgspec.Struct, names: Sequence[str]) -> dict[str, str]:
    values = {name: getattr(entry, name) for name in names}
    return {name: "" if value is None else str(value) for name, value in values.items()}
