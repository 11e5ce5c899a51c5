"""An MLS in a few lines, every step under control: it lists, changes, lags, fails, and answers as a ``Source``."""

from __future__ import annotations

import copy
import io
import random
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from typing import Any

from PIL import Image

from shared.lookups import Metadata, MetadataDocument, MetadataVersion
from shared.messages import SourceRecord
from shared.sources.base import (
    Inventory,
    Page,
    PhotoObject,
    SourceError,
    SourceRefusedError,
    SourceUnavailableError,
    SourceUnreadableError,
)
from shared.sources.paging import Paging

START = 1_700_000_000
SECOND = 1_000_000
PEOPLE = ("member", "office")
PORTRAITS = {"member": "PhotoLastUpdated", "office": "LogoLastUpdated"}
COPIES = 3


@cache
def picture(number: int) -> bytes:
    """A small PNG, another one for every number."""
    out = io.BytesIO()
    Image.new("RGB", (4, 3), (number % 256, number // 256 % 256, 7)).save(out, "PNG")
    return out.getvalue()


@cache
def when(seconds: int) -> str:
    """RFC 1123."""
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


@dataclass
class Listing:
    """What the MLS has of one listing; of each photo by its order, the version and the picture."""

    stamp: int
    price: int
    rooms: int
    photos: dict[int, tuple[int, int]] = field(default_factory=dict)
    agent: int = 0
    agent_name: str = ""


@dataclass(frozen=True)
class Person:
    """An agent's or office's own record; its photo is the version, 0: none."""

    stamp: int
    name: str
    phones: int
    photo: int


class Mls:
    """Listings by key, and people with records of their own if ``people``, changing at random.

    Every change takes ten seconds of its clock. If ``alike`` several may share a timestamp, and what went may come back
    just as it was.
    """

    def __init__(self, rng: random.Random, listings: int, *, people: bool = False, alike: bool = False) -> None:
        self.rng = rng
        self.now = START
        self.alike = alike
        self.listings: dict[str, Listing] = {}
        self.gone: dict[str, Listing] = {}
        self.returned: set[str] = set()
        """Keys that came back under the timestamp they had: what changed since then does not tell of them."""
        self.versions = 0
        self.agents = {number: f"Agent {number}" for number in range(3)}
        self.people: dict[str, dict[str, Person]] = {name: {} for name in PEOPLE} if people else {}
        self.gone_people: dict[str, dict[str, Person]] = {name: {} for name in PEOPLE}
        self.copies: list[dict[str, Listing]] = []
        """What replicas that are behind have; empty: there are none."""
        self.untold: set[str] = set()
        """Keys of which a replica had other content under the timestamp that they have: no list tells of that."""
        self.faulty = False
        for _ in range(listings):
            self.appear()
        for name in self.people:
            self.person_appears(name)

    def tick(self) -> int:
        self.now += self.rng.choice((0, 1, 2, 10)) if self.alike else 10
        return self.now

    def appear(self) -> None:
        key = str(self.rng.randrange(100, 100 + 3 * max(3, len(self.listings))))
        if key in self.listings:
            return
        before = self.gone.pop(key, None)
        if before is not None and self.alike and self.rng.random() < 0.7:
            self.listings[key] = before
            self.returned.add(key)
            return
        agent = self.rng.randrange(3)
        made = Listing(self.tick(), 100, self.rng.randrange(3), {}, agent, self.agents[agent])
        self.listings[key] = made
        for order in range(1, 1 + self.rng.randrange(3)):
            self._shoot(made, order)
        if before is not None and self.rng.random() < 0.5:  # the same pictures, as new ones
            for order, (_, shown) in before.photos.items():
                self._shoot(made, order, shown)

    def _shoot(self, listing: Listing, order: int, shown: int | None = None) -> None:
        self.versions += 1
        listing.photos[order] = (self.versions, shown or self.versions)

    def change(self) -> None:
        listing = self.listings[self.rng.choice(sorted(self.listings))]
        listing.stamp = self.tick()
        match self.rng.randrange(6):
            case 0:
                listing.price += 1
            case 1:
                listing.rooms = (listing.rooms + 1) % 3
            case 2:
                self._shoot(listing, self.rng.randrange(1, 4))
            case 3:
                if listing.photos:
                    del listing.photos[self.rng.choice(sorted(listing.photos))]
            case 4:
                self.agents[listing.agent] = f"Agent {listing.agent} at {self.now}"
                listing.agent_name = self.agents[listing.agent]
            case 5:  # an earlier picture of this MLS, at some place
                if self.versions:
                    self._shoot(listing, self.rng.randrange(1, 4), self.rng.randrange(1, self.versions + 1))

    def disappear(self) -> None:
        if len(self.listings) > 1:  # an empty inventory is held, whatever its size
            self.tick()
            key = self.rng.choice(sorted(self.listings))
            self.gone[key] = self.listings.pop(key)

    def lose(self) -> None:
        """Many listings disappear at once."""
        for _ in range(len(self.listings) // 2):
            self.disappear()

    def step(self) -> None:
        """Something changes."""
        if self.people and self.rng.random() < 0.5:
            resource = self.rng.choice(PEOPLE)
            self.rng.choice((self.person_appears, self.person_changes, self.person_disappears))(resource)
        else:
            self.rng.choice((self.appear, self.change, self.change, self.disappear))()

    def lag(self) -> None:
        """A replica stays behind from here on."""
        self.copies = [*self.copies[-COPIES:], copy.deepcopy(self.listings)]

    def rest(self) -> None:
        """It changes no more, and all replicas have caught up."""
        self.copies = []
        self.faulty = False
        self.now += 10

    def person_appears(self, resource: str) -> None:
        key = str(self.rng.randrange(4))
        if key in self.people[resource]:
            return
        came = self.gone_people[resource].pop(key, None)
        if came is None or self.rng.random() < 0.5:
            came = self._drawn(resource, key)
        self.people[resource][key] = came  # it may come back just as it was

    def person_changes(self, resource: str) -> None:
        key = self.rng.choice(sorted(self.people[resource]))
        old, new = self.people[resource][key], self._drawn(resource, key)
        if self.rng.random() < 0.3:
            new = replace(new, photo=old.photo)
        self.people[resource][key] = new

    def person_disappears(self, resource: str) -> None:
        if len(self.people[resource]) > 1:
            key = self.rng.choice(sorted(self.people[resource]))
            self.gone_people[resource][key] = self.people[resource].pop(key)

    def _drawn(self, resource: str, key: str) -> Person:
        self.versions += 1
        stamp = self.tick()
        photo = self.versions if self.rng.random() < 0.6 else 0
        name = f"Own {resource} {key}, {self.versions} at {stamp}"
        return Person(stamp, name, self.rng.randrange(3), photo)

    def stamps(self, resource: str) -> dict[str, int]:
        """What a master list says."""
        if resource == "property":
            return {key: item.stamp for key, item in self.listings.items()}
        return {key: it.stamp for key, it in self.people[resource].items()}

    def record(self, resource: str, key: str) -> SourceRecord:
        return self._listing(key) if resource == "property" else self._person(resource, key)

    def _listing(self, key: str) -> SourceRecord:
        listing = self.listings[key]
        agent: dict[str, Any] = {"@ID": str(listing.agent), "Name": listing.agent_name}
        if self.people:
            agent["Office"] = {"@ID": str(listing.agent % 2), "Name": office_name(listing.agent_name)}
        fields = {
            "@ID": key,
            "@LastUpdated": when(listing.stamp),
            "Price": f"{listing.price}.00",
            "Building": {"Rooms": {"Room": [{"Type": f"Room {n}"} for n in range(listing.rooms)]}},
            "AgentDetails": agent,
            "Photo": {
                "PropertyPhoto": [
                    {"SequenceId": str(order), "PhotoLastUpdated": when(START + version)}
                    for order, (version, _) in sorted(listing.photos.items())
                ]
            },
        }
        return SourceRecord(key, when(listing.stamp), fields)

    def _person(self, resource: str, key: str) -> SourceRecord:
        it = self.people[resource][key]
        phones = [f"555-{number:04}" for number in range(it.phones)]
        fields: dict[str, Any] = {"@ID": key, "Name": it.name, "Phones": {"Phone": phones}}
        if it.photo:
            fields[PORTRAITS[resource]] = when(START + it.photo)
        return SourceRecord(key, when(it.stamp), fields)

    def pictures(self, resource: str, key: str) -> dict[int, int]:
        """What is to be seen of a record, by order; a person's one photo has order 0."""
        if resource == "property":
            listing = self.listings.get(key)
            return {order: shown for order, (_, shown) in sorted(listing.photos.items())} if listing else {}
        it = self.people[resource].get(key)
        return {0: it.photo} if it is not None and it.photo else {}


def office_name(agent_name: str) -> str:
    """What a listing's copy calls the office: listings of one office disagree."""
    return f"Office of {agent_name}"


def _differs_untold(old: Listing, new: Listing | None) -> bool:
    """Whether what a replica has differs from what is true, or was when it went, by all but the timestamp."""
    return new is not None and old.stamp == new.stamp and old != new


class MlsSource:
    """A connection to the MLS. ``point`` is called before a request reaches it and before the answer is back."""

    def __init__(self, mls: Mls, point: Callable[[str], None] = lambda _: None) -> None:
        self.mls = mls
        self._point = point

    @property
    def _date(self) -> int:
        return self.mls.now * SECOND

    @contextmanager
    def _request(self, *, replicated: bool = True) -> Iterator[None]:
        """One request; of those that are ``replicated`` every other is answered by a replica, if one is behind."""
        self._point("request")
        self._may_fail()
        now, mls = self.mls.listings, self.mls
        if replicated and mls.copies and mls.rng.random() < 0.5:
            mls.listings = mls.rng.choice(mls.copies)
            mls.untold |= {
                key for key, old in mls.listings.items() if _differs_untold(old, now.get(key, mls.gone.get(key)))
            }
        try:
            yield
        finally:
            mls.listings = now
        self._point("answer")

    def _may_fail(self) -> None:
        if self.mls.faulty and self.mls.rng.random() < 0.15:
            errors: tuple[type[SourceError], ...] = (
                SourceUnavailableError, SourceUnavailableError, SourceUnreadableError, SourceRefusedError
            )  # fmt: skip
            raise self.mls.rng.choice(errors)("it fails")

    def _some(self, keys: Sequence[str]) -> tuple[list[str], bool]:
        """Those of ``keys`` that are in an answer, and whether it is whole."""
        if not self.mls.faulty or self.mls.rng.random() < 0.8:
            return list(keys), True
        return [key for key in keys if self.mls.rng.random() < 0.5], False

    def login(self) -> None:
        return None

    def inventory(self, resource: str) -> Inventory:
        with self._request():
            stamps = self.mls.stamps(resource)
            keys, whole = self._some(sorted(stamps))
            packed = sorted(f"{key}\0{when(stamps[key])}".encode() for key in keys)
            return Inventory(packed, self._date, whole, "" if whole else "the list was cut")

    def records(self, resource: str, keys: Sequence[str]) -> Page:
        with self._request():
            there = self.mls.stamps(resource)
            came, whole = self._some([key for key in keys if key in there])
            partial = not whole and self.mls.rng.random() < 0.5
            return Page([self.mls.record(resource, key) for key in came], self._date, partial=partial)

    def changes(self, resource: str, since: int, limit: int) -> Iterator[Page]:
        """Oldest change first, each page as the MLS is then; between two it may move on. Some ignore offsets."""
        paging, ignores = Paging(), self.mls.rng.random() < 0.1
        while paging.offset is not None:
            with self._request():
                date = self._date
                found = sorted(
                    (stamp, key) for key, stamp in self.mls.stamps(resource).items() if stamp * SECOND > since
                )
                start = 0 if ignores else paging.offset - 1
                keys = [key for _, key in found[start : start + limit]]
                paging.took(keys, len(found))
                page = Page([self.mls.record(resource, key) for key in keys], date, paging.doubt)
            yield page

    def metadata_version(self) -> MetadataVersion | None:
        return None

    def metadata(self) -> Metadata:
        raise AssertionError("nothing was said of metadata")

    def described(self) -> MetadataDocument | None:
        return None

    def objects(self, resource: str, key: str, kind: str, *, location: bool) -> Generator[PhotoObject, None, None]:
        raise AssertionError("nothing was said of other objects")

    def photos(self, resource: str, key: str, *, location: bool, orders: Collection[int] = ()) -> Iterator[PhotoObject]:
        with self._request(replicated=False):
            found = self.mls.pictures(resource, key)
        for order, shown in found.items():
            if self.mls.faulty and self.mls.rng.random() < 0.1:
                yield PhotoObject(order, error="it fails")
            elif not self.mls.faulty or self.mls.rng.random() < 0.9:
                yield PhotoObject(order, "image/png", picture(shown))

    def close(self) -> None:
        return None
