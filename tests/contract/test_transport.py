"""Every promise of ``Transport``, kept by every backend: a test per sentence of its docstrings."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pika
import pytest

from shared.transport.base import Delivery, Transport, TransportClosedError
from shared.transport.memory import MemoryTransport
from shared.transport.rabbitmq import RabbitTransport
from tests.servers.rabbitmq import Broker


@dataclass
class Backend:
    """A transport under test, and what the tests must be able to ask of it from outside."""

    transport: Transport
    waiting: Callable[[str], int]


def memory(_request: pytest.FixtureRequest) -> Backend:
    transport = MemoryTransport()
    return Backend(transport, lambda queue: transport.depths().get(queue, (0, 0, 0))[0])


def rabbitmq(request: pytest.FixtureRequest) -> Backend:
    broker: Broker = request.getfixturevalue("broker")
    url = broker.vhost(f"contract-{secrets.token_hex(4)}")
    transport = RabbitTransport(url, prefetch={"writer": 1})
    transport.open(30)
    return Backend(transport, lambda queue: _ready(url, queue))


def _ready(url: str, queue: str) -> int:
    """What the broker itself says is waiting."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        found: int = connection.channel().queue_declare(queue, passive=True).method.message_count
        return found
    finally:
        connection.close()


BACKENDS = [memory, rabbitmq]


@pytest.fixture(params=BACKENDS, ids=lambda make: make.__name__)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    made: Backend = request.param(request)
    yield made
    made.transport.close()


@pytest.fixture
def transport(backend: Backend) -> Transport:
    return backend.transport


def take(transport: Transport, queue: str, timeout: float = 5.0) -> Delivery:
    delivery = transport.receive([queue], timeout)
    assert delivery is not None
    return delivery


def test_what_is_published_is_received(transport: Transport) -> None:
    transport.publish("writer", b"\x00\xff body")
    delivery = take(transport, "writer")
    assert (delivery.queue, delivery.body, delivery.reason) == ("writer", b"\x00\xff body", "")


def test_a_queue_gives_in_the_order_it_took(transport: Transport) -> None:
    for number in range(10):
        transport.publish("writer", bytes([number]))
    for number in range(10):
        delivery = take(transport, "writer")
        assert delivery.body == bytes([number])
        transport.ack(delivery)


def test_what_is_published_together_is_received_in_that_order(transport: Transport) -> None:
    bodies = [number.to_bytes(2, "big") for number in range(450)]
    transport.publish_all("writer", bodies)
    transport.publish_all("writer", [])
    for body in bodies:
        delivery = take(transport, "writer")
        assert delivery.body == body
        transport.ack(delivery)
    assert transport.receive(["writer"], 0.05) is None


def test_attempts_count_from_one(transport: Transport) -> None:
    transport.publish("writer", b"a")
    assert take(transport, "writer").attempt == 1


def test_a_delayed_message_is_not_delivered_before_its_delay(transport: Transport) -> None:
    started = time.monotonic()
    transport.publish("writer", b"later", delay=0.15)
    assert transport.receive(["writer"], 0.0) is None
    assert take(transport, "writer").body == b"later"
    assert time.monotonic() - started >= 0.15


def test_a_delay_holds_up_no_other_message(transport: Transport) -> None:
    transport.publish("writer", b"later", delay=30)
    transport.publish("writer", b"now")
    assert take(transport, "writer").body == b"now"


def test_publish_raises_after_close(transport: Transport) -> None:
    transport.close()
    with pytest.raises(TransportClosedError):
        transport.publish("writer", b"a")
    with pytest.raises(TransportClosedError):
        transport.publish_all("writer", [b"a", b"b"])


def test_receive_takes_earlier_queues_first(transport: Transport) -> None:
    transport.publish("slow", b"2")
    transport.publish("fast", b"1")
    first, second = (transport.receive(["fast", "slow"], 5.0) for _ in range(2))
    assert first is not None
    assert second is not None
    assert [first.body, second.body] == [b"1", b"2"]


def test_receive_takes_from_no_other_queue(transport: Transport) -> None:
    transport.publish("media", b"a")
    assert transport.receive(["writer"], 0.05) is None


def test_receive_gives_none_after_its_timeout(transport: Transport) -> None:
    started = time.monotonic()
    assert transport.receive(["writer"], 0.1) is None
    assert 0.1 <= time.monotonic() - started < 2


def test_close_wakes_every_receive(transport: Transport) -> None:
    answers: list[Delivery | None] = []
    threads = [threading.Thread(target=lambda: answers.append(transport.receive(["writer"], 30))) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    transport.close()
    for thread in threads:
        thread.join(5)
    assert answers == [None] * 4


def test_a_publish_wakes_a_blocked_receive(transport: Transport) -> None:
    woken: list[float] = []

    def receive() -> None:
        take(transport, "writer", 30)
        woken.append(time.monotonic())

    thread = threading.Thread(target=receive)
    thread.start()
    time.sleep(0.05)
    published = time.monotonic()
    transport.publish("writer", b"a")
    thread.join(10)
    assert woken[0] - published < 1


def test_a_message_in_hand_is_given_to_nobody_else(transport: Transport) -> None:
    transport.publish("writer", b"a")
    take(transport, "writer")
    assert transport.receive(["writer"], 0.05) is None


def test_an_acked_message_never_comes_again(backend: Backend) -> None:
    backend.transport.publish("writer", b"a")
    backend.transport.ack(take(backend.transport, "writer"))
    assert backend.transport.receive(["writer"], 0.05) is None
    backend.transport.close()
    assert backend.waiting("writer") == 0


def test_retry_delivers_again_with_one_attempt_more(transport: Transport) -> None:
    transport.publish("writer", b"a")
    transport.retry(take(transport, "writer"), 0.0)
    second = take(transport, "writer")
    assert (second.body, second.attempt) == (b"a", 2)
    transport.retry(second, 0.0)
    assert take(transport, "writer").attempt == 3


def test_retry_waits_for_its_delay(transport: Transport) -> None:
    transport.publish("writer", b"a")
    delivery = take(transport, "writer")
    started = time.monotonic()
    transport.retry(delivery, 0.15)
    assert transport.receive(["writer"], 0.0) is None
    take(transport, "writer")
    assert time.monotonic() - started >= 0.15


def test_reject_moves_the_message_to_the_dead_queue_with_its_reason(transport: Transport) -> None:
    transport.publish("writer", b"a")
    transport.reject(take(transport, "writer"), "no such field")
    assert transport.receive(["writer"], 0.05) is None
    dead = take(transport, "writer.dead")
    assert (dead.body, dead.reason) == (b"a", "no such field")


def test_the_reason_outlives_a_retry_on_the_dead_queue(transport: Transport) -> None:
    transport.publish("writer", b"a")
    transport.reject(take(transport, "writer"), "why")
    transport.retry(take(transport, "writer.dead"), 0.0)
    assert take(transport, "writer.dead").reason == "why"


def test_close_gives_back_what_is_unsettled(backend: Backend) -> None:
    backend.transport.publish("writer", b"a")
    take(backend.transport, "writer")
    assert backend.waiting("writer") == 0
    backend.transport.close()
    assert backend.waiting("writer") == 1


def test_close_may_be_called_twice(transport: Transport) -> None:
    transport.close()
    transport.close()


def test_many_threads_receive_each_message_once(transport: Transport) -> None:
    """Publishers and receivers on two queues at once; no message is lost, none is given twice, nobody sleeps on one."""
    total, seen, lock = 4_000, [], threading.Lock()

    def publish(start: int) -> None:
        for number in range(start, total, 2):
            transport.publish(("fast", "slow")[number % 3 == 0], number.to_bytes(4, "big"))

    def receive(queues: list[str]) -> None:
        while (delivery := transport.receive(queues, 4.0)) is not None:  # longer than a publisher may be held up
            with lock:
                seen.append(int.from_bytes(delivery.body, "big"))
            transport.ack(delivery)

    receivers = [threading.Thread(target=receive, args=(q,)) for q in (["fast"], ["slow"], ["fast", "slow"]) * 3]
    publishers = [threading.Thread(target=publish, args=(start,)) for start in range(2)]
    for thread in receivers + publishers:
        thread.start()
    for thread in publishers + receivers:
        thread.join(30)
    assert sorted(seen) == list(range(total))
