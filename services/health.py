"""Whether this process is alive, and whether it is of use: what ``/healthz`` and ``/readyz`` say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.fresh import Fresh
from shared.consumer import Consumer
from shared.telemetry import escape, redact

LOOP_SECONDS = 60.0
"""A loop with no message in hand comes round every second or so."""
CHECK_EVERY = 2.0
CHECK_SECONDS = 5.0
OK = "ok"


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, by name: ``ok``, or what is wrong."""

    checks: Mapping[str, str]

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return all(found == OK for found in self.checks.values())


class Health:
    """Looks at the loops of this process and asks what they need.

    ``consumers`` are those that work now, ``helpers`` the threads beside them, none before the start. Each of
    ``checks`` raises when what it asks is of no use now; it may hang: nobody waits for longer than a few seconds, and
    it is asked no more often than that. ``stuck_after`` is how many seconds a handler may take.
    """

    def __init__(
        self,
        consumers: Callable[[], Sequence[Consumer]],
        helpers: Callable[[], Sequence[threading.Thread]],
        checks: Mapping[str, Callable[[], object]],
        stopping: threading.Event,
        stuck_after: float,
    ) -> None:
        self._consumers = consumers
        self._helpers = helpers
        self._checks = {name: Fresh(check, every=CHECK_EVERY, patience=CHECK_SECONDS) for name, check in checks.items()}
        self._stopping = stopping
        self._stuck_after = stuck_after

    def alive(self) -> Report:
        """Whether every loop comes round, and none has ended. A process that is starting or stopping is alive."""
        return Report({"loops": self._loops()})

    def ready(self) -> Report:
        """Whether the process has started, and everything it needs answers."""
        if self._stopping.is_set():
            return Report({"consumers": "the process is stopping"})
        consumers = self._loops() if self._helpers() else "not started yet"
        return Report({"consumers": consumers, **{name: _asked(check) for name, check in self._checks.items()}})

    def _loops(self) -> str:
        if self._stopping.is_set():
            return OK
        wrong = [f"{helper.name} has ended" for helper in list(self._helpers()) if not helper.is_alive()]
        receiving = min(LOOP_SECONDS, self._stuck_after)
        for consumer in list(self._consumers()):
            found = {"ended": consumer.ended, "stuck": consumer.late(receiving, self._stuck_after)}
            wrong += (f"{count} of {consumer.name} {how}" for how, count in found.items() if count)
        return "; ".join(wrong) or OK


def _asked(check: Fresh[object]) -> str:
    try:
        check.get()
    except Exception as error:
        return escape(redact(str(error) or type(error).__name__))[:300]
    return OK
