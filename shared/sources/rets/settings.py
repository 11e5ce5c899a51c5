"""What a feed's settings say of a RETS server beside what its metadata say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from shared.rets.search import SearchFormat

Kind = Literal["property", "member", "office", "open_house"]
NONE: Final = "-"
"""In place of a field: that there is none."""
KINDS: Final[tuple[Kind, ...]] = ("property", "member", "office", "open_house")


@dataclass(frozen=True, slots=True)
class Override:
    """Of one resource what the metadata do not say, or say wrongly; "" and () leave it to them.

    ``resource`` and ``classes`` are the server's own names, the others SystemNames or StandardNames of fields, or
    several with commas between, of which the first counts that a class has. ``objects`` and ``object_links`` are types
    of object that are no photos, to be kept as bytes or as addresses. ``listing_field`` is, of open houses, the field
    that holds the listing's key.
    """

    resource: str = ""
    classes: tuple[str, ...] = ()
    key_field: str = ""
    timestamp_field: str = ""
    photo_timestamp_field: str = ""
    photo_count_field: str = ""
    photo_type: str = ""
    objects: tuple[str, ...] = ()
    object_links: tuple[str, ...] = ()
    listing_field: str = ""


@dataclass(frozen=True, slots=True)
class RetsSourceSettings:
    """What is known of a server before it is asked. ``search_format`` is the one to ask for first."""

    overrides: Mapping[Kind, Override] = field(default_factory=dict)
    search_format: SearchFormat = "COMPACT"
