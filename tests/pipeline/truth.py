"""Compare everything that is stored with everything that is true at the simulated MLS.

Nothing of the program under test is used: what should be stored is worked out from the simulator's own account
(``/control/truth``) and compared with what SQLite and the file system hold. Every column that is not NULL must be
accounted for and every fact must be in its column; every photo's bytes must be there and no file more.

Two things are representation and are translated here: SQLite keeps decimals as numbers, booleans as 0 and 1 and lists
as JSON, so a value is read by its column's declared type; and a member's own timestamp is not among what a listing's
copy of it says (DDF guide, AgentDetails), so members that come from listings have none.

A member or office is what its own record says where the feed lists them (``own``), which alone brings a photo; the copy
in a listing where it does not.

Where a fault keeps something from everyone, the records given here are what can be had of them (see ``deliverable``):
a photo that is ``withheld`` must be wanted, failed and without bytes, or still have those of the photo that was there
before it (``kept``); one that is ``unread`` is stored, and failed when it was to be read again; what else may be open
is named by ``OpenEnds``.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from PIL import Image

from tests.pipeline.copies import Copy, Database, Facts, Photos

Json = dict[str, Any]
Own = Mapping[str, Sequence[Json]]
"""Of each resource that is synced by a list of its own what ``/control/truth`` says of it."""
NONE: Own = {}
Media = Literal["none", "link", "stored"]
STAGING = "~staging"
PHOTO_COLUMNS = ("order", "modification_timestamp", "last_updated", "long_description", "large_photo_url", "photo_url",
                 "thumbnail_photo_url")  # fmt: skip
STATE_COLUMNS = ("wanted_version", "stored_version", "etag", "last_modified")
"""Of a photo's row: how mlsync knows a picture again; that it does is shown by what it fetches."""
FAILURE_COLUMNS = ("pending", "recheck", "attempts", "attempted_by", "next_attempt_at", "failed_reason")


@dataclass(frozen=True)
class OpenEnds:
    """Keys of listings that may be wanted still, or held as removals, and of what may be in quarantine; each must be.

    One key may be in quarantine several times.
    """

    wanted: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    quarantined: tuple[str, ...] = ()


NOTHING_OPEN = OpenEnds()


def differences(copy: Copy, truth: Sequence[Json], *, feed: str = "ddf",
                media: Media = "stored", open_ends: OpenEnds = NOTHING_OPEN, own: Own = NONE) -> list[str]:  # fmt: skip
    """What is not as it is at the MLS, in words; empty when all is in step.

    ``truth`` is what ``/control/truth`` says of ``property``. ``media`` is what the feed wants of photos: none at all,
    their addresses alone, or them stored. ``open_ends`` is what must be left to do.
    """
    stored = Stored(copy.database, feed)
    return [
        *_properties(stored, truth),
        *_children(stored, truth),
        *_people(stored, truth, own),
        *_photos(stored, copy.photos, truth, media, own),
        *_bookkeeping(stored, truth, open_ends),
        *_own_bookkeeping(stored, own),
    ]


class Stored:
    """The rows of one feed."""

    def __init__(self, database: Database, feed: str) -> None:
        self._database = database
        self._feed = feed

    def rows(self, table: str, where: str = "TRUE") -> Iterator[Facts]:
        """Every row of a table without its ``feed``."""
        for row in self._database.table(table, f"feed = '{self._feed}' AND {where}"):
            del row["feed"]
            yield row

    def keyed(self, table: str, *names: str, where: str = "TRUE") -> dict[Any, Facts]:
        """The same by key (of one column: its value, of several: the tuple), the key taken out of the row."""
        found = {}
        for row in self.rows(table, where):
            key = tuple(row.pop(name) for name in names)
            found[key[0] if len(key) == 1 else key] = row
        return found


def compare(what: str, expected: Mapping[Any, Facts], found: Mapping[Any, Facts]) -> Iterator[str]:
    """Every difference between two sets of rows by key."""
    for key in sorted(expected.keys() - found.keys(), key=str):
        yield f"{what} {key}: not stored"
    for key in sorted(found.keys() - expected.keys(), key=str):
        yield f"{what} {key}: stored, but not at the MLS"
    for key in sorted(expected.keys() & found.keys(), key=str):
        want, have = expected[key], found[key]
        for name in sorted(want.keys() | have.keys()):
            one, other = want.get(name), have.get(name)
            if isinstance(other, Decimal) and isinstance(one, str):
                one = Decimal(one)
            if one != other or isinstance(one, bool) != isinstance(other, bool):
                yield f"{what} {key}: {name} is {other!r}, at the MLS {one!r}"


def _properties(stored: Stored, truth: Iterable[Json]) -> Iterator[str]:
    known = any(stored.rows("metadata_state", "read_at IS NOT NULL"))  # else there is nothing to decode by
    expected = {
        record["key"]: record["fields"]
        | {"modification_timestamp": record["modified"]}
        | (record["decoded"] if known else {})
        for record in truth
    }
    for fields in expected.values():
        if {"latitude", "longitude"} <= fields.keys():
            fields["coordinates_source"] = "mls"
    yield from compare("property", expected, stored.keyed("property", "listing_key"))


def _children(stored: Stored, truth: Iterable[Json]) -> Iterator[str]:
    for name, table, key in (
        ("rooms", "property_room", "room_key"),
        ("open_houses", "open_house", "open_house_key"),
        ("parking", "property_parking", None),
        ("utilities", "property_utility", None),
    ):
        expected = {
            (record["key"], order): {**item, **({key: f"{record['key']}-{order}"} if key else {})}
            for record in truth
            for order, item in enumerate(record[name], start=1)
        }
        yield from compare(table, expected, stored.keyed(table, "listing_key", "order"))
    agents: dict[Any, Facts] = {}
    for record in truth:
        for order, agent in enumerate(record["agents"], start=1):
            office = {"office_key": agent["office"]["key"]} if agent["office"] else {}
            agents[record["key"], order] = {"member_key": agent["member"]["key"], **office}
    yield from compare("property_agent", agents, stored.keyed("property_agent", "listing_key", "order"))


def _people(stored: Stored, truth: Iterable[Json], own: Own) -> Iterator[str]:
    """A member or office without a record of its own is the copy in the last-observed listing that has one.

    Observed together, that in the one with the greater key.
    """
    observed = {line["key"]: line["observed_at"] for line in stored.rows("ledger", "resource = 'property' AND stored")}
    members: dict[str, tuple[tuple[int, str], Json]] = {}
    offices: dict[str, tuple[tuple[int, str], Json]] = {}
    for record in truth:
        seen = (observed.get(record["key"], 0), record["key"])
        for agent in record["agents"]:
            for copies, copy in ((members, agent["member"]), (offices, agent["office"])):
                if copy and (copy["key"] not in copies or copies[copy["key"]][0] < seen):
                    copies[copy["key"]] = seen, copy
    for name, copies in (("member", members), ("office", offices)):
        people = {key: (copy, name == "office") for key, (_, copy) in copies.items()}
        people |= {record["key"]: (record, True) for record in own.get(name, ())}
        rows: dict[Any, Facts] = {}
        phones: dict[Any, Facts] = {}
        websites: dict[Any, Facts] = {}
        for key, (person, stamped) in people.items():
            stamp = {"modification_timestamp": person["modified"]} if stamped else {}
            rows[key] = person["fields"] | stamp
            phones |= {(key, order): item for order, item in enumerate(person["phones"], start=1)}
            websites |= {(key, order): item for order, item in enumerate(person["websites"], start=1)}
        yield from compare(name, rows, stored.keyed(name, f"{name}_key"))
        yield from compare(f"{name}_phone", phones, stored.keyed(f"{name}_phone", f"{name}_key", "order"))
        yield from compare(f"{name}_website", websites, stored.keyed(f"{name}_website", f"{name}_key", "order"))


def _own_photos(own: Own, media: Media, expected: dict[Any, Facts], sets: dict[Any, Facts]) -> None:
    """Add the one photo, without an address, of each member and office with a record that states one."""
    for name, records in own.items() if media == "stored" else ():
        for record in records:
            if photo := record.get("photo"):
                row = {"order": 1, "modification_timestamp": photo["modification_timestamp"]}
                if photo.get("withheld"):
                    row["failed"] = True
                else:
                    row |= {"pending": False, "recheck": False, "attempts": 0, "mime_type": "image/jpeg"}
                    row |= {"content_sha256": photo["sha256"], "byte_size": photo["bytes"]}
                expected[name, record["key"], "1"] = row
                sets[record["key"]] = {"photos_count": 1, "photos_stored": 0 if photo.get("withheld") else 1}


def _photos(stored: Stored, photos: Photos, truth: Iterable[Json], media: Media, own: Own) -> Iterator[str]:
    expected: dict[Any, Facts] = {}
    sets: dict[Any, Facts] = {}
    _own_photos(own, media, expected, sets)
    for record in truth if media != "none" else ():
        wanted = record["photos"]
        held = [photo for photo in wanted if media == "stored" and not photo.get("withheld")]
        for photo in wanted:
            row = {name: photo[name] for name in PHOTO_COLUMNS if name in photo}
            row |= {"listing_key": record["key"], "media_url": photo["url"]}
            there = photo if photo in held else photo.get("kept") if media == "stored" else None
            if there:
                row |= {"content_sha256": there["sha256"], "byte_size": there["bytes"], "mime_type": "image/jpeg"}
            if media == "stored" and (photo not in held or photo.get("unread")):
                row["failed"] = True
            else:
                row |= {"pending": False, "recheck": False, "attempts": 0}
            expected["property", record["key"], str(photo["order"])] = row
        if wanted and media == "stored":
            sets[record["key"]] = {"photos_count": len(wanted), "photos_stored": len(held)}
    rows = stored.keyed("media", "resource_name", "resource_record_key", "media_key")
    names = photos.names()
    live = {row["object_key"] for row in rows.values() if "object_key" in row}
    for name in sorted(live - names):
        yield f"photo {name}: the row points at it, but there is no such object"
    for name in sorted(names - live):
        yield f"photo {name}: an object no row points at"
    for (resource, key, media_key), row in rows.items():
        name = row.pop("object_key", None)
        size = (row.pop("width", None), row.pop("height", None))
        if name in names:
            yield from _picture(photos.read(name), name, row, size)
            folder_of = "ddf" if resource == "property" else f"ddf/_{resource}"
            if not name.startswith(f"{folder_of}/{key}/{int(media_key):03}-"):
                yield f"photo {name}: not named after {resource} {key}, photo {media_key}"
        for state in STATE_COLUMNS:
            row.pop(state, None)
        if expected.get((resource, key, media_key), {}).get("failed"):
            failed = row.get("pending") is True and "failed_reason" in row and row.get("attempts", 0) > 0
            row["failed"] = failed
            for state in FAILURE_COLUMNS:
                row.pop(state, None)
    yield from compare("media", expected, rows)
    yield from _photo_sets(stored, sets, media)
    objects = {name: row["state"] for name, row in stored.keyed("media_object", "name").items()}
    if objects != dict.fromkeys(live, "live"):
        odd = sorted(objects.items() ^ dict.fromkeys(live, "live").items())
        yield f"the object ledger differs from the rows: {odd[:5]}"


def _photo_sets(stored: Stored, expected: dict[Any, Facts], media: Media) -> Iterator[str]:
    found = stored.keyed("media_set", "resource_record_key")
    for key, row in found.items():
        row.pop("resource_name")
        complete = row.pop("complete_at", None) is not None
        if media == "stored" and complete != (row["photos_stored"] == row["photos_count"]):
            yield f"media_set {key}: complete is {complete} with {row['photos_stored']} of {row['photos_count']} stored"
    empty = {key: row for key, row in found.items() if row["photos_count"] == 0 and key not in expected}
    yield from compare("media_set", expected, {key: row for key, row in found.items() if key not in empty})


def _picture(data: bytes, name: str, row: Facts, size: tuple[Any, Any]) -> Iterator[str]:
    if hashlib.sha256(data).hexdigest() != row.get("content_sha256"):
        yield f"photo {name}: the bytes are not those of its row"
        return
    with Image.open(io.BytesIO(data)) as picture:
        if picture.size != size:
            yield f"photo {name}: {picture.size} in pixels, the row says {size}"


def _bookkeeping(stored: Stored, truth: Iterable[Json], open_ends: OpenEnds) -> Iterator[str]:
    """The ledger has what is stored under the MLS's own stamp, and nothing is left to do but ``open_ends``."""
    lines = stored.keyed("ledger", "key", where="resource = 'property'")
    stamps = {record["key"]: {"stamp": record["stamp"]} for record in truth}
    held = {key: {"stamp": line.get("stamp")} for key, line in lines.items() if line["stored"]}
    yield from compare("ledger", stamps, held)
    wanted = {key for key, line in lines.items() if "wanted_by" in line}
    candidates = {row["key"]: row["state"] for row in stored.rows("removal_candidate")}
    quarantined = Counter(row["key"] for row in stored.rows("quarantine"))
    for what, must, is_open in (
        ("wanted", dict.fromkeys(open_ends.wanted, True), dict.fromkeys(wanted, True)),
        ("removal candidate", dict.fromkeys(open_ends.held, "held"), candidates),
        ("quarantine", Counter(open_ends.quarantined), quarantined),
    ):
        for key in sorted(must.keys() | is_open.keys()):
            if must.get(key) != is_open.get(key):
                yield f"{what} {key}: {is_open.get(key)}, must be {must.get(key)}"
    kept = {row["key"] for row in stored.rows("source_record", "resource = 'property'")}
    if kept != stamps.keys():
        yield f"source records: {sorted(kept ^ stamps.keys())[:5]} are kept for no listing, or missing"


def _own_bookkeeping(stored: Stored, own: Own) -> Iterator[str]:
    """The same of members and offices; of a resource that is not synced there is nothing at all."""
    for name in ("member", "office"):
        stamps = {record["key"]: {"stamp": record["stamp"]} for record in own.get(name, ())}
        lines = stored.keyed("ledger", "key", where=f"resource = '{name}'")
        held = {key: {"stamp": line.get("stamp")} for key, line in lines.items() if line["stored"]}
        yield from compare(f"ledger {name}", stamps, held)
        for key, line in lines.items():
            if name not in own or "wanted_by" in line:
                yield f"ledger {name} {key}: {'still wanted' if name in own else 'kept for nothing'}"
        kept = {row["key"] for row in stored.rows("source_record", f"resource = '{name}'")}
        if kept != stamps.keys():
            yield f"source records: {sorted(kept ^ stamps.keys())[:5]} are kept for no {name}, or missing"
        copies = {row["key"] for row in stored.rows("embedded_row", f"resource = '{name}'")}
        if copies & stamps.keys():
            yield f"embedded rows: {sorted(copies & stamps.keys())[:5]} have records of their own"
        if name not in own and any(stored.rows("inventory", f"resource = '{name}' AND whole IS NOT NULL")):
            yield f"inventory {name}: kept for nothing"


def by_table(found: Iterable[str]) -> dict[str, int]:
    """How many differences there are of each kind, for a short message."""
    counts: dict[str, int] = defaultdict(int)
    for line in found:
        counts[line.partition(" ")[0]] += 1
    return dict(counts)
