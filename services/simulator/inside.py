"""What repeats within a listing: rooms, parking, utilities and open houses."""

from __future__ import annotations

from datetime import date, datetime

from .clock import DAY
from .draws import Draw
from .formats import EASTERN, iso
from .making import Maker
from .schema import FEATURES, OPEN_HOUSE, ROOMS
from .values import Moment, Value, measure
from .vocabulary import LOOKUPS, TEXTS


def children_of(maker: Maker, groups: set[str]) -> dict[str, list[dict[str, Value]]]:
    """The entries of a listing by the path of their wrapper; wrappers without any are left out."""
    features, rooms, houses = maker.draw(FEATURES), maker.draw(ROOMS), maker.draw(OPEN_HOUSE)
    children: dict[str, list[dict[str, Value]]] = {}
    if "building" in groups:
        count = 1 if rooms.chance(0.05) else 0 if rooms.chance(0.1) else rooms.between(2, 16)
        children["Building/Rooms"] = [_room(maker, rooms) for _ in range(count)]
        children["ParkingSpaces"] = [_parking(maker, features) for _ in range(features.pick((0, 0, 1, 1, 2, 3)))]
    utilities = features.sample(range(len(LOOKUPS["UtilityType"])), features.pick((0, 0, 0, 1, 2, 5)))
    children["UtilitiesAvailable"] = [
        {"Type": maker.words("UtilityType")[at], "Description": features.pick(maker.words("UtilityDescription"))}
        for at in utilities
    ]
    count = houses.between(1, 3) if houses.chance(0.15) else 0
    children["OpenHouse"] = [_open_house(maker, houses, week) for week in range(count)]
    return {path: items for path, items in children.items() if items}


def _room(maker: Maker, draw: Draw) -> dict[str, Value]:
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


def _parking(maker: Maker, draw: Draw) -> dict[str, Value]:
    name = draw.pick(maker.words("ParkingName"))
    return {"Name": name, "Spaces": draw.between(1, 4)} if draw.chance(0.6) else {"Name": name}


def _open_house(maker: Maker, draw: Draw, week: int) -> dict[str, Value]:
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
