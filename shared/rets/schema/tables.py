"""The types of metadata as data: what each is called, what it belongs to, what its items are (RETS 1.7.2 §11.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.rets.metadata import plain
from shared.rets.schema import types


@dataclass(frozen=True, slots=True)
class Table:
    """One type. ``request`` is the Type that asks for it, ``parent`` the kind its items are nested in, as ``within`` of
    it. ``names`` are the attributes and columns that name an item where others refer to it. ``stamps`` begin the names
    of the parent's attributes for the table's version and date, "" without a prefix, None where it has none."""

    kind: str
    request: str
    entry: type[types.Entry]
    parent: str | None
    within: str
    names: tuple[str, ...] = ()
    stamps: str | None = None
    repeated: bool = False
    """Whether several items may have one name."""


def _table(
    request: str,
    entry: type[types.Entry],
    parent: str | None,
    within: str,
    *names: str,
    stamps: str | None = None,
    repeated: bool = False,
) -> Table:
    return Table(plain(request), f"METADATA-{request}", entry, parent, within, names, stamps, repeated)


_ALL: Final = (
    _table("SYSTEM", types.System, None, ""),
    _table("RESOURCE", types.Resource, "system", "resources", "resource", "resourceid"),
    _table("CLASS", types.ResourceClass, "resource", "classes", "class", "classname", stamps="class_"),
    _table("TABLE", types.Field, "class", "fields", stamps="table_"),
    _table("OBJECT", types.ObjectKind, "resource", "objects", stamps="object_", repeated=True),
    _table("LOOKUP", types.Lookup, "resource", "lookups", "lookup", "lookupname", stamps="lookup_"),
    _table("LOOKUP_TYPE", types.LookupType, "lookup", "values", stamps=""),
    _table("FOREIGN_KEYS", types.ForeignKey, "system", "foreign_keys"),
    _table("SEARCH_HELP", types.SearchHelp, "resource", "search_helps", stamps="search_help_"),
    _table("EDITMASK", types.EditMask, "resource", "edit_masks", stamps="edit_mask_"),
    _table("UPDATE", types.Update, "class", "updates", "update", "updatename", "updateaction", stamps="update_"),
    _table("UPDATE_TYPE", types.UpdateField, "update", "fields", stamps=""),
    _table("UPDATE_HELP", types.UpdateHelp, "resource", "update_helps", stamps="update_help_"),
    _table(
        "VALIDATION_LOOKUP",
        types.ValidationLookup,
        "resource",
        "validation_lookups",
        "validationlookup",
        "validationlookupname",
        stamps="validation_lookup_",
    ),
    _table(
        "VALIDATION_LOOKUP_TYPE", types.ValidationLookupType, "validationlookup", "values", stamps="", repeated=True
    ),
    _table(
        "VALIDATION_EXPRESSION",
        types.ValidationExpression,
        "resource",
        "validation_expressions",
        stamps="validation_expression_",
    ),
    _table(
        "VALIDATION_EXTERNAL",
        types.ValidationExternal,
        "resource",
        "validation_externals",
        "validationexternal",
        "validationexternalname",
        stamps="validation_external_",
    ),
    _table(
        "VALIDATION_EXTERNAL_TYPE",
        types.ValidationExternalType,
        "validationexternal",
        "types",
        stamps="",
        repeated=True,
    ),
    _table("FILTER", types.Filter, "system", "filters", "filter", "filterid"),
    _table("FILTER_TYPE", types.FilterType, "filter", "types", stamps="", repeated=True),
)

TABLES: Final[Mapping[str, Table]] = {table.kind: table for table in _ALL}
"""By kind, parents before their children."""

ALIASES: Final[Mapping[str, str]] = {"foreignkey": "foreignkeys"}
"""Kinds that some servers call otherwise."""

KINDS: Final = frozenset({*TABLES, *ALIASES})
"""All that a reader must be told to read."""

ESSENTIAL: Final = ("system", "resource", "class", "table", "object", "lookup", "lookuptype", "foreignkeys")
"""What reading records takes; the others are for who enters them."""


def chain(kind: str) -> tuple[Table, ...]:
    """The tables whose items say by their names where one of ``kind`` belongs, outermost first, without the system."""
    parent = TABLES[kind].parent
    if parent is None or parent == "system":
        return ()
    return (*chain(parent), TABLES[parent])
