"""The Search transaction of this MLS: DMQL2 by system and standard names, in every format (RETS 1.7.2 §7)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from shared.rets.dmql.binding import Field, Kind, bind
from shared.rets.dmql.errors import DmqlError, DmqlFieldError
from shared.rets.dmql.evaluate import Predicate, predicate
from shared.rets.dmql.grammar import Dialect, parse

from ..answers import Answer, Call, RefusedError, envelope
from ..disturbing import written
from ..faults import Faults
from ..formats import escape
from ..world import World
from .records import Row, Typed, records
from .schema import Schema
from .tables import RESOURCES, Class, Column

_FORMATS = ("COMPACT", "COMPACT-DECODED", "STANDARD-XML")
_KINDS = {"Character": Kind.CHARACTER, "Int": Kind.NUMBER, "Decimal": Kind.NUMBER, "Boolean": Kind.BOOLEAN,
          "Date": Kind.DATE, "DateTime": Kind.DATETIME}  # fmt: skip
_ENDS = {
    "maxrows": "<MAXROWS/>\n",
    "20208": '<RETS-STATUS ReplyCode="20208" ReplyText="Maximum Records Exceeded"/>\n',
    "count": "",
}
"""How an answer ends that does not hold all there is."""
_FLUSH = 64 * 1024
_FREE = 50
"""From this length on a text is what somebody typed."""
_WITHHELD = frozenset({"PRICE", "REMARKS"})


def search(world: World, call: Call, faults: Faults) -> Answer:
    """Answer a Search. Raises RefusedError with 20200 to 20203, 20206, 20207, 20210 or 20514."""
    only = faults.on("one-format")
    if faults.strikes("throttle-20210"):
        raise RefusedError(20210, "Too Many Outstanding Queries")
    _drift(world, faults)
    schema = world.schema
    standard = call.get("standardnames") == "1"
    kind = _class(schema, call, standard)
    if faults.on("refused-resource") == kind.resource:
        raise RefusedError(20207, "Unauthorized Query")
    form, _, version = call.get("format", "STANDARD-XML").upper().partition(":")
    if form not in ((only,) if only else _FORMATS):
        raise RefusedError(20203, f"Format must be one of {only or ', '.join(_FORMATS)}")
    if faults.on("format-ignored"):
        form = "STANDARD-XML"
    if version:
        raise RefusedError(20514, "Requested DTD version unavailable")
    kind = _without(kind, faults.on("refused-field"))
    shown = _selected(kind, call.get("select"), standard)
    holds = _query(world, schema, kind, call, standard, faults.on("no-ranges"))
    found = [row for row in records(world.view(), kind, schema) if holds(row)]
    limit, offset = _paging(call, faults)
    cap, _, ends = (faults.on("row-cap") or "").partition(":")
    if cap:
        limit = min(limit or int(cap), int(cap))
    first = 0 if faults.on("offset-ignored") else offset
    page = found[first:] if limit is None else found[first : first + limit]
    count = call.get("count", "0") or "0"
    writer = _Writer(kind, shown, form, schema, standard, ends or "maxrows", faults,
                     call.get("restrictedindicator"))  # fmt: skip
    if not found or (not page and count != "2"):
        return writer.nothing(count)
    return Answer(writer.write(page, len(found), count), fragile=True)


def _drift(world: World, faults: Faults) -> None:
    """What the switch ``metadata-drift`` asks for, when its search has come."""
    value = faults.on("metadata-drift")
    if value is None:
        return
    kinds, _, after = value.partition(":")
    faults.tally("metadata-drift", "searches")
    if faults.tallied("metadata-drift", "searches") > int(after or 0):
        faults.set("metadata-drift", "off")
        world.drift(kinds)


def _class(schema: Schema, call: Call, standard: bool) -> Class:
    resource, name = call.get("searchtype"), call.get("class")
    if resource not in RESOURCES:
        raise RefusedError(20203, "Invalid SearchType")
    found = schema.of(resource)
    for each in found:
        if name == (each.standard_name if standard else each.name) or (not name and len(found) == 1):
            return each
    raise RefusedError(20203, "Invalid Class")


def _without(kind: Class, refused: str | None) -> Class:
    """The class as it can be searched, where that is less than its metadata say."""
    name, _, field = (refused or "").partition(".")
    if name != kind.name:
        return kind
    return replace(kind, columns=tuple(column for column in kind.columns if column.system_name != field))


def _named(column: Column, standard: bool) -> str:
    return column.standard_name if standard else column.system_name


def _selected(kind: Class, select: str, standard: bool) -> Sequence[Column]:
    if not select:
        return [column for column in kind.columns if _named(column, standard)]
    known = {name: column for column in kind.columns if (name := _named(column, standard))}
    unknown = [name for name in select.split(",") if name not in known]
    if unknown:
        raise RefusedError(20202, f"Invalid Select: {unknown[0][:40]}")
    return [known[name] for name in dict.fromkeys(select.split(","))]


_BOUNDS = re.compile(r",?\((?P<field>[A-Z_]+)=(?P<value>[^()]{2,}[+-])\)")


def _query(world: World, schema: Schema, kind: Class, call: Call, standard: bool, no_ranges: str | None) -> Predicate:
    text = call.get("query")
    if no_ranges is not None and any(each["field"] == kind.columns[0].system_name for each in _BOUNDS.finditer(text)):
        if no_ranges == "refused":
            raise RefusedError(20206, "Invalid Query Syntax: no ranges of texts")
        text = _BOUNDS.sub("", text)
    try:
        dialect = Dialect(call.get("querytype"))
    except ValueError:
        raise RefusedError(20203, "QueryType must be DMQL2") from None
    codes = {column.lookup: frozenset(code for code, _ in schema.values(column.lookup))
             for column in kind.columns if column.lookup}  # fmt: skip
    fields = {name: Field(_kind(column), codes.get(column.lookup)) for column in kind.columns
              if (name := _named(column, standard))}  # fmt: skip
    try:
        query = bind(parse(text, dialect), fields, now=datetime.fromtimestamp(world.clock.now(), UTC))
    except DmqlFieldError as error:
        raise RefusedError(20200, f"Unknown Query Field: {error}") from None
    except DmqlError as error:
        raise RefusedError(20206, f"Invalid Query Syntax: {error}") from None
    holds = predicate(query)
    if not standard:
        return holds
    names = {column.system_name: column.standard_name for column in kind.columns}
    return lambda row: holds({names[name]: value for name, value in row.items()})


def _kind(column: Column) -> Kind:
    if column.lookup:
        return Kind.LOOKUP_MULTI if column.several else Kind.LOOKUP
    return _KINDS[column.data_type]


def _paging(call: Call, faults: Faults) -> tuple[int | None, int]:
    """How many rows at most, and how many are left out before them."""
    if call.get("offset") and faults.on("offset-refused"):
        raise RefusedError(20203, "Offset is not supported")
    limit, offset = call.get("limit", "NONE") or "NONE", call.get("offset", "1") or "1"
    if not re.fullmatch(r"[1-9][0-9]{0,8}|none", limit, re.IGNORECASE) or not re.fullmatch(r"[0-9]{1,9}", offset):
        raise RefusedError(20203, "Limit and Offset must be numbers")
    before = int(offset) if faults.on("offset-from-zero") and call.get("offset") else max(0, int(offset) - 1)
    return None if limit.upper() == "NONE" else int(limit), before


class _Writer:
    """One answer being written. ``indicator`` stands in place of what this login may not see."""

    def __init__(
        self, kind: Class, shown: Sequence[Column], form: str, schema: Schema, standard: bool, ends: str,
        faults: Faults, indicator: str,
    ) -> None:  # fmt: skip
        self._ends, self._faults, self._indicator = ends, faults, indicator
        self._kind, self._shown, self._form, self._standard = kind, shown, form, standard
        self._delimiter = faults.on("delimiter") or "09"
        lacking = faults.on("edge-delimiters")
        sign = chr(int(self._delimiter, 16))
        self._before = "" if lacking in {"first", "both"} else sign
        self._behind = "" if lacking in {"last", "both"} else sign
        decoded = form != "COMPACT"
        self._texts: Mapping[str, Mapping[str, str]] = {
            column.lookup: {code: text[0] for code, text in schema.values(column.lookup)}
            for column in shown
            if column.lookup and decoded
        }

    def nothing(self, count: str) -> Answer:
        """The answer that there are no rows."""
        way = self._faults.on("nothing-found") or "20201"
        none = 'ReplyCode="20201" ReplyText="No Records Found"'
        if way == "20201":
            raise RefusedError(20201, "No Records Found")
        counted = '<COUNT Records="0"/>\n' if count in {"1", "2"} or way == "count" else ""
        columns = next(self._compact([])).decode() if way == "rows" and self._form != "STANDARD-XML" else ""
        status = f"<RETS-STATUS {none}/>\n" if way == "status" else ""
        return Answer(envelope(0, "Success", f"\n{counted}{columns}{status}"))

    def write(self, page: Sequence[Row], total: int, count: str) -> Iterator[bytes]:
        """The answer in pieces of bounded size."""
        told = count in {"1", "2"} and self._faults.on("no-count") is None
        counted = f'<COUNT Records="{total}"/>\n' if told else ""
        as_of_dtd = self._form == "STANDARD-XML" and self._faults.on("xml-shape") == "groups"
        declared = '<!DOCTYPE RETS SYSTEM "RETS-20041001.dtd">\n' if as_of_dtd else ""
        head = f'<?xml version="1.0" encoding="utf-8"?>\n{declared}<RETS ReplyCode="0" ReplyText="Success">\n{counted}'
        body, foot = self._compact(page) if self._form != "STANDARD-XML" else self._nested(page), "</RETS>\n"
        if count == "2":
            yield (head + foot).encode()
            return
        buffer = [head.encode()]
        size = 0
        for piece in body:
            buffer.append(piece)
            size += len(piece)
            if size > _FLUSH:
                yield b"".join(buffer)
                buffer, size = [], 0
        more = _ENDS[self._ends] if len(page) < total or self._faults.on("maxrows-always") else ""
        yield b"".join([*buffer, more.encode(), foot.encode()])

    def _compact(self, page: Sequence[Row]) -> Iterator[bytes]:
        sign = chr(int(self._delimiter, 16))
        names = sign.join(_named(column, self._standard) for column in self._shown)
        yield (
            f'<DELIMITER value="{self._delimiter}"/>\n<COLUMNS>{self._before}{names}{self._behind}</COLUMNS>\n'
        ).encode()
        for row in page:
            values = sign.join(self._text(row, column) for column in self._shown)
            yield self._record(row, f"<DATA>{self._before}{values}{self._behind}</DATA>\n")

    def _nested(self, page: Sequence[Row]) -> Iterator[bytes]:
        yield f"<REData><{self._kind.resource}List>\n".encode()
        for row in page:
            yield self._record(row, self._element(row))
        yield f"</{self._kind.resource}List></REData>\n".encode()

    def _record(self, row: Row, xml: str) -> bytes:
        return written(xml, self._key(row), self._faults)

    def _key(self, row: Row) -> str:
        return str(row[self._kind.columns[0].system_name])

    def _element(self, row: Row) -> str:
        name, shape = self._kind.standard_name, self._faults.on("xml-shape")
        told = [each for each in self._shown if each.system_name in row or self._is_withheld(row, each)]
        if shape == "attributes":
            said = "".join(f' {each.system_name}="{self._text(row, each)}"' for each in told)
            return f"<{name}{said}/>\n".replace("\n", "&#10;", said.count("\n"))
        leaves = [self._leaf(row, each, shape) for each in told]
        if shape == "groups":
            key, rest = leaves[:1], leaves[1:]
            groups = {"Listing": key, "ListingData": rest[::2], "Details": rest[1::2]}
            leaves = [f"<{group}>{''.join(held)}</{group}>" for group, held in groups.items()]
        return f"<{name}>{''.join(leaves)}</{name}>\n"

    def _leaf(self, row: Row, column: Column, shape: str | None) -> str:
        name = _named(column, self._standard or (shape in {"names", "groups"} and column.standard_name != ""))
        value = row.get(column.system_name)
        if shape == "items" and isinstance(value, tuple) and not self._is_withheld(row, column):
            texts = self._texts.get(column.lookup, {})
            items = "".join(f"<Value>{escape(texts.get(each, each))}</Value>" for each in value)
            return f"<{name}>{items}</{name}>"
        return f"<{name}>{self._text(row, column)}</{name}>"

    def _text(self, row: Row, column: Column) -> str:
        if self._is_withheld(row, column):
            return escape(self._indicator)
        value = row.get(column.system_name)
        if value is None:
            return ""
        texts = self._texts.get(column.lookup)
        text = escape(_written(value, texts).replace(chr(int(self._delimiter, 16)), "    "))
        if column.size >= _FREE and not column.lookup and self._faults.hits("illegal-characters", self._key(row)):
            return f"\x0b{text}&#x1F;\x00"
        return text

    def _is_withheld(self, row: Row, column: Column) -> bool:
        return column.system_name in _WITHHELD and self._faults.hits("withheld", self._key(row))


def _written(value: Typed, texts: Mapping[str, str] | None) -> str:
    match value:
        case bool():
            return str(int(value))
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
        case tuple():
            return ",".join(texts.get(each, each) if texts else each for each in value)
        case str() if texts is not None:
            return texts.get(value, value)
    return str(value)
