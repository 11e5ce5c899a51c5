"""A real RabbitMQ: the one ``TEST_AMQP_URL`` names, else a node of Debian's package on free ports.

The package is this machine's, or that of another Debian in the folder ``TEST_RABBITMQ_ROOT``, which only root enters:
``python -m tests.servers.rabbitmq4`` makes one.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.process import Server, ServerError, free_ports

BIN = Path("/usr/lib/rabbitmq/bin")
ROOT = "TEST_RABBITMQ_ROOT"
INSIDE = Path("/mnt")
"""Where the node's folder is in another Debian."""
ENTER = 'root=$1; mount --bind "$2" "$root$3"; mount -t proc proc "$root/proc"; shift 3; exec chroot "$root" "$@"'
CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {prometheus}
log.console = true
log.file = false
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 100MB
collect_statistics_interval = 1000
consumer_timeout = {patience}
max_message_size = 16777216
"""


@dataclass
class Broker:
    """``url`` is that of the default virtual host. The rest is known only of a node started here."""

    url: str
    management: str = ""
    prometheus: str = ""
    folder: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)

    def vhost(self, name: str) -> str:
        """The address of a virtual host of its own, made now."""
        user, _, rest = self.url.removeprefix("amqp://").partition("@")
        self._api(f"vhosts/{name}", "PUT")
        return f"amqp://{user}@{rest.partition('/')[0]}/{name}"

    def leaders(self) -> Counter[str]:
        """Of how many queues each node is the leader."""
        return Counter(queue["leader"] for queue in json.loads(self._api("queues")) if queue.get("leader"))

    def messages(self, vhost: str) -> Counter[str]:
        """By queue, how many messages wait or are in hand, as the management API told last (every few seconds)."""
        return Counter({queue["name"]: queue.get("messages", 0) for queue in json.loads(self._api(f"queues/{vhost}"))})

    def _api(self, path: str, method: str = "GET") -> bytes:
        user = self.url.removeprefix("amqp://").partition("@")[0]
        request = urllib.request.Request(
            f"{self.management}/api/{path}", data=None if method == "GET" else b"{}", method=method,
            headers={"Authorization": "Basic " + b64encode(user.encode()).decode(), "Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: bytes = answer.read()
        return found

    def ctl(self, *arguments: str, seconds: float = 60.0) -> str:
        """What ``rabbitmqctl`` says. Raises ServerError when it fails."""
        done = subprocess.run(
            [*_program("rabbitmqctl", self.folder), *arguments], env=dict(self.env), cwd=self.folder,
            capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        if done.returncode:
            raise ServerError(f"rabbitmqctl {' '.join(arguments)}: {done.stderr[-500:]}")
        return done.stdout


@dataclass
class Node(Broker):
    """A node started here, which can be killed and started again on the same ports and data."""

    server: Server = field(kw_only=True)

    @property
    def name(self) -> str:
        """What it is called among nodes."""
        return self.env["RABBITMQ_NODENAME"]

    def start(self) -> None:
        """Start it and wait until clients can connect."""
        self.server.start()

    def kill(self) -> None:
        """A crash."""
        self.server.kill()


@contextmanager
def rabbitmq(folder: Path) -> Iterator[Broker]:
    """The broker for a session."""
    given = os.environ.get("TEST_AMQP_URL")
    if given:
        yield Broker(given)
        return
    with node(folder) as broker:
        yield broker


@contextmanager
def node(folder: Path) -> Iterator[Node]:
    """One node on free ports, its data in ``folder``; its Erlang port mapper ends with it."""
    with cluster(folder, 1) as (broker,):
        yield broker


@contextmanager
def cluster(folder: Path, size: int, *, consumer_seconds: int = 15) -> Iterator[list[Node]]:
    """Nodes that form one cluster, each in a folder of its own (a single one in ``folder`` itself).

    What a consumer holds for longer than ``consumer_seconds`` is taken back.
    """
    root = os.environ.get(ROOT, "")
    if not Path(f"{root}{BIN}/rabbitmq-server").exists():
        raise ServerError(
            "no RabbitMQ for the tests: run `make test` as root, or set TEST_AMQP_URL to a broker of yours"
        )
    mapper, *ports = free_ports(1 + 4 * size)
    sets = [ports[start : start + 4] for start in range(0, len(ports), 4)]
    names = [f"t{amqp}@localhost" for amqp, *_ in sets]
    peers = [f"cluster_formation.classic_config.nodes.{number} = {name}" for number, name in enumerate(names, 1)]
    discovery = "\n".join(["cluster_formation.peer_discovery_backend = classic_config", *peers, ""])
    nodes = [
        _node(
            folder / str(number) if size > 1 else folder, four, mapper, discovery if size > 1 else "", consumer_seconds
        )
        for number, four in enumerate(sets, 1)
    ]
    try:
        nodes[0].start()  # the others find it there and join
        with ThreadPoolExecutor(size) as starting:
            list(starting.map(Node.start, nodes[1:]))
        yield nodes
    finally:
        for each in nodes:
            each.kill()
        _end_mapper(mapper)


def _node(folder: Path, ports: list[int], mapper: int, discovery: str, consumer_seconds: int) -> Node:
    """A node on AMQP, management, metrics and distribution ports; not started."""
    for name in ("data", "log", "home"):
        (folder / name).mkdir(parents=True)
    amqp, management, prometheus, distribution = ports
    configuration = CONFIGURATION.format(
        amqp=amqp, management=management, prometheus=prometheus, patience=1_000 * consumer_seconds
    )
    (folder / "rabbitmq.conf").write_text(configuration + discovery)
    (folder / "advanced.config").write_text("[{rabbit,[{channel_tick_interval,2000}]}].\n")
    (folder / "enabled_plugins").write_text("[rabbitmq_management,rabbitmq_prometheus].\n")
    cookie = folder / "home" / ".erlang.cookie"
    cookie.write_text(f"MLSYNC{mapper}")
    cookie.chmod(0o400)
    here = INSIDE if os.environ.get(ROOT) else folder
    env = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(here / "home"),
        "LANG": "C.UTF-8",
        "RABBITMQ_NODENAME": f"t{amqp}@localhost",
        "RABBITMQ_MNESIA_BASE": str(here / "data"),
        "RABBITMQ_LOG_BASE": str(here / "log"),
        "RABBITMQ_CONFIG_FILE": str(here / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(here / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(here / "enabled_plugins"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(amqp),
        "RABBITMQ_DIST_PORT": str(distribution),
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }
    base = f"http://127.0.0.1:{management}"

    def ready() -> bool:
        ask = urllib.request.Request(
            f"{base}/api/health/checks/port-listener/{amqp}",
            headers={"Authorization": "Basic " + b64encode(b"guest:guest").decode()},
        )
        try:
            with urllib.request.urlopen(ask, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    server = Server(_program("rabbitmq-server", folder), folder / "server.log", ready, env=env, cwd=folder)
    return Node(
        f"amqp://guest:guest@127.0.0.1:{amqp}/", base, f"http://127.0.0.1:{prometheus}/metrics", folder, env,
        server=server,
    )  # fmt: skip


def _program(name: str, folder: Path | None) -> list[str]:
    """The command that runs one of RabbitMQ's programs: in another Debian with namespaces of its own, so that nothing
    it mounts or starts outlives it."""
    root = os.environ.get(ROOT)
    if not root:
        return [str(BIN / name)]
    alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    return [*alone, "sh", "-ec", ENTER, "sh", root, str(folder), str(INSIDE), str(BIN / name)]


def _end_mapper(port: int) -> None:
    """The port mapper outlives its node: end the one that listens on our port."""
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ProcessLookupError):
            if (entry / "comm").read_text().strip() == "epmd" and str(port).encode() in (
                entry / "environ"
            ).read_bytes():
                os.kill(int(entry.name), signal.SIGTERM)
                time.sleep(0.01)
