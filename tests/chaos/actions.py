"""What can happen to an installation, each as one line of a schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from tests.servers.proxy import Proxy

Wait = Callable[[float], object]


class Crashable(Protocol):
    """A server that loses all it has in memory, and starts again on what it has on its disk."""

    def crash(self) -> None: ...
    def start(self) -> None: ...


class Process(Protocol):
    """A process that somebody starts again whenever it ends."""

    def kill(self) -> None: ...
    def stall(self) -> Callable[[], None]:
        """Stop it where it is; returns what lets the same one go on, if it is still there."""


class Mls(Protocol):
    """The hand on the MLS."""

    def advance(self, days: int = 1) -> object: ...
    def fault(self, name: str, value: str | None = None) -> None: ...


class World(Protocol):
    """What it happens to, by name. A link has a proxy for each address it may lead to."""

    @property
    def processes(self) -> Mapping[str, Process]: ...
    @property
    def links(self) -> Mapping[str, Sequence[Proxy]]: ...
    @property
    def servers(self) -> Mapping[str, Crashable]: ...
    @property
    def hand(self) -> Mls: ...


class Action(Protocol):
    """One thing that happens; ``str`` says which."""

    def apply(self, world: World, wait: Wait) -> None:
        """Let it happen, ``wait`` while it lasts, and let it be over."""


@dataclass(frozen=True)
class Kill:
    """SIGKILL; whoever supervises it starts it again."""

    process: str

    def apply(self, world: World, wait: Wait) -> None:
        world.processes[self.process].kill()

    def __str__(self) -> str:
        return f"kill {self.process}"


@dataclass(frozen=True)
class Stall:
    """SIGSTOP, and SIGCONT when others have long taken over."""

    process: str
    seconds: float

    def apply(self, world: World, wait: Wait) -> None:
        go_on = world.processes[self.process].stall()
        try:
            wait(self.seconds)
        finally:
            go_on()

    def __str__(self) -> str:
        return f"stall {self.process} for {self.seconds}s"


@dataclass(frozen=True)
class Cut:
    """Connections that are open end, by FIN or RST; new ones are made at once."""

    link: str
    reset: bool

    def apply(self, world: World, wait: Wait) -> None:
        for proxy in world.links[self.link]:
            proxy.cut(reset=self.reset)

    def __str__(self) -> str:
        return f"{'reset' if self.reset else 'cut'} {self.link}"


@dataclass(frozen=True)
class HalfOpen:
    """Nothing passes and nobody is told; then it goes on, or ends in a reset."""

    link: str
    seconds: float
    reset: bool

    def apply(self, world: World, wait: Wait) -> None:
        with _set(world.links[self.link], "stalled", on=True, off=False):
            wait(self.seconds)
            if self.reset:
                for proxy in world.links[self.link]:
                    proxy.cut(reset=True)

    def __str__(self) -> str:
        return f"half-open {self.link} for {self.seconds}s{', then reset' if self.reset else ''}"


@dataclass(frozen=True)
class Slow:
    """Every piece comes late."""

    link: str
    seconds: float
    delay: float

    def apply(self, world: World, wait: Wait) -> None:
        with _set(world.links[self.link], "delay", on=self.delay, off=0.0):
            wait(self.seconds)

    def __str__(self) -> str:
        return f"slow {self.link} by {self.delay}s for {self.seconds}s"


@dataclass(frozen=True)
class Narrow:
    """So many bytes a second."""

    link: str
    seconds: float
    rate: float

    def apply(self, world: World, wait: Wait) -> None:
        with _set(world.links[self.link], "rate", on=self.rate, off=None):
            wait(self.seconds)

    def __str__(self) -> str:
        return f"narrow {self.link} to {self.rate / 1000:.0f} kB/s for {self.seconds}s"


@dataclass(frozen=True)
class Refuse:
    """Connections are reset, and new ones refused."""

    link: str
    seconds: float

    def apply(self, world: World, wait: Wait) -> None:
        proxies = world.links[self.link]
        with _set(proxies, "refusing", on=True, off=False):
            for proxy in proxies:
                proxy.cut(reset=True)
            wait(self.seconds)

    def __str__(self) -> str:
        return f"refuse {self.link} for {self.seconds}s"


@dataclass(frozen=True)
class Crash:
    """A server ends at once, and is started again."""

    server: str
    seconds: float

    def apply(self, world: World, wait: Wait) -> None:
        server = world.servers[self.server]
        server.crash()
        try:
            wait(self.seconds)
        finally:
            server.start()

    def __str__(self) -> str:
        return f"crash {self.server} for {self.seconds}s"


@dataclass(frozen=True)
class Lie:
    """The MLS is faulty in one way."""

    fault: str
    value: str
    seconds: float

    def apply(self, world: World, wait: Wait) -> None:
        world.hand.fault(self.fault, self.value)
        try:
            wait(self.seconds)
        finally:
            world.hand.fault(self.fault, "off")

    def __str__(self) -> str:
        return f"lie {self.fault}={self.value} for {self.seconds}s"


@dataclass(frozen=True)
class Day:
    """Listings come, change and go at the MLS."""

    def apply(self, world: World, wait: Wait) -> None:
        world.hand.advance()

    def __str__(self) -> str:
        return "a day passes at the MLS"


@contextmanager
def _set(proxies: Sequence[Proxy], name: str, *, on: object, off: object) -> Iterator[None]:
    for proxy in proxies:
        setattr(proxy, name, on)
    try:
        yield
    finally:
        for proxy in proxies:
            setattr(proxy, name, off)
