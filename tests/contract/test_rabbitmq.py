"""What only a broker can do to a transport: go away, cut, refuse, pause, take back."""

from __future__ import annotations

import functools
import gc
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pika
import pytest
from prometheus_client import REGISTRY

from shared.transport.base import Delivery, MessageTooLargeError, TransportUnavailableError
from shared.transport.rabbitmq import RabbitTransport
from shared.transport.topology import DELAYS, DELIVERY_LIMIT, rung
from tests.servers.process import free_ports
from tests.servers.proxy import Proxy, proxied
from tests.servers.rabbitmq import Broker


@pytest.fixture
def url(broker: Broker) -> str:
    """A virtual host of the test's own."""
    return broker.vhost(f"test-{secrets.token_hex(4)}")


@contextmanager
def opened(url: str, **options: object) -> Iterator[RabbitTransport]:
    transport = RabbitTransport(url, **options)  # type: ignore[arg-type]
    try:
        transport.open(30)
        yield transport
    finally:
        transport.close()


@contextmanager
def through(url: str) -> Iterator[tuple[Proxy, str]]:
    """The broker behind a proxy, and its address there."""
    parts = urlsplit(url)
    with proxied(parts.hostname or "", parts.port or 0) as proxy:
        yield proxy, url.replace(f":{parts.port}/", f":{proxy.port}/")


def _send(transport: RabbitTransport, body: bytes, sent: threading.Event) -> None:
    transport.publish("writer", body)
    sent.set()


def _got(channel: Any) -> bool:
    return channel.basic_get("writer")[0] is not None


def take(transport: RabbitTransport, queue: str = "writer", timeout: float = 20.0) -> Delivery:
    delivery = transport.receive([queue], timeout)
    assert delivery is not None
    return delivery


def until(happened: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_cut_connection_comes_back_by_itself_and_nothing_is_lost(url: str) -> None:
    with through(url) as (proxy, here), opened(here) as transport:
        transport.publish("writer", b"before")
        held = take(transport)
        for reset in (False, True):
            proxy.cut(reset=reset)
            transport.publish("writer", b"during")
            again = take(transport)
            assert again.body in (b"before", b"during")
            transport.ack(again)
        transport.ack(held)  # of a connection that is gone: without effect, it came again
        seen = []
        while (more := transport.receive(["writer"], 1.0)) is not None:
            seen.append(more.body)
            transport.ack(more)
        assert proxy.connections >= 3
        assert transport.receive(["writer"], 0.2) is None


def test_publishers_wait_while_the_broker_is_away(url: str) -> None:
    with through(url) as (proxy, here), opened(here) as transport:
        proxy.refusing = True
        proxy.cut()
        until(lambda: not transport.up)
        sent = threading.Event()
        thread = threading.Thread(target=_send, args=(transport, b"patient", sent))
        thread.start()
        assert not sent.wait(0.5)
        proxy.refusing = False
        assert sent.wait(20)
        thread.join(5)
        assert take(transport).body == b"patient"


def test_a_half_open_connection_is_given_up_by_its_heartbeat(url: str) -> None:
    with through(url) as (proxy, here), opened(here, heartbeat=2) as transport:
        transport.publish("writer", b"a")
        proxy.stalled = True
        until(lambda: not transport.up)
        proxy.stalled = False
        until(lambda: transport.up)
        assert take(transport).body == b"a"


def test_heartbeats_go_on_under_a_handler_of_any_length(url: str) -> None:
    with opened(url, heartbeat=2) as transport:
        transport.publish("writer", b"long")
        delivery = take(transport)
        deadline = time.monotonic() + 7
        while time.monotonic() < deadline:
            sum(range(200_000))  # busy, as a handler is
        transport.ack(delivery)
        assert transport.up
        assert transport.receive(["writer"], 0.3) is None


def test_a_channel_closed_by_the_broker_is_noticed(url: str) -> None:
    """The broker closes the channel of who sits on a delivery too long (15 s at this one); it comes again."""
    with opened(url) as transport:
        transport.publish("writer", b"a")
        first = take(transport)
        second = take(transport, timeout=60)
        assert second.body == b"a"
        transport.ack(first)
        transport.ack(second)
        transport.publish("writer", b"b")
        assert take(transport).body == b"b"


def test_a_message_whose_handlers_die_ends_on_the_dead_queue(url: str) -> None:
    with opened(url) as transport:
        transport.publish("writer", b"poison")
    for _ in range(DELIVERY_LIMIT + 1):
        connection = pika.BlockingConnection(pika.URLParameters(url))
        channel = connection.channel()
        until(functools.partial(_got, channel))
        connection.close()
    with opened(url) as transport:
        dead = take(transport, "writer.dead")
        assert dead.body == b"poison"
        assert "delivery_limit" in dead.reason


def test_a_queue_deleted_under_us_is_declared_again(url: str) -> None:
    with opened(url) as transport:
        transport.publish("writer", b"a")
        transport.ack(take(transport))
        connection = pika.BlockingConnection(pika.URLParameters(url))
        connection.channel().queue_delete("writer")
        connection.close()
        transport.publish("writer", b"b")
        assert take(transport).body == b"b"


def test_a_queue_declared_otherwise_is_named(url: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    connection.channel().queue_declare("writer", durable=True)
    connection.close()
    with opened(url) as transport:
        threading.Thread(target=lambda: _try(transport), daemon=True).start()
        until(lambda: "writer" in transport.problem and "406" in transport.problem)


def test_closed_at_any_moment_it_leaves_no_socket_open(url: str) -> None:
    """One left open is a ResourceWarning once it is collected, and that an error."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    connection.channel().queue_declare("writer", durable=True)
    connection.close()
    for moment in range(40):  # it connects, is refused, begins anew, and so on
        transport = RabbitTransport(url)
        threading.Thread(target=_try, args=(transport,), daemon=True).start()
        time.sleep(moment * 0.01)
        transport.close()
    gc.collect()


def test_a_message_too_large_for_the_broker_is_refused_and_stops_no_other(url: str) -> None:
    """16 MiB is what RabbitMQ 4 takes unless told otherwise."""
    with opened(url) as transport:
        transport.publish("writer", bytes(16 * 1024 * 1024))
        with pytest.raises(MessageTooLargeError, match="16777217 bytes for writer, but 16777216 at most"):
            transport.publish("writer", bytes(16 * 1024 * 1024 + 1))
        delivery = take(transport)
        assert len(delivery.body) == 16 * 1024 * 1024
        with pytest.raises(MessageTooLargeError):
            transport.publish("writer", bytes(16 * 1024 * 1024 + 1))
        transport.ack(delivery)  # of the same connection: what was refused once is not sent again
        transport.publish("writer", b"a")
        assert take(transport).body == b"a"


def _try(transport: RabbitTransport) -> None:
    try:
        transport.publish("writer", b"a")
    except RuntimeError:
        return


def test_a_broker_that_asks_to_pause_is_waited_for(broker: Broker, url: str) -> None:
    with opened(url) as transport:
        transport.publish("writer", b"a")
        broker.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
        try:
            sent = threading.Event()
            thread = threading.Thread(target=_send, args=(transport, b"b", sent))
            thread.start()
            assert not sent.wait(2)
        finally:
            broker.ctl("set_vm_memory_high_watermark", "absolute", "512MB")
        assert sent.wait(20)
        thread.join(5)
        assert transport.up


def test_a_broker_that_is_not_there_is_named_without_credentials() -> None:
    url = f"amqp://someone:hidden-word@127.0.0.1:{free_ports(1)[0]}/"
    transport = RabbitTransport(url)
    with pytest.raises(TransportUnavailableError, match="no connection; is it running") as error:
        transport.open(1.0)
    assert "hidden-word" not in str(error.value)
    transport.close()


def test_credentials_that_are_refused_are_named_and_not_shown(url: str) -> None:
    transport = RabbitTransport(url.replace("guest:guest", "guest:hidden-word"))
    with pytest.raises(TransportUnavailableError, match="refuses these credentials") as error:
        transport.open(5.0)
    assert "hidden-word" not in str(error.value)
    transport.close()


def test_of_several_nodes_one_that_answers_is_found_and_left_for_another(url: str) -> None:
    """Two addresses of one broker: what differs with a cluster is whether a node answers."""
    with through(url) as (first, here), through(url) as (second, _):
        nodes = here.replace("@", f"@127.0.0.1:{free_ports(1)[0]},").replace(
            f":{first.port}/", f":{first.port},127.0.0.1:{second.port}/"
        )
        with opened(nodes) as transport:
            transport.publish("writer", b"before")
            assert (first.connections, second.connections) == (1, 0)
            first.refusing = True
            first.cut(reset=True)
            transport.publish("writer", b"after")
            assert second.connections == 1


@pytest.mark.parametrize("wrong", ["amqp:/x", "http://broker", "amqp://h:notaport/", "amqp://h:5672,h:notaport/"])
def test_an_address_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="amqp://"):
        RabbitTransport(wrong)


@pytest.mark.parametrize("delay", [0.01, 0.2, 0.21, 1.0, 59.0, 3600.0, 1e9])
def test_a_delay_is_rounded_up_to_a_rung(delay: float) -> None:
    milliseconds = int(rung(delay).removeprefix("mlsync.delay.").removesuffix("ms"))
    assert milliseconds >= min(delay, DELAYS[-1]) * 1000


def test_everything_survives_a_restart_of_the_broker(broker: Broker, url: str) -> None:
    with opened(url) as transport:
        transport.publish("writer", b"kept")
        transport.publish("writer", b"later", delay=5.0)
        broker.ctl("stop_app", seconds=60)
        until(lambda: not transport.up)
        broker.ctl("start_app", seconds=120)
        until(lambda: transport.up, 60)
        assert {take(transport).body, take(transport).body} == {b"kept", b"later"}


def test_what_nobody_here_receives_any_more_goes_to_others(url: str) -> None:
    with opened(url) as one, opened(url) as other:
        for body in (b"1", b"2", b"3"):
            one.publish("writer", body)
        held = take(one)
        until(lambda: one.depth("writer") == 0)  # the others wait here
        one.leave(["writer"])
        assert {take(other).body, take(other).body} == {b"2", b"3"}
        one.ack(held)
        one.publish("writer", b"4")
        assert take(other).body == b"4"


def test_whoever_left_a_queue_may_come_back(url: str) -> None:
    with opened(url) as transport:
        for body in (b"1", b"2"):
            assert transport.receive(["writer"], 0.1) is None
            transport.publish("writer", body)
            transport.ack(take(transport))
            transport.leave(["writer"])


def test_depth_is_what_nobody_has_in_hand(url: str) -> None:
    with opened(url, prefetch={"writer": 1}) as transport:
        assert transport.depth("writer") == 0
        for _ in range(3):
            transport.publish("writer", b"a")
        assert transport.depth("writer") == 3
        delivery = take(transport)
        assert transport.depth("writer") == 2
        transport.ack(delivery)
        until(lambda: transport.depth("writer") == 1)


def test_a_broker_that_is_away_tells_no_depth(url: str) -> None:
    with through(url) as (proxy, here), opened(here) as transport:
        proxy.refusing = True
        proxy.cut()
        until(lambda: not transport.up)
        with pytest.raises(TransportUnavailableError, match="does not answer"):
            transport.depth("writer", 0.5)


def test_metrics_say_whether_the_broker_can_be_used_and_how_often_it_was_connected_to(url: str) -> None:
    with through(url) as (proxy, here):
        labels = {"broker": f"127.0.0.1:{proxy.port}"}

        def value(name: str) -> float | None:
            return REGISTRY.get_sample_value(name, labels)

        with opened(here):
            assert (value("mlsync_broker_connected"), value("mlsync_broker_connections_total")) == (1, 1)
            proxy.refusing = True
            proxy.cut()
            until(lambda: value("mlsync_broker_connected") == 0)
            proxy.refusing = False
            until(lambda: value("mlsync_broker_connected") == 1)
            assert value("mlsync_broker_connections_total") == 2
        assert value("mlsync_broker_connected") == 0
