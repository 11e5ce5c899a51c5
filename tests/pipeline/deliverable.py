"""What a server with a fault on can deliver, and what must be said of the rest.

Nothing of the program under test is used. A ``Client`` is told after every sync what is true at the simulated MLS, and
works out from the fault's definition (``Lacks``) what a faultless client holds by then: the records as they were when
they could last be had, the pictures last had of each place, and the list of problems that its status must show.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.pipeline.truth import Json, OpenEnds

Problem = tuple[str, str, str]
"""Kind, resource and key, as status names what is not in step."""

UNFIT = {
    "latitude": ("Address/Latitude", "number"),
    "bedrooms_total": ("Building/BedroomsTotal", "number"),
    "year_built": ("Building/ConstructedDate", "number"),
    "fireplace_yn": ("Building/FireplacePresent", "boolean"),
    "stories": ("Building/StoriesTotal", "number"),
    "listing_contract_date": ("ListingContractDate", "date"),
    "list_price": ("Price", "number"),
}
"""The element behind each column that ``unfit-values`` spoils (DDF guide, PropertyDetails), and what it should be."""
PLAIN_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
"""A number, if one beyond the bounds of its column."""
UNKNOWN: Json = {
    "@Origin": "board",
    "Beacon": [{"@ID": "1", "#text": "on"}, {"@ID": "2"}],
    "Building/@Style": "new",
    "Building/SolarPanels": "12",
    "Climate": {"Zone": ["5", "6"], "Risk": {"Flood": {"@Unit": "m", "#text": "0.4"}}},
}
"""What ``unknown-elements`` puts into a listing, in the shape in which a record is kept as sent."""


@dataclass(frozen=True)
class Lacks:
    """What a fault keeps from every client. Reasons are regular expressions for what status must say.

    ``records``: listings that are in the master list and not to be had, by their ``withheld_reason``; ``set_aside``:
    they come, and cannot be read; ``keyless``: they come, but nobody can tell which they are. ``photos``: pictures, by
    theirs; ``as_sent``: those in whose place another comes that nobody could know for what it is. ``objects``: all
    pictures of the listings whose objects are refused. ``unlisted``: the ``withheld_reason`` of listings the master
    list is without, ``*`` for all. ``doubled``: which listings, by their keys, the master list names by the key of the
    one before. ``held``: what the master list lacks is more than the guard believes.
    ``phantoms``: keys that belong to nothing; ``foreign``: the same, by the keys of those that are there, with the
    reason. ``doubt``: the master list gives itself away, so that nothing is removed by it. ``metadata``: the metadata
    cannot be read, which status says apart. ``resource``: what else than listings is refused, by its name and why.
    ``everything``: no sync can come to anything; ``paused``: the same, as the MLS wants to be left alone. ``chance``:
    any answer may fail; a few pictures that fail as often as they are tried in a sync must be listed as any other.
    """

    records: Mapping[str, str] = field(default_factory=dict)
    set_aside: bool = False
    keyless: bool = False
    photos: Mapping[str, str] = field(default_factory=dict)
    as_sent: str = ""
    objects: str = ""
    unlisted: str = ""
    doubled: Callable[[str], bool] | None = None
    held: bool = False
    phantoms: Mapping[str, str] = field(default_factory=dict)
    foreign: tuple[Callable[[str], str], str] | None = None
    doubt: str = ""
    metadata: str = ""
    resource: tuple[str, str] | None = None
    everything: str = ""
    paused: str = ""
    chance: str = ""

    @property
    def by_definition(self) -> bool:
        """Whether something particular is kept back."""
        quiet = replace(self, chance="", doubt="", metadata="", resource=None, everything="", paused="")
        return quiet != Lacks()


@dataclass(frozen=True)
class Picture:
    """The picture had of one place: which it is, and its bytes' hash and number."""

    url: str
    sha256: str
    size: int


class Client:
    """What a faultless client of one feed holds, and what it says is lacking."""

    def __init__(self, lacks: Lacks) -> None:
        self.lacks = lacks
        self.records: dict[str, Json] = {}
        self.problems: dict[Problem, str] = {}
        self.quarantined: list[str] = []
        self.unlucky: dict[str, str] = {}
        """Pictures that chance kept back in the last sync, as status has it, with the reason."""
        self.instead: Counter[str] = Counter()
        """Of how many photos pictures are sent in place of others, by hash, in the records told of last."""
        self.struck = 0
        """How many times the fault kept something back."""
        self._pictures: dict[tuple[str, int], Picture] = {}
        self._wanted: set[str] = set()
        self._held: set[str] = set()

    @property
    def open_ends(self) -> OpenEnds:
        """What must be left to do."""
        return OpenEnds(frozenset(self._wanted), frozenset(self._held), tuple(self.quarantined))

    def synced(self, truth: Sequence[Json], status: Mapping[str, Any]) -> None:
        """A sync has ended, at an MLS of which this is true; of ``status`` only bad luck is believed."""
        lacks = self.lacks
        photos = sum(len(record["photos"]) for record in truth)
        failed = {item["key"]: item["reason"] for item in status["problems"] if item["kind"] == "photo"}
        self.unlucky = {key: why for key, why in failed.items() if lacks.chance and re.search(lacks.chance, why)}
        assert len(self.unlucky) <= max(3, photos / 5), "so much is no bad luck"
        self.problems.clear()
        self.quarantined.clear()
        self.instead.clear()
        self._wanted.clear()
        self._held.clear()
        if lacks.everything:
            self._problem("sync", "", lacks.everything)
        if lacks.everything or lacks.paused:
            return
        if lacks.resource:
            self._problem("sync", "", lacks.resource[1])
        if lacks.doubt:
            self._problem("inventory", "", lacks.doubt)
        for key, reason in lacks.phantoms.items():
            self._want(key, reason)
        listed: set[str] = set()
        shown = ""
        for record in copy.deepcopy(list(truth)):
            if lacks.foreign:
                self._want(lacks.foreign[0](record["key"]), lacks.foreign[1])
            if lacks.unlisted and lacks.unlisted in ("*", record.get("withheld_reason")):
                self.struck += 1
                continue
            if lacks.doubled and shown and lacks.doubled(record["key"]):
                self._double(shown, record["modified"])
                continue
            shown = record["key"]
            listed.add(record["key"])
            self._deliver(record)
        for key in sorted(self.records.keys() - listed):
            if lacks.held:
                self._held.add(key)
                self._problem("held", key, "removal held")
            elif not lacks.doubt:
                self._forget(key)
        if lacks.keyless:
            keys = sorted(self._wanted)
            self.quarantined += keys if len(keys) == 1 else [""] * len(keys)
            for key in self.quarantined:
                self._problem("quarantined", key, "no key")

    def stored(self) -> list[Json]:
        """The records it holds."""
        return list(self.records.values())

    def _deliver(self, record: Json) -> None:
        key, why = record["key"], record.get("withheld_reason")
        if why is None:
            self._store(record)
            return
        assert why in self.lacks.records, f"{key} is withheld by {why}, of which the table knows nothing"
        if why == "stale-copy" and "sent" in record:
            self._store(record["sent"])
        have = self.records.get(key)
        if have is None or have["stamp"] != record["stamp"]:
            self._want(key, self.lacks.records[why])
            if self.lacks.set_aside:
                self.quarantined.append(key)
                self._problem("quarantined", key, self.lacks.records[why])

    def _double(self, shown: str, modified: str) -> None:
        """A row of the master list has the key of the one before, with a timestamp that is another listing's."""
        self.struck += 1
        if modified > self.records[shown]["modified"]:
            self._want(shown, "older copy than it lists")
        else:
            self._wanted.discard(shown)
            self.problems.pop(("unavailable", "property", shown), None)

    def _store(self, record: Json) -> None:
        fields = record["fields"]
        extra: Json = dict(UNKNOWN) if "unknown" in record else {}
        if "sent" in record:
            self.struck += 1
            why = extra["#unfit"] = {}
            for column, text in record["sent"]["fields"].items():
                fields.pop(column)
                element, kind = UNFIT[column]
                extra[element] = text
                why[element] = "range" if kind == "number" and PLAIN_NUMBER.fullmatch(text) else kind
        if extra:
            fields["extra"] = extra
        for photo in record["photos"]:
            self._picture(record, photo)
        orders = {photo["order"] for photo in record["photos"]}
        for place in [place for place in self._pictures if place[0] == record["key"] and place[1] not in orders]:
            del self._pictures[place]
        self.records[record["key"]] = record

    def _picture(self, record: Json, photo: Json) -> None:
        place = (record["key"], photo["order"])
        have = self._pictures.get(place)
        why = photo.pop("withheld_reason", None)
        photo.pop("withheld", None)
        if why and why == self.lacks.as_sent:
            photo |= photo.pop("sent")
            self.instead.update([photo["sha256"]])
            why = None
        photo.pop("sent", None)
        reason = self.lacks.photos.get(why) if why else None
        assert why is None or reason, f"photo {place} is withheld by {why}, of which the table knows nothing"
        if record.get("object_withheld") and self.lacks.objects:
            reason = self.lacks.objects
        name = f"{place[0]}:{place[1]}"
        unlucky = self.unlucky.get(name)
        reason = reason or unlucky
        if reason and (have is None or have.url != photo["large_photo_url"]):
            photo["withheld"] = True
            if have is not None:
                photo["kept"] = {"sha256": have.sha256, "bytes": have.size}
            self.struck += 1
            self._problem("photo", name, reason)
            return
        if unlucky:  # it is stored, and was to be read again
            photo["unread"] = True
            self._problem("photo", name, unlucky)
        self._pictures[place] = Picture(photo["large_photo_url"], photo["sha256"], photo["bytes"])

    def _want(self, key: str, reason: str) -> None:
        self.struck += 1
        self._wanted.add(key)
        self._problem("unavailable", key, reason)

    def _problem(self, kind: str, key: str, reason: str) -> None:
        self.problems[kind, "property" if key or kind == "quarantined" else "", key] = reason

    def _forget(self, key: str) -> None:
        del self.records[key]
        for place in [place for place in self._pictures if place[0] == key]:
            del self._pictures[place]


def unexplained(client: Client, status: Mapping[str, Any]) -> Iterator[str]:
    """Where ``status --json`` does not say exactly what is lacking, each with its reason."""
    shown = Counter((item["kind"], item["resource"], item["key"]) for item in status["problems"])
    must = Counter(dict.fromkeys(client.problems, 1))
    must |= Counter(("quarantined", "property", key) for key in client.quarantined)
    for problem in sorted(shown.keys() | must.keys()):
        if shown[problem] != must[problem]:
            yield f"status: {shown[problem]} times {problem}, must be {must[problem]}"
    for item in status["problems"]:
        expected = client.problems.get((item["kind"], item["resource"], item["key"]))
        if expected is not None and not re.search(expected, item["reason"]):
            yield f"status: {item['kind']} {item['key']} for the reason {item['reason']!r}, must be like {expected!r}"
    kinds = Counter(kind for kind, _, _ in must.elements())
    figures = {
        "unavailable": status["unavailable"],
        "photo": status["photos"]["failed"],
        "held": status["held"],
        "quarantined": status["quarantined"],
    }
    for kind, figure in figures.items():
        if figure != kinds[kind]:
            yield f"status: {figure} {kind}, must be {kinds[kind]}"
    if {item["sha256"] for item in status["repeated_photos"]} != client.instead.keys():
        yield f"status: repeated are {status['repeated_photos']}, must be {dict(client.instead)}"
    metadata = (status["metadata"]["failure"] or {}).get("reason", "")
    if bool(metadata) != bool(client.lacks.metadata) or not re.search(client.lacks.metadata, metadata):
        yield f"status: of the metadata {metadata!r}, must be like {client.lacks.metadata!r}"
    if status["photos"]["pending"]:
        yield f"status: {status['photos']['pending']} photos pending"
