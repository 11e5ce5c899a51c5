"""What the memory transport promises beyond the contract."""

from __future__ import annotations

import threading
import time

import pytest

from shared.transport.base import Transport, TransportClosedError
from shared.transport.memory import MemoryTransport


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_memory_transport_is_a_transport() -> None:
    transport: Transport = MemoryTransport()
    assert transport.receive(["writer"], 0) is None


def test_idle_means_nothing_ready_delayed_or_in_hand() -> None:
    clock = Clock()
    transport = MemoryTransport(clock)
    assert transport.idle()
    transport.publish("writer", b"a", delay=5)
    assert not transport.idle()
    clock.now += 5
    delivery = transport.receive(["writer"], 0)
    assert delivery is not None
    assert not transport.idle()
    transport.ack(delivery)
    assert transport.idle()


def test_dead_messages_do_not_keep_it_from_being_idle() -> None:
    transport = MemoryTransport()
    transport.publish("writer", b"a")
    delivery = transport.receive(["writer"], 0)
    assert delivery is not None
    transport.reject(delivery, "why")
    assert transport.wait_idle(0)
    assert transport.depths()["writer.dead"] == (1, 0, 0)


def test_wait_idle_returns_when_the_last_message_is_settled() -> None:
    transport = MemoryTransport()
    transport.publish("writer", b"a")
    assert not transport.wait_idle(0.02)
    delivery = transport.receive(["writer"], 0)
    assert delivery is not None
    timer = threading.Timer(0.05, transport.ack, [delivery])
    timer.start()
    assert transport.wait_idle(10)
    timer.join()


def test_next_due_and_depths_tell_what_is_delayed() -> None:
    clock = Clock()
    transport = MemoryTransport(clock)
    assert transport.next_due() is None
    transport.publish("media", b"a", delay=30)
    transport.publish("media", b"b", delay=10)
    assert transport.next_due() == 110
    assert transport.depths() == {"media": (0, 2, 0)}
    clock.now = 110
    assert transport.depths() == {"media": (1, 1, 0)}
    assert transport.next_due() == 130


def test_pressure_is_the_bytes_a_queue_holds_until_they_are_settled() -> None:
    transport = MemoryTransport()
    transport.publish("writer", b"12345")
    transport.publish("writer", b"678", delay=60)
    assert transport.pressure("writer") == 8
    delivery = transport.receive(["writer"], 0)
    assert delivery is not None
    assert transport.pressure("writer") == 8
    transport.ack(delivery)
    assert (transport.pressure("writer"), transport.pressure("unknown")) == (3, 0)


def test_a_clock_moved_by_hand_is_noticed_after_wake() -> None:
    clock = Clock()
    transport = MemoryTransport(clock)
    transport.publish("writer", b"a", delay=3_600)
    received: list[object] = []
    thread = threading.Thread(target=lambda: received.append(transport.receive(["writer"], 30)))
    thread.start()
    time.sleep(0.05)
    clock.now += 3_600
    transport.wake()
    thread.join(5)
    assert received != [None]


def test_a_shorter_delay_is_noticed_by_a_receive_already_waiting() -> None:
    transport = MemoryTransport()
    transport.publish("writer", b"late", delay=60)
    received: list[bytes] = []

    def receive() -> None:
        delivery = transport.receive(["writer"], 30)
        assert delivery is not None
        received.append(delivery.body)

    thread = threading.Thread(target=receive)
    thread.start()
    time.sleep(0.05)
    transport.publish("writer", b"soon", delay=0.05)
    thread.join(5)
    assert received == [b"soon"]


def test_settling_twice_is_an_error() -> None:
    transport = MemoryTransport()
    transport.publish("writer", b"a")
    delivery = transport.receive(["writer"], 0)
    assert delivery is not None
    transport.ack(delivery)
    with pytest.raises(ValueError, match="settled before"):
        transport.retry(delivery, 0)


def test_settling_after_close_is_an_error_for_the_message_went_back() -> None:
    transport = MemoryTransport()
    transport.publish("writer", b"a")
    delivery = transport.receive(["writer"], 0)
    assert delivery is not None
    transport.close()
    with pytest.raises(TransportClosedError):
        transport.ack(delivery)
    assert transport.depths()["writer"] == (1, 0, 0)


def test_what_is_rejected_on_a_dead_queue_stays_on_it() -> None:
    transport = MemoryTransport()
    transport.publish("writer.dead", b"a")
    delivery = transport.receive(["writer.dead"], 0)
    assert delivery is not None
    transport.reject(delivery, "still")
    assert transport.depths() == {"writer.dead": (1, 0, 0)}


def test_a_blocked_receive_takes_no_cpu() -> None:
    transport = MemoryTransport()
    used: list[float] = []

    def receive() -> None:
        started = time.thread_time()
        transport.receive(["writer"], 0.3)
        used.append(time.thread_time() - started)

    thread = threading.Thread(target=receive)
    thread.start()
    thread.join(5)
    assert used[0] < 0.02
