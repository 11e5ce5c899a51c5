"""An MLS in a few lines, for tests that must control every step: it lists, changes, and answers as a ``Source``."""

from __future__ import annotations

import io
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache

from PIL import Image

from shared.lookups import Metadata, MetadataVersion
from shared.messages import SourceRecord
from shared.sources.base import Inventory, Page, PhotoObject
from shared.sources.paging import Paging

START = 1_700_000_000


@cache
def picture(number: int) -> bytes:
    """A small PNG, another one for every number."""
    out = io.BytesIO()
    Image.new("RGB", (4, 3), (number % 256, number // 256 % 256, 7)).save(out, "PNG")
    return out.getvalue()


@dataclass
class Listing:
    """What the model MLS has of one listing."""

    stamp: int
    price: int
    rooms: int
    photos: dict[int, int] = field(default_factory=dict)
    agent: int = 0
    agent_name: str = ""


class ModelMls:
    """Listings by key, changing at random; the clock moves ten seconds with every change."""

    def __init__(self, rng: random.Random, listings: int) -> None:
        self.rng = rng
        self.now = START
        self.listings: dict[str, Listing] = {}
        self.pictures = 0
        self.agents = {number: f"Agent {number}" for number in range(3)}
        for _ in range(listings):
            self.appear()

    def tick(self) -> int:
        self.now += 10
        return self.now

    def appear(self) -> None:
        key = str(self.rng.randrange(100, 100 + 3 * max(8, len(self.listings))))
        if key in self.listings:
            return
        agent = self.rng.randrange(3)
        self.listings[key] = Listing(self.tick(), 100, self.rng.randrange(3), {}, agent, self.agents[agent])
        for order in range(1, 1 + self.rng.randrange(3)):
            self._shoot(self.listings[key], order)

    def _shoot(self, listing: Listing, order: int) -> None:
        self.pictures += 1
        listing.photos[order] = self.pictures

    def change(self) -> None:
        if not self.listings:
            return
        listing = self.listings[self.rng.choice(sorted(self.listings))]
        listing.stamp = self.tick()
        match self.rng.randrange(5):
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

    def disappear(self) -> None:
        if len(self.listings) > 1:  # an empty inventory is held, whatever its size
            self.tick()
            del self.listings[self.rng.choice(sorted(self.listings))]

    def step(self) -> None:
        self.rng.choice((self.appear, self.change, self.change, self.disappear))()

    def record(self, key: str) -> SourceRecord:
        listing = self.listings[key]
        return SourceRecord(
            key,
            when(listing.stamp),
            {
                "@ID": key,
                "@LastUpdated": when(listing.stamp),
                "Price": f"{listing.price}.00",
                "Building": {"Rooms": {"Room": [{"Type": f"Room {n}"} for n in range(listing.rooms)]}},
                "AgentDetails": {"@ID": str(listing.agent), "Name": listing.agent_name},
                "Photo": {
                    "PropertyPhoto": [
                        {"SequenceId": str(order), "PhotoLastUpdated": when(START + number)}
                        for order, number in sorted(listing.photos.items())
                    ]
                },
            },
        )


def when(seconds: int) -> str:
    """RFC 1123."""
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


class ModelSource:
    """The model MLS as a ``Source``; its clock is ten seconds past its last change, so nothing is unsettled."""

    def __init__(self, mls: ModelMls) -> None:
        self.mls = mls

    @property
    def _date(self) -> int:
        return (self.mls.now + 10) * 1_000_000

    def login(self) -> None:
        return None

    def inventory(self, resource: str) -> Inventory:
        packed = sorted(f"{key}\0{when(item.stamp)}".encode() for key, item in self.mls.listings.items())
        return Inventory(packed, self._date, proven=True)

    def records(self, resource: str, keys: Sequence[str]) -> Page:
        return Page([self.mls.record(key) for key in keys if key in self.mls.listings], self._date)

    def changes(self, resource: str, since: int, limit: int) -> Iterator[Page]:
        """Oldest change first, each page as the MLS is then; between two it may move on. Some ignore offsets."""
        paging, ignores = Paging(), self.mls.rng.random() < 0.1
        while paging.offset is not None:
            date, found = (
                self._date,
                sorted((item.stamp, key) for key, item in self.mls.listings.items() if item.stamp * 1_000_000 > since),
            )
            start = 0 if ignores else paging.offset - 1
            keys = [key for _, key in found[start : start + limit]]
            paging.took(keys, len(found))
            yield Page([self.mls.record(key) for key in keys], date, paging.doubt)
            if self.mls.rng.random() < 0.3:
                self.mls.step()

    def metadata_version(self) -> MetadataVersion | None:
        return None

    def metadata(self) -> Metadata:
        raise AssertionError("nothing was said of metadata")

    def photos(self, resource: str, key: str, *, location: bool, orders: Collection[int] = ()) -> Iterator[PhotoObject]:
        listing = self.mls.listings.get(key)
        for order, number in sorted(listing.photos.items()) if listing else ():
            yield PhotoObject(order, "image/png", picture(number))

    def close(self) -> None:
        return None
