"""The simulated MLS as a whole: its clock, its listings and people, and the photos of both."""

from __future__ import annotations

import hashlib
import threading
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from . import clock, people
from .clock import Clock
from .drawing import picture
from .edition import Edition
from .listing import Listing, listing_of
from .mls.schema import Schema, drifted, next_edition
from .options import Options
from .people import AGENT, OFFICE, Person
from .photos import Photo, photos_of
from .timeline import Population, Rates, Snapshot, Stamped

_LISTING = 0
_PEOPLE_RATES = Rates(changed=0.01, removed=0.01, returned=0.2)  # removed: listed no more, though listings name them
_PICTURES_KEPT, _HASHES_KEPT, _PEOPLE_KEPT, _ANSWERS_KEPT = 400, 200_000, 4096, 8


def _listing_rates(pace: float) -> Rates:
    return Rates(0.006 * pace, 0.04 * pace, 0.005 * pace, rephotographed_of_changed=1 / 3, touched_of_changed=0.1)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The whole MLS at one moment; what is read through one view fits together."""

    world: World
    listings: Snapshot
    agents: Snapshot
    offices: Snapshot

    def listing(self, number: int, language: int = 0) -> Listing:
        """A living listing."""
        return listing_of(self.listings, number, self.world.options.photos, self.agents.total, language)

    def photos(self, number: int) -> list[Photo]:
        """The photos of a listing, without the rest of it."""
        population = self.listings.population
        events = self.listings.events(number)
        return photos_of(population.seed, number, self.world.options.photos, population.born(number), events)

    def agent(self, number: int, day: int | None = None) -> Person:
        """An agent as of a day (None: as its own record has it)."""
        return self.world.agent(number, self.agents.last_day(number) if day is None else day)

    def office(self, number: int, day: int | None = None) -> Person:
        """An office as of a day (None: as its own record has it)."""
        return self.world.office(number, self.offices.last_day(number) if day is None else day)

    def snapshot(self, resource: str) -> Snapshot:
        """The population behind ``Property``, ``Agent`` or ``Office``."""
        return {"Property": self.listings, "Agent": self.agents, "Office": self.offices}[resource]


class World:
    """One MLS. Reading is safe from any thread; days pass one at a time."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.clock = Clock()
        self.schema = Schema()
        self._lock = threading.Lock()
        agents, offices = people.pool(options.listings)
        early = (clock.QUIET, clock.PEOPLE_SPAN)
        late = (clock.LISTINGS_FROM, clock.LISTINGS_SPAN)
        self._listings = Population(options.seed, _LISTING, options.listings, _listing_rates(options.pace), late)
        self._agents = Population(options.seed, AGENT, agents, _PEOPLE_RATES, early)
        self._offices = Population(options.seed, OFFICE, offices, _PEOPLE_RATES, early)
        self._view = View(self, self._listings.now, self._agents.now, self._offices.now)
        self._before = self._view
        self.picture = lru_cache(maxsize=_PICTURES_KEPT)(self._picture)
        self.fingerprint = lru_cache(maxsize=_HASHES_KEPT)(self._fingerprint)
        self.agent = lru_cache(maxsize=_PEOPLE_KEPT)(self._agent)
        self.office = lru_cache(maxsize=_PEOPLE_KEPT)(self._office)
        self.changed_since = lru_cache(maxsize=_ANSWERS_KEPT)(self._changed_since)

    def view(self) -> View:
        """The MLS as it is now."""
        return self._view

    def before(self) -> View:
        """The MLS as it was a day ago; on the first day, as it is."""
        return self._before

    def publish(self) -> Edition:
        """The next edition of the metadata, from now on."""
        with self._lock:
            self.schema = next_edition(self.schema)
            return self.edition

    @property
    def edition(self) -> Edition:
        """Under which version and date the metadata are published now."""
        return self.schema.edition

    def drift(self, kinds: str) -> Edition:
        """The metadata drift (see ``mls.schema.DRIFTS``), and records with them, from now on. Raises KeyError."""
        with self._lock:
            self.schema = drifted(self.schema, kinds)
            return self.edition

    def advance(self, days: int, stamped: Stamped | None = None) -> dict[str, int]:
        """Let whole days pass. Returns what they did, summed, and how many listings there are now.

        ``stamped`` says what becomes of the timestamps of listings that do not change (see ``Population.advance``).
        """
        total = {"days": 0, "new": 0, "changed": 0, "rephotographed": 0, "removed": 0, "agents": 0, "offices": 0}
        with self._lock:
            for _ in range(days):
                shift = self.clock.shift()
                for name, count in self._listings.advance(shift, stamped).items():
                    total[name] += count
                total["agents"] += self._agents.advance(shift)["changed"]
                total["offices"] += self._offices.advance(shift)["changed"]
                total["days"] += 1
                self.clock.days += 1
                self._before = self._view
                self._view = View(self, self._listings.now, self._agents.now, self._offices.now)
        return total | {"listings": self._view.listings.live, "day": self.clock.days}

    def _picture(self, size: str, kind: str, number: int, serial: int, version: int) -> bytes:
        return picture(size, kind, self.options.seed, number, serial, version)

    def _fingerprint(self, size: str, kind: str, number: int, serial: int, version: int) -> tuple[str, int]:
        """SHA-256 and length of a picture."""
        data = self.picture(size, kind, number, serial, version)
        return hashlib.sha256(data).hexdigest(), len(data)

    def _agent(self, number: int, day: int) -> Person:
        """An agent as of the end of a day. Days that have passed stay as they were, so this may be kept."""
        view = self._view
        return people.agent(self.options.seed, view.agents, view.offices, number, day)

    def _office(self, number: int, day: int) -> Person:
        return people.office_of(self.options.seed, self._view.offices, number, day)

    def _changed_since(self, resource: str, view: View, since: int) -> array[int]:
        """The numbers of the living records changed after an instant, oldest change first."""
        snapshot = view.snapshot(resource)
        found = sorted((stamp, number) for number, stamp in _stamps(snapshot) if stamp > since)
        return array("I", (number for _, number in found))


def _stamps(snapshot: Snapshot) -> Iterator[tuple[int, int]]:
    return ((number, snapshot.stamp(number)) for number in snapshot.numbers())
