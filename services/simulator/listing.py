"""A listing out of its seed: what it is born with, and what its changes made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from .clock import DAY
from .draws import ASPECT, EDIT, Draw, mix
from .formats import EASTERN, iso
from .people import address
from .photos import Photo, photos_of
from .schema import AGENTS, BORN, ELEMENTS, FEATURES, OPEN_HOUSE, PRICE, REMARKS, ROOMS, Element
from .timeline import EDITED, Event, Snapshot
from .values import Moment, Value, measure, spread
from .vocabulary import CITIES, LOOKUPS, SENTENCES, TEXTS

FIRST_KEY = 20_000_001
DESTINATION = "5012345"
_EMPTY = 0.01  # share of absent elements that are there all the same, and empty
_ASPECTS = ((PRICE, 0.5), (REMARKS, 0.2), (ROOMS, 0.15), (FEATURES, 0.2), (OPEN_HOUSE, 0.2), (AGENTS, 0.05))
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
_UNITS = {"SizeFrontage": 3, "SizeDepth": 3, "SizeExterior": 0, "SizeInteriorFinished": 0, "TotalFinishedArea": 0}
_ACRES = 2


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


def key_of(number: int) -> str:
    """CREA's unique key of a listing."""
    return str(FIRST_KEY + number)


def number_of(key: str) -> int | None:
    """The listing a key belongs to, living or not; None when it can be none."""
    if not (key.isascii() and key.isdigit()) or not 8 <= len(key) <= 9 or int(key) < FIRST_KEY:
        return None
    return int(key) - FIRST_KEY


class _Maker:
    """Everything that the parts of one listing share while it is put together."""

    def __init__(self, seed: int, number: int, language: int, born: int, events: Sequence[Event]) -> None:
        self.seed, self.number, self.language, self.born = seed, number, language, born
        self.since = [born] * (BORN + 1)
        self.versions = [0] * (BORN + 1)
        for event in events:
            if event.kinds & EDITED:
                draw = Draw(seed, EDIT, number, event.ordinal)
                redrawn = [aspect for aspect, share in _ASPECTS if draw.chance(share)] or [PRICE]
                for aspect in redrawn if event.ordinal % 2 == 0 else {PRICE, *redrawn}:
                    self.versions[aspect] += 1
                    self.since[aspect] = event.stamp
        self._draws: dict[int, Draw] = {}

    def draw(self, aspect: int) -> Draw:
        """The chance of one aspect at its present version."""
        found = self._draws.get(aspect)
        if found is None:
            found = self._draws[aspect] = Draw(self.seed, ASPECT, self.number, aspect, self.versions[aspect])
        return found

    def words(self, lookup: str) -> list[str]:
        """The texts of a lookup in the language asked for."""
        return _WORDS[self.language][lookup]


_WORDS = [{name: [pair[at] for pair in pairs] for name, pairs in LOOKUPS.items()} for at in (0, 1)]


def listing_of(snapshot: Snapshot, number: int, photos: int, agents: int, language: int = 0) -> Listing:
    """The listing of this number as the snapshot has it.

    ``photos`` is the mean number of photos, ``agents`` the size of the pool, ``language`` 0 for English, 1 for French.
    """
    population = snapshot.population
    events = snapshot.events(number)
    born = population.born(number)
    maker = _Maker(population.seed, number, language, born, events)
    base = maker.draw(BORN)
    roll = base.random()
    _, kind, groups = next(entry for entry in _KINDS if roll < entry[0])
    groups = {"any", *groups}
    if base.chance(0.08):
        groups.add("water")
    computed = _computed(maker, groups, kind)
    if computed["Building/FireplacePresent"]:
        groups.add("fireplace")
    features = maker.draw(FEATURES)
    values: dict[str, Value] = {}
    for element in _elements_of(frozenset(groups)):
        if element.computed:
            if element.path in computed:
                values[element.path] = computed[element.path]
            continue
        draw = features if element.kind == "list" else base
        chance = draw.random()
        if chance < element.chance:
            values[element.path] = _drawn(maker, draw, element)
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
        children=_children(maker, groups),
        agents=team.sample(range(agents), size),
        photos=photos_of(population.seed, number, photos, born, events),
        suffixed=number % 10 < 7,
    )


@lru_cache(maxsize=256)
def _elements_of(groups: frozenset[str]) -> list[Element]:
    return [element for element in ELEMENTS if element.group in groups and element.kind != "child"]


def _drawn(maker: _Maker, draw: Draw, element: Element) -> Value:
    source = element.source
    if ".." in source:
        low, _, high = source.partition("..")
        amount = draw.between(int(low), int(high))
        if element.kind != "measure":
            return amount
        unit = maker.words("MeasureUnit")[_UNITS.get(element.leaf, _ACRES)]
        return measure(f"{amount}.5" if draw.chance(0.2) else str(amount), unit)
    if element.kind == "list":
        # One kind of building and one of waterfront, although their columns are lists.
        return draw.some(maker.words(source), 1 if source in {"BuildingType", "WaterFrontType"} else 4)
    if source in LOOKUPS:
        return draw.pick(maker.words(source))
    if element.kind == "url":
        return f"https://tour.example/{maker.number}?kind={element.leaf}&lang={maker.language}"
    if element.kind == "bool":
        return draw.chance(0.5)
    text = draw.pick(TEXTS[source])
    if element.kind == "measure":
        number, _, unit = text.partition(" ")
        return measure(number, unit)
    return text


def _computed(maker: _Maker, groups: set[str], kind: int) -> dict[str, Value]:
    number, base = maker.number, maker.draw(BORN)
    key = key_of(number)
    above, below = base.between(0, 4), base.between(0, 2)
    size = base.between(6, 50) * 100
    words = maker.words
    place = {f"Address/{name}": value for name, value in address(base).items()}
    _, _, latitude, longitude, _, board = next(city for city in CITIES if city[0] == place["Address/City"])
    values: dict[str, Value] = {
        "ListingID": f"{base.pick('XWCE')}{1_000_000 + mix(maker.seed, number) % 8_000_000}",
        "Board": board,
        "Building/BedroomsTotal": above + below,
        "Building/BedroomsAboveGround": above,
        "Building/BedroomsBelowGround": below,
        "Building/FireplacePresent": base.chance(0.4),
        "Building/SizeInterior": spread(size, size + 400, words("MeasureUnit")[0])
        if base.chance(0.4)
        else measure(str(size + 7), words("MeasureUnit")[0]),
        "Building/StoriesTotal": Decimal(base.pick(("1", "1.5", "2", "2.5", "3", "28"))),
        **place,
        "PropertyType": words("PropertyType")[kind],
        "TransactionType": words("TransactionType")[base.pick((1, 2)) if "lease" in groups else 0],
        "AnalyticsClick": _script(key, "Click"),
        "AnalyticsView": _script(key, "View"),
        "MoreInformationLink": f"https://www.realtor.ca/PropertyDetails.aspx?PropertyId={key}",
        "MaintenanceFee": Decimal(base.between(10_000, 150_000)) / 100,
    }
    if base.chance(0.7):
        values["Address/Longitude"] = Decimal(f"{longitude + base.uniform(-0.2, 0.2):.{base.pick((5, 6, 7))}f}")
        values["Address/Latitude"] = Decimal(f"{latitude + base.uniform(-0.2, 0.2):.{base.pick((5, 6, 7))}f}")
    if base.chance(0.4):
        text = f"{base.between(1, 200) / 4:.2f}"
        values["Land/SizeTotal"] = measure(text, words("MeasureUnit")[base.pick((2, 5))])
    if base.chance(0.8):
        values["ListingContractDate"] = datetime.fromtimestamp(maker.born, UTC).date() - timedelta(base.between(0, 60))
    values |= _price(maker, base, groups)
    remarks = _remarks(maker)
    if remarks:
        values["PublicRemarks"] = remarks
    return values


def _price(maker: _Maker, base: Draw, groups: set[str]) -> dict[str, Value]:
    if "lease" in groups:
        return {"Lease": Decimal(base.between(80, 600) * 10 + 25 * maker.versions[PRICE]).quantize(Decimal("0.01"))}
    asked = base.between(100, 3000) * 1000 + 900
    for version in range(maker.versions[PRICE]):
        asked += 1000 * (1 + mix(maker.seed, maker.number, version) % 9) * (1 if version % 3 == 2 else -1)
    return {"Price": Decimal(max(asked, 1000 + maker.versions[PRICE])).quantize(Decimal("0.01"))}


def _remarks(maker: _Maker) -> str:
    draw = maker.draw(REMARKS)
    if draw.chance(0.02):
        return ""
    sentences = draw.sample(SENTENCES, draw.between(2, 9))
    paragraphs = "\n\n" if draw.chance(0.1) else " "
    return paragraphs.join(sentence[maker.language] for sentence in sentences)


def _script(key: str, event: str) -> str:
    return (
        f'<![CDATA[<script type="text/javascript">logEvent("{key}", "{DESTINATION}", "{event}", '
        f'location.search < 1 && "?&amp;x");</script>]]>'
    )


def _children(maker: _Maker, groups: set[str]) -> dict[str, list[dict[str, Value]]]:
    base, rooms, houses = maker.draw(BORN), maker.draw(ROOMS), maker.draw(OPEN_HOUSE)
    children: dict[str, list[dict[str, Value]]] = {}
    if "building" in groups:
        count = 1 if rooms.chance(0.05) else 0 if rooms.chance(0.1) else rooms.between(2, 16)
        children["Building/Rooms"] = [_room(maker, rooms) for _ in range(count)]
        children["ParkingSpaces"] = [_parking(maker, base) for _ in range(base.pick((0, 0, 1, 1, 2, 3)))]
    utilities = base.sample(range(len(LOOKUPS["UtilityType"])), base.pick((0, 0, 0, 1, 2, 5)))
    children["UtilitiesAvailable"] = [
        {"Type": maker.words("UtilityType")[at], "Description": base.pick(maker.words("UtilityDescription"))}
        for at in utilities
    ]
    count = houses.between(1, 3) if houses.chance(0.15) else 0
    children["OpenHouse"] = [_open_house(maker, houses, week) for week in range(count)]
    return {path: items for path, items in children.items() if items}


def _room(maker: _Maker, draw: Draw) -> dict[str, Value]:
    room: dict[str, Value] = {"Type": draw.pick(maker.words("RoomType"))}
    width, length = draw.between(180, 600) / 100, draw.between(180, 900) / 100
    for name, meters in (("Width", width), ("Length", length)):
        room[name] = measure(f"{meters:.2f}", "m") if draw.chance(0.3) else None
    room["Level"] = draw.pick(maker.words("RoomLevel"))
    if draw.chance(0.4):
        room["Dimension"] = f"{width:.2f} m x {length:.2f} m"
    elif draw.chance(0.9):
        feet = [f"{int(side * 3.28)}' {draw.pick(('', 0, 6, 11))}''" for side in (width, length)]
        room["Dimension"] = " x ".join(feet)
    if draw.chance(0.1):
        room["Description"] = draw.pick(TEXTS["Description"])
    return room


def _parking(maker: _Maker, draw: Draw) -> dict[str, Value]:
    name = draw.pick(maker.words("ParkingName"))
    return {"Name": name, "Spaces": draw.between(1, 4)} if draw.chance(0.6) else {"Name": name}


def _open_house(maker: _Maker, draw: Draw, week: int) -> dict[str, Value]:
    day = datetime.fromtimestamp(maker.since[OPEN_HOUSE] + DAY * (2 + 7 * week), EASTERN).date()
    hour = draw.between(9, 16)
    plain = draw.chance(0.2)
    event: dict[str, Value] = {
        "StartDateTime": _local(day, hour, plain),
        "EndDateTime": _local(day, hour + 2, plain),
    }
    if draw.chance(0.4):
        event["Comments"] = draw.pick(TEXTS["OpenHouseComments"])
    return event


def _local(day: date, hour: int, plain: bool) -> Moment:
    local = datetime(day.year, day.month, day.day, hour, tzinfo=EASTERN)
    instant = int(local.timestamp())
    text = iso(instant) if plain else f"{local:%d/%m/%Y} {local.hour % 12 or 12}:{local:%M:%S %p}"
    return Moment(instant, text)
