"""Rows of a search as source records: names and texts that say the same whatever server they come from. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

from shared.mapping.extra import CLASS, RESTRICTED
from shared.mapping.times import parse_stamp
from shared.messages import SourceRecord
from shared.rets.schema.types import Lookup
from shared.rets.schema.values import Value, ValueReader
from shared.sources.rets.plan import MEDIA, OPEN_HOUSES, PHOTO, ClassPlan

Row = Mapping[str, str]

INDICATOR: Final = "****"
"""What the server is asked to put in place of values that the login may not see."""
MOST_PHOTOS: Final = 500


class RowReader:
    """Reads the rows of one class: values of the types that the metadata name, in one spelling each.

    Instants are ISO 8601 in UTC, truths ``true`` and ``false``, several values a list; values of lookups stay codes.
    What is not of its type stays as it came. ``decoded``: whether values of lookups come as their texts.
    """

    def __init__(self, plan: ClassPlan, lookups: Iterable[Lookup], zone: tzinfo, *, decoded: bool = False) -> None:
        self._plan = plan
        self._zone = zone
        self._values = ValueReader(plan.described, lookups, zone=zone, indicator=INDICATOR, decoded=decoded)

    def record(self, row: Row, open_houses: Sequence[Mapping[str, Any]] = ()) -> SourceRecord:
        """The record of a row, with its photos as far as the row tells of them, and its open houses."""
        plan = self._plan
        stamp = stamp_of(row, plan, self._zone)
        fields = self.fields(row)
        self._add_photos(fields, row)
        if open_houses:
            fields[OPEN_HOUSES] = list(open_houses) if len(open_houses) > 1 else open_houses[0]
            stamp = with_open_houses(
                stamp, ((str(each.get(KEY, "")), str(each.get(STAMP, ""))) for each in open_houses)
            )
        return SourceRecord(row.get(plan.key, ""), stamp, fields, plan.untold)

    def open_house(self, row: Row) -> dict[str, Any]:
        """An open house as a part of its listing."""
        plan = self._plan
        fields = self.fields(row)
        del fields[CLASS]
        fields.pop(plan.elements[plan.listing], None)
        return fields | {KEY: row.get(plan.key, ""), STAMP: stamp_of(row, plan, self._zone)}

    def fields(self, row: Row) -> dict[str, Any]:
        """Every value but key and timestamp by its element; those without one are left out."""
        plan = self._plan
        typed = self._values.read(row)
        found: dict[str, Any] = {CLASS: plan.name}
        for name, element in plan.elements.items():
            if name in (plan.key, plan.stamp):
                continue
            if name in typed.values:
                found[element] = _written(typed.values[name], row[name])
            elif name in typed.misfits:
                found[element] = typed.misfits[name]
        if typed.restricted:
            found[RESTRICTED] = sorted(plan.elements.get(name, name) for name in typed.restricted)
        return found

    def _add_photos(self, fields: dict[str, Any], row: Row) -> None:
        """What a row tells of photos, in place of the fields that tell it. All of a record's change when any does."""
        plan = self._plan
        count = self._counted(row)
        changed = _instant(row.get(plan.photo_stamp or plan.stamp, ""), self._zone)
        if plan.one_photo:
            if count if count is not None else plan.photo_stamp and changed:
                fields[PHOTO] = changed or _instant(row.get(plan.stamp, ""), self._zone)
                fields.pop(plan.elements.get(plan.photo_stamp, ""), None)
            return
        if count is None:
            return
        fields.pop(plan.elements[plan.photo_count], None)
        photos = [
            {"Order": str(order), "ModificationTimestamp": changed} for order in range(1, min(count, MOST_PHOTOS) + 1)
        ]
        if photos:
            fields[MEDIA] = photos if len(photos) > 1 else photos[0]
            fields.pop(plan.elements.get(plan.photo_stamp, ""), None)

    def _counted(self, row: Row) -> int | None:
        """How many photos the row counts, None if it does not."""
        counted = row.get(self._plan.photo_count, "") if self._plan.photo_count else ""
        return int(counted) if counted.isascii() and counted.isdigit() and len(counted) <= 6 else None


KEY: Final = "OpenHouseKey"
STAMP: Final = "ModificationTimestamp"


def stamp_of(row: Row, plan: ClassPlan, zone: tzinfo) -> str:
    """All that says whether a row changed: its timestamp, and behind ``|`` that of its photos if they have one."""
    stamp = _instant(row.get(plan.stamp, ""), zone) if plan.stamp else ""
    photos = _instant(row.get(plan.photo_stamp, ""), zone) if plan.photo_stamp else ""
    return f"{stamp}|{photos}" if photos else stamp


def with_open_houses(stamp: str, open_houses: Iterable[tuple[str, str]]) -> str:
    """The stamp of a listing whose open houses have these keys and stamps."""
    said = "\n".join(sorted(f"{key} {changed}" for key, changed in open_houses))
    return f"{stamp}|{blake2b(said.encode(), digest_size=6).hexdigest()}" if said else stamp


def _instant(text: str, zone: tzinfo) -> str:
    """In UTC where a text tells none: nobody else knows where the server's clock hangs. One withheld is none."""
    if text == INDICATOR:
        return ""
    if not text or text.endswith("Z") or "/" in text:
        return text
    try:
        return _iso(parse_stamp(text, zone))
    except ValueError:
        return text


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _written(value: Value, sent: str) -> str | list[str]:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return _iso(value)
        case date() | time():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case tuple():
            return list(value) if len(value) != 1 else value[0]
        case str():
            return value
    return sent
