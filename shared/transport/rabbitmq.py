"""Queues at a RabbitMQ broker: what the distributed form runs on.

One thread owns the connection and does nothing else, so heartbeats go on whatever handlers do; every other thread
hands it commands and waits for what it needs. Whatever ends a connection or channel (a restart, a cut, a consumer
timeout at the broker), the thread connects anew, declares again what is used, sends again what was not confirmed and
consumes again. Deliveries of the lost connection come again by themselves; settling one is then without effect.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import random
import re
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from queue import Empty, SimpleQueue
from typing import Any, Final

import pika
import structlog
from pika.channel import Channel
from pika.exceptions import (
    AMQPConnectionError,
    ChannelClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)
from pika.spec import Basic, BasicProperties
from prometheus_client import Counter, Gauge

from shared.transport.base import (
    Delivery,
    MessageTooLargeError,
    TransportClosedError,
    TransportUnavailableError,
    dead_of,
)
from shared.transport.topology import queue_arguments, rung, rungs

log = structlog.stdlib.get_logger(__name__)

CONNECTED = Gauge(
    "mlsync_broker_connected",
    "Whether this process can use its broker (host and port) now: 1 or 0.",
    ["broker"],
)
CONNECTIONS = Counter(
    "mlsync_broker_connections_total",
    "Connections this process made to its broker (host and port): the first, and one after each loss.",
    ["broker"],
)

_PERSISTENT: Final = 2
_ATTEMPT, _REASON = "x-attempt", "x-reason"
_PREFETCH: Final = 4
_UNCONFIRMED: Final = 200
"""How many messages of a list are sent before the first of them must be confirmed."""
_SENDS: Final = 5
"""How often a message is sent that the broker returns or refuses, before its publisher is told."""
_PAUSES: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before each new attempt to connect; the last one repeats."""
_REASON_BYTES: Final = 2_000
_TOO_LARGE: Final = re.compile(r"larger than configured max size (\d+)")
"""What a broker says of a message over its limit: 16 MiB in RabbitMQ 4, 128 MiB before."""


@dataclass(eq=False, slots=True)
class _Letter:
    """A message on its way to the broker. ``done`` is set once it is confirmed, or ``error`` says why it never will."""

    queue: str
    body: bytes
    headers: Mapping[str, Any]
    delay: float
    sends: int = 0
    returned: bool = False
    error: Exception | None = None
    done: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class _Token:
    """Where a delivery came from: the tag means something on the channel of this generation only."""

    generation: int
    tag: int


class RabbitTransport:
    """A ``Transport`` at the broker of an ``amqp[s]://`` URL, TLS and credentials by the URL. Opens nothing at first.

    The URL may name several nodes of a cluster, separated by commas: one that does not answer is followed by the next.

    ``prefetch`` is how many messages of a queue wait in this process, by queue, else four: at least as many as threads
    that handle them. A broker that asks publishers to pause (memory, disk) makes ``publish`` wait.
    """

    def __init__(
        self, url: str, *, name: str = "mlsync", prefetch: Mapping[str, int] | None = None, heartbeat: int = 30
    ) -> None:
        """Raises ValueError when the URL is none."""
        self._nodes = _nodes(url, name, heartbeat)
        self._where = ",".join(f"{node.host}:{node.port}" for node in self._nodes)
        self._prefetch = dict(prefetch or {})
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._ready: dict[str, deque[Delivery]] = {}
        self._held: set[_Token] = set()
        self._lost: set[_Token] = set()
        self._commands: deque[Callable[[], None]] = deque()
        self._most: int | None = None
        self._closed = threading.Event()
        self._up = threading.Event()
        self._thread: threading.Thread | None = None
        self.problem = "not connected yet"
        # What follows belongs to the connection's thread.
        self._connection: pika.SelectConnection | None = None
        self._channel: Channel | None = None
        self._generation = 0
        self._tags = itertools.count(1)
        self._consumers = itertools.count(1)
        self._declared: set[str] = set()
        self._unconfirmed: dict[int, _Letter] = {}
        self._unsent: deque[_Letter] = deque()

    # What services call.

    def open(self, timeout: float = 10.0) -> None:
        """Connect now. Raises TransportUnavailableError, which says why, after ``timeout`` seconds without success."""
        self._start()
        if not self._up.wait(timeout):
            raise TransportUnavailableError(f"RabbitMQ at {self._where}: {self.problem}")

    @property
    def up(self) -> bool:
        """Whether the broker can be used at this moment."""
        return self._up.is_set()

    def publish(self, queue: str, body: bytes, *, delay: float = 0.0) -> None:
        """See ``Transport.publish``. While the broker is away it waits. Raises TransportUnavailableError when the
        broker refuses the message again and again, MessageTooLargeError when it says, or said before to this
        transport, that it takes none so large."""
        self._send(_Letter(queue, bytes(body), {}, delay))

    def publish_all(self, queue: str, bodies: Iterable[bytes]) -> None:
        """See ``Transport.publish_all``; ``publish`` says when it waits and what it raises."""
        letters = (_Letter(queue, bytes(body), {}, 0.0) for body in bodies)
        while some := tuple(islice(letters, _UNCONFIRMED)):
            self._send(*some)

    def receive(self, queues: Sequence[str], timeout: float) -> Delivery | None:
        """See ``Transport.receive``."""
        deadline = time.monotonic() + timeout
        for queue in queues:
            self._subscribe(queue)
        with self._lock:
            while not self._closed.is_set():
                for queue in queues:
                    if ready := self._ready.get(queue):
                        return ready.popleft()
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._arrived.wait(left)
        return None

    def ack(self, delivery: Delivery) -> None:
        """See ``Transport.ack``. Raises ValueError when it was settled before, TransportClosedError after ``close``."""
        token = self._take(delivery)
        if token is not None:
            self._command(lambda: self._ack(token))

    def retry(self, delivery: Delivery, delay: float) -> None:
        """See ``Transport.retry``: a copy is sent, then this one acked. Raises as ``ack`` does."""
        headers = {_ATTEMPT: delivery.attempt + 1} | ({_REASON: delivery.reason} if delivery.reason else {})
        self._replace(delivery, _Letter(delivery.queue, delivery.body, headers, delay))

    def reject(self, delivery: Delivery, reason: str) -> None:
        """See ``Transport.reject``. What is rejected on a dead queue stays on it. Raises as ``ack`` does."""
        bounded = reason.encode()[:_REASON_BYTES].decode(errors="ignore")
        self._replace(delivery, _Letter(dead_of(delivery.queue), delivery.body, {_REASON: bounded}, 0.0))

    def leave(self, queues: Sequence[str]) -> None:
        """See ``Transport.leave``."""
        with self._lock:
            left = [queue for queue in queues if queue in self._ready]
            waiting = [delivery.token for queue in left for delivery in self._ready.pop(queue)]
            self._held.difference_update(waiting)
        for queue in left:
            self._command(functools.partial(self._unsubscribe, queue))
        for token in waiting:
            self._command(functools.partial(self._give_back, token))

    def depth(self, queue: str, timeout: float = 10.0) -> int:
        """How many messages wait on ``queue`` at the broker, in nobody's hands.

        Raises TransportUnavailableError when the broker does not say within ``timeout`` seconds.
        """
        answer: SimpleQueue[int] = SimpleQueue()
        self._start()
        self._command(lambda: self._count(queue, answer))
        try:
            return answer.get(timeout=timeout)
        except Empty:
            raise TransportUnavailableError(f"RabbitMQ at {self._where} does not answer; {self.problem}") from None

    def close(self) -> None:
        """See ``Transport.close``."""
        with self._lock:
            self._closed.set()
            self._arrived.notify_all()
            thread = self._thread
        if thread is not None:
            self._command(self._end)
            thread.join(10)

    # Between the threads.

    def _start(self) -> None:
        with self._lock:
            if self._closed.is_set():
                raise TransportClosedError("the transport is closed")
            if self._thread is None:
                CONNECTED.labels(self._where).set(0)
                self._thread = threading.Thread(target=self._run, name="rabbitmq", daemon=True)
                self._thread.start()

    def _command(self, do: Callable[[], None]) -> None:
        """Have the connection's thread do something, in the order of calls; without a connection once there is one."""
        self._commands.append(do)
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(Exception):  # it ended just now: the next one obeys
                connection.ioloop.add_callback_threadsafe(self._obey)

    def _send(self, *letters: _Letter) -> None:
        for letter in letters:
            if self._most is not None and len(letter.body) > self._most:
                # Sent, it would cost the connection, and what this process has in hand would come again.
                raise self._too_large(letter, self._most)
        self._start()
        for letter in letters:
            self._command(functools.partial(self._post, letter))
        for letter in letters:
            while not letter.done.wait(1.0):
                if self._closed.is_set() and not (self._thread and self._thread.is_alive()):
                    raise TransportClosedError("the transport was closed before the message was accepted")
            if letter.error is not None:
                raise letter.error

    def _subscribe(self, queue: str) -> None:
        if queue in self._ready:
            return
        with self._lock:
            if queue in self._ready or self._closed.is_set():
                self._ready.setdefault(queue, deque())
                return
            self._ready[queue] = deque()
        self._start()
        self._command(lambda: self._consume(queue))

    def _take(self, delivery: Delivery) -> _Token | None:
        """The delivery's token, settled from now on; None when its connection is gone and it comes again anyway."""
        with self._lock:
            if self._closed.is_set():
                raise TransportClosedError("the transport is closed")
            token: _Token = delivery.token
            if token in self._held:
                self._held.remove(token)
                return token
            if token in self._lost:
                self._lost.remove(token)
                return None
        raise ValueError(f"this delivery of {delivery.queue} was settled before")

    def _replace(self, delivery: Delivery, letter: _Letter) -> None:
        token = self._take(delivery)
        if token is None:
            return
        try:
            self._send(letter)
        except TransportUnavailableError:
            with self._lock:  # it can be settled once more
                (self._held if token.generation == self._generation else self._lost).add(token)
            raise
        self._command(lambda: self._ack(token))

    # In the connection's thread.

    def _run(self) -> None:
        failures, told = 0, ""
        nodes = deque(self._nodes)
        while not self._closed.is_set():
            self._up.clear()
            connection = pika.SelectConnection(
                nodes[0],
                on_open_callback=self._opened,
                on_open_error_callback=self._not_opened,
                on_close_callback=self._ended,
            )
            self._connection = connection
            try:
                connection.ioloop.start()
            except Exception as error:  # whatever pika stumbles over, the connection is unusable
                self.problem = f"the connection broke ({type(error).__name__})"
                log.exception("rabbitmq.connection_broke", where=self._where)
            was_up = self._up.is_set()
            failures, told = (0, "") if was_up else (failures + 1, told)
            nodes.rotate(-1)
            self._up.clear()
            CONNECTED.labels(self._where).set(0)
            self._connection = None
            connection.ioloop.close()
            self._forget()
            if not self._closed.is_set():
                pause = _PAUSES[min(failures, len(_PAUSES) - 1)] * (0.5 + random.random() / 2)  # noqa: S311
                if self.problem != told:
                    told = self.problem
                    log.warning("rabbitmq.reconnecting", where=self._where, problem=self.problem)
                self._closed.wait(pause)
        for letter in [*self._unconfirmed.values(), *self._unsent]:
            letter.error = TransportClosedError("the transport was closed before the message was accepted")
            letter.done.set()

    def _opened(self, connection: pika.SelectConnection) -> None:
        connection.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._channel_ended)
        channel.add_on_return_callback(self._returned)
        channel.add_on_cancel_callback(self._cancelled)
        channel.confirm_delivery(self._confirmed, callback=lambda _: self._ready_to_go(channel))

    def _ready_to_go(self, channel: Channel) -> None:
        self._channel = channel
        self._tags = itertools.count(1)
        for name, arguments in rungs().items():
            channel.exchange_declare(name, "fanout", durable=True)
            channel.queue_declare(name, durable=True, arguments=arguments)
            channel.queue_bind(name, name)
        unsent, self._unsent = self._unsent, deque()
        for letter in unsent:
            self._post(letter)
        for queue in list(self._ready):
            self._consume(queue)
        if self.problem:
            log.info("rabbitmq.connected", where=self._where)
        self.problem = ""
        self._up.set()
        CONNECTED.labels(self._where).set(1)
        CONNECTIONS.labels(self._where).inc()
        self._obey()

    def _obey(self) -> None:
        if self._channel is not None or self._closed.is_set():
            while self._commands:
                self._commands.popleft()()

    def _declare(self, queue: str) -> None:
        """Without waiting for an answer: the broker does things in order, and closes the channel when it refuses."""
        assert self._channel is not None
        for name in dict.fromkeys((dead_of(queue), queue)):
            if name not in self._declared:
                self._declared.add(name)
                self._channel.queue_declare(name, durable=True, arguments=queue_arguments(name))

    def _post(self, letter: _Letter) -> None:
        if self._channel is None:
            self._unsent.append(letter)
            return
        self._declare(letter.queue)
        letter.sends += 1
        letter.returned = False
        self._unconfirmed[next(self._tags)] = letter
        self._channel.basic_publish(
            rung(letter.delay) if letter.delay > 0 else "",
            letter.queue,
            letter.body,
            BasicProperties(
                delivery_mode=_PERSISTENT, headers=dict(letter.headers), content_type="application/msgpack",
                message_id=str(id(letter)),
            ),
            mandatory=True,
        )  # fmt: skip

    def _returned(self, _channel: Channel, _method: Basic.Return, properties: BasicProperties, _body: bytes) -> None:
        """No such queue any more: its confirmation follows, and then it is sent again, the queue declared anew."""
        for letter in self._unconfirmed.values():
            if str(id(letter)) == properties.message_id:
                letter.returned = True
                self._declared.discard(letter.queue)

    def _confirmed(self, frame: Any) -> None:
        method = frame.method
        upto = method.delivery_tag
        # In the order of tags, so the first that is beyond ends it.
        tags = list(takewhile(lambda tag: tag <= upto, self._unconfirmed)) if method.multiple else [upto]
        for tag in tags:
            letter = self._unconfirmed.pop(tag, None)
            if letter is None:
                continue
            if isinstance(method, Basic.Ack) and not letter.returned:
                letter.done.set()
            elif letter.sends < _SENDS and self._connection is not None:
                self._connection.ioloop.call_later(0.2 * letter.sends, lambda again=letter: self._post(again))
            else:
                letter.error = TransportUnavailableError(
                    f"RabbitMQ at {self._where} takes no messages of {letter.queue}: it is full, or lost its majority"
                )
                letter.done.set()

    def _consume(self, queue: str) -> None:
        if self._channel is None:
            return  # when connected, everything in _ready is consumed
        self._declare(queue)
        self._channel.basic_qos(prefetch_count=self._prefetch.get(queue, _PREFETCH))
        self._channel.basic_consume(
            queue,
            lambda _channel, method, properties, body: self._delivered(queue, method, properties, body),
            consumer_tag=f"{queue}#{next(self._consumers)}",
        )

    def _cancelled(self, frame: Any) -> None:
        """The queue was deleted: declare it anew."""
        queue = frame.method.consumer_tag.rpartition("#")[0]
        self._declared.discard(queue)
        if queue in self._ready:
            self._consume(queue)

    def _unsubscribe(self, queue: str) -> None:
        if self._channel is not None and queue not in self._ready:
            for tag in [tag for tag in self._channel.consumer_tags if tag.rpartition("#")[0] == queue]:
                self._channel.basic_cancel(tag)

    def _give_back(self, token: _Token) -> None:
        if self._channel is not None and token.generation == self._generation:
            self._channel.basic_nack(token.tag)

    def _count(self, queue: str, answer: SimpleQueue[int]) -> None:
        """By declaring it as it is declared: a passive question about a queue not made yet would end the channel."""
        if self._channel is not None:
            self._declare(queue)
            self._channel.queue_declare(
                queue,
                durable=True,
                arguments=queue_arguments(queue),
                callback=lambda frame: answer.put(frame.method.message_count),
            )

    def _delivered(self, queue: str, method: Basic.Deliver, properties: BasicProperties, body: bytes) -> None:
        headers = properties.headers or {}
        token = _Token(self._generation, method.delivery_tag)
        reason = headers.get(_REASON) or _death(headers)
        delivery = Delivery(queue, body, int(headers.get(_ATTEMPT, 1)), reason, token)
        with self._lock:
            ready = self._ready.get(queue)
            if ready is not None:
                self._held.add(token)
                ready.append(delivery)
                self._arrived.notify_all()
        if ready is None:
            self._give_back(token)

    def _ack(self, token: _Token) -> None:
        if self._channel is not None and token.generation == self._generation:
            self._channel.basic_ack(token.tag)

    def _forget(self) -> None:
        """The connection is gone: what it delivered comes again, what it did not confirm is sent again."""
        self._channel = None
        self._generation += 1
        self._declared.clear()
        unconfirmed, self._unconfirmed = self._unconfirmed, {}
        self._unsent.extend(unconfirmed.values())
        with self._lock:
            waiting = {delivery.token for ready in self._ready.values() for delivery in ready}
            self._lost |= self._held - waiting
            self._held.clear()
            for ready in self._ready.values():
                ready.clear()

    def _channel_ended(self, _channel: Channel, reason: Exception) -> None:
        """By the broker (a consumer timeout, a declaration or size it refuses): begin anew."""
        self._channel = None
        if isinstance(reason, ChannelClosedByBroker) and (said := _TOO_LARGE.search(reason.reply_text)):
            self._most = int(said[1])
            self._refuse_larger(self._most)
        if self._connection is not None and self._connection.is_open:
            self.problem = f"the broker closed the channel: {_words(reason)}"
            self._connection.close()

    def _refuse_larger(self, most: int) -> None:
        """Sent again, they would close the channel again, and nothing else would ever go out."""
        for tag, letter in list(self._unconfirmed.items()):
            if len(letter.body) > most:
                del self._unconfirmed[tag]
                letter.error = self._too_large(letter, most)
                letter.done.set()

    def _too_large(self, letter: _Letter, most: int) -> MessageTooLargeError:
        return MessageTooLargeError(
            f"RabbitMQ at {self._where} takes no message of {len(letter.body)} bytes for {letter.queue}, but {most} at "
            "most (max_message_size in its configuration)"
        )

    def _not_opened(self, connection: pika.SelectConnection, error: Exception | str) -> None:
        self.problem = _words(error)
        connection.ioloop.stop()

    def _ended(self, connection: pika.SelectConnection, reason: Exception) -> None:
        self._channel = None
        self.problem = self.problem or _words(reason)
        connection.ioloop.stop()

    def _end(self) -> None:
        """However far it has come: what ends the connection then ends the loop, its socket closed before."""
        connection = self._connection
        if connection is not None and not connection.is_closing and not connection.is_closed:
            connection.close()


def _nodes(url: str, name: str, heartbeat: int) -> list[pika.URLParameters]:
    """What to connect to, by node: one, or each of ``host:5672,host:5672``."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    login, at, hosts = authority.rpartition("@")
    return [_parameters(f"{scheme}://{login}{at}{host}{slash}{path}", name, heartbeat) for host in hosts.split(",")]


def _parameters(url: str, name: str, heartbeat: int) -> pika.URLParameters:
    if not url.startswith(("amqp://", "amqps://")):
        raise ValueError("give amqp://user:password@host:5672/vhost, or amqps://")
    try:
        parameters = pika.URLParameters(url)
    except (ValueError, KeyError, TypeError, SyntaxError, ssl.SSLError, OSError):
        raise ValueError("the address is no AMQP URL; give amqp://user:password@host:5672/vhost") from None
    parameters.heartbeat = heartbeat
    parameters.blocked_connection_timeout = None  # a pause is no failure
    parameters.client_properties = {"connection_name": name}
    return parameters


def _death(headers: Mapping[str, Any]) -> str:
    """Why the broker itself moved a message to a dead queue."""
    deaths = headers.get("x-death")
    if not isinstance(deaths, list) or not any(death.get("reason") == "delivery_limit" for death in deaths):
        return ""
    return "whoever had it died, time and again (delivery_limit)"


def _words(error: object) -> str:
    """A reason in our words: pika's own may quote the address, credentials included."""
    match error:
        case ProbableAuthenticationError():
            return "it refuses these credentials; check broker_url"
        case ProbableAccessDeniedError():
            return "these credentials may not use this virtual host; check broker_url"
        case ChannelClosedByBroker() | pika.exceptions.ConnectionClosedByBroker():
            return f"{error.reply_code} {error.reply_text}"[:300]
        case AMQPConnectionError():
            return "no connection; is it running, and the address right?"
        case _:
            return f"the connection ended ({type(error).__name__})"
