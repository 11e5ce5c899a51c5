"""The words of a record's history: fields, kinds of change, and the key of an entry.

The shape is that of the RESO Data Dictionary's HistoryTransactional resource; kinds are values of its ChangeType.
"""

from __future__ import annotations

from functools import cache
from hashlib import blake2b

from shared.mapping.elements import MEDIA
from shared.mapping.spec import load_spec

EVERYTHING = "*"
PRICE_CHANGE = "Price Change"
DELETED = "Deleted"
BACK_ON_MARKET = "Back On Market"
ACTIVE = "Active"

NOISE = ("analytics_click", "analytics_view", "extra", "modification_timestamp", "photos_change_timestamp")
"""Fields whose history says nothing, or nothing that the entries beside it do not say."""


@cache
def fields(mapping: str) -> frozenset[str]:
    """Every field that can have a history under this mapping: columns of records, tables of their parts, and photos.

    Raises MappingError when there is no such mapping.
    """
    spec = load_spec(mapping)
    found = {MEDIA}
    for resource in spec.resources:
        own, *parts = spec.tables(resource)
        found.update(column.name for column in own.columns if not column.key)
        found.update(part.name for part in parts)
    return frozenset(found)


def entry_key(resource: str, key: str, observed_at: int, field: str | None) -> str:
    """The key of an entry within its feed: the same change always has the same one, and keys sort as time does."""
    digest = blake2b("\0".join((resource, key, field or "")).encode(), digest_size=8).hexdigest()
    return f"{first_key(observed_at)}-{digest}"


def first_key(observed_at: int) -> str:
    """What comes before the key of every entry observed at that instant (microseconds) and after all earlier ones."""
    return f"{observed_at:014x}"
