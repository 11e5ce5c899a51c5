"""Four services beside a real Prometheus, while not all is well at the MLS: what dashboards are shown with.

What only a Kubernetes cluster tells is made up: see ``tests.packaging.cluster``.
"""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shared.transport.rabbitmq import RabbitTransport
from tests.packaging.cluster import cluster_exporter
from tests.pipeline.forms import Servers
from tests.pipeline.processes import Processes, distributed
from tests.pipeline.simulated import Mls, until
from tests.servers.process import free_ports, running

ROOT = Path(__file__).parents[2]
FOUR = ("fetcher", "reconciler", "writer", "media")
FAULTS = {
    "ghost-photo": "0.2",
    "half-photo": "0.2",
    "missing-record": "0.1",
    "unknown-elements": "0.5",
    "unfit-values": "0.2",
}
FEED = {
    "every": "3s", "page_size": "10", "requests_per_day": "50000", "resources": "property,member,office",
}  # fmt: skip


@dataclass
class Prometheus:
    """One that scrapes them every second, with the alerts' rules loaded."""

    port: int

    def query(self, text: str) -> list[dict[str, Any]]:
        """The series of an instant query, as a dashboard's figure shows them."""
        return self._ask("query", query=text)

    def over(self, text: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """The series of a range, as a dashboard's graph shows them."""
        return self._ask("query_range", query=text, start=str(start), end=str(end), step=str(step))

    def _ask(self, path: str, **arguments: str) -> list[dict[str, Any]]:
        address = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{arguments}: {error.read().decode()}") from None
        return found


@contextmanager
def seen(servers: Servers, folder: Path, listings: int = 40) -> Iterator[tuple[Mls, Processes, Prometheus]]:
    """The simulated MLS, the running processes, Prometheus; after the first sync not all is well any more."""
    with distributed(servers, folder, listings, 2, **FEED) as (mls, here), contextlib.ExitStack() as stack:
        ports = free_ports(len(FOUR))
        for service, port in zip(FOUR, ports, strict=True):
            here.settings["MLSYNC_HTTP_PORT"] = str(port)
            stack.enter_context(here.running(service))
        cluster = stack.enter_context(cluster_exporter())
        prometheus = stack.enter_context(_prometheus(servers, folder, dict(zip(FOUR, ports, strict=True)), cluster))
        until(lambda: here.count("run", "outcome = 'in_step'") > 0, 120)
        for name, value in FAULTS.items():
            mls.fault(name, value)
        mls.publish_metadata()
        with contextlib.closing(RabbitTransport(here.settings["MLSYNC_BROKER_URL"])) as transport:
            transport.publish("writer", b"no message")
        yield mls, here, prometheus


@contextmanager
def _prometheus(servers: Servers, folder: Path, services: dict[str, int], cluster: str) -> Iterator[Prometheus]:
    """What docker-compose.yml has it scrape, at the addresses that are these servers'; rules every second."""
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    rules = yaml.safe_load((ROOT / "deploy/helm/rules/mlsync.yaml").read_text())
    for group in rules["groups"]:
        group["interval"] = "1s"
    (folder / "rules.yml").write_text(json.dumps(rules))
    broker = urllib.parse.urlsplit(servers.broker.prometheus).netloc
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    jobs["mlsync"] = {
        "job_name": "mlsync",
        "static_configs": [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"service": service}} for service, port in services.items()
        ],
    }
    for name in ("rabbitmq", "rabbitmq-queues"):
        jobs[name]["static_configs"] = [{"targets": [broker]}]
    jobs["kubernetes"] = {"job_name": "kubernetes", "static_configs": [{"targets": [cluster]}]}
    del jobs["prometheus"]
    config |= {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "rule_files": [str(folder / "rules.yml")],
        "scrape_configs": list(jobs.values()),
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    (port,) = free_ports(1)
    made = Prometheus(port)

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    command = [
        "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with running(command, folder / "prometheus.log", ready):
        until(lambda: len(made.query("up")) == len(services) + 3)
        yield made
