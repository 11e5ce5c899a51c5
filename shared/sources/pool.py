"""The session slots of one feed in this process: who may talk to the MLS now."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final, Protocol

from shared.sources.base import Source, SourceUnavailableError

RECORDS: Final = 0
PHOTOS: Final = 1
"""Priorities: a lower number goes first."""


class NoSlotError(SourceUnavailableError):
    """Every session of the feed was in use, here or in another process, for as long as the caller would wait."""


class SlotLeases(Protocol):
    """Leases on a feed's session slots, numbered from 0, shared with every other process of the feed."""

    def acquire(self, slot: int) -> bool:
        """Whether the slot is now ours."""

    def release(self, slot: int) -> None:
        """Give the slot back; one that is not ours (any more) is left alone."""

    def renew(self, slot: int) -> bool:
        """Keep the slot. False when the lease ran out and may be another process's."""

    def want(self) -> None:
        """Records wait here for a slot: others may give theirs back."""

    def wanted(self) -> bool:
        """Whether records wait in another process for a slot."""


@dataclass(slots=True)
class _Seat:
    slot: int
    source: Source
    used_at: float
    lost: bool = False


class SessionPool:
    """Hands out a feed's sessions, each to one user at a time. Safe to use from many threads.

    A slot is leased before its source is made, and given back after the source has logged out. ``reap`` is to be
    called more often than leases last: it renews those in use and logs out sessions idle for ``idle_seconds``.
    """

    def __init__(
        self,
        make_source: Callable[[], Source],
        slots: SlotLeases,
        size: int,
        idle_seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        poll_seconds: float = 0.5,
    ) -> None:
        self._make_source = make_source
        self._slots = slots
        self._size = size
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int]] = []
        self._tickets = count()
        self._idle: list[_Seat] = []
        self._busy: dict[int, _Seat] = {}
        self._closed = False

    @contextmanager
    def use(self, priority: int = RECORDS, timeout: float = 0.0) -> Iterator[Source]:
        """A source of one's own for the time of the ``with``, logged in or not.

        Users wait in the order of ``priority`` (lower first), then of arrival. Raises NoSlotError after ``timeout``
        seconds without a slot, or when the pool is closed. The source stays logged in for the next user.
        """
        seat = self._take(priority, timeout)
        try:
            yield seat.source
        finally:
            self._give_back(seat)

    @property
    def held(self) -> int:
        """How many slots are leased now."""
        return len(self._busy) + len(self._idle)

    def reap(self, now: float | None = None) -> None:
        """Renew the leases held and end sessions idle too long. ``now`` is on the pool's clock."""
        now = self._clock() if now is None else now
        ended: list[_Seat] = []
        with self._changed:
            for seat in [*self._busy.values(), *self._idle]:
                seat.lost = seat.lost or not self._slots.renew(seat.slot)
            for seat in list(self._idle):
                if seat.lost or now - seat.used_at >= self._idle_seconds or self._slots.wanted():
                    self._idle.remove(seat)
                    self._busy[seat.slot] = seat
                    ended.append(seat)
        self._end(ended)

    def close(self) -> None:
        """Log out every idle session now and each other one when its user is done. Nobody gets a session any more."""
        with self._changed:
            self._closed = True
            ended, self._idle = self._idle, []
            self._busy.update((seat.slot, seat) for seat in ended)
            self._changed.notify_all()
        self._end(ended)

    def _take(self, priority: int, timeout: float) -> _Seat:
        deadline = self._clock() + timeout
        with self._changed:
            ticket = (priority, next(self._tickets))
            heapq.heappush(self._waiting, ticket)
            try:
                while True:
                    if self._closed:
                        raise NoSlotError("the session pool is closed")
                    if self._waiting[0] == ticket and self._may(priority) and (seat := self._seat()) is not None:
                        self._busy[seat.slot] = seat
                        return seat
                    left = deadline - self._clock()
                    if left <= 0:
                        raise NoSlotError("every session of this feed is in use", retry_after=self._poll_seconds)
                    if priority == RECORDS and len(self._busy) < self._size:
                        self._slots.want()
                    # Another process gives a lease back without telling us: look again from time to time.
                    self._changed.wait(min(left, self._poll_seconds))
            finally:
                self._waiting.remove(ticket)
                heapq.heapify(self._waiting)
                self._changed.notify_all()

    def _may(self, priority: int) -> bool:
        """Records go before photos, those of other processes too."""
        return priority == RECORDS or not self._slots.wanted()

    def _seat(self) -> _Seat | None:
        """An idle session, the last used first so that the others can end; else a new one on a slot we can lease."""
        if self._idle:
            return self._idle.pop()
        for slot in range(self._size):
            if slot not in self._busy and self._slots.acquire(slot):
                try:
                    return _Seat(slot, self._make_source(), self._clock())
                except BaseException:
                    self._slots.release(slot)
                    raise
        return None

    def _give_back(self, seat: _Seat) -> None:
        with self._changed:
            seat.used_at = self._clock()
            keep = not (self._closed or seat.lost or self._slots.wanted())
            if keep:
                del self._busy[seat.slot]
                self._idle.append(seat)
                self._changed.notify_all()
        if not keep:
            self._end([seat])

    def _end(self, seats: list[_Seat]) -> None:
        """Log out, then give the slot back: never two sessions on one slot."""
        for seat in seats:
            try:
                seat.source.close()
            finally:
                self._slots.release(seat.slot)
                with self._changed:
                    del self._busy[seat.slot]
                    self._changed.notify_all()
