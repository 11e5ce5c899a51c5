"""Every type of metadata as a frozen value (RETS 1.7.2 §11.2-11.4, and what RETS 1.8 adds).

Texts are as the server wrote them, "" where it said nothing; numbers are None where it gave none. Versions and dates
of tables are those of the item that announces them, else of the table's own container.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item of metadata. ``metadata_entry_id`` is the server's own name for it, which outlives other names."""

    NAMED: ClassVar[str]
    """The attribute that names it among its siblings."""
    ALIASES: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Other names of columns, by attribute."""

    metadata_entry_id: str = ""

    @property
    def name(self) -> str:
        """What it is called among its siblings."""
        found: str = getattr(self, self.NAMED)
        return found


class Field(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A column of METADATA-TABLE. ``data_type`` and ``interpretation`` may be words of the server's own."""

    NAMED = "system_name"

    system_name: str = ""
    standard_name: str = ""
    long_name: str = ""
    db_name: str = ""
    short_name: str = ""
    maximum_length: int | None = None
    data_type: str = ""
    precision: int | None = None
    searchable: bool = False
    interpretation: str = ""
    alignment: str = ""
    use_separator: bool = False
    edit_mask_id: str = ""
    lookup_name: str = ""
    max_select: int | None = None
    units: str = ""
    index: bool = False
    minimum: str = ""
    maximum: str = ""
    default: int | None = None
    required: int | None = None
    search_help_id: str = ""
    unique: bool = False
    mod_time_stamp: bool = False
    foreign_key_name: str = ""
    foreign_field: str = ""
    key_query: bool = False
    key_select: bool = False
    in_key_index: bool = False
    filter_parent_field: str = ""
    default_search_order: int | None = None
    case: str = ""


class UpdateField(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A field of one kind of update. ``attributes`` are numbers (2: required), as texts."""

    NAMED = "system_name"

    system_name: str = ""
    sequence: int | None = None
    attributes: tuple[str, ...] = ()
    default: str = ""
    validation_expression_id: tuple[str, ...] = ()
    update_help_id: str = ""
    validation_lookup_name: str = ""
    validation_external_name: str = ""
    max_update: int | None = None
    search_result_order: int | None = None
    search_query_order: int | None = None


class Update(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """What may be done to records of a class (Add, Change, …)."""

    NAMED = "update_name"
    ALIASES: ClassVar[dict[str, tuple[str, ...]]] = {
        "update_name": ("updateaction",),
        "version": ("updatetypeversion",),
        "date": ("updatetypedate",),
    }

    update_name: str = ""
    description: str = ""
    key_field: str = ""
    requires_begin: bool = False
    version: str = ""
    date: str = ""
    fields: tuple[UpdateField, ...] = ()


class ResourceClass(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A class of records, with its fields in the server's order."""

    NAMED = "class_name"

    class_name: str = ""
    standard_name: str = ""
    visible_name: str = ""
    description: str = ""
    table_version: str = ""
    table_date: str = ""
    update_version: str = ""
    update_date: str = ""
    class_time_stamp: str = ""
    deleted_flag_field: str = ""
    deleted_flag_value: str = ""
    has_key_index: bool = False
    offset_support: bool | None = None
    fields: tuple[Field, ...] = ()
    updates: tuple[Update, ...] = ()


class ObjectKind(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A type of object that records may have: photos, plats, documents. Two may differ in the media type alone."""

    NAMED = "object_type"

    object_type: str = ""
    mime_type: str = ""
    visible_name: str = ""
    description: str = ""
    object_time_stamp: str = ""
    object_count: str = ""
    location_availability: bool | None = None
    post_support: bool | None = None
    object_data: str = ""
    max_file_size: int | None = None


class LookupType(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A value of a lookup: COMPACT and queries have ``value``, COMPACT-DECODED ``long_value``."""

    NAMED = "value"

    value: str = ""
    long_value: str = ""
    short_value: str = ""


class Lookup(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A list of values."""

    NAMED = "lookup_name"
    ALIASES: ClassVar[dict[str, tuple[str, ...]]] = {"version": ("lookuptypeversion",), "date": ("lookuptypedate",)}

    lookup_name: str = ""
    visible_name: str = ""
    version: str = ""
    date: str = ""
    filter_id: str = ""
    not_shown_by_default: bool = False
    values: tuple[LookupType, ...] = ()


class SearchHelp(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """Help for who searches by a field."""

    NAMED = "search_help_id"

    search_help_id: str = ""
    value: str = ""


class EditMask(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A pattern that a value must match."""

    NAMED = "edit_mask_id"

    edit_mask_id: str = ""
    value: str = ""


class UpdateHelp(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """Help for who enters a value."""

    NAMED = "update_help_id"

    update_help_id: str = ""
    value: str = ""


class ValidationLookupType(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A value that is valid under values of two other fields."""

    NAMED = "valid_text"

    valid_text: str = ""
    parent1_value: str = ""
    parent2_value: str = ""


class ValidationLookup(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """Values that depend on those of other fields."""

    NAMED = "validation_lookup_name"
    ALIASES: ClassVar[dict[str, tuple[str, ...]]] = {
        "version": ("validationlookupversion",),
        "date": ("validationlookupdate",),
    }

    validation_lookup_name: str = ""
    parent1_field: str = ""
    parent2_field: str = ""
    version: str = ""
    date: str = ""
    values: tuple[ValidationLookupType, ...] = ()


class ValidationExpression(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A test of a value, or how it is set (ACCEPT, REJECT, SET)."""

    NAMED = "validation_expression_id"

    validation_expression_id: str = ""
    validation_expression_type: str = ""
    value: str = ""
    message: str = ""
    is_case_sensitive: bool = False


class ValidationExternalType(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """Fields to search by, to show, and (``target=source``) to take over."""

    NAMED = "metadata_entry_id"
    ALIASES: ClassVar[dict[str, tuple[str, ...]]] = {"result_fields": ("resultsfields",)}

    search_field: tuple[str, ...] = ()
    display_field: tuple[str, ...] = ()
    result_fields: tuple[str, ...] = ()


class ValidationExternal(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """Values that are found by a search of another class."""

    NAMED = "validation_external_name"
    ALIASES: ClassVar[dict[str, tuple[str, ...]]] = {
        "version": ("validationexternalversion",),
        "date": ("validationexternaldate",),
    }

    validation_external_name: str = ""
    search_resource: str = ""
    search_class: str = ""
    version: str = ""
    date: str = ""
    types: tuple[ValidationExternalType, ...] = ()


class Resource(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A kind of thing: listings, agents, offices. All its classes share the key field."""

    NAMED = "resource_id"

    resource_id: str = ""
    standard_name: str = ""
    visible_name: str = ""
    description: str = ""
    key_field: str = ""
    class_count: int | None = None
    class_version: str = ""
    class_date: str = ""
    object_version: str = ""
    object_date: str = ""
    search_help_version: str = ""
    search_help_date: str = ""
    edit_mask_version: str = ""
    edit_mask_date: str = ""
    lookup_version: str = ""
    lookup_date: str = ""
    update_help_version: str = ""
    update_help_date: str = ""
    validation_expression_version: str = ""
    validation_expression_date: str = ""
    validation_lookup_version: str = ""
    validation_lookup_date: str = ""
    validation_external_version: str = ""
    validation_external_date: str = ""
    classes: tuple[ResourceClass, ...] = ()
    objects: tuple[ObjectKind, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    search_helps: tuple[SearchHelp, ...] = ()
    edit_masks: tuple[EditMask, ...] = ()
    update_helps: tuple[UpdateHelp, ...] = ()
    validation_lookups: tuple[ValidationLookup, ...] = ()
    validation_expressions: tuple[ValidationExpression, ...] = ()
    validation_externals: tuple[ValidationExternal, ...] = ()


class ForeignKey(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A field of one resource that holds the key of another."""

    NAMED = "foreign_key_id"

    foreign_key_id: str = ""
    parent_resource_id: str = ""
    parent_class_id: str = ""
    parent_system_name: str = ""
    child_resource_id: str = ""
    child_class_id: str = ""
    child_system_name: str = ""
    conditional_parent_field: str = ""
    conditional_parent_value: str = ""
    one_to_many_flag: bool = False


class FilterType(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A value of one lookup that goes with a value of another."""

    NAMED = "filter_type_id"

    filter_type_id: str = ""
    parent_value: str = ""
    child_value: str = ""


class Filter(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """Which values of one lookup go with those of another (RETS 1.8)."""

    NAMED = "filter_id"
    ALIASES: ClassVar[dict[str, tuple[str, ...]]] = {"version": ("filtertypeversion",), "date": ("filtertypedate",)}

    filter_id: str = ""
    parent_resource: str = ""
    parent_lookup_name: str = ""
    child_resource: str = ""
    child_lookup_name: str = ""
    not_shown_by_default: bool = False
    version: str = ""
    date: str = ""
    types: tuple[FilterType, ...] = ()


class System(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """All of it. ``version`` and ``date`` are METADATA-SYSTEM's own: what a client caches by (RETS 1.7.2 §11.1.1)."""

    NAMED = "system_id"
    ALIASES: ClassVar[dict[str, tuple[str, ...]]] = {"comments": ("comment",)}

    system_id: str = ""
    system_description: str = ""
    comments: str = ""
    time_zone_offset: str = ""
    metadata_id: str = ""
    version: str = ""
    date: str = ""
    resources: tuple[Resource, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    filters: tuple[Filter, ...] = ()

    def resource(self, name: str) -> Resource | None:
        """By its id or standard name, case aside."""
        return _named(self.resources, name)

    def resource_class(self, resource: str, name: str) -> ResourceClass | None:
        """By the names of both, or their standard names, case aside."""
        found = self.resource(resource)
        return _named(found.classes, name) if found else None


N = TypeVar("N", Resource, ResourceClass)


def _named(entries: tuple[N, ...], name: str) -> N | None:
    wanted = name.lower()
    by_name = next((entry for entry in entries if entry.name.lower() == wanted), None)
    return by_name or next((entry for entry in entries if entry.standard_name.lower() == wanted), None)
