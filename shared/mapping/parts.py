"""The repeated elements of a record: rows of child tables, and photos."""

from __future__ import annotations

from typing import Any

from shared.mapping.convert import KEY_BYTES
from shared.mapping.draft import Draft
from shared.mapping.plan import Plan, fill
from shared.mapping.record import MediaItem


def as_list(value: Any) -> list[Any]:
    """Siblings of one name: a single one stands alone in a SourceRecord, several in a list, an empty one is ""."""
    if isinstance(value, list):
        return value
    return [] if value is None or value == "" else [value]


class Children:
    """Elements that become rows of a table of their own, numbered from 1; those that hold nothing make no row.

    ``keyed``: they have a key of their own, which is that of the element ``own`` where that is one, and the first to
    have it; else it is made of the record's key and the place.
    """

    def __init__(self, table: str, plan: Plan, width: int, *, keyed: bool, own: str | None = None) -> None:
        self._table = table
        self._plan = plan
        self._blank: list[Any] = [None] * width
        self._width = width
        self._keyed = keyed
        self._own = own

    def __call__(self, value: Any, path: str, draft: Draft) -> None:
        rows = draft.rows[self._table]
        seen: set[str] = set()
        for place, item in enumerate(as_list(value), start=1):
            fields = {"#text": item} if isinstance(item, str) and "#text" in self._plan else item
            if not isinstance(fields, dict):
                if item is not None and item != "":
                    draft.keep(f"{path}[{place}]", item, "shape")
                continue
            row = (
                [draft.feed, draft.key, self._key(fields, f"{draft.key}-{place}", seen), place]
                if self._keyed
                else [draft.feed, draft.key, place]
            )
            row += self._blank
            fill(row, fields, self._plan, f"{path}[{place}]/", draft)
            if row.count(None) < self._width:
                rows.append(tuple(row))

    def _key(self, fields: dict[str, Any], made: str, seen: set[str]) -> str:
        given = fields.get(self._own) if self._own is not None else None
        usable = isinstance(given, str) and given and "\0" not in given and len(given) <= KEY_BYTES // 4
        name = str(given) if usable and given not in seen else made
        while name in seen:
            name += "'"
        seen.add(name)
        return name


REMEMBERED = 8_192
"""Photos of which it is remembered what they became: those of a few pages, some megabytes."""


class Photos:
    """Elements that describe photos. The first of a key counts; an entry without a key cannot be kept as a photo.

    A changed listing is mapped as it is and, for its history, in part as it was, and most of its photos are the same
    both times, so what became of the last ones is remembered.
    """

    def __init__(self, plan: Plan, columns: list[str], identity: str, stamps: tuple[str, str]) -> None:
        self._plan = plan
        self._blank: list[Any] = [None] * len(columns)
        self._identity = identity
        self._stamps = stamps
        self._made: dict[tuple[Any, ...], MediaItem] = {}
        self._thumbnail, self._photo, self._large, self._caption, self._modified, self._listed = (
            columns.index(name)
            for name in (
                "thumbnail_photo_url",
                "photo_url",
                "large_photo_url",
                "long_description",
                "modification_timestamp",
                "last_updated",
            )
        )

    def __call__(self, value: Any, path: str, draft: Draft) -> None:
        seen: set[str] = set()
        for place, item in enumerate(as_list(value), start=1):
            if not isinstance(item, dict):
                if item is not None and item != "":
                    draft.keep(f"{path}[{place}]", item, "shape")
                continue
            name = item.get(self._identity)
            if not isinstance(name, str) or not name or len(name) > KEY_BYTES // 4 or "\0" in name:
                draft.keep(f"{path}[{place}]", item, "key")
            elif name in seen:
                draft.keep(f"{path}[{place}]", item, "duplicate")
            else:
                seen.add(name)
                draft.media.append(self._item(name, place, item, path, draft))

    def _item(self, name: str, place: int, item: dict[str, Any], path: str, draft: Draft) -> MediaItem:
        order = int(name) if len(name) < 10 and name.isascii() and name.isdigit() else place
        same = (order, *item, *item.values())
        try:
            known = self._made.get(same)
        except TypeError:  # it holds elements of its own
            return self._new(name, order, place, item, path, draft)
        if known is None:
            odd = len(draft.extra)
            known = self._new(name, order, place, item, path, draft)
            if len(draft.extra) == odd:
                if len(self._made) >= REMEMBERED:
                    self._made.clear()
                self._made[same] = known
        return known

    def _new(self, name: str, order: int, place: int, item: dict[str, Any], path: str, draft: Draft) -> MediaItem:
        row = self._blank.copy()
        fill(row, item, self._plan, f"{path}[{place}]/", draft)
        large, photo, thumbnail = row[self._large], row[self._photo], row[self._thumbnail]
        stamp = item.get(self._stamps[0]) or item.get(self._stamps[1]) or ""
        version = f"{stamp}|{_path(large or photo or thumbnail or '')}"
        return MediaItem(
            name, order, version, thumbnail, photo, large, row[self._caption], row[self._modified], row[self._listed]
        )


class OnlyPhoto:
    """A record's one photo, which has neither entry nor address: there is one while the record says when it changed."""

    def __init__(self, element: str, place: int) -> None:
        self._element = element
        self._place = place

    def __call__(self, fields: dict[str, Any], draft: Draft) -> None:
        stated = _stated(fields.get(self._element))
        if stated:
            draft.media.append(MediaItem("1", 1, stated, modified=draft.row[self._place]))


def _stated(value: Any) -> str:
    """The text of an element as sent, whatever its shape: another text is another photo."""
    if isinstance(value, list):
        return "|".join(filter(None, map(_stated, value)))
    text = value.get("#text") if isinstance(value, dict) else value
    return text if isinstance(text, str) else ""


def _path(url: str) -> str:
    """The path of a URL: a photo that moved to another host, or is asked for with another token, is the same photo."""
    path = url.split("/", 3)[-1]
    return path.partition("?")[0] if "?" in path else path
