"""A real RabbitMQ: the one ``TEST_AMQP_URL`` names, else a node of Debian's package on free ports.

The package is this machine's, or that of another Debian in the folder ``TEST_RABBITMQ_ROOT``, which only root enters:
``python -m tests.servers.rabbitmq4`` makes one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.process import ServerError, free_ports, running

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
consumer_timeout = 15000
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
        request = urllib.request.Request(
            f"{self.management}/api/vhosts/{name}", data=b"{}", method="PUT",
            headers={"Authorization": "Basic " + b64encode(user.encode()).decode(), "Content-Type": "application/json"},
        )  # fmt: skip
        urllib.request.urlopen(request, timeout=30).close()
        return f"amqp://{user}@{rest.partition('/')[0]}/{name}"

    def ctl(self, *arguments: str, seconds: float = 60.0) -> str:
        """What ``rabbitmqctl`` says. Raises ServerError when it fails."""
        done = subprocess.run(
            [*_program("rabbitmqctl", self.folder), *arguments], env=dict(self.env), cwd=self.folder,
            capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        if done.returncode:
            raise ServerError(f"rabbitmqctl {' '.join(arguments)}: {done.stderr[-500:]}")
        return done.stdout


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
def node(folder: Path) -> Iterator[Broker]:
    """One node on free ports, its data in ``folder``; its Erlang port mapper ends with it."""
    root = os.environ.get(ROOT, "")
    if not Path(f"{root}{BIN}/rabbitmq-server").exists():
        raise ServerError(
            "no RabbitMQ for the tests: run `make test` as root, or set TEST_AMQP_URL to a broker of yours"
        )
    for name in ("data", "log", "home"):
        (folder / name).mkdir(parents=True)
    amqp, management, prometheus, distribution, mapper = free_ports(5)
    (folder / "rabbitmq.conf").write_text(CONFIGURATION.format(amqp=amqp, management=management, prometheus=prometheus))
    (folder / "advanced.config").write_text("[{rabbit,[{channel_tick_interval,2000}]}].\n")
    (folder / "enabled_plugins").write_text("[rabbitmq_management,rabbitmq_prometheus].\n")
    here = INSIDE if root else folder
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

    try:
        with running(_program("rabbitmq-server", folder), folder / "server.log", ready, env=env, cwd=folder):
            yield Broker(
                f"amqp://guest:guest@127.0.0.1:{amqp}/", base, f"http://127.0.0.1:{prometheus}/metrics", folder, env
            )
    finally:
        _end_mapper(mapper)


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
