"""The GetMetadata transaction in STANDARD-XML: as much as DDF offers (DDF guide, GetMetadata; RETS 1.7.2 §11)."""

from __future__ import annotations

import re
from dataclasses import replace

from .answers import Answer, Call, RefusedError, envelope
from .edition import Edition
from .formats import escape
from .search import RESOURCES
from .vocabulary import CULTURES

_TYPES = ("SYSTEM", "RESOURCE", "CLASS", "LOOKUP", "LOOKUP_TYPE")
_BLANK = b"<LookupType><LongValue></LongValue><ShortValue></ShortValue><Value></Value></LookupType>"
_EMPTY_TYPES = ("TABLE", "OBJECT", "SEARCH_HELP", "EDITMASK", "UPDATE", "FOREIGN_KEYS")


def get_metadata(call: Call, edition: Edition) -> Answer:
    """Answer a GetMetadata. Raises RefusedError with 20500 to 20503 or 20513."""
    kind = call.get("type").upper().removeprefix("METADATA-")
    if kind in _EMPTY_TYPES:
        raise RefusedError(20503, "No Metadata Found")
    if kind not in _TYPES:
        raise RefusedError(20501, "Invalid Type")
    if not call.get("format", "STANDARD-XML").upper().startswith("STANDARD-XML"):
        raise RefusedError(20513, "Format is not supported: use STANDARD-XML")
    language = 1 if call.get("culture") == CULTURES[1] else 0
    parts = (call.get("id") or "0").split(":")
    deep = parts[-1] == "*"
    parents = parts[:-1] if parts[-1] in ("0", "*") else parts
    if kind in ("SYSTEM", "RESOURCE"):
        if parents:
            raise RefusedError(20502, "Invalid Identifier: use 0 or *")
        body = _system(edition, language, deep) if kind == "SYSTEM" else _resources(edition, language, deep)
    else:
        body = _below(edition, kind, parents, language, deep)
    return Answer(envelope(0, "Operation Successful", f"\n<METADATA>\n{body}</METADATA>\n"))


def distorted(answer: Answer, how: str | None) -> Answer:
    """The answer as some servers write it: ``empty``, ``blank``, ``gaps``, ``unknown``, ``cut`` or ``failed``; None: as
    it is."""
    if how == "failed":
        return Answer(b"Internal Server Error", "text/plain", 500)
    assert isinstance(answer.body, bytes)
    text = answer.body
    if how == "empty":
        text = re.sub(rb"(?s)<METADATA>.*</METADATA>", b"<METADATA></METADATA>", text)
    elif how == "blank":
        text = re.sub(rb"<(\w+)>[^<]+</\1>", rb"<\1></\1>", text)
    elif how == "gaps":
        rows = iter(range(1, text.count(b"<LookupType>") + 1))
        text = re.sub(rb"<LookupType>.*?</LookupType>", lambda row: row[0] if next(rows) % 5 else _BLANK, text)
    elif how == "unknown":
        unknown = "<METADATA-UPDATE_HELP Version='1'><UpdateHelp><Text>?</Text></UpdateHelp></METADATA-UPDATE_HELP>\n"
        text = text.replace(b"</METADATA>\n", unknown.encode() + b"</METADATA>\n")
    elif how == "cut":
        text = text[: len(text) // 2]
    return replace(answer, body=text)


def _below(edition: Edition, kind: str, parents: list[str], language: int, deep: bool) -> str:
    if parents and parents[0] not in RESOURCES:
        raise RefusedError(20500, "Invalid Resource")
    if len(parents) > (2 if kind == "LOOKUP_TYPE" else 1):
        raise RefusedError(20502, "Invalid Identifier")
    chosen = parents[:1] or list(RESOURCES)
    if kind == "CLASS":
        return "".join(_classes(edition, resource) for resource in chosen)
    if "Property" not in chosen:
        raise RefusedError(20503, "No Metadata Found")
    if kind == "LOOKUP":
        return _lookups(edition, language, deep)
    if len(parents) == 2:
        if parents[1] not in edition.names():
            raise RefusedError(20502, "Invalid Identifier: no such lookup")
        return _lookup_type(edition, parents[1], language)
    return "".join(_lookup_type(edition, name, language) for name in edition.names())


def _leaves(**values: str) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())


def _system(edition: Edition, language: int, deep: bool) -> str:
    system = '<SYSTEM SystemID="CREA_DDF" SystemDescription="Data Distribution Facility (simulated)">'
    nested = _resources(edition, language, deep) if deep else ""
    return f"<METADATA-SYSTEM {edition.stamps}>\n{system}<Comments></Comments>{nested}</SYSTEM>\n</METADATA-SYSTEM>\n"


def _resources(edition: Edition, language: int, deep: bool) -> str:
    rows = []
    for name in RESOURCES:
        nested = _classes(edition, name) if deep else ""
        if deep and name == "Property":
            nested += _lookups(edition, language, deep)
        rows.append(
            "<Resource>"
            + _leaves(
                ResourceID=name,
                StandardName=name,
                VisibleName=name,
                Description=f"{name} records",
                KeyField="ID",
                ClassCount="1",
                ClassVersion=edition.version,
                ClassDate=edition.date,
                LookupVersion=edition.version if name == "Property" else "",
                LookupDate=edition.date if name == "Property" else "",
            )
            + f"{nested}</Resource>\n"
        )
    return f"<METADATA-RESOURCE {edition.stamps}>\n{''.join(rows)}</METADATA-RESOURCE>\n"


def _classes(edition: Edition, resource: str) -> str:
    row = _leaves(
        ClassName=resource,
        StandardName=resource,
        VisibleName=resource,
        Description=f"{resource} records",
        TableVersion=edition.version,
        TableDate=edition.date,
        ClassTimeStamp="LastUpdated",
    )
    return f'<METADATA-CLASS Resource="{resource}" {edition.stamps}>\n<Class>{row}</Class>\n</METADATA-CLASS>\n'


def _lookups(edition: Edition, language: int, deep: bool) -> str:
    rows = "".join(
        "<Lookup>"
        + _leaves(
            MetadataEntryID=f"L{number}",
            LookupName=name,
            VisibleName=name,
            LookupTypeVersion=edition.version,
            LookupTypeDate=edition.date,
        )
        + (_lookup_type(edition, name, language) if deep else "")
        + "</Lookup>\n"
        for number, name in enumerate(edition.names(), 1)
    )
    return f'<METADATA-LOOKUP Resource="Property" {edition.stamps}>\n{rows}</METADATA-LOOKUP>\n'


def _lookup_type(edition: Edition, name: str, language: int) -> str:
    rows = "".join(
        "<LookupType>"
        + _leaves(MetadataEntryID=f"{name}.{code}", LongValue=text[language], ShortValue=text[language], Value=code)
        + "</LookupType>\n"
        for code, text in edition.values(name)
    )
    return (
        f'<METADATA-LOOKUP_TYPE Resource="Property" Lookup="{name}" {edition.stamps}>\n{rows}</METADATA-LOOKUP_TYPE>\n'
    )
