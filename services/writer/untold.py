"""What an MLS once sent of a record and can send no more stays as it was last read. Pure."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from shared.mapping.extra import CLASS
from shared.mapping.parts import as_list
from shared.messages import SourceRecord

KEYS = ("OpenHouseKey",)
"""Elements that tell the parts of a record apart."""


def completed(record: SourceRecord, before: SourceRecord | None) -> SourceRecord:
    """The record with the elements that it cannot tell of as they were ``before``, if it was of the same class then."""
    if not record.untold:
        return record
    fields = dict(record.fields)
    if before is not None and before.fields.get(CLASS) == fields.get(CLASS):
        for path in record.untold:
            part, slash, name = path.partition("/")
            if slash:
                _complete_part(fields, before.fields, part, name)
            elif path not in fields and path in before.fields:
                fields[path] = before.fields[path]
    return replace(record, fields=fields, untold=())


def _complete_part(fields: dict[str, Any], before: dict[str, Any], part: str, name: str) -> None:
    known = {key: each for each in as_list(before.get(part)) if isinstance(each, dict) and (key := _key(each))}
    if part not in fields or not known:
        return
    made = []
    for each in as_list(fields[part]):
        was = known.get(_key(each)) if isinstance(each, dict) else None
        made.append({**each, name: was[name]} if was is not None and name in was and name not in each else each)
    fields[part] = made if len(made) != 1 else made[0]


def _key(part: dict[str, Any]) -> str:
    return next((str(part[name]) for name in KEYS if part.get(name)), "")
