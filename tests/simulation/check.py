"""What must be true of a world: at the end rows, photos and ledgers equal the MLS; on the way no removal is wrong."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from shared.messages import InventoryTaken, decode
from tests.simulation.mls import PEOPLE, SECOND, Person, office_name, picture, when

if TYPE_CHECKING:
    from tests.simulation.world import World

Change = tuple[str | None, str | None, str | None]
LISTINGS = "property"


class Difference(BaseException):
    """The world is not as it must be; no handler may take it for a fault of its own."""

    def __init__(self, found: list[str]) -> None:
        super().__init__("; ".join(found))
        self.found = found


class _Found(list[str]):
    """Differences, by name."""

    def same(self, name: str, stored: Any, expected: Any) -> None:
        if stored != expected:
            self.append(f"{name}: stored {stored}, expected {expected}")


def differences(world: World) -> list[str]:
    """Where the store differs from the MLS; nothing, if it is in step."""
    found = _Found()
    _listings(world, found)
    _photos(world, found)
    found.same("members", _pairs(world, "SELECT member_key, member_full_name FROM member"), members_expected(world))
    if world.setup.people:
        _people(world, found)
    found.same("keys wanted", world.rows("SELECT key FROM ledger WHERE wanted_by IS NOT NULL"), [])
    found.same("lines that an older observation took", world.rows("SELECT * FROM overtaken"), [])
    found.same("candidates", world.rows("SELECT key FROM removal_candidate"), [])
    if told(world) != lived(world):
        found.append(f"history tells {told(world)}, lived was {lived(world)}")
    found += _rooms_in_history(world)
    if not world.setup.people:
        others = "SELECT * FROM history_transactional WHERE resource_name <> 'property'"
        found.same("history of listings' copies", world.rows(others), [])
    return found


def _pairs(world: World, sql: str) -> dict[Any, Any]:
    return dict(world.rows(sql))


def _listings(world: World, found: _Found) -> None:
    listings = world.mls.listings
    prices = {key: item.price for key, item in listings.items()}
    found.same("prices", _pairs(world, "SELECT listing_key, list_price FROM property"), prices)
    rooms = {key: item.rooms for key, item in listings.items() if item.rooms}
    found.same("rooms", _pairs(world, "SELECT listing_key, count(*) FROM property_room GROUP BY 1"), rooms)
    stamps = {key: when(item.stamp) for key, item in listings.items()}
    found.same("stamps", _pairs(world, "SELECT key, stamp FROM ledger WHERE resource = 'property' AND stored"), stamps)


def _photos(world: World, found: _Found) -> None:
    expected = photos_expected(world)
    sql = 'SELECT resource_name, resource_record_key, "order", object_key, content_sha256 FROM media'
    stored = {(resource, key, order): (name, sha) for resource, key, order, name, sha in world.rows(sql)}
    hashes = {place: hashlib.sha256(picture(shown)).hexdigest() for place, shown in expected.items()}
    found.same("photos", {place: sha for place, (_, sha) in stored.items()}, hashes)
    objects = set(world.blobs.keys())
    names = {name for name, _ in stored.values()}
    found.same("objects", sorted(objects, key=str), sorted(names, key=str))
    states = set(world.rows("SELECT name, state FROM media_object"))
    found.same("object ledger", sorted(states, key=str), sorted({(name, "live") for name in names}, key=str))
    for place, (name, _) in stored.items():
        if place in expected and name in objects:
            with world.blobs.open(name) as file:
                found.same(f"bytes of {name}", file.read() == picture(expected[place]), True)


def photos_expected(world: World) -> dict[tuple[str, str, int], int]:
    """The picture that belongs at every place: resource, key, order."""
    expected = {
        (LISTINGS, key, order): shown
        for key, item in world.mls.listings.items()
        for order, (_, shown) in item.photos.items()
    }
    for resource in PEOPLE:
        expected |= {(resource, key, 1): it.photo for key, it in listed(world, resource).items() if it.photo}
    return expected


def listed(world: World, resource: str) -> dict[str, Person]:
    """People whose own records are read."""
    return world.mls.people.get(resource, {}) if resource in world.resources else {}


def _copies(world: World, of: Any) -> dict[str, str]:
    """What the last-observed listing that refers to somebody calls them; observed together, the greater key."""
    seen = _pairs(world, "SELECT key, observed_at FROM ledger WHERE resource = 'property' AND stored")
    latest: dict[str, tuple[int, str, str]] = {}
    for key, item in world.mls.listings.items():
        who, name = of(item)
        copy = (seen.get(key, 0), key, name)
        latest[who] = max(latest.get(who, copy), copy)
    return {who: name for who, (_, _, name) in latest.items()}


def members_expected(world: World) -> dict[str, str]:
    copies = _copies(world, lambda item: (str(item.agent), item.agent_name))
    return copies | {key: it.name for key, it in listed(world, "member").items()}


def _people(world: World, found: _Found) -> None:
    copies = _copies(world, lambda item: (str(item.agent % 2), office_name(item.agent_name)))
    offices = copies | {key: it.name for key, it in listed(world, "office").items()}
    found.same("offices", _pairs(world, "SELECT office_key, office_name FROM office"), offices)
    for resource in PEOPLE:
        own = listed(world, resource)
        mine = "TRUE" if resource not in world.resources else "stored"  # what is not read has no tombstones either
        lines = _pairs(world, f"SELECT key, stamp FROM ledger WHERE resource = '{resource}' AND {mine}")
        found.same(f"lines of {resource}", lines, {key: when(it.stamp) for key, it in own.items()})
        sources = {key for (key,) in world.rows(f"SELECT key FROM source_record WHERE resource = '{resource}'")}
        found.same(f"records of {resource}", sources, set(own))
        phones = _pairs(world, f"SELECT {resource}_key, count(*) FROM {resource}_phone GROUP BY 1")
        found.same(f"phones of {resource}", phones, {key: it.phones for key, it in own.items() if it.phones})
        rows = {key for (key,) in world.rows(f"SELECT {resource}_key FROM {resource}")}
        copied = {key for (key,) in world.rows(f"SELECT key FROM embedded_row WHERE resource = '{resource}'")}
        found.same(f"copies of {resource}", copied, rows - own.keys())


def guard_kept(world: World) -> list[str]:
    """With removals held: they are all that differs, none that the MLS still has, and the rest were few enough."""
    found = _Found()
    held = {key for (key,) in world.rows("SELECT key FROM removal_candidate WHERE state = 'held'")}
    rows = {key for (key,) in world.rows("SELECT listing_key FROM property")}
    found.same("keys, those held aside", rows - held, set(world.mls.listings))
    found.same("keys held that the MLS has", held & world.mls.listings.keys(), set())
    removed = world.rows("SELECT count(*) FROM seen WHERE removed_by IS NOT NULL")[0][0]
    if removed > (world.setup.guard or 0):
        found.append(f"guard: {removed} removed in a day, of which {world.setup.guard} are to be believed")
    return found


def removals_true(world: World) -> list[str]:
    """Every row that was removed was lacking in the inventory, or named in the deletion, in whose name it went; and no
    newer inventory had been handled by then."""
    rows = world.rows("SELECT key, removed_by, horizon FROM seen WHERE removed_by IS NOT NULL")
    if not rows:
        return []
    named: dict[int, set[str]] = {}
    for body in world.bag.published:
        _, message = decode(body)
        if isinstance(message, InventoryTaken) and message.resource == LISTINGS and message.proven:
            named.setdefault(message.observed_at, set()).update(key for key, _ in message.entries)
    found = []
    for key, by, horizon in rows:
        if by < (horizon or 0):
            found.append(f"removal: {key} by {by}, though {horizon} had been handled")
        elif key not in world.named.get(by, ()) and key in named.get(by, {key}):
            found.append(f"removal: {key} by {by}, which does not lack it")
    return found


def mark_holds(world: World) -> None:
    """What the MLS has not changed since before the mark is stored as it is. Raises Difference."""
    rows = world.rows("SELECT reached FROM mark WHERE resource = 'property' AND settled_at IS NOT NULL")
    reached = max((at for (at,) in rows if at is not None), default=None)
    if reached is None:
        return
    stored = _pairs(world, "SELECT key, stamp FROM ledger WHERE resource = 'property' AND stored")
    found = _Found()
    for key, item in world.mls.listings.items():
        if item.stamp * SECOND < reached and key not in world.mls.returned:
            found.same(f"{key}, unchanged since before the mark", stored.get(key), when(item.stamp))
    if found:
        raise Difference(found)


def lived(world: World) -> dict[str, list[Change]]:
    """What the rows of each listing went through after the first: kind, price before, price after."""
    now: dict[str, str | None] = {}
    found: dict[str, list[Change]] = defaultdict(list)
    for key, price in world.rows("SELECT key, price FROM seen ORDER BY number"):
        if key in now and price != now[key]:
            before = now[key]
            kind = "Deleted" if price is None else "Back On Market" if before is None else "Price Change"
            found[key].append((kind, before, price))
        now[key] = price
    return found


def told(world: World) -> dict[str, list[Change]]:
    """What history says of their prices."""
    found: dict[str, list[Change]] = defaultdict(list)
    for key, kind, before, after in world.rows(
        "SELECT resource_record_key, change_type, previous_value, new_value FROM history_transactional "
        "WHERE field_name = 'list_price' ORDER BY observed_at"
    ):
        found[key].append((kind, before, after))
    return found


def _rooms_in_history(world: World) -> list[str]:
    """Each set of rooms begins as the one before ended, and the last is the one stored."""
    found = _Found()
    sets: dict[str, int | None] = {}
    for key, field, before, after in world.rows(
        "SELECT resource_record_key, field_name, previous_value, new_value FROM history_transactional "
        "WHERE field_name = 'property_room' OR change_type IN ('Deleted', 'Back On Market') ORDER BY observed_at"
    ):
        if field != "property_room":
            sets[key] = None  # between going and coming back anything may change
            continue
        size = len(json.loads(before or "[]"))
        if sets.get(key) is not None:
            found.same(f"rooms of {key} in history", size, sets[key])
        sets[key] = len(json.loads(after or "[]"))
    for key, item in world.mls.listings.items():
        if sets.get(key) is not None:
            found.same(f"rooms of {key} at the end of history", sets[key], item.rooms)
    return found
