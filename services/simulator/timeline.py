"""What exists at the MLS and when it changed, in a few bytes a record.

A population keeps no record. It keeps a log of changes (which record, which day, what kind), linked backwards from
each record's newest, and from these every version of every record is computed. A million records that never changed
cost five megabytes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import clock
from .draws import DAY, STAMP, Draw, mix

EDITED, REPHOTOGRAPHED, TOUCHED, SWEPT, REVERTED = 1, 2, 4, 8, 16
_STAMP_ONLY = SWEPT | REVERTED  # faults: the record's timestamp moved, forwards or back, and nothing else of it
SMALL = 20  # from this many records on, every day brings at least one of each kind of event
_BORN_WITHIN_DAYS = 110

Stamped = Callable[[int, int], int]
"""A record's number and a day → SWEPT, REVERTED or 0."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of a population per day; ``returned`` is one of those removed."""

    new: float = 0.0
    changed: float = 0.0
    removed: float = 0.0
    returned: float = 0.0
    rephotographed_of_changed: float = 0.0
    touched_of_changed: float = 0.0


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one record: how many it has seen with it, when, and the kinds as bits.

    What moves the timestamp alone does not count, so that the changes after it are the same with and without.
    """

    ordinal: int
    day: int
    stamp: int
    kinds: int


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A population at one moment. Readers keep theirs while the world goes on."""

    population: Population
    day: int
    total: int
    live: int
    heads: array[int]
    gone: bytearray

    def numbers(self) -> Iterator[int]:
        """The numbers of the living, ascending."""
        gone = self.gone
        return (number for number in range(self.total) if not gone[number])

    def has(self, number: int) -> bool:
        """Whether this record lives."""
        return 0 <= number < self.total and not self.gone[number]

    def stamp(self, number: int) -> int:
        """The instant of the record's newest version, in seconds."""
        head = self.heads[number]
        population = self.population
        if head < 0:
            return population.born(number)
        if population.log_kinds[head] & REVERTED:
            return self.events(number)[-1].stamp
        return population.instant(number, population.log_day[head])

    def last_day(self, number: int) -> int:
        """The day of the record's newest version (0: as it was at the start)."""
        head, population = self.heads[number], self.population
        while head >= 0 and population.log_kinds[head] & _STAMP_ONLY:
            head = population.log_previous[head]
        return population.log_day[head] if head >= 0 else population.birth_day(number)

    def events(self, number: int) -> list[Event]:
        """The record's changes, oldest first."""
        population = self.population
        found: list[int] = []
        at = self.heads[number]
        while at >= 0:
            found.append(at)
            at = population.log_previous[at]
        days, kinds = population.log_day, population.log_kinds
        events, changes = [], 0
        for place, at in enumerate(reversed(found), 1):
            changes += not kinds[at] & _STAMP_ONLY
            stamp = population.moved(number, place, days[at], kinds[at])
            events.append(Event(changes, days[at], stamp, kinds[at]))
        return events

    def stamp_at(self, number: int, day: int) -> int:
        """The instant of the version the record had at the end of ``day``."""
        return self.stamp_after(number, self.changes_until(number, day))

    def stamp_after(self, number: int, changes: int) -> int:
        """The instant of the record's version after so many changes (0: as it was born)."""
        return self.events(number)[changes - 1].stamp if changes else self.population.born(number)

    def changes_until(self, number: int, day: int) -> int:
        """How many changes the record had seen by the end of ``day``."""
        return sum(1 for event in self.events(number) if event.day <= day)


class Population:
    """Records of one kind, numbered from 0, and the days that pass over them. One writer at a time."""

    def __init__(self, seed: int, kind: int, count: int, rates: Rates, window: tuple[int, int]) -> None:
        self.seed = seed
        self.kind = kind
        self.first = count
        self.rates = rates
        self._window = window
        self.log_day = array("H")
        self.log_kinds = array("B")
        self.log_previous = array("i")
        self._births = array("I")  # records in existence after each day, from day 1
        self._shifts = array("I")
        self.now = Snapshot(self, 0, count, count, array("i", [-1]) * count, bytearray(count))

    def birth_day(self, number: int) -> int:
        """The day a record appeared; 0 for those there at the start."""
        if number < self.first:
            return 0
        return bisect_right(self._births, number) + 1

    def born(self, number: int) -> int:
        """The instant of a record's first version."""
        if number >= self.first:
            return self.instant(number, self.birth_day(number))
        bits = mix(self.seed, STAMP, self.kind, number)
        start, span = self._window
        days_ago = 1 + (bits >> 32) % _BORN_WITHIN_DAYS
        return clock.START - days_ago * clock.DAY + start + (bits & 0xFFFFFFFF) % span

    def instant(self, number: int, day: int) -> int:
        """The instant at which a record changed on a day."""
        start, span = self._window
        within = mix(self.seed, STAMP, self.kind, number, day) % span
        return clock.START + (day - 1) * clock.DAY + self._shifts[day - 1] + start + within

    def moved(self, number: int, place: int, day: int, kinds: int) -> int:
        """The timestamp that an entry of a record's log, at place 1 the first, gave it: of its day or before all."""
        return self.born(number) - place * clock.DAY if kinds & REVERTED else self.instant(number, day)

    def advance(self, shift: int, stamped: Stamped | None = None) -> dict[str, int]:
        """Let one day pass; ``shift`` as from ``Clock.shift``. Returns how many records did what.

        ``stamped`` says of each record that did not change what became of its timestamp all the same.
        """
        before = self.now
        day = before.day + 1
        draw = Draw(self.seed, DAY, self.kind, day)
        heads, gone = before.heads[:], before.gone[:]
        count = _counter(draw, before.live)
        removed = self._choose(draw, before.total, count(self.rates.removed), lambda number: not gone[number])
        for number in removed:
            gone[number] = 1
        changed = self._choose(draw, before.total, count(self.rates.changed), lambda number: not gone[number])
        photographed = max(1, round(len(changed) * self.rates.rephotographed_of_changed)) if changed else 0
        if not self.rates.rephotographed_of_changed:
            photographed = 0
        for position, number in enumerate(changed):
            kinds = EDITED
            if position >= len(changed) - photographed:
                kinds = REPHOTOGRAPHED | (EDITED if draw.chance(0.5) or len(changed) == 1 else 0)
            elif position and draw.chance(self.rates.touched_of_changed):
                kinds = TOUCHED
            self._log(heads, number, day, kinds)
        if stamped is not None:
            busy = set(changed)
            for number in range(before.total):
                if not gone[number] and number not in busy and (kinds := stamped(number, day)):
                    self._log(heads, number, day, kinds)
        returned = self._returned(draw, before)
        for number in returned:
            gone[number] = 0
        new = count(self.rates.new)
        heads.extend([-1] * new)
        gone.extend(bytes(new))
        self._births.append(before.total + new)
        self._shifts.append(shift)
        live = before.live - len(removed) + len(returned) + new
        self.now = Snapshot(self, day, before.total + new, live, heads, gone)
        return {"new": new, "changed": len(changed), "rephotographed": photographed, "removed": len(removed)}

    def _returned(self, draw: Draw, before: Snapshot) -> list[int]:
        """Which of those gone are there again, with the timestamp they had."""
        if not self.rates.returned:
            return []
        return [number for number in range(before.total) if before.gone[number] and draw.chance(self.rates.returned)]

    def _log(self, heads: array[int], number: int, day: int, kinds: int) -> None:
        self.log_day.append(day)
        self.log_kinds.append(kinds)
        self.log_previous.append(heads[number])
        heads[number] = len(self.log_day) - 1

    def _choose(self, draw: Draw, total: int, wanted: int, fits: Callable[[int], bool]) -> list[int]:
        chosen: dict[int, None] = {}
        while len(chosen) < wanted:  # ends: wanted is a small share of those that fit
            number = draw.between(0, total - 1)
            if number not in chosen and fits(number):
                chosen[number] = None
        return list(chosen)


def _counter(draw: Draw, live: int) -> Callable[[float], int]:
    def count(rate: float) -> int:
        """``rate`` of the living, fractions by chance; at least one from ``SMALL`` on, as an MLS never sleeps."""
        if rate <= 0 or not live:
            return 0
        whole, part = divmod(live * rate, 1)
        drawn = int(whole) + draw.chance(part)
        return max(1, drawn) if live >= SMALL else min(drawn, live - 1)

    return count
