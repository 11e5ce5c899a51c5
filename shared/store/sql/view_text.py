"""The statement that makes the view of a class, in PostgreSQL's words or SQLite's.

What stands in a column that holds the type is taken as it is. All else is read as text, and what is not of the type is
NULL there: PostgreSQL reads by functions of the store (migration 0011), SQLite, which shares none, by expressions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from shared.mapping.columns import Kind as Holds
from shared.mapping.extra import CLASS, RESTRICTED
from shared.rets.dmql.binding import Kind
from shared.views.naming import literal, quoted
from shared.views.spec import ClassView, Place, ViewColumn

_NUMBERS: Final = frozenset[Holds]({"integer", "money", "decimal", "measure", "coordinate"})
_TEXTS: Final = frozenset[Holds]({"key", "code", "text"})


class ViewText(ABC):
    """How one database says it. Names of tables: ``r`` the record's, ``l`` its line in the ledger, ``p`` the listing
    of an open house, ``i`` the fields as found."""

    def create(self, name: str, feed: str, view: ClassView) -> str:
        """The statement that makes the view, for records of ``feed``."""
        inner = [f"{self._value(view, column)} AS {quoted(column.name)}" for column in view.columns]
        inner.append(f"{self._said(view, RESTRICTED)} AS {quoted(view.restricted)}")
        outer = []
        for column in view.columns:
            outer.append(f"i.{quoted(column.name)}")
            if column.decoded:
                outer.append(f"{self._decoded(feed, view, column)} AS {quoted(column.decoded)}")
        outer.append(f"i.{quoted(view.restricted)}")
        return (
            f"CREATE VIEW {quoted(name)} AS SELECT {', '.join(outer)} "
            f"FROM (SELECT {', '.join(inner)} FROM {self._tables(feed, view)}) i"
        )

    def _tables(self, feed: str, view: ClassView) -> str:
        own = f"r.feed = {literal(feed)}"
        if view.part_of:
            return (
                f"{view.table} r LEFT JOIN property_record p ON p.feed = r.feed AND p.listing_key = r.listing_key "
                f"WHERE {own}"
            )
        ledger = (
            f"LEFT JOIN ledger l ON l.feed = r.feed AND l.resource = {literal(view.kind)} AND l.key = r.{view.key} "
            if any(place.of_ledger for column in view.columns for place in column.places)
            else ""
        )
        return f"{view.table} r {ledger}WHERE {own} AND {self._said(view, CLASS)} = {literal(view.class_name)}"

    def _value(self, view: ClassView, column: ViewColumn) -> str:
        found = [self._placed(column, place) for place in column.places]
        if column.element is not None:
            extra = self._extra(view, column)
            found = [extra, *found] if column.extra_first else [*found, extra]
        return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"

    def _placed(self, column: ViewColumn, place: Place) -> str:
        """The value of a column of the tables."""
        name = f"{'l' if place.of_ledger else 'r'}.{quoted(place.name)}"
        match column.kind:
            case Kind.NUMBER if place.holds in _NUMBERS:
                return self._number(name, whole=column.whole, integer=place.holds == "integer")
            case Kind.BOOLEAN if place.holds == "boolean":
                return name
            case Kind.DATE if place.holds == "date":
                return name
            case Kind.DATE if place.holds == "timestamp":
                return self._read(column, f"substr({self._text(name, place.holds)}, 1, 10)")
            case Kind.DATETIME if place.holds == "timestamp":
                return name
            case Kind.LOOKUP_MULTI:
                return name if place.holds == "list" else self._alone(self._as_text(column, name, place.holds))
        return self._read(column, self._as_text(column, name, place.holds))

    def _as_text(self, column: ViewColumn, name: str, holds: Holds) -> str:
        if holds in _TEXTS:
            return name
        if holds == "list":
            return self._joined(name)
        if holds == "boolean":
            true, false = column.truths or ("true", "false")
            return f"CASE WHEN {name} THEN {literal(true)} WHEN NOT {name} THEN {literal(false)} END"
        return self._text(name, holds)

    def _extra(self, view: ClassView, column: ViewColumn) -> str:
        assert column.element is not None
        if column.kind is Kind.LOOKUP_MULTI:
            return self._listed(view, column.element)
        return self._read(column, self._said(view, column.element))

    def _read(self, column: ViewColumn, text: str) -> str:
        """The text as the type of the field."""
        match column.kind:
            case Kind.NUMBER:
                return self._read_number(text, whole=column.whole)
            case Kind.BOOLEAN:
                return self._read_boolean(text)
            case Kind.DATE:
                return self._read_date(text)
            case Kind.DATETIME:
                return self._read_instant(text)
            case Kind.TIME:
                return self._read_time(text)
        return text

    def _decoded(self, feed: str, view: ClassView, column: ViewColumn) -> str:
        """Texts of codes; a code that the lookup does not have stands for itself."""
        name = f"i.{quoted(column.name)}"
        lookup = (
            f"v.feed = {literal(feed)} AND v.resource_name = {literal(view.kind)} "
            f"AND v.lookup_name = {literal(column.lookup)} AND v.code = "
        )
        if column.kind is Kind.LOOKUP_MULTI:
            return self._decoded_list(name, lookup)
        return f"coalesce((SELECT nullif(v.lookup_value, '') FROM lookup v WHERE {lookup}{name}), {name})"

    @abstractmethod
    def _said(self, view: ClassView, element: str) -> str:
        """The text that ``extra`` has for an element."""

    @abstractmethod
    def _listed(self, view: ClassView, element: str) -> str:
        """The same as an array, of one where it is a text."""

    @abstractmethod
    def _alone(self, text: str) -> str:
        """An array of one text."""

    @abstractmethod
    def _joined(self, name: str) -> str:
        """The texts of an array as one."""

    @abstractmethod
    def _text(self, name: str, holds: Holds) -> str:
        """A number, date or instant as text."""

    @abstractmethod
    def _number(self, name: str, *, whole: bool, integer: bool) -> str:
        """A number as one with or without fraction; ``integer`` says that it has none."""

    @abstractmethod
    def _decoded_list(self, name: str, lookup: str) -> str:
        """The texts of an array of codes."""

    @abstractmethod
    def _read_number(self, text: str, *, whole: bool) -> str: ...
    @abstractmethod
    def _read_boolean(self, text: str) -> str: ...
    @abstractmethod
    def _read_date(self, text: str) -> str: ...
    @abstractmethod
    def _read_instant(self, text: str) -> str: ...
    @abstractmethod
    def _read_time(self, text: str) -> str: ...


class PostgresText(ViewText):
    """PostgreSQL's words."""

    def _path(self, view: ClassView, element: str) -> str:
        if view.part_of:
            return f"({literal(view.part_of + '[')} || r.\"order\" || ']/' || {literal(element)})"
        return literal(element)

    def _said(self, view: ClassView, element: str) -> str:
        return f"({_extra(view)} ->> {self._path(view, element)})"

    def _listed(self, view: ClassView, element: str) -> str:
        found = f"({_extra(view)} -> {self._path(view, element)})"
        return (
            f"CASE jsonb_typeof({found}) WHEN 'array' THEN {found} "
            f"WHEN 'string' THEN jsonb_build_array({self._said(view, element)}) END"
        )

    def _alone(self, text: str) -> str:
        return f"CASE WHEN ({text}) IS NOT NULL THEN jsonb_build_array({text}) END"

    def _joined(self, name: str) -> str:
        return (
            f"(SELECT string_agg(e.value, ', ' ORDER BY e.place) FROM jsonb_array_elements_text({name}) "
            "WITH ORDINALITY e(value, place))"
        )

    def _text(self, name: str, holds: Holds) -> str:
        if holds == "timestamp":
            return f"to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        return f"{name}::text"

    def _number(self, name: str, *, whole: bool, integer: bool) -> str:
        if whole:
            return f"{name}::bigint" if integer else f"mlsync_integer({name}::text)"
        return f"{name}::numeric"

    def _decoded_list(self, name: str, lookup: str) -> str:
        return (
            "(SELECT jsonb_agg(coalesce(nullif(v.lookup_value, ''), e.value) ORDER BY e.place) "
            f"FROM jsonb_array_elements_text({name}) WITH ORDINALITY e(value, place) "
            f"LEFT JOIN lookup v ON {lookup}e.value)"
        )

    def _read_number(self, text: str, *, whole: bool) -> str:
        return f"mlsync_{'integer' if whole else 'number'}({text})"

    def _read_boolean(self, text: str) -> str:
        return f"mlsync_boolean({text})"

    def _read_date(self, text: str) -> str:
        return f"mlsync_date({text})"

    def _read_instant(self, text: str) -> str:
        return f"mlsync_instant({text})"

    def _read_time(self, text: str) -> str:
        return f"mlsync_time({text})"


_DAY: Final = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_CLOCK: Final = "[0-9][0-9]:[0-9][0-9]:[0-9][0-9]"
_FRACTION: Final = "." + 6 * "[0-9]"


class SqliteText(ViewText):
    """SQLite's words. Instants, dates and times are texts that sort as time does."""

    def _said(self, view: ClassView, element: str) -> str:
        extra = _extra(view)
        if not _plain(element):
            return f"(SELECT e.value FROM json_each({extra}) e WHERE e.key = {self._key(view, element)})"
        return f"json_extract({extra}, {self._path(view, element)})"

    def _listed(self, view: ClassView, element: str) -> str:
        extra = _extra(view)
        if not _plain(element):
            return (
                "(SELECT CASE e.type WHEN 'array' THEN e.value WHEN 'text' THEN json_array(e.value) END "
                f"FROM json_each({extra}) e WHERE e.key = {self._key(view, element)})"
            )
        return (
            f"CASE json_type({extra}, {self._path(view, element)}) WHEN 'array' THEN {self._said(view, element)} "
            f"WHEN 'text' THEN json_array({self._said(view, element)}) END"
        )

    def _key(self, view: ClassView, element: str) -> str:
        if view.part_of:
            return f"{literal(view.part_of + '[')} || r.\"order\" || ']/' || {literal(element)}"
        return literal(element)

    def _path(self, view: ClassView, element: str) -> str:
        return f"'$.\"' || {self._key(view, element)} || '\"'" if view.part_of else f"'$.\"{element}\"'"

    def _alone(self, text: str) -> str:
        return f"CASE WHEN ({text}) IS NOT NULL THEN json_array({text}) END"

    def _joined(self, name: str) -> str:
        return f"(SELECT group_concat(value, ', ') FROM (SELECT e.value FROM json_each({name}) e ORDER BY e.key))"

    def _text(self, name: str, holds: Holds) -> str:
        return name if holds in ("date", "timestamp") else f"CAST({name} AS TEXT)"

    def _number(self, name: str, *, whole: bool, integer: bool) -> str:
        found = f"CAST({name} AS NUMERIC)"
        if whole and not integer:
            return f"CASE WHEN {name} = CAST({name} AS INTEGER) THEN CAST({name} AS INTEGER) END"
        return found

    def _decoded_list(self, name: str, lookup: str) -> str:
        return (
            f"CASE WHEN {name} IS NOT NULL THEN (SELECT json_group_array(value) FROM ("
            "SELECT coalesce(nullif(v.lookup_value, ''), e.value) AS value "
            f"FROM json_each({name}) e LEFT JOIN lookup v ON {lookup}e.value ORDER BY e.key)) END"
        )

    def _read_number(self, text: str, *, whole: bool) -> str:
        fits = (
            f"{text} GLOB '*[0-9]*' AND {text} NOT GLOB '*[^0-9.+-]*' AND {text} NOT GLOB '*.*.*' "
            f"AND {text} NOT GLOB '?*[+-]*' AND length({text}) <= 64"
        )
        if whole:
            fits += f" AND typeof(CAST({text} AS NUMERIC)) = 'integer'"
        return f"CASE WHEN {fits} THEN CAST({text} AS NUMERIC) END"

    def _read_boolean(self, text: str) -> str:
        return (
            f"CASE WHEN lower({text}) IN ('1', 'true', 'y', 'yes', 't') THEN 1 "
            f"WHEN lower({text}) IN ('0', 'false', 'n', 'no', 'f') THEN 0 END"
        )

    def _read_date(self, text: str) -> str:
        return (
            f"CASE WHEN {text} GLOB '{_DAY}' AND date({text}, '+0 days') = {text} AND {text} > '0001' THEN {text} END"
        )

    def _read_instant(self, text: str) -> str:
        return (
            f"CASE WHEN ({text} GLOB '{_DAY}T{_CLOCK}Z' OR {text} GLOB '{_DAY}T{_CLOCK}{_FRACTION}Z') "
            f"AND {text} > '0001' "
            f"AND strftime('%Y-%m-%dT%H:%M:%S', substr({text}, 1, 19), '+0 days') = substr({text}, 1, 19) "
            f"THEN {text} END"
        )

    def _read_time(self, text: str) -> str:
        return (
            f"CASE WHEN ({text} GLOB '{_CLOCK}' OR {text} GLOB '{_CLOCK}{_FRACTION}') "
            f"AND time(substr({text}, 1, 8), '+0 days') = substr({text}, 1, 8) THEN {text} END"
        )


def _extra(view: ClassView) -> str:
    return "p.extra" if view.part_of else "r.extra"


def _plain(element: str) -> bool:
    """Whether it can stand in a path, where SQLite knows no escapes."""
    return all(letter.isalnum() or letter in " #_-.:/" for letter in element)
