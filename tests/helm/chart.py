"""The chart rendered by a real Helm."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.servers.helm import PROGRAM

CHART = Path(__file__).parents[2] / "deploy/helm"
EXAMPLES = sorted(path.stem for path in (CHART / "examples").glob("*.yaml"))
Json = dict[str, Any]

SERVERS: Json = {
    "rabbitmq": {"host": "rabbitmq.example", "password": "broker-password"},
    "postgresql": {"host": "postgresql.example", "password": "database-password"},
    "s3": {"accessKey": "key", "secretKey": "bucket-secret"},
}
"""The least that must be said."""
FIXED: Json = {"demo": {"password": "demo-password"}}
"""So that nothing is random."""


class Refused(Exception):
    """What Helm said."""


def example(name: str) -> Json:
    """The values of an example."""
    found: Json = yaml.safe_load((CHART / "examples" / f"{name}.yaml").read_text())
    return found


def merged(*parts: Json) -> Json:
    """Values over values, as Helm merges files."""
    whole: Json = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(value, dict) and isinstance(whole.get(key), dict)
            whole[key] = merged(whole[key], value) if both else value
    return whole


def text(*values: Json, kube: str = "1.34", options: tuple[str, ...] = ()) -> str:
    """What is sent to Kubernetes. Raises Refused."""
    return helm(
        "template", "trial", str(CHART), "--namespace", "mls", "--kube-version", kube, "--values", "-", *options,
        values=merged(FIXED, *values),
    )  # fmt: skip


def objects(*values: Json, kube: str = "1.34", options: tuple[str, ...] = ()) -> list[Json]:
    """The same, each object."""
    return [item for item in yaml.safe_load_all(text(*values, kube=kube, options=options)) if item]


def helm(*arguments: str, values: Json) -> str:
    """What Helm says. Raises Refused."""
    done = subprocess.run(
        [str(PROGRAM), *arguments], input=json.dumps(values), capture_output=True, text=True, timeout=60, check=False,
        env={"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    if done.returncode:
        raise Refused(done.stderr + done.stdout)
    return done.stdout


def pods(found: list[Json]) -> Iterator[tuple[str, Json]]:
    """Every pod that would run: its owner's name, and its specification."""
    for item in found:
        if item["kind"] == "Pod":
            yield item["metadata"]["name"], item["spec"]
        elif "template" in item.get("spec", {}):
            yield item["metadata"]["name"], item["spec"]["template"]["spec"]


def named(found: list[Json], kind: str, name: str) -> Json:
    """The object of that kind and name."""
    (item,) = (item for item in found if (item["kind"], item["metadata"]["name"]) == (kind, name))
    return item
