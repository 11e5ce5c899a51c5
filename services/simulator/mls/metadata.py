"""GetMetadata of this MLS: every type that it has, in COMPACT and STANDARD-XML (RETS 1.7.2 §11, §12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..answers import Answer, Call, RefusedError, envelope
from ..faults import Faults
from ..formats import escape
from .schema import Schema
from .tables import OBJECTS, OTHER_TYPES, RESOURCES, Class, Column

_ITEMS = {"RESOURCE": "Resource", "CLASS": "Class", "TABLE": "Field", "OBJECT": "Object", "LOOKUP": "Lookup",
          "LOOKUP_TYPE": "LookupType", "FOREIGN_KEYS": "ForeignKey"}  # fmt: skip
_UNKNOWN = ("SEARCH_HELP", "EDITMASK", "UPDATE", "UPDATE_TYPE", "UPDATE_HELP", "VALIDATION_LOOKUP",
            "VALIDATION_LOOKUP_TYPE", "VALIDATION_EXPRESSION", "VALIDATION_EXTERNAL", "VALIDATION_EXTERNAL_TYPE",
            "FILTER", "FILTER_TYPE")  # fmt: skip
_OLD_NAMES = {"Lookup": "LookupType", "LookupType": "Lookup"}


@dataclass(frozen=True, slots=True)
class _Item:
    columns: Mapping[str, str]
    below: list[_Table] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Table:
    kind: str
    parents: Mapping[str, str]
    items: list[_Item]


def get_metadata(call: Call, schema: Schema, faults: Faults) -> Answer:
    """Answer a GetMetadata. Raises RefusedError with 20500 to 20503 or 20513."""
    kind = call.get("type").upper().removeprefix("METADATA-")
    if kind in _UNKNOWN:
        raise RefusedError(20503, "No Metadata Found")
    if kind != "SYSTEM" and kind not in _ITEMS:
        raise RefusedError(20501, "Invalid Type")
    form = call.get("format", "STANDARD-XML").upper().partition(":")[0]
    only = (faults.on("one-format") or "").removesuffix("-DECODED")
    if form not in ({only} if only else {"COMPACT", "STANDARD-XML"}):
        raise RefusedError(20513, f"Format must be {only or 'COMPACT or STANDARD-XML'}")
    *parents, last = (call.get("id") or "0").split(":")
    if last not in {"0", "*"}:
        parents.append(last)
    tree = _tree(schema)
    found = [table for table in _all(tree) if kind != "SYSTEM" and table.kind == kind and _is_below(table, parents)]
    _check(kind, parents, found)
    compact = form == "COMPACT"
    deep, old = last == "*", call.version.startswith("RETS/1.5")
    if kind == "SYSTEM":
        body = _system(schema, tree if deep else [], compact, old)
    elif compact:
        body = "".join(_compact(each, schema) for table in found for each in (_all([table]) if deep else [table]))
    else:
        body = "".join(_standard(table, schema, deep, old) for table in found)
    return Answer(envelope(0, "Success", f"\n{body}" if compact else f"\n<METADATA>\n{body}</METADATA>\n"))


def _check(kind: str, parents: list[str], found: list[_Table]) -> None:
    if kind in {"SYSTEM", "RESOURCE", "FOREIGN_KEYS"}:
        if parents:
            raise RefusedError(20502, "Invalid Identifier: use 0 or *")
    elif parents and parents[0] not in RESOURCES:
        raise RefusedError(20500, "Invalid Resource")
    elif not found:
        raise RefusedError(20502 if len(parents) > 1 else 20503, "No Metadata Found")


def _is_below(table: _Table, parents: list[str]) -> bool:
    return list(table.parents.values())[: len(parents)] == parents


def _all(tables: list[_Table]) -> Iterator[_Table]:
    for table in tables:
        yield table
        for item in table.items:
            yield from _all(item.below)


def _tree(schema: Schema) -> list[_Table]:
    stamps = {"Version": schema.edition.version, "Date": schema.edition.date}
    resources = [_resource(name, schema, stamps) for name in RESOURCES]
    keys = [
        _Item({"ForeignKeyID": f"FK{number}", "ParentResourceID": parent, "ParentSystemName": name,
               "ChildResourceID": child, "ChildSystemName": name})
        for number, (parent, child, name) in enumerate(
            (("Property", "Agent", "AGENT_KEY"), ("Agent", "Office", "OFFICE_KEY"),
             ("OpenHouse", "Property", "LIST_KEY")), 1
        )
    ]  # fmt: skip
    return [_Table("RESOURCE", {}, resources), _Table("FOREIGN_KEYS", {}, keys)]


def _resource(name: str, schema: Schema, stamps: Mapping[str, str]) -> _Item:
    described = schema.of(name)
    parents = {"Resource": name}
    below = [_Table("CLASS", parents, [_class(each, stamps) for each in described])]
    if name in OBJECTS:
        below.append(_Table("OBJECT", parents, [_object(schema, name, kind) for kind in OBJECTS[name]]))
    if schema.lookups(name):
        below.append(_Table("LOOKUP", parents, [_lookup(name, each, schema, stamps) for each in schema.lookups(name)]))
    kinds = {table.kind: table for table in below}
    told: dict[str, str] = {}
    for kind, label in (("CLASS", "Class"), ("OBJECT", "Object"), ("LOOKUP", "Lookup")):
        told |= {f"{label}{part}": stamps[part] if kind in kinds else "" for part in ("Version", "Date")}
    columns = {"ResourceID": name, "StandardName": name, "VisibleName": name, "Description": f"{name} records",
               "KeyField": schema.keys[name], "ClassCount": str(len(described)), **told}  # fmt: skip
    return _Item(columns, below)


def _class(kind: Class, stamps: Mapping[str, str]) -> _Item:
    parents = {"Resource": kind.resource, "Class": kind.name}
    fields = [_Item(_field(column, column is kind.columns[0])) for column in kind.columns]
    columns = {"ClassName": kind.name, "StandardName": kind.standard_name, "VisibleName": kind.standard_name,
               "Description": f"{kind.standard_name} records", "TableVersion": stamps["Version"],
               "TableDate": stamps["Date"], "ClassTimeStamp": "MOD_TS", "HasKeyIndex": "1"}  # fmt: skip
    return _Item(columns, [_Table("TABLE", parents, fields)])


def _field(column: Column, key: bool) -> dict[str, str]:
    decimal = column.data_type == "Decimal"
    return {
        "MetadataEntryID": column.entry,
        "SystemName": column.system_name,
        "StandardName": column.standard_name,
        "LongName": column.standard_name,
        "MaximumLength": "" if decimal or not column.size else str(column.size),
        "DataType": column.data_type,
        "Precision": str(column.size) if decimal else "",
        "Searchable": "1",
        "Interpretation": ("LookupMulti" if column.several else "Lookup") if column.lookup else "",
        "LookupName": column.lookup,
        "Unique": "1" if key else "0",
        "ModTimeStamp": "1" if column.system_name == "MOD_TS" else "0",
        "InKeyIndex": "1" if key or column.system_name in {"MOD_TS", "PHOTO_TS", "LOGO_TS"} else "0",
    }


def _object(schema: Schema, resource: str, kind: str) -> _Item:
    names = {column.system_name for each in schema.of(resource) for column in each.columns}
    stamps, counts = (("MOD_TS",), ()) if kind in OTHER_TYPES else (("PHOTO_TS", "LOGO_TS"), ("PHOTO_CNT",))
    stamp, count = (next((name for name in wanted if name in names), "") for wanted in (stamps, counts))
    return _Item({"MetadataEntryID": f"{resource}{kind}", "ObjectType": kind,
                  "MIMEType": OTHER_TYPES.get(kind, "image/jpeg"), "VisibleName": kind, "Description": kind,
                  "ObjectTimeStamp": stamp, "ObjectCount": count})  # fmt: skip


def _lookup(resource: str, name: str, schema: Schema, stamps: Mapping[str, str]) -> _Item:
    values = [
        _Item({"MetadataEntryID": f"{name}.{code}", "LongValue": text[0], "ShortValue": text[0][:20], "Value": code})
        for code, text in schema.values(name)
    ]
    columns = {"MetadataEntryID": f"L{name}", "LookupName": name, "VisibleName": name, **stamps}
    return _Item(columns, [_Table("LOOKUP_TYPE", {"Resource": resource, "Lookup": name}, values)])


def _system(schema: Schema, tree: list[_Table], compact: bool, old: bool) -> str:
    opening = f"<METADATA-SYSTEM {schema.edition.stamps}>\n"
    told = {"SystemID": "DEMO", "SystemDescription": "Demo MLS (simulated)"}
    attributes = "".join(f' {name}="{value}"' for name, value in (told | {"TimeZoneOffset": "+00:00"}).items())
    close = "</METADATA-SYSTEM>\n"
    if compact:
        nested = "".join(_compact(table, schema) for table in _all(tree))
        return f"{opening}<SYSTEM{attributes}/>\n<COMMENTS>Invented.</COMMENTS>\n{close}{nested}"
    nested = "".join(_standard(table, schema, True, old) for table in tree)
    if old:
        leaves = "".join(f"<{name}>{value}</{name}>" for name, value in told.items())
        return f"{opening}<System>{leaves}<Comments>Invented.</Comments>{nested}</System>\n{close}"
    return f"{opening}<SYSTEM{attributes}><Comments>Invented.</Comments>{nested}</SYSTEM>\n{close}"


def _opening(table: _Table, schema: Schema) -> str:
    parents = "".join(f' {name}="{escape(value)}"' for name, value in table.parents.items())
    return f"<METADATA-{table.kind}{parents} {schema.edition.stamps}>\n"


def _compact(table: _Table, schema: Schema) -> str:
    names = list(table.items[0].columns)
    rows = "".join(
        "<DATA>\t" + "\t".join(escape(item.columns[name]) for name in names) + "\t</DATA>\n" for item in table.items
    )
    columns = "<COLUMNS>\t" + "\t".join(names) + "\t</COLUMNS>\n"
    return f"{_opening(table, schema)}{columns}{rows}</METADATA-{table.kind}>\n"


def _standard(table: _Table, schema: Schema, deep: bool, old: bool) -> str:
    name = _ITEMS[table.kind]
    name = _OLD_NAMES.get(name, name) if old else name
    rows = []
    for item in table.items:
        leaves = "".join(f"<{column}>{escape(value)}</{column}>" for column, value in item.columns.items())
        nested = "".join(_standard(each, schema, deep, old) for each in item.below) if deep else ""
        rows.append(f"<{name}>{leaves}{nested}</{name}>\n")
    return f"{_opening(table, schema)}{''.join(rows)}</METADATA-{table.kind}>\n"
