"""Queues in this process's memory: what the embedded form runs on, and what tests run the services on.

It carries encoded bytes, counts attempts, delays and parks, as RabbitMQ does, so that the default form exercises what
production runs. What it holds dies with the process; the services derive their work from the store, so nothing is lost.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from shared.transport.base import Delivery, TransportClosedError, dead_of, is_dead


@dataclass(frozen=True, slots=True)
class _Item:
    body: bytes
    attempt: int = 1
    reason: str = ""


class _Waiter:
    """One blocked ``receive``. ``called`` keeps a second message from being announced to the same thread."""

    __slots__ = ("called", "condition")

    def __init__(self, lock: threading.Lock) -> None:
        self.condition = threading.Condition(lock)
        self.called = False


@dataclass(slots=True)
class _Queue:
    ready: deque[_Item] = field(default_factory=deque)
    delayed: list[tuple[float, int, _Item]] = field(default_factory=list)
    unsettled: dict[int, _Item] = field(default_factory=dict)
    waiters: list[_Waiter] = field(default_factory=list)
    size: int = 0

    def promote(self, now: float) -> None:
        """What has become due joins the end of the queue, in the order it became due."""
        while self.delayed and self.delayed[0][0] <= now:
            self.ready.append(heapq.heappop(self.delayed)[2])

    def call_one(self) -> None:
        for waiter in self.waiters:
            if not waiter.called:
                waiter.called = True
                waiter.condition.notify()
                return


class MemoryTransport:
    """A ``Transport`` within one process. First in, first out per queue; no message is ever refused for lack of room.

    Delays run on ``clock`` (seconds, never stepping back); timeouts on real time. Blocking a publisher when a queue is
    long could stop the very handler that would shorten it, so producers pace themselves by ``pressure``.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._became_idle = threading.Condition(self._lock)
        self._queues: dict[str, _Queue] = {}
        self._numbers = itertools.count(1)
        self._live = 0
        self._closed = False

    def publish(self, queue: str, body: bytes, *, delay: float = 0.0) -> None:
        """See ``Transport.publish``."""
        with self._lock:
            self._check_open()
            self._put(queue, _Item(bytes(body)), delay)

    def publish_all(self, queue: str, bodies: Iterable[bytes]) -> None:
        """See ``Transport.publish_all``."""
        for body in bodies:
            self.publish(queue, body)

    def receive(self, queues: Sequence[str], timeout: float) -> Delivery | None:
        """See ``Transport.receive``. Waiting takes no CPU: a thread wakes when a message is there or due."""
        deadline = time.monotonic() + timeout
        with self._lock:
            watched = [self._queue(name) for name in queues]
            waiter = _Waiter(self._lock)
            for queue in watched:
                queue.waiters.append(waiter)
            try:
                while not self._closed:
                    now = self._clock()
                    for name, queue in zip(queues, watched, strict=True):
                        queue.promote(now)
                        if queue.ready:
                            return self._hand_over(name, queue)
                    left = deadline - time.monotonic()
                    if left <= 0:
                        return None
                    due = min((queue.delayed[0][0] - now for queue in watched if queue.delayed), default=left)
                    waiter.called = False
                    waiter.condition.wait(min(left, due))
                return None
            finally:
                for queue in watched:
                    queue.waiters.remove(waiter)
                self._pass_on(watched)

    def ack(self, delivery: Delivery) -> None:
        """See ``Transport.ack``. Raises ValueError when it was settled before, TransportClosedError after ``close``."""
        with self._lock:
            self._take(delivery)
            self._tell_if_idle()

    def retry(self, delivery: Delivery, delay: float) -> None:
        """See ``Transport.retry``. Raises as ``ack`` does."""
        with self._lock:
            item = self._take(delivery)
            self._put(delivery.queue, replace(item, attempt=item.attempt + 1), delay)

    def reject(self, delivery: Delivery, reason: str) -> None:
        """See ``Transport.reject``. Attempts count anew there; what is rejected on a dead queue stays on it."""
        with self._lock:
            item = self._take(delivery)
            self._put(dead_of(delivery.queue), _Item(item.body, reason=reason), 0.0)
            self._tell_if_idle()

    def leave(self, queues: Sequence[str]) -> None:
        """See ``Transport.leave``: nothing waits anywhere but on its queue."""

    def close(self) -> None:
        """See ``Transport.close``."""
        with self._lock:
            self._closed = True
            for queue in self._queues.values():
                queue.ready.extendleft(reversed(queue.unsettled.values()))
                queue.unsettled.clear()
                for waiter in queue.waiters:
                    waiter.condition.notify()
            self._became_idle.notify_all()

    def idle(self) -> bool:
        """Whether no queue but the dead ones holds anything: ready, delayed or in hand."""
        with self._lock:
            return self._live == 0

    def wait_idle(self, timeout: float) -> bool:
        """Wait until ``idle``, at most ``timeout`` seconds or until ``close``; what ``idle`` says then."""
        with self._lock:
            self._became_idle.wait_for(lambda: self._live == 0 or self._closed, timeout)
            return self._live == 0

    def depths(self) -> dict[str, tuple[int, int, int]]:
        """Per queue, dead ones included: how many messages are ready, delayed and in hand."""
        with self._lock:
            now = self._clock()
            for queue in self._queues.values():
                queue.promote(now)
            return {name: (len(q.ready), len(q.delayed), len(q.unsettled)) for name, q in sorted(self._queues.items())}

    def next_due(self) -> float | None:
        """The instant on ``clock`` at which the first delayed message is due; None when none is delayed."""
        with self._lock:
            return min((queue.delayed[0][0] for queue in self._queues.values() if queue.delayed), default=None)

    def pressure(self, queue: str) -> int:
        """The bytes ``queue`` holds: ready, delayed and in hand. A producer that could outrun it looks here first."""
        with self._lock:
            known = self._queues.get(queue)
            return known.size if known else 0

    def wake(self) -> None:
        """Make every blocked ``receive`` look at ``clock`` again: for a clock that is moved by hand."""
        with self._lock:
            for queue in self._queues.values():
                for waiter in queue.waiters:
                    waiter.condition.notify()

    def _queue(self, name: str) -> _Queue:
        return self._queues.setdefault(name, _Queue())

    def _check_open(self) -> None:
        if self._closed:
            raise TransportClosedError("the transport is closed")

    def _put(self, name: str, item: _Item, delay: float) -> None:
        queue = self._queue(name)
        if delay > 0:
            heapq.heappush(queue.delayed, (self._clock() + delay, next(self._numbers), item))
        else:
            queue.ready.append(item)
        queue.size += len(item.body)
        self._live += not is_dead(name)
        queue.call_one()

    def _hand_over(self, name: str, queue: _Queue) -> Delivery:
        item = queue.ready.popleft()
        token = next(self._numbers)
        queue.unsettled[token] = item
        return Delivery(name, item.body, item.attempt, item.reason, token)

    def _take(self, delivery: Delivery) -> _Item:
        self._check_open()
        queue = self._queue(delivery.queue)
        item = queue.unsettled.pop(delivery.token, None)
        if item is None:
            raise ValueError(f"this delivery of {delivery.queue} was settled before")
        queue.size -= len(item.body)
        self._live -= not is_dead(delivery.queue)
        return item

    def _tell_if_idle(self) -> None:
        if self._live == 0:
            self._became_idle.notify_all()

    def _pass_on(self, watched: Iterable[_Queue]) -> None:
        """Call another thread for what this one leaves behind: it may have been the only one called for it."""
        for queue in watched:
            if queue.ready or queue.delayed:
                queue.call_one()
