"""A listing out of its seed: what it is born with, and what its changes made of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from .facts import computed, drawn
from .inside import children_of
from .making import Maker, key_of
from .photos import Photo, photos_of
from .schema import AGENTS, BORN, ELEMENTS, FEATURES, Element
from .timeline import Snapshot
from .values import Value

_EMPTY = 0.01  # share of absent elements that are there all the same, and empty
_REDRAWN = ("AlternateURL", "Business")  # sections that change as a whole, with the lists
_KINDS = (  # share, property type (place in its lookup), groups it belongs to
    (0.52, 0, {"building", "sale"}),
    (0.66, 0, {"building", "sale", "condo"}),
    (0.76, 0, {"building", "lease"}),
    (0.83, 1, {"building", "sale", "farm"}),
    (0.90, 2, {"sale"}),
    (0.93, 3, {"building", "sale", "business"}),
    (0.95, 4, {"building", "sale", "condo"}),
    (0.97, 5, {"building", "lease", "business"}),
    (0.985, 6, {"building", "sale", "business"}),
    (1.0, 7, {"building", "lease", "business"}),
)


@dataclass(frozen=True, slots=True)
class Listing:
    """A listing as of one moment: its elements by path, what repeats, its agents' numbers and its photos.

    ``as_of`` is the day whose copies of agents and offices it carries, ``suffixed`` says whether the remarks end in
    the destination's `` (id:N)`` on the wire.
    """

    number: int
    key: str
    stamp: int
    as_of: int
    values: dict[str, Value]
    children: dict[str, list[dict[str, Value]]]
    agents: list[int]
    photos: list[Photo]
    suffixed: bool


def listing_of(snapshot: Snapshot, number: int, photos: int, agents: int, language: int = 0) -> Listing:
    """The listing of this number as the snapshot has it.

    ``photos`` is the mean number of photos, ``agents`` the size of the pool, ``language`` 0 for English, 1 for French.
    """
    population = snapshot.population
    events = snapshot.events(number)
    born = population.born(number)
    maker = Maker(population.seed, number, language, born, events)
    base = maker.draw(BORN)
    roll = base.random()
    _, kind, groups = next(entry for entry in _KINDS if roll < entry[0])
    groups = {"any", *groups}
    if base.chance(0.08):
        groups.add("water")
    known = computed(maker, groups, kind)
    if known["Building/FireplacePresent"]:
        groups.add("fireplace")
    features = maker.draw(FEATURES)
    values: dict[str, Value] = {}
    for element in _elements_of(frozenset(groups)):
        if element.computed:
            if element.path in known:
                values[element.path] = known[element.path]
            continue
        draw = features if element.kind == "list" or element.section in _REDRAWN else base
        chance = draw.random()
        if chance < element.chance:
            values[element.path] = drawn(maker, draw, element)
        elif chance > 1 - _EMPTY:
            values[element.path] = None
    if "Business/Franchise" not in values and number % 2:
        values["Business/Franchise"] = None
    if "MunicipalId" in values:
        values.pop("MunicipalID", None)  # two spellings of one thing; a record uses one of them
    team = maker.draw(AGENTS)
    size = 0 if not agents or team.chance(0.01) else min(agents, 1 + team.chance(0.25) + team.chance(0.05))
    return Listing(
        number=number,
        key=key_of(number),
        stamp=events[-1].stamp if events else born,
        as_of=snapshot.last_day(number),
        values=values,
        children=children_of(maker, groups),
        agents=team.sample(range(agents), size),
        photos=photos_of(population.seed, number, photos, born, events),
        suffixed=number % 10 < 7,
    )


@lru_cache(maxsize=256)
def _elements_of(groups: frozenset[str]) -> list[Element]:
    return [element for element in ELEMENTS if element.group in groups and element.kind != "child"]
