"""docker-compose.yml brought up on an engine: what a drill asks of it."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minio import Minio

from tests.packaging import in_step
from tests.packaging.engine import Engine

ROOT = Path(__file__).parents[2]
PROJECT = "mlsync-drill"
SERVICES = ("fetcher", "reconciler", "writer", "media")


class DrillError(AssertionError):
    """What the drill found to be wrong."""


@dataclass(frozen=True)
class Stack:
    """The project of one drill, with the variables of ``env_file``."""

    engine: Engine
    env_file: Path
    values: Mapping[str, str]

    @property
    def command(self) -> tuple[str, ...]:
        """What stands before every command of docker compose."""
        return (*self.engine.compose, "--env-file", str(self.env_file), "--project-name", PROJECT)

    def compose(self, *arguments: str, seconds: float = 600.0) -> str:
        """Run a command of docker compose; its output."""
        return self.engine.run(*self.command, *arguments, seconds=seconds, cwd=ROOT)

    def wait(self, seconds: int) -> None:
        """Until every container is healthy or done."""
        self.engine.run(
            str(ROOT / "deploy/compose/wait.sh"), str(seconds), *self.command, seconds=seconds + 60, cwd=ROOT
        )

    def containers(self) -> dict[str, list[dict[str, Any]]]:
        """What the engine says of each container, by service."""
        found: dict[str, list[dict[str, Any]]] = {}
        for item in json.loads(self.engine.docker("inspect", *self.compose("ps", "--all", "--quiet").split())):
            found.setdefault(item["Config"]["Labels"]["com.docker.compose.service"], []).append(item)
        return found

    def users(self, container: str) -> set[int]:
        """The users whose processes run in a container."""
        lines = self.engine.docker("top", container, "-eo", "pid,uid").splitlines()[1:]
        return {int(line.split()[1]) for line in lines}

    def control(self, what: str, method: str = "GET") -> str:
        """Ask the simulator's ``/control/``, which answers nobody but its own machine."""
        return self.compose("exec", "-T", "simulator", "python", "-c", in_step.CONTROL, what, method)

    def differences(self) -> list[str]:
        """Where listings, photos or the objects' bytes are not what the MLS has; empty when all is in step."""
        stored = self.compose("exec", "-T", "postgres", "psql", "-U", "mlsync", "-At", "-c", in_step.STORED)
        return in_step.records(self.control("truth"), stored) or self._objects(in_step.objects(stored))

    def _objects(self, expected: Mapping[str, str]) -> list[str]:
        client = Minio(
            f"127.0.0.1:{self.values['S3_PORT']}",
            self.values["S3_ACCESS_KEY"],
            self.values["S3_SECRET_KEY"],
            secure=False,
        )
        there = {str(item.object_name) for item in client.list_objects("mlsync", recursive=True)}
        found = sorted(f"object {name}" for name in there ^ expected.keys())
        for name in there & expected.keys():
            with client.get_object("mlsync", name) as answer:
                if hashlib.sha256(answer.read()).hexdigest() != expected[name]:
                    found.append(f"object {name}: other bytes")
        return found

    def prometheus(self, path: str, **arguments: str) -> Any:
        """What Prometheus answers; refused queries raise HTTPError."""
        query = urllib.parse.urlencode(arguments)
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.values['PROMETHEUS_PORT']}/api/v1/{path}?{query}"
        ) as answer:
            return json.load(answer)["data"]

    def replicas_up(self) -> dict[str, int]:
        """How many processes of each service Prometheus can scrape."""
        up = self.prometheus("query", query='sum by (service) (up{job="mlsync"})')["result"]
        return {item["metric"]["service"]: int(item["value"][1]) for item in up}

    def broker(self, path: str) -> Any:
        """What RabbitMQ's management plugin answers."""
        token = base64.b64encode(f"mlsync:{self.values['RABBITMQ_PASSWORD']}".encode()).decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.values['RABBITMQ_PORT']}/api/{path}", headers={"Authorization": f"Basic {token}"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def leftovers(self) -> list[str]:
        """Containers, volumes and networks of the project that there still are."""
        mine = f"label=com.docker.compose.project={PROJECT}"
        return [
            line
            for kind in (("ps", "--all"), ("volume", "ls"), ("network", "ls"))
            for line in self.engine.docker(*kind, "--quiet", "--filter", mine).split()
        ]


def until(what: str, seconds: float, look: Callable[[], object]) -> None:
    """Look until nothing is wrong any more; raises DrillError with what still is."""
    deadline = time.monotonic() + seconds
    while wrong := look():
        if time.monotonic() > deadline:
            raise DrillError(f"{what}: not within {seconds:.0f} s: {str(wrong)[:1_000]}")
        time.sleep(2)
