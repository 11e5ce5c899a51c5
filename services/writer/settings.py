"""What can be configured of the writer, per feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.history import NOISE
from shared.mapping.escaped import Unescape


@dataclass(frozen=True, slots=True)
class WriterSettings:
    """Which mapping a feed's records go through, and what becomes of their photos.

    ``media``: none (no photos at all), link (the MLS's addresses only), url, location, bytes (stored, by that way).
    ``photo_size``: large, photo or thumbnail. ``resources``: what is read by its own master list. ``unescape``: see
    ``shared.mapping.escaped``. ``history_exclude``: fields without a history, ``*`` for all. ``objects``: by resource
    the types of object kept beside its photos, each with whether their addresses are.
    """

    mapping: str
    media: Literal["none", "link", "url", "location", "bytes"] = "url"
    photo_size: Literal["large", "photo", "thumbnail"] = "large"
    resources: tuple[str, ...] = ("property",)
    unescape: Unescape = "auto"
    history_exclude: frozenset[str] = frozenset(NOISE)
    objects: Mapping[str, tuple[tuple[str, bool], ...]] = field(default_factory=dict)
