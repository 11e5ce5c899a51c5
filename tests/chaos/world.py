"""A whole installation, of which everything can be killed and every link be cut."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shared.blobs.s3 import parse_url
from tests.chaos.actions import Crashable
from tests.chaos.crew import Member
from tests.chaos.nursery import nursery
from tests.chaos.schedule import LEASE, SERVICES, Plan
from tests.pipeline import forms
from tests.pipeline.forms import Servers
from tests.pipeline.processes import Processes
from tests.pipeline.simulated import PASSWORD, USERNAME, Mls, process
from tests.servers.postgres import OwnPostgres, own_postgres
from tests.servers.process import free_ports
from tests.servers.proxy import Proxy, proxied
from tests.servers.rabbitmq import Node, cluster
from tests.servers.s3 import OwnS3, seaweed


class _Server:
    """One thing at a time happens to a server, however long it takes to come back."""

    def __init__(self, kill: Callable[[], None], again: Callable[[], None]) -> None:
        self._kill = kill
        self._again = again
        self._lock = threading.Lock()

    def crash(self) -> None:
        self._lock.acquire()
        self._kill()

    def start(self) -> None:
        try:
            self._again()
        finally:
            self._lock.release()


class _Brokers:
    """The nodes of the broker, of which the one that leads most queues is killed."""

    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = nodes
        self._down: Node = nodes[0]

    def kill(self) -> None:
        leaders = self._nodes[0].leaders() if len(self._nodes) > 1 else {}
        self._down = max(self._nodes, key=lambda node: leaders.get(node.name, 0))
        self._down.kill()

    def start(self) -> None:
        self._down.start()


@dataclass
class World:
    """See ``tests.chaos.actions.World``. ``here`` reaches the servers without any of the links."""

    here: Processes
    mls: Mls
    hand: Mls
    """``mls`` is where the processes find it; by ``hand`` its link is passed by."""
    links: Mapping[str, list[Proxy]]
    servers: Mapping[str, Crashable]
    processes: dict[str, Member]


@dataclass(frozen=True)
class Own:
    """Servers that may be crashed."""

    nodes: list[Node]
    postgres: OwnPostgres
    s3: OwnS3

    @property
    def all(self) -> Servers:
        """As installations want them."""
        return Servers(self.nodes[0], self.postgres, self.s3)


@contextmanager
def own_servers(folder: Path, nodes: int = 1) -> Iterator[Own]:
    """All three, started at once, durable: what they said they have, they have after a crash."""
    with ExitStack() as stack, ThreadPoolExecutor(3) as starting:
        for name in ("rabbitmq", "s3"):
            (folder / name).mkdir()
        brokers = starting.submit(stack.enter_context, cluster(folder / "rabbitmq", nodes, consumer_seconds=600))
        postgres = starting.submit(stack.enter_context, own_postgres(durable=True))
        s3 = starting.submit(stack.enter_context, seaweed(folder / "s3"))
        yield Own(brokers.result(), postgres.result(), s3.result())


@contextmanager
def world(plan: Plan, folder: Path, servers: Servers | Own) -> Iterator[World]:
    """Everything but the processes runs; servers that are not our ``Own`` are not crashed."""
    own = servers if isinstance(servers, Own) else None
    shared = servers.all if isinstance(servers, Own) else servers
    with ExitStack() as stack:
        stack.enter_context(forms.distributed(shared))
        hand = stack.enter_context(_simulator(plan, folder))
        links: dict[str, list[Proxy]] = {}

        def link(name: str, url: str) -> str:
            """The same address, behind the link's proxies."""
            parts = urlsplit(url)
            where = parts.netloc.rpartition("@")[2]
            proxies = [
                stack.enter_context(proxied(host, int(port)))
                for host, _, port in (one.partition(":") for one in where.split(","))
            ]
            links[name] = proxies
            return url.replace(where, ",".join(f"127.0.0.1:{proxy.port}" for proxy in proxies), 1)

        mls = Mls(link("mls", hand.login_url))
        here = Processes(folder, mls.login_url, _settings(plan))
        if own is not None and len(own.nodes) > 1:
            first = urlsplit(own.nodes[0].url).netloc
            every = ",".join(urlsplit(node.url).netloc.rpartition("@")[2] for node in own.nodes)
            name = here.settings["MLSYNC_BROKER_URL"].rpartition("/")[2]
            here.settings["MLSYNC_BROKER_URL"] = f"amqp://{first.rpartition('@')[0]}@{every}/{name}"
        migrated = here.run("migrate")
        assert migrated.code == 0, migrated.err
        children = stack.enter_context(nursery(folder / "nursery"))
        members = {}
        envs = {service: here.env | _linked(service, here.settings, link) for service in SERVICES}
        for name in plan.crew:
            members[name] = Member(name, envs[name.partition("-")[0]], folder, children)
        crashable: dict[str, Crashable] = {}
        if own is not None:
            brokers = _Brokers(own.nodes)
            crashable = {
                "postgres": _Server(own.postgres.stop, own.postgres.start),
                "rabbitmq": _Server(brokers.kill, brokers.start),
                "s3": _Server(own.s3.kill, own.s3.start),
            }
        yield World(here, mls, hand, links, crashable, members)


def _settings(plan: Plan) -> dict[str, str]:
    feed = {
        "every": str(plan.every),
        "page_size": str(plan.page_size),
        "requests_per_second": "1",
        # days pass and lists lie: what is removed wrongly comes back, and nothing waits for a person to approve
        "remove_share": "0.9",
    }
    return {
        "MLSYNC_TAKEOVER": str(LEASE),
        "MLSYNC_MEDIA__WORKERS": "4",
        **{f"MLSYNC_FEEDS__DDF__{name.upper()}": value for name, value in feed.items()},
    }


def _linked(service: str, settings: Mapping[str, str], link: Callable[[str, str], str]) -> dict[str, str]:
    """The settings of a service whose links are its own."""
    found = {
        "MLSYNC_BROKER_URL": link(f"{service}:broker", settings["MLSYNC_BROKER_URL"]),
        "MLSYNC_DATABASE_URL": link(f"{service}:database", settings["MLSYNC_DATABASE_URL"]),
    }
    if service in ("fetcher", "media"):
        url = settings["MLSYNC_MEDIA_URL"]
        endpoint = parse_url(url).endpoint
        found["MLSYNC_MEDIA_URL"] = url.replace(endpoint, link(f"{service}:s3", endpoint))
    return found


@contextmanager
def _simulator(plan: Plan, folder: Path) -> Iterator[Mls]:
    """The MLS in a process of its own: nothing of it waits for us, nor we for it."""
    (port,) = free_ports(1)
    command = [
        sys.executable, "-m", "services.simulator", "--port", str(port), "--listings", str(plan.listings),
        "--photos", str(plan.photos), "--seed", str(1 + plan.seed % 1_000), "--username", USERNAME,
        "--password", PASSWORD, "--control",
    ]  # fmt: skip
    with (folder / "simulator").open("wb") as log, process(command, stderr=log.fileno()) as running:
        assert running.stdout is not None
        ready, _, login_url = running.stdout.readline().strip().partition(" ")
        assert ready == "ready", (folder / "simulator").read_text()
        yield Mls(login_url)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.terminate()
            running.wait(5)
