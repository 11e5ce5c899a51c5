"""The metadata of an invented MLS, and a server that gives them, or as much of them as a test lets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import msgspec

from shared.rets.schema.tables import ALIASES, TABLES, Table, chain
from shared.rets.schema.types import (
    Entry,
    Field,
    ForeignKey,
    Lookup,
    LookupType,
    ObjectKind,
    Resource,
    ResourceClass,
    SearchHelp,
    System,
    Update,
    UpdateField,
    ValidationExternal,
    ValidationExternalType,
    ValidationLookup,
    ValidationLookupType,
)
from tests.unit.rets_server import Asked, Say

STAMPS: dict[str, Any] = {"version": "1.04.00012", "date": "2024-03-05T14:00:00Z"}


def field(entry: str, name: str, kind: str = "Character", **more: Any) -> Field:
    return Field(metadata_entry_id=entry, system_name=name, data_type=kind, **more)


def listing_class(name: str, *more: Field) -> ResourceClass:
    fields = (
        field("F1", "ListingKey", maximum_length=20, standard_name="ListingID", searchable=True, unique=True),
        field("F2", "ModTime", "DateTime", searchable=True, mod_time_stamp=True),
        field("F3", "ListPrice", "Decimal", precision=2, interpretation="Currency", minimum="0", default=-1),
        field("F4", "Status", interpretation="Lookup", lookup_name="Status"),
        field("F5", "Extras", interpretation="LookupMulti", lookup_name="Extras", max_select=3),
        *more,
    )
    update = Update(
        update_name="Add",
        key_field="ListingKey",
        **STAMPS,
        fields=(UpdateField(metadata_entry_id="U1", system_name="ListPrice", sequence=1, attributes=("2", "4")),),
    )
    return ResourceClass(
        class_name=name,
        standard_name="ResidentialProperty",
        visible_name=f"{name} & more",
        table_version=STAMPS["version"],
        table_date=STAMPS["date"],
        update_version=STAMPS["version"],
        update_date=STAMPS["date"],
        class_time_stamp="ModTime",
        has_key_index=True,
        fields=fields,
        updates=(update,),
    )


def resource(name: str, key: str, *classes: ResourceClass, **more: Any) -> Resource:
    return Resource(
        resource_id=name, standard_name=name, key_field=key, class_count=len(classes), classes=classes,
        class_version=STAMPS["version"], class_date=STAMPS["date"], **more,
    )  # fmt: skip


PROPERTY = resource(
    "Property",
    "ListingKey",
    listing_class("RES", field("F6", "Beds", "Int")),
    listing_class("LND"),
    object_version="1.2.3",
    object_date=STAMPS["date"],
    objects=(
        ObjectKind(metadata_entry_id="O1", object_type="Photo", mime_type="image/jpeg", object_time_stamp="PhotoTime"),
        ObjectKind(metadata_entry_id="O2", object_type="Plat", mime_type="application/pdf", object_count="Plats"),
    ),
    lookup_version=STAMPS["version"],
    lookup_date=STAMPS["date"],
    lookups=(
        Lookup(
            metadata_entry_id="L1",
            lookup_name="Status",
            **STAMPS,
            values=(
                LookupType(metadata_entry_id="V1", value="A", long_value="Active", short_value="Act"),
                LookupType(metadata_entry_id="V2", value="P", long_value="Pending <soon>", short_value="Pend"),
            ),
        ),
        Lookup(
            lookup_name="Extras",
            **STAMPS,
            values=tuple(LookupType(value=code, long_value=text) for code, text in (("PL", "Pool"), ("GR", "Garage"))),
        ),
    ),
    search_help_version=STAMPS["version"],
    search_help_date=STAMPS["date"],
    search_helps=(SearchHelp(search_help_id="H1", value="In dollars"),),
    validation_lookup_version=STAMPS["version"],
    validation_lookup_date=STAMPS["date"],
    validation_lookups=(
        ValidationLookup(
            validation_lookup_name="School",
            parent1_field="City",
            **STAMPS,
            values=tuple(ValidationLookupType(valid_text="North", parent1_value=city) for city in ("ACT", "BAT")),
        ),
    ),
    validation_external_version=STAMPS["version"],
    validation_external_date=STAMPS["date"],
    validation_externals=(
        ValidationExternal(
            validation_external_name="Tax",
            search_resource="Tax",
            search_class="TAX",
            **STAMPS,
            types=(
                ValidationExternalType(
                    search_field=("Roll",), display_field=("Roll", "Owner"), result_fields=("TaxId=Roll", "Name=Owner")
                ),
            ),
        ),
    ),
)
AGENT = resource(
    "Agent",
    "AgentKey",
    ResourceClass(class_name="AGT", table_version="1", table_date="d", fields=(field("A1", "AgentKey"),)),
)
MLS = System(
    system_id="DEMO",
    system_description="Demo MLS",
    comments="Invented, all of it.",
    time_zone_offset="-05:00",
    **STAMPS,
    resources=(PROPERTY, AGENT),
    foreign_keys=(
        ForeignKey(foreign_key_id="K1", parent_resource_id="Property", parent_system_name="AgentKey",
                   child_resource_id="Agent", child_system_name="AgentKey"),
    ),
)  # fmt: skip


def _below(entry: Entry, kind: str) -> Iterator[tuple[Table, tuple[Entry, ...]]]:
    for table in TABLES.values():
        if table.parent == kind:
            yield table, getattr(entry, table.within)


def _columns(table: Table) -> list[str]:
    inside = {each.within for each in TABLES.values() if each.parent == table.kind}
    return [each.name for each in msgspec.structs.fields(table.entry) if each.name not in inside]


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case tuple():
            return ",".join(map(str, value))
    return str(value)


def _camel(name: str) -> str:
    return name.title().replace("_", "")


def _open(table: Table, parents: tuple[str, ...], above: Entry) -> str:
    stamps = {}
    if table.stamps is not None:
        stamps = {name: getattr(above, table.stamps + name, "") for name in ("version", "date")}
    named = dict(zip((_camel(each.names[0]) for each in chain(table.kind)), parents, strict=True))
    told = {**named, **{name.title(): value for name, value in stamps.items()}}
    return f"<{table.request}{''.join(f' {name}={quoteattr(value)}' for name, value in told.items())}>"


def _system(system: System, inside: str) -> str:
    stamps = f"Version={quoteattr(system.version)} Date={quoteattr(system.date)}"
    told = f"SystemID={quoteattr(system.system_id)} SystemDescription={quoteattr(system.system_description)}"
    zone = f"TimeZoneOffset={quoteattr(system.time_zone_offset)}"
    return f"<METADATA-SYSTEM {stamps}><SYSTEM {told} {zone}{inside}</METADATA-SYSTEM>"


def compact(system: System, wanted: Callable[[Table, tuple[str, ...]], bool] = lambda *_: True) -> str:
    """Containers one after another, as many as are ``wanted``."""

    def tables(entry: Entry, kind: str, parents: tuple[str, ...]) -> Iterator[str]:
        for table, entries in _below(entry, kind):
            columns = _columns(table)
            if entries and wanted(table, parents):
                yield _open(table, parents, entry)
                yield "<COLUMNS>\t" + "\t".join(map(_camel, columns)) + "\t</COLUMNS>\n"
                for each in entries:
                    values = [escape(_text(getattr(each, name))) for name in columns]
                    yield "<DATA>\t" + "\t".join(values) + "\t</DATA>\n"
                yield f"</{table.request}>\n"
            for each in entries:
                yield from tables(each, table.kind, (*parents, each.name) if table.names else parents)

    found = "".join(tables(system, "system", ()))
    if wanted(TABLES["system"], ()):
        found = _system(system, f"/><COMMENTS>{escape(system.comments)}</COMMENTS>") + found
    return found


REPEATED = {"search_field", "display_field", "result_fields"}
ITEMS = {"resource": "Resource", "class": "Class", "table": "Field", "lookup": "Lookup", "lookuptype": "LookupType"}


def standard(system: System, *, named: bool = True, old: bool = False) -> str:
    """Containers nested in their items. ``named``: whether they say their parents; ``old``: as in RETS 1.5."""

    def tables(entry: Entry, kind: str, parents: tuple[str, ...]) -> Iterator[str]:
        for table, entries in _below(entry, kind):
            if not entries:
                continue
            yield _open(table, parents, entry) if named else f"<{table.request}>"
            item = ITEMS.get(table.kind, "Item")
            if old and item in {"Lookup", "LookupType"}:
                item = "Lookup" if item == "LookupType" else "LookupType"
            for each in entries:
                yield f"<{item}>"
                for name in _columns(table):
                    value = getattr(each, name)
                    for part in value if name in REPEATED else [value]:
                        text = escape(_text(part))
                        if name == "result_fields":
                            target, _, source = text.partition("=")
                            text = f"\n <Source>{source}</Source>\n <Target>{target}</Target>\n"
                        yield f"<{_camel(name)}>{text}</{_camel(name)}>"
                yield from tables(each, table.kind, (*parents, each.name) if table.names else parents)
                yield f"</{item}>"
            yield f"</{table.request}>"

    inside = "".join(tables(system, "system", ()))
    if old:
        stamps = f"Version={quoteattr(system.version)} Date={quoteattr(system.date)}"
        told = f"<SystemID>{system.system_id}</SystemID><SystemDescription>{system.system_description}"
        told += f"</SystemDescription><Comments>{escape(system.comments)}</Comments>"
        return f"<METADATA><METADATA-SYSTEM {stamps}><System>{told}{inside}</System></METADATA-SYSTEM></METADATA>"
    inside = f"><Comments>{escape(system.comments)}</Comments>{inside}</SYSTEM>"
    return f"<METADATA>{_system(system, inside)}</METADATA>"


def rets(body: str, code: str = "0") -> str:
    return f'<RETS ReplyCode="{code}" ReplyText="x">{body}</RETS>'


def serving(
    system: System, refuse: Callable[[dict[str, str]], str | None] = lambda _: None
) -> Callable[[Asked], Say | None]:
    """A server of these metadata in COMPACT as the rules have it; ``refuse`` may give a code instead."""

    def answer(asked: Asked) -> Say | None:
        if asked.path != "/metadata":
            return None
        arguments = asked.arguments
        if code := refuse(arguments):
            return Say(rets("", code))
        kind = arguments["Type"].removeprefix("METADATA-").lower().replace("_", "")
        asked_for = ALIASES.get(kind, kind)
        *parents, last = arguments["ID"].split(":")
        deep = last == "*"
        if last not in {"0", "*"}:
            parents.append(last)

        def wanted(table: Table, above: tuple[str, ...]) -> bool:
            below = {asked_for} | ({each.kind for each in TABLES.values()} if deep else set())
            return table.kind in below and list(above[: len(parents)]) == parents

        if arguments["Format"] != "COMPACT":
            return Say(rets("", "20514"))
        body = compact(system, wanted)
        return Say(rets(body) if body else rets("", "20503"))

    return answer
