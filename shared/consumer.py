"""The one loop that every service runs: receive, decode, handle, settle; five endings, each message settled once.

| a handler… | the loop |
|---|---|
| returns | acks |
| raises ``Retry`` | delivers again after its delay |
| raises ``Reject``, or the bytes do not decode | parks it with the reason |
| raises anything else | delivers again with exponential back-off and jitter |
| has had ``max_attempts`` | parks it with the last error |

What it works with may be away (``away``): the message then waits as for ``Retry(counts=False)``, and its thread with
it, ever longer up to half a minute, so that neither parks a message nor spins; one line says so, and one that it is
over.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from structlog.contextvars import bound_contextvars

from shared.messages import Envelope, Message, UndecodableError, decode
from shared.telemetry import escape, redact
from shared.transport.base import Delivery, Transport, TransportClosedError

MESSAGES = Counter(
    "mlsync_messages_total",
    "Messages this process has settled, by queue and by how the loop ended them.",
    ["queue", "outcome"],
)
SECONDS = Histogram(
    "mlsync_message_seconds",
    "Seconds from the receipt of a message until it was settled, by queue.",
    ["queue"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
REDELIVERED = Counter(
    "mlsync_messages_redelivered_total",
    "Messages this process received for a second or later attempt, by queue.",
    ["queue"],
)

_REASON_LENGTH = 2_000
_LEVELS = {"ok": "info", "deferred": "debug", "retried": "warning", "away": "debug"}

Handler = Callable[[Envelope, Message, Delivery], "str | None"]

log = structlog.stdlib.get_logger(__name__)


class Outage:
    """That something does not answer: told once, and left alone ever longer before it is tried again.

    Safe to use from many threads, which may all fail at once: that is one failure.
    """

    def __init__(self, most: float = 30.0) -> None:
        self._most = most
        self._failures = 0
        self._until = 0.0
        self._lock = threading.Lock()

    def begun(self, who: str, error: Exception) -> float:
        """It does not answer (any more); for how many seconds to leave it alone."""
        with self._lock:
            first, now = not self._failures, time.monotonic()
            if now >= self._until:
                self._failures += 1
                self._until = now + min(self._most, 0.5 * 2.0 ** min(self._failures, 30))
        if first:
            log.warning("away", who=who, reason=_bounded(_words(error)))
        return self.pause()

    def over(self, who: str) -> None:
        """It answers."""
        with self._lock:
            failures, self._failures, self._until = self._failures, 0, 0.0
        if failures:
            log.info("back", who=who, failures=failures)

    def pause(self) -> float:
        """For how many seconds more to leave it alone, 0 when all is well."""
        return max(0.0, self._until - time.monotonic())


class Retry(Exception):
    """Raised by a handler: deliver this again after ``delay`` seconds (None: the loop's back-off).

    With ``counts=False`` it is no failure but not yet this message's turn: a copy is published and this one acked, so
    the wait never parks it. The copy's attempts count from 1 again.
    """

    def __init__(self, reason: str, delay: float | None = None, *, counts: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.delay = delay
        self.counts = counts


class Reject(Exception):
    """Raised by a handler: no attempt will ever do, park this with ``reason``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    """When the loop gives up, and how long it waits before."""

    max_attempts: int = 5
    base_delay_seconds: float = 1.0
    max_delay_seconds: float = 300.0
    poll_seconds: float = 1.0
    away_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class _Ending:
    """What becomes of a delivery. ``outcome`` is of a small fixed set; ``label`` is the handler's own word for it."""

    outcome: str
    delay: float = 0.0
    reason: str = ""
    label: str = ""
    error: BaseException | None = None


class Consumer:
    """Handles the messages of ``queues``, earlier queues first, in as many threads as are started.

    ``handle`` gets the envelope, the message and the delivery; what it returns is the outcome the log shows ("ok"
    when None). It must be safe to call from many threads if many run. ``clock`` is in seconds and never steps back.
    """

    def __init__(
        self,
        transport: Transport,
        queues: Sequence[str],
        handle: Handler,
        settings: ConsumerSettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
        name: str = "consumer",
        away: tuple[type[Exception], ...] = (),
    ) -> None:
        """``away`` are the errors which say that something does not answer now, whatever the message."""
        self._transport = transport
        self._queues = tuple(queues)
        self._handle = handle
        self._settings = settings or ConsumerSettings()
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self.name = name
        self._away = away
        self._outage = Outage(self._settings.away_seconds)
        self._turned: dict[int, float] = {}
        self._handling: set[int] = set()
        self.ended = 0
        """Threads that ended though nobody stopped them: not even a fault of ours should do that."""

    def run(self, stop: threading.Event) -> None:
        """Handle messages until ``stop`` is set; the message in hand is finished first. No failure ends it sooner."""
        poll = self._settings.poll_seconds
        thread = threading.get_ident()
        try:
            while not stop.is_set():
                self._turned[thread] = started = self._clock()
                try:
                    handled = self.run_once(poll, stop)
                except Exception as error:
                    log.error("receive_failed", consumer=self.name, error=_words(error))
                    handled = False
                if handled:
                    stop.wait(self._outage.pause())
                else:
                    # A broker that is away, or a closed transport, answers at once: do not spin on it.
                    stop.wait(max(0.0, poll - (self._clock() - started)))
        finally:
            self._turned.pop(thread, None)
            self.ended += not stop.is_set()

    def run_in_threads(self, count: int, stop: threading.Event) -> list[threading.Thread]:
        """Start ``count`` threads that ``run`` until ``stop`` is set; the caller joins them."""
        threads = [
            threading.Thread(target=self.run, args=(stop,), name=f"{self.name}-{number}", daemon=True)
            for number in range(1, count + 1)
        ]
        for thread in threads:
            thread.start()
        return threads

    def seconds_since_turn(self) -> float:
        """For how long the slowest running thread has not come round: 0 when none runs. Long handlers count."""
        now = self._clock()
        return max((now - turned for turned in list(self._turned.values())), default=0.0)

    def late(self, receiving: float, handling: float) -> int:
        """How many running threads have not come round for so many seconds: ``handling`` with a message in hand, else
        ``receiving``."""
        now = self._clock()
        turned = list(self._turned.items())
        return sum(now - at > (handling if thread in self._handling else receiving) for thread, at in turned)

    def run_once(self, timeout: float, stop: threading.Event | None = None) -> bool:
        """Handle and settle one message, waiting at most ``timeout`` seconds for it; False when none came.

        What cannot be settled now, since a broker takes no messages, is settled later, unless ``stop`` is set first.
        """
        delivery = self._transport.receive(self._queues, timeout)
        if delivery is None:
            return False
        thread = threading.get_ident()
        self._handling.add(thread)
        try:
            self._handle_one(delivery, stop or threading.Event())
        finally:
            self._handling.discard(thread)
        return True

    def _handle_one(self, delivery: Delivery, stop: threading.Event) -> None:
        started = self._clock()
        if delivery.attempt > 1:
            REDELIVERED.labels(delivery.queue).inc()
        facts: dict[str, Any] = {"queue": delivery.queue, "attempt": delivery.attempt}
        ending = self._attempt(delivery, facts)
        try:
            self._settle_at_last(delivery, ending, stop)
        except Exception as error:
            # Unsettled, it is delivered again: handlers bear that. The loop must live to see it.
            log.error("settle_failed", consumer=self.name, intended=ending.outcome, error=_words(error), **facts)
            ending = _Ending("unsettled", reason=ending.reason)
        self._record(ending, facts, delivery.queue, self._clock() - started)

    def _attempt(self, delivery: Delivery, facts: dict[str, Any]) -> _Ending:
        try:
            envelope, message = decode(delivery.body)
        except UndecodableError as error:
            return _Ending("undecodable", reason=_words(error))
        facts |= {"type": envelope.type, "run_id": envelope.run_id, "message_id": envelope.id, "feed": message.feed}
        for name in ("resource", "key"):
            if (value := getattr(message, name, None)) is not None:
                facts[name] = value
        if delivery.attempt > self._settings.max_attempts:
            return _Ending("exhausted", reason=f"delivered {delivery.attempt} times and never settled")
        try:
            with bound_contextvars(run_id=envelope.run_id, message_id=envelope.id):
                label = self._handle(envelope, message, delivery) or "ok"
            if label == "ok":  # what found nothing to do may not have needed what is away
                self._outage.over(self.name)
            return _Ending("ok", label=label)
        except Reject as error:
            return _Ending("rejected", reason=error.reason)
        except Retry as error:
            if not error.counts:
                return _Ending("deferred", delay=self._delay(delivery, error.delay), reason=error.reason)
            return self._again(delivery, error.reason, error.delay)
        except self._away as error:
            return _Ending("away", delay=self._outage.begun(self.name, error), reason=_words(error))
        except Exception as error:
            return self._again(delivery, _words(error), None, error)

    def _again(
        self, delivery: Delivery, reason: str, delay: float | None, error: BaseException | None = None
    ) -> _Ending:
        if delivery.attempt >= self._settings.max_attempts:
            return _Ending("exhausted", reason=f"after {delivery.attempt} attempts: {reason}", error=error)
        return _Ending("retried", delay=self._delay(delivery, delay), reason=reason, error=error)

    def _delay(self, delivery: Delivery, wanted: float | None) -> float:
        """What the handler asked for, else a doubling delay of which the second half is left to chance."""
        if wanted is not None:
            return wanted
        doubled = self._settings.base_delay_seconds * 2.0 ** min(delivery.attempt - 1, 60)
        return min(self._settings.max_delay_seconds, doubled) * (0.5 + self._rng.random() / 2)

    def _settle_at_last(self, delivery: Delivery, ending: _Ending, stop: threading.Event) -> None:
        while True:
            try:
                return self._settle(delivery, ending)
            except self._away as error:
                if stop.wait(self._outage.begun(self.name, error)):
                    raise

    def _settle(self, delivery: Delivery, ending: _Ending) -> None:
        match ending.outcome:
            case "ok":
                self._transport.ack(delivery)
            case "retried":
                self._transport.retry(delivery, ending.delay)
            case "deferred" | "away":
                self._transport.publish(delivery.queue, delivery.body, delay=ending.delay)
                self._transport.ack(delivery)
            case _:
                self._transport.reject(delivery, _bounded(ending.reason))

    def _record(self, ending: _Ending, facts: dict[str, Any], queue: str, seconds: float) -> None:
        MESSAGES.labels(queue, ending.outcome).inc()
        SECONDS.labels(queue).observe(seconds)
        if ending.reason:
            facts["reason"] = _bounded(ending.reason)
        if ending.outcome in ("retried", "deferred", "away"):
            facts["delay"] = round(ending.delay, 3)
        if ending.error is not None:
            facts["exc_info"] = ending.error
        emit = getattr(log, _LEVELS.get(ending.outcome, "error"))
        emit("message", consumer=self.name, outcome=ending.label or ending.outcome, seconds=round(seconds, 6), **facts)


def _words(error: BaseException) -> str:
    if isinstance(error, TransportClosedError | UndecodableError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _bounded(reason: str) -> str:
    """A reason as it may be stored and shown: no secret, no control characters, not endless."""
    return escape(redact(reason))[:_REASON_LENGTH]
