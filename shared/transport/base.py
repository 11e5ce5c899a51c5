"""The promise every transport keeps: at-least-once delivery of bytes on named queues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

DEAD_SUFFIX = ".dead"


def is_dead(queue: str) -> bool:
    """Whether ``queue`` is where another queue's rejected messages stay."""
    return queue.endswith(DEAD_SUFFIX)


def dead_of(queue: str) -> str:
    """Where messages rejected on ``queue`` go; those of a dead queue stay on it."""
    return queue if is_dead(queue) else queue + DEAD_SUFFIX


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message in hand. ``attempt`` counts from 1 and grows with every ``retry``; ``token`` is the backend's own."""

    queue: str
    body: bytes
    attempt: int
    reason: str = ""
    token: Any = field(default=None, compare=False)


class TransportClosedError(RuntimeError):
    """The transport was closed; nothing was accepted."""


class TransportUnavailableError(RuntimeError):
    """The broker cannot be used, or takes no messages; the text names it and what to do."""


class MessageTooLargeError(ValueError):
    """The broker will never take a message of this size; the text says what it takes."""


class Transport(Protocol):
    """At-least-once delivery of bytes on named queues. Safe to use from many threads.

    A delivery received is settled exactly once, by ``ack``, ``retry`` or ``reject``; again only where that raised
    TransportUnavailableError. One that is never settled
    (its process died, or ``close`` came first) is delivered again, unless the queue lived in that process's memory.
    """

    def publish(self, queue: str, body: bytes, *, delay: float = 0.0) -> None:
        """Put ``body`` on ``queue``; returns once it is accepted. Delivered after ``delay`` seconds at the earliest.

        Raises TransportClosedError after ``close``, MessageTooLargeError when the broker takes none of this size.
        """

    def publish_all(self, queue: str, bodies: Iterable[bytes]) -> None:
        """Put ``bodies`` on ``queue`` one after another, taken as they are sent; returns once all are accepted.

        Raises as ``publish`` does, and then some may be.
        """

    def receive(self, queues: Sequence[str], timeout: float) -> Delivery | None:
        """The next message of any of ``queues``, earlier queues first; None after ``timeout`` seconds or ``close``.

        A message of a later queue never keeps one of an earlier queue from coming to this process, nor goes before one
        that is here.
        """

    def ack(self, delivery: Delivery) -> None:
        """The message is done with."""

    def retry(self, delivery: Delivery, delay: float) -> None:
        """Deliver again after ``delay`` seconds, with ``attempt`` one higher."""

    def reject(self, delivery: Delivery, reason: str) -> None:
        """Move the message to the queue ``<queue>.dead``; whoever receives it there sees ``reason``."""

    def leave(self, queues: Sequence[str]) -> None:
        """Nobody here receives of ``queues`` any more, until somebody does: what waits here for it goes back.

        What was received stays to be settled.
        """

    def close(self) -> None:
        """Stop: wake every ``receive``; what is unsettled goes back to its queue. May be called twice."""
