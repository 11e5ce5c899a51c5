"""What a source record becomes: typed rows, photos, the members and offices within it, and what did not fit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

Reason = Literal["range", "number", "boolean", "date", "length", "characters", "shape", "duplicate", "key"]
"""Why a value is in ``extra`` although its element is known.

``range``: a number beyond its column. ``number``, ``boolean``, ``date``: not one. ``length``: longer than its column.
``characters``: holds NUL, which no store keeps. ``shape``: children where text belongs, or the reverse.
``duplicate``: repeated where one belongs. ``key``: an entry without a usable key of its own.
"""


class UnmappableError(ValueError):
    """The record cannot be stored at all: it has no usable key, or is nested without end. The text says which."""


class Problem(msgspec.Struct, frozen=True, gc=False):
    """A value that did not fit. It stands verbatim in ``extra`` under ``field``, its path, and the reason under
    ``#unfit``; its column is NULL."""

    field: str
    reason: Reason


class MediaItem(msgspec.Struct, frozen=True, gc=False):
    """One photo as the record describes it, or a record's only photo (``1``), of which it has but the timestamp.

    ``media_key`` is its identity within the record, ``order`` its place in the display order. ``version`` changes
    whenever the picture must be fetched again. ``modified`` is the picture's own timestamp, ``listed`` its entry's.
    """

    media_key: str
    order: int
    version: str
    thumbnail_photo_url: str | None = None
    photo_url: str | None = None
    large_photo_url: str | None = None
    description: str | None = None
    modified: datetime | None = None
    listed: datetime | None = None

    def url(self, size: str = "large") -> str | None:
        """The address of the picture in ``size`` (``large``, ``photo``, ``thumbnail``), else the next best there is."""
        if size == "thumbnail":
            return self.thumbnail_photo_url or self.photo_url or self.large_photo_url
        if size == "photo":
            return self.photo_url or self.large_photo_url or self.thumbnail_photo_url
        return self.large_photo_url or self.photo_url or self.thumbnail_photo_url


class Mapped(msgspec.Struct, gc=False):
    """A record in typed form.

    ``rows`` has every table of the resource but ``media``, in the column order of ``Mapping.columns``; the record's own
    table has exactly one row. Values are str, int, Decimal, bool, date, datetime (aware, UTC), lists of str and, in
    ``extra``, what JSON can hold. ``embedded`` are the members and offices found within, each key once; an office
    within an agent stands here too. ``hash`` covers all that the rows, the photos and the embedded copies hold, hence
    not a listing's own timestamp, which only the ledger keeps.
    """

    resource: str
    key: str
    modified: datetime | None
    rows: dict[str, list[tuple[Any, ...]]]
    media: list[MediaItem]
    embedded: list[Mapped]
    extra: dict[str, Any]
    problems: list[Problem]
    unknown: list[str]
    hash: bytes
