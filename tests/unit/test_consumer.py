"""The five endings of the loop, and that every message is settled exactly once whatever happens."""

from __future__ import annotations

import io
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from shared import telemetry
from shared.consumer import Consumer, ConsumerSettings, Handler, Outage, Reject, Retry
from shared.messages import Envelope, Message, PhotosPending, encode
from shared.transport.base import Delivery, TransportClosedError
from shared.transport.memory import MemoryTransport

SETTINGS = ConsumerSettings(max_attempts=3, base_delay_seconds=1, max_delay_seconds=8, poll_seconds=0.05)
BODY = encode(PhotosPending(feed="ddf", resource="property", key="k1"), id="m1", run_id="r1", created_at=1)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class CountingTransport(MemoryTransport):
    """Counts settlements; ``fail`` makes the next ones raise."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.settled: list[str] = []
        self.fail = 0

    def _note(self, how: str) -> None:
        if self.fail:
            self.fail -= 1
            raise TransportClosedError("connection lost")
        self.settled.append(how)

    def ack(self, delivery: Delivery) -> None:
        self._note("ack")
        super().ack(delivery)

    def retry(self, delivery: Delivery, delay: float) -> None:
        self._note(f"retry {delay:g}")
        super().retry(delivery, delay)

    def reject(self, delivery: Delivery, reason: str) -> None:
        self._note(f"reject {reason}")
        super().reject(delivery, reason)


@pytest.fixture(autouse=True)
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    telemetry.configure(True, "DEBUG", stream)
    yield stream
    telemetry.configure(False, "WARNING")


class Bench:
    def __init__(
        self, handle: Handler, settings: ConsumerSettings = SETTINGS, away: tuple[type[Exception], ...] = ()
    ) -> None:
        self.clock = Clock()
        self.transport = CountingTransport(self.clock)
        self.consumer = Consumer(
            self.transport, ["media"], handle, settings, clock=self.clock, rng=random.Random(1), name="media", away=away
        )

    def deliver(self, body: bytes = BODY) -> list[str]:
        """Publish one message and let the loop have it until it is settled for good."""
        self.transport.publish("media", body)
        for _ in range(20):
            while self.consumer.run_once(0):
                pass
            due = self.transport.next_due()
            if due is None:
                break
            self.clock.now = due
        return self.transport.settled

    def dead(self) -> Delivery | None:
        return self.transport.receive(["media.dead"], 0)


def raising(*errors: Exception | None) -> Handler:
    left = list(errors)

    def handle(envelope: Envelope, message: Message, delivery: Delivery) -> str | None:
        error = left.pop(0) if len(left) > 1 else left[0]
        if error is not None:
            raise error.with_traceback(None)
        return None

    return handle


def test_a_handler_that_returns_is_acked() -> None:
    assert Bench(raising(None)).deliver() == ["ack"]


def test_the_handler_gets_envelope_message_and_delivery() -> None:
    got: list[tuple[Envelope, Message, Delivery]] = []

    def handle(envelope: Envelope, message: Message, delivery: Delivery) -> None:
        got.append((envelope, message, delivery))

    Bench(handle).deliver()
    envelope, message, delivery = got[0]
    assert (envelope.run_id, message, delivery.attempt) == (
        "r1",
        PhotosPending(feed="ddf", resource="property", key="k1"),
        1,
    )


def test_retry_delivers_again_after_the_delay_it_names() -> None:
    assert Bench(raising(Retry("busy", delay=7.5), None)).deliver() == ["retry 7.5", "ack"]


def test_retry_is_parked_after_max_attempts_with_its_reason() -> None:
    bench = Bench(raising(Retry("busy", delay=1)))
    assert bench.deliver() == ["retry 1", "retry 1", "reject after 3 attempts: busy"]


def test_retry_that_does_not_count_never_parks() -> None:
    bench = Bench(raising(*[Retry("no slot", delay=2, counts=False)] * 10, None))
    assert bench.deliver() == ["ack"] * 11
    assert bench.clock.now == 20


def test_reject_parks_at_once_with_the_reason() -> None:
    bench = Bench(raising(Reject("no such feed")))
    assert bench.deliver() == ["reject no such feed"]
    dead = bench.dead()
    assert dead is not None
    assert (dead.body, dead.reason) == (BODY, "no such feed")


def test_undecodable_bytes_are_parked_with_their_bytes_and_never_handled() -> None:
    bench = Bench(raising(AssertionError("must not be called")))
    settled = bench.deliver(b"\xc1 not msgpack")
    assert len(settled) == 1
    assert settled[0].startswith("reject not a message")
    dead = bench.dead()
    assert dead is not None
    assert dead.body == b"\xc1 not msgpack"


def test_other_exceptions_back_off_doubling_with_jitter_up_to_the_maximum() -> None:
    settings = ConsumerSettings(max_attempts=7, base_delay_seconds=1, max_delay_seconds=8)
    settled = Bench(raising(OSError("disk")), settings).deliver()
    delays = [float(how.split()[1]) for how in settled[:-1]]
    ceilings = [1, 2, 4, 8, 8, 8]
    assert all(top / 2 <= delay <= top for delay, top in zip(delays, ceilings, strict=True))
    assert len(set(delays)) == len(delays)
    assert settled[-1] == "reject after 7 attempts: OSError: disk"


def test_back_off_is_bounded_however_many_attempts() -> None:
    settings = ConsumerSettings(max_attempts=2_000, max_delay_seconds=5)
    bench = Bench(raising(OSError()), settings)
    bench.transport.publish("media", BODY)
    for _ in range(1_999):
        assert bench.consumer.run_once(0)
        bench.clock.now += 5
    assert all(float(how.split()[1]) <= 5 for how in bench.transport.settled)


def test_a_message_that_always_took_its_process_with_it_is_parked_unhandled() -> None:
    bench = Bench(raising(AssertionError("must not be called")))
    bench.transport.publish("media", BODY)
    for _ in range(3):
        delivery = bench.transport.receive(["media"], 0)
        assert delivery is not None
        MemoryTransport.retry(bench.transport, delivery, 0)
    bench.consumer.run_once(0)
    assert bench.transport.settled == ["reject delivered 4 times and never settled"]


def test_a_transport_that_fails_while_settling_does_not_end_the_loop() -> None:
    bench = Bench(raising(None))
    bench.transport.fail = 1
    bench.transport.publish("media", BODY)
    bench.transport.publish("media", BODY)
    assert bench.consumer.run_once(0)
    assert bench.consumer.run_once(0)
    assert bench.transport.settled == ["ack"]


def test_reasons_are_bounded_redacted_and_escaped() -> None:
    telemetry.register_secret("hunter2-consumer")
    bench = Bench(raising(Reject("login hunter2-consumer\x1b[2J" + "x" * 10_000)))
    bench.deliver()
    dead = bench.dead()
    assert dead is not None
    assert dead.reason.startswith("login [redacted]\\x1b[2J")
    assert len(dead.reason) == 2_000


def test_each_settled_message_logs_one_line(lines: io.StringIO) -> None:
    def handle(envelope: Envelope, message: Message, delivery: Delivery) -> str:
        return "stored"

    Bench(handle).deliver()
    (line,) = [json.loads(text) for text in lines.getvalue().splitlines()]
    expected = {"type": "photos.pending.v1", "run_id": "r1", "queue": "media", "outcome": "stored", "attempt": 1}
    expected |= {"feed": "ddf", "resource": "property", "key": "k1"}
    assert {name: line[name] for name in expected} == expected
    assert line["seconds"] >= 0


def test_an_exception_is_logged_with_its_traceback(lines: io.StringIO) -> None:
    Bench(raising(ZeroDivisionError("why"), None)).deliver()
    first = json.loads(lines.getvalue().splitlines()[0])
    assert (first["outcome"], first["reason"]) == ("retried", "ZeroDivisionError: why")
    assert "Traceback" in first["exception"]


def test_what_a_handler_logs_carries_the_run(lines: io.StringIO) -> None:
    import structlog

    def handle(envelope: Envelope, message: Message, delivery: Delivery) -> None:
        structlog.get_logger("handler").info("inside")

    Bench(handle).deliver()
    inside = json.loads(lines.getvalue().splitlines()[0])
    assert (inside["event"], inside["run_id"]) == ("inside", "r1")


def count(outcome: str) -> float:
    return REGISTRY.get_sample_value("mlsync_messages_total", {"queue": "media", "outcome": outcome}) or 0.0


def test_metrics_count_endings_of_a_fixed_set() -> None:
    before = {name: count(name) for name in ("ok", "retried", "exhausted", "deferred", "rejected")}
    timed = REGISTRY.get_sample_value("mlsync_message_seconds_count", {"queue": "media"}) or 0.0
    Bench(raising(Retry("later", 1, counts=False), OSError(), None)).deliver()
    Bench(raising(OSError())).deliver()
    Bench(raising(Reject("no"))).deliver()
    moved = {name: count(name) - was for name, was in before.items()}
    assert moved == {"ok": 1, "retried": 3, "exhausted": 1, "deferred": 1, "rejected": 1}
    assert (REGISTRY.get_sample_value("mlsync_message_seconds_count", {"queue": "media"}) or 0.0) - timed == 7


def test_stop_finishes_the_message_in_hand() -> None:
    stop, entered = threading.Event(), threading.Event()
    finished: list[str] = []

    def handle(envelope: Envelope, message: Message, delivery: Delivery) -> None:
        entered.set()
        stop.wait(5)
        time.sleep(0.02)
        finished.append(envelope.id)

    transport = MemoryTransport()
    transport.publish("media", BODY)
    transport.publish("media", BODY)
    (thread,) = Consumer(transport, ["media"], handle, SETTINGS).run_in_threads(1, stop)
    assert entered.wait(5)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert finished == ["m1"]
    assert transport.depths()["media"] == (1, 0, 0)


def test_threads_share_the_work_and_each_message_is_handled_once() -> None:
    transport, stop, lock = MemoryTransport(), threading.Event(), threading.Lock()
    handled: list[str] = []

    def handle(envelope: Envelope, message: Message, delivery: Delivery) -> None:
        with lock:
            handled.append(envelope.id)

    pending = PhotosPending(feed="ddf", resource="property", key="k")
    for number in range(500):
        transport.publish("media", encode(pending, id=str(number), run_id="r", created_at=1))
    threads = Consumer(transport, ["media"], handle, SETTINGS).run_in_threads(4, stop)
    assert transport.wait_idle(20)
    stop.set()
    for thread in threads:
        thread.join(5)
    assert sorted(handled, key=int) == [str(number) for number in range(500)]


class BrokenTransport(MemoryTransport):
    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def receive(self, queues: Any, timeout: float) -> Delivery | None:
        self.asked += 1
        raise ConnectionError("broker away")


@pytest.mark.parametrize("kind", ["broken", "closed"])
def test_a_transport_that_is_away_neither_ends_the_loop_nor_makes_it_spin(kind: str) -> None:
    transport = BrokenTransport() if kind == "broken" else MemoryTransport()
    if kind == "closed":
        transport.close()
    stop = threading.Event()
    consumer = Consumer(transport, ["media"], raising(None), SETTINGS)
    (thread,) = consumer.run_in_threads(1, stop)
    time.sleep(0.3)
    assert thread.is_alive()
    assert consumer.seconds_since_turn() < 0.25
    stop.set()
    thread.join(5)
    if isinstance(transport, BrokenTransport):
        assert 2 <= transport.asked <= 8


def test_a_handler_that_hangs_shows_as_seconds_since_the_loop_turned() -> None:
    clock, entered, leave = Clock(), threading.Event(), threading.Event()

    def handle(envelope: Envelope, message: Message, delivery: Delivery) -> None:
        entered.set()
        leave.wait(5)

    transport, stop = MemoryTransport(clock), threading.Event()
    consumer = Consumer(transport, ["media"], handle, SETTINGS, clock=clock)
    assert consumer.seconds_since_turn() == 0
    transport.publish("media", BODY)
    threads = consumer.run_in_threads(1, stop)
    assert entered.wait(5)
    clock.now += 900
    assert consumer.seconds_since_turn() == 900
    stop.set()
    leave.set()
    for thread in threads:
        thread.join(5)
    assert consumer.seconds_since_turn() == 0


class AwayError(Exception):
    """Something the handler works with does not answer."""


def test_a_message_waits_for_what_is_away_and_is_never_parked() -> None:
    bench = Bench(raising(*[AwayError("the database does not answer")] * 10, None), away=(AwayError,))
    assert bench.deliver() == ["ack"] * 11
    assert bench.dead() is None


def test_an_outage_is_one_line_at_its_begin_and_one_at_its_end(lines: io.StringIO) -> None:
    telemetry.configure(True, "INFO", lines)
    Bench(raising(*[AwayError("the database does not answer")] * 10, None), away=(AwayError,)).deliver()
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [line["event"] for line in told] == ["away", "back", "message"]
    assert "the database does not answer" in told[0]["reason"]


def test_a_thread_does_not_spin_on_what_is_away() -> None:
    tried = []

    def handle(envelope: Envelope, message: Message, delivery: Delivery) -> str | None:
        tried.append(time.monotonic())
        raise AwayError

    transport, stop = MemoryTransport(), threading.Event()
    for _ in range(1_000):
        transport.publish("media", BODY)
    consumer = Consumer(transport, ["media"], handle, SETTINGS, away=(AwayError,))
    threads = consumer.run_in_threads(2, stop)
    time.sleep(2)
    stop.set()
    for thread in threads:
        thread.join(10)
    assert 2 <= len(tried) <= 8


def test_an_outage_is_left_alone_ever_longer_and_many_that_fail_at_once_are_one_failure() -> None:
    outage = Outage(most=4.0)
    assert outage.pause() == 0
    for _ in range(50):
        outage.begun("writer", AwayError())
    assert 0.5 < outage.pause() <= 1.0
    outage.over("writer")
    assert outage.pause() == 0


def test_what_a_full_broker_does_not_take_is_settled_when_it_does() -> None:
    bench = Bench(raising(Retry("busy", delay=1), None), away=(TransportClosedError,))
    bench.transport.fail = 2
    assert bench.deliver() == ["retry 1", "ack"]


def test_what_cannot_be_settled_is_left_when_the_loop_is_to_end(lines: io.StringIO) -> None:
    bench = Bench(raising(None), away=(TransportClosedError,))
    bench.transport.fail = 1_000
    bench.transport.publish("media", BODY)
    stop = threading.Event()
    stop.set()
    assert bench.consumer.run_once(0, stop)
    assert bench.transport.settled == []
    assert "settle_failed" in lines.getvalue()
