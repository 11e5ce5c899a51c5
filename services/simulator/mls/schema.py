"""The metadata of this MLS as they are now, and how they may drift (RETS 1.7.2 §11.2.4: an entry keeps its id)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ..edition import Edition
from ..vocabulary import Text
from .tables import CLASSES, Class, Column


@dataclass(frozen=True, eq=False)
class Schema:
    """One edition of the metadata: what is announced and what is searched by, until the next.

    ``texts`` are values of lookups by lookup and code that are others than in the vocabulary, None for those gone.
    """

    edition: Edition = field(default_factory=Edition)
    classes: tuple[Class, ...] = CLASSES
    keys: Mapping[str, str] = field(
        default_factory=lambda: {each.resource: each.columns[0].system_name for each in CLASSES}
    )
    texts: Mapping[tuple[str, str], Text | None] = field(default_factory=dict)

    def of(self, resource: str) -> list[Class]:
        """The classes of a resource."""
        return [each for each in self.classes if each.resource == resource]

    def lookups(self, resource: str) -> list[str]:
        """The lookups that fields of a resource have."""
        names = (column.lookup for each in self.of(resource) for column in each.columns)
        return list(dict.fromkeys(name for name in names if name))

    def values(self, name: str) -> list[tuple[str, Text]]:
        """Code and texts of every value of a lookup."""
        found: dict[str, Text | None] = dict(self.edition.values(name))
        found |= {code: text for (lookup, code), text in self.texts.items() if lookup == name}
        return [(code, text) for code, text in found.items() if text is not None]


PARKING: Final = Column("R90", "PARKING", "ParkingTotal", "Int", 0, "", False, "ParkingSpaceTotal")
MORE: Final = Column("R91", "MORE_INFO", "", "Character", 200, "", False, "MoreInformationLink")
TAKEN: Final = Column("R92", "MORE_INFO", "", "Character", 200, "", False, "AnalyticsView")
"""Fields that come later; the last under the name that another had before it."""
HEATING: Final = "HeatingType"


def _in_class(schema: Schema, name: str, do: Callable[[Column], Column | None], *more: Column) -> Schema:
    """With each column of a class as ``do`` makes it, None for none, and more of them."""
    made = []
    for each in schema.classes:
        if each.name == name:
            columns = [found for column in each.columns if (found := do(column)) is not None]
            held = {column.entry for column in columns}
            columns += [column for column in more if column.entry not in held]
            each = replace(each, columns=tuple(columns))  # noqa: PLW2901
        made.append(each)
    return replace(schema, classes=tuple(made))


def _renamed(schema: Schema, name: str, names: Mapping[str, str]) -> Schema:
    def do(column: Column) -> Column:
        return replace(column, system_name=names.get(column.system_name, column.system_name))

    return _in_class(schema, name, do)


def _without(schema: Schema, name: str, *names: str) -> Schema:
    return _in_class(schema, name, lambda column: None if column.system_name in names else column)


def _lookups(schema: Schema) -> Schema:
    first, second, *_ = (code for code, _ in schema.edition.values(HEATING))
    return replace(
        schema,
        texts={
            **schema.texts,
            (HEATING, first): ("Forced air, any fuel", "Air pulsé, tout combustible"),
            (HEATING, second): None,
            (HEATING, "Geothermal"): ("Geothermal", "Géothermie"),
        },
    )


def _third(schema: Schema) -> Schema:
    """Of RES each third field, but for those that tell of key and times."""
    (kind,) = (each for each in schema.classes if each.name == "RES")
    gone = [column.system_name for column in kind.columns[5:]]
    return _without(schema, "RES", *gone[: -(-len(kind.columns) // 3)])


def _keys(schema: Schema) -> Schema:
    """The key of listings renamed in every class, and as the resource's own."""
    for name in ("RES", "LND", "COM"):
        schema = _renamed(schema, name, {"LIST_KEY": "LIST_ID"})
    return replace(schema, keys={**schema.keys, "Property": "LIST_ID"})


DRIFTS: Final[Mapping[str, tuple[str, Callable[[Schema], Schema]]]] = {
    "added": (
        "RES has two fields more, one without StandardName",
        lambda schema: _in_class(schema, "RES", lambda column: column, PARKING, MORE),
    ),
    "renamed": (
        "fields of RES have other SystemNames and the entry ids they had, with StandardName and (once added) without",
        lambda schema: _renamed(schema, "RES", {"BEDS": "BEDROOMS", "MORE_INFO": "INFO_LINK"}),
    ),
    "taken": (
        "RES has another field under a name that one had before",
        lambda schema: _in_class(schema, "RES", lambda column: column, TAKEN),
    ),
    "removed": (
        "RES lacks two fields, one of them without StandardName if it was there",
        lambda schema: _without(schema, "RES", "HEAT", "MORE_INFO", "INFO_LINK"),
    ),
    "lookups": (f"{HEATING} has a value more, a value less, and a value with another text", _lookups),
    "key": ("RES calls its key field otherwise", lambda schema: _renamed(schema, "RES", {"LIST_KEY": "LIST_ID"})),
    "keys": ("all classes of Property call their key field otherwise, and so does Property", _keys),
    "timestamp": ("LND lacks its timestamp", lambda schema: _without(schema, "LND", "MOD_TS")),
    "photos": ("RES no longer counts photos", lambda schema: _without(schema, "RES", "PHOTO_CNT")),
    "third": ("a third of the fields of RES are gone", _third),
    "class": (
        "there is no class LND",
        lambda schema: replace(schema, classes=tuple(each for each in schema.classes if each.name != "LND")),
    ),
    "restored": ("all is as it was at first", lambda schema: Schema(schema.edition)),
}
"""What may become of the metadata, each upon the others."""


def drifted(schema: Schema, kinds: str) -> Schema:
    """The next edition, after drifts whose names are joined by ``+``. Raises KeyError for one that there is not."""
    for kind in kinds.split("+"):
        schema = DRIFTS[kind][1](schema)
    return next_edition(schema)


def next_edition(schema: Schema) -> Schema:
    """The same under the next version and date."""
    return replace(schema, edition=Edition(schema.edition.number + 1))


def described() -> Iterator[str]:
    """Every drift in words."""
    return (f"{name} ({about})" for name, (about, _) in DRIFTS.items())
