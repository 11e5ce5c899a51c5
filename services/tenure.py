"""What this process alone may do for as long as it keeps the lease."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from shared.store.base import Leases, StoreUnavailableError

log = structlog.get_logger()

SURE = 0.8
"""So much of a lease this process relies on, counted on its own clock from before it asked: clocks run differently."""
TURN_SECONDS = 5.0
LOOK_SECONDS = 0.5
RENEWALS = 6
"""How often a lease is renewed in its time."""


class Tenure:
    """One lease, as the process that wants it sees it. Safe to use from many threads."""

    def __init__(
        self,
        leases: Leases,
        name: str,
        holder: str,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._leases = leases
        self._holder = holder
        self._seconds = seconds
        self._clock = clock
        self._asked = -seconds
        self._sure_until = 0.0
        self._given_back = False
        self._lock = threading.Lock()

    @property
    def held(self) -> bool:
        """Whether nobody else can have it at this moment, whatever became of the store since it was renewed."""
        return self._clock() < self._sure_until

    def take(self) -> bool:
        """Whether it is ours now. Raises StoreUnavailableError."""
        asked = self._clock()
        taken = self._leases.take(self.name, self._holder, self._seconds)
        self._given_back = not taken
        self._note(asked, ours=taken)
        return taken

    def renew(self) -> bool:
        """Keep it, once a sixth of its time has passed; whether it is still ours. A store that is away costs nothing
        until the lease has run out."""
        asked = self._clock()
        if asked - self._asked < self._seconds / RENEWALS and self.held:
            return True
        with suppress(StoreUnavailableError):
            self._note(asked, ours=self._leases.renew(self.name, self._holder, self._seconds))
        return self.held

    def release(self) -> None:
        """Give it back. While the store is away it ends by itself."""
        with self._lock:
            self._given_back = True
            self._sure_until = 0.0
        try:
            self._leases.release(self.name, self._holder)
        except StoreUnavailableError:
            log.info("a lease ends by itself: the store is away", lease=self.name)

    def _note(self, asked: float, *, ours: bool) -> None:
        """What another thread renewed while this one gave it back is not ours for long."""
        with self._lock:
            self._asked = asked
            self._sure_until = asked + SURE * self._seconds if ours and not self._given_back else 0.0


class Tenures:
    """Keeps leases for as long as they are wanted, in a thread of its own: others may be busy for long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: dict[Tenure, None] = {}
        self._lock = threading.Lock()

    def keep(self, tenure: Tenure) -> None:
        """From now on, until it is lost or ``end``."""
        with self._lock:
            self._kept[tenure] = None

    def end(self, tenure: Tenure) -> None:
        """Give it back, unless it was lost."""
        with self._lock:
            kept = tenure in self._kept
            self._kept.pop(tenure, None)
        if kept:
            tenure.release()

    def run(self, stop: threading.Event) -> None:
        """Renew until ``stop`` is set."""
        while not stop.wait(self._seconds / RENEWALS / 2):
            self.renew()

    def renew(self) -> None:
        """Renew what is due; forget what was lost."""
        with self._lock:
            kept = list(self._kept)
        for tenure in kept:
            try:
                ours = tenure.renew()
            except Exception:
                log.exception("a lease could not be renewed", lease=tenure.name)
                ours = tenure.held
            if not ours:
                log.warning("a lease is lost: another process may take over", lease=tenure.name)
                with self._lock:
                    self._kept.pop(tenure, None)

    def close(self) -> None:
        """Give everything back."""
        with self._lock:
            kept, self._kept = list(self._kept), {}
        for tenure in kept:
            tenure.release()


class Turn:
    """Whose turn is next, where that is not left to chance: told by a lease of a few seconds."""

    def __init__(self, leases: Leases, name: str, holder: str) -> None:
        self._leases = leases
        self._name = name
        self._holder = holder
        self._told = self._looked = -math.inf
        self._other = False

    def want(self) -> None:
        """It is to be ours."""
        if time.monotonic() - self._told >= TURN_SECONDS / 2:
            self._leases.take(self._name, self._holder, TURN_SECONDS)
            self._told = time.monotonic()

    def wanted(self) -> bool:
        """Whether it is another's, as of half a second ago. While the store is away it is nobody's."""
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = time.monotonic()
            with suppress(StoreUnavailableError):
                self._other = self._leases.holder(self._name) not in (None, self._holder)
        return self._other

    def over(self) -> None:
        """It came."""
        if self._told > -math.inf:
            self._told = -math.inf
            with suppress(StoreUnavailableError):
                self._leases.release(self._name, self._holder)


class LeasedSlots:
    """Session slots of one feed, shared by all its processes. See ``shared.sources.pool.SlotLeases``.

    ``make`` gives a slot's tenure, which ``tenures`` keeps. Whoever has records to ask for, and no slot, has ``first``
    for a moment, by which the others know.
    """

    def __init__(self, tenures: Tenures, make: Callable[[int], Tenure], first: Turn) -> None:
        self._tenures = tenures
        self._make = make
        self._first = first
        self._held: dict[int, Tenure] = {}

    def acquire(self, slot: int) -> bool:
        tenure = self._make(slot)
        if not tenure.take():
            return False
        self._held[slot] = tenure
        self._tenures.keep(tenure)
        self._first.over()
        return True

    def want(self) -> None:
        self._first.want()

    def wanted(self) -> bool:
        return self._first.wanted()

    def renew(self, slot: int) -> bool:
        tenure = self._held.get(slot)
        return tenure is not None and tenure.held

    def release(self, slot: int) -> None:
        tenure = self._held.pop(slot, None)
        if tenure is not None:
            self._tenures.end(tenure)
