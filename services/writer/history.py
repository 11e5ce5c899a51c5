"""What a record's history gains when the record changes, goes, or comes back. Pure.

What the MLS sent before is compared with what it sends now, both under the mapping of today: a changed mapping or media
policy is no change at the MLS and leaves no entry, and what others add to a row is not taken for one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.effects import AddHistory
from shared.history import ACTIVE, BACK_ON_MARKET, DELETED, PRICE_CHANGE
from shared.mapping.elements import MEDIA, Elements
from shared.mapping.mapping import Mapping
from shared.mapping.parts import as_list
from shared.mapping.record import Mapped, MediaItem, UnmappableError
from shared.mapping.spec import EXTRA
from shared.messages import SourceRecord

PRICES = ("list_price", "lease_amount")
"""What a listing asks; the first that it has stands with the entries of its going and coming."""
IDS = {"property": "listing_id"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Historian:
    """Writes the history of one resource of a feed; ``exclude`` are the fields left out."""

    feed: str
    resource: str
    mapping: Mapping
    exclude: Collection[str]

    def changed(self, before: SourceRecord, sent: SourceRecord, after: Mapped, observed_at: int) -> list[AddHistory]:
        """An entry for every field of the record that differs.

        Fields are the columns of its own table (of ``extra`` only what differs), the tables of its parts (the set as a
        whole), and ``media``. ``before`` is what the MLS sent, ``sent`` what it sends now, ``after`` that in rows.
        Raises UnmappableError when what it sent cannot be mapped any more.
        """
        elements = self.mapping.elements[self.resource]
        one, other, apart = _apart(before.fields, sent.fields, elements)
        old = self._map(SourceRecord(after.key, before.stamp, one))
        fields = elements.fields(apart).union((EXTRA.name,)).difference(self.exclude)
        # Of extra only what differs counts, hence is told apart by mapping just that.
        new = self._map(SourceRecord(after.key, sent.stamp, other)) if after.extra and EXTRA.name in fields else after
        made = after.modified or _instant(observed_at)
        record_id = self._value(after, IDS.get(self.resource))
        return [
            AddHistory(
                after.key, field, was, now, PRICE_CHANGE if field == PRICES[0] else None, made, observed_at, record_id
            )
            for field, was, now in _differences(self.mapping.columns, old, new, fields)
        ]

    def removed(self, key: str, before: SourceRecord | None, observed_at: int) -> AddHistory:
        """The record is gone; ``before`` is what the MLS sent, if that is kept. The entry says what a listing asked."""
        last = None
        if before is not None:
            with suppress(UnmappableError):
                last = self._map(before)
        field, price, record_id = self._asked(last)
        return AddHistory(key, field, price, None, DELETED, _instant(observed_at), observed_at, record_id)

    def returned(self, after: Mapped, observed_at: int) -> AddHistory:
        """A record whose history says that it went is there again; of a listing the entry says what it asks."""
        field, price, record_id = self._asked(after)
        kind = BACK_ON_MARKET if self.resource == "property" else ACTIVE
        made = after.modified or _instant(observed_at)
        return AddHistory(after.key, field, None, price, kind, made, observed_at, record_id)

    def _map(self, record: SourceRecord) -> Mapped:
        return self.mapping.map(self.feed, self.resource, record)

    def _asked(self, record: Mapped | None) -> tuple[str | None, str | None, str | None]:
        """The field with what the listing asks, its text, and the record's id; each None where there is none."""
        if record is None:
            return None, None, None
        record_id = self._value(record, IDS.get(self.resource))
        for field in PRICES:
            price = self._value(record, field)
            if price is not None and field not in self.exclude:
                return field, price, record_id
        return None, None, record_id

    def _value(self, record: Mapped, field: str | None) -> str | None:
        own = next(iter(record.rows))
        names = self.mapping.columns[own]
        return as_text(record.rows[own][0][names.index(field)]) if field in names else None


def _apart(
    before: dict[str, Any], after: dict[str, Any], elements: Elements
) -> tuple[dict[str, Any], dict[str, Any], set[str]]:
    """Both without the elements in which they agree, alone or within a group: to map those would be most of the work,
    and tell nothing. Then the elements that are left."""
    apart = _differing(before, after) | elements.akin
    old, new = _of(before, apart), _of(after, apart)
    for group in apart & elements.groups:
        one, other = old.get(group), new.get(group)
        if isinstance(one, dict) and isinstance(other, dict):
            within = _differing(one, other)
            old[group], new[group] = _of(one, within), _of(other, within)
        else:
            odd = [*as_list(one), *as_list(other)]
            within = {name for each in odd if isinstance(each, dict) for name in each}
        apart.update(f"{group}/{name}" for name in within)
    return old, new, apart


def _differing(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    gone = (name for name in before.keys() - after.keys() if before[name] is not None)
    return {name for name, value in after.items() if before.get(name) != value}.union(gone)


def _of(fields: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name in names}


def _differences(
    columns: dict[str, tuple[str, ...]], before: Mapped, after: Mapped, fields: Collection[str]
) -> Iterator[tuple[str, str | None, str | None]]:
    """Those in ``fields``; what depends on nothing that differs need not be in both."""
    own, *parts = after.rows
    (old,), (new,) = before.rows[own], after.rows[own]
    for name, one, other in zip(columns[own], old, new, strict=True):
        if one != other and name in fields:
            yield name, as_text(one), as_text(other)
    for table in parts:
        if table in fields and before.rows[table] != after.rows[table]:
            names = columns[table]
            yield table, _part_text(names, before, table), _part_text(names, after, table)
    previous, now = _photos(before.media, after.media) if MEDIA in fields else ({}, {})
    if previous or now:
        yield MEDIA, as_text(previous or None), as_text(now or None)


def _part_text(names: Sequence[str], record: Mapped, table: str) -> str | None:
    """The rows as a JSON list in their order, without what their place says already."""
    shown = []
    for row in record.rows[table]:
        values = dict(zip(names[2:], row[2:], strict=True))
        place = f"{record.key}-{values.pop('order')}"
        shown.append({name: value for name, value in values.items() if value is not None and value != place})
    return as_text(shown or None)


def _photos(before: Sequence[MediaItem], after: Sequence[MediaItem]) -> tuple[dict[str, Any], dict[str, Any]]:
    """By media key what became of photos: removed and replaced ones before; added ones and their replacements after."""
    old = {item.media_key: item for item in before}
    new = {item.media_key: item for item in after}
    both = [key for key in new if key in old]
    replaced = [key for key in both if old[key].version != new[key].version]
    captioned = [key for key in both if old[key].description != new[key].description]
    previous = {
        "removed": [key for key in old if key not in new],
        "replaced": replaced,
        "captions": {key: old[key].description for key in captioned},
    }
    now = {
        "added": [key for key in new if key not in old],
        "replaced": replaced,
        "captions": {key: new[key].description for key in captioned},
    }
    return _without_empty(previous), _without_empty(now)


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _instant(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def as_text(value: Any) -> str | None:
    """A typed value as text, the same for any store: numbers exact and without needless zeros, lists as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return _json(value)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=as_text).encode
