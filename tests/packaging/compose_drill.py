"""Bring docker-compose.yml up for real and hold it to its word: ``make drill``. Takes minutes: not in `make test`.

Where no Docker engine answers, root gets one for the time of the drill, and images that stand in for the public ones,
since it can pull none: everything is then real but Grafana, of which only the health check is.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.packaging import standins
from tests.packaging.dashboards import Query, queries
from tests.packaging.engine import Engine, engine
from tests.packaging.stack import ROOT, SERVICES, DrillError, Stack, until
from tests.servers.process import free_ports

PORTS = ("SIMULATOR_PORT", "RABBITMQ_PORT", "POSTGRES_PORT", "S3_PORT", "S3_CONSOLE_PORT", "PROMETHEUS_PORT",
         "GRAFANA_PORT")  # fmt: skip
ROOT_ALLOWED = {"s3"}
"""See docker-compose.yml."""
EMPTY = {
    "Quarantined", "Failed attempts by reason", "Budget left", "Given back and dead", "Elements kept in extra",
    "Unknown and unfit", "Age of the metadata", "Metadata changed", "Absences weighed", "Removed",
    "Late, of what is promised",
}  # fmt: skip
"""Panels with nothing to show while nothing is wrong and nothing limited."""


def main() -> int:
    """0 when everything was as it is promised."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--standins", action="store_true", help="stand-in images although an engine answers")
    options.add_argument("--listings", type=int, default=120)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="mlsync-drill-") as name, engine(Path(name)) as found:
        folder = Path(name)
        images = standins.build(found, folder) if found.own or chosen.standins else {}
        say("images", "stand-ins" if images else "public")
        stack = _stack(found, folder, images, chosen.listings)
        try:
            for step in (up, contained, in_step, scraped, a_day_later, scaled, shown, stopped):
                began = time.monotonic()
                say(step.__name__, f"{step(stack)} ({time.monotonic() - began:.0f} s)")
        except Exception:
            print(stack.compose("logs", "--tail", "30", "--no-color")[-20_000:], file=sys.stderr)
            raise
        finally:
            stack.compose("down", "--volumes", "--timeout", "10")
        if left := stack.leftovers():
            raise DrillError(f"down left {left}")
        say("down", "nothing is left")
    return 0


def say(step: str, what: str) -> None:
    print(f"{step:<12} {what}", flush=True)


def _stack(found: Engine, folder: Path, images: dict[str, str], listings: int) -> Stack:
    example = (ROOT / ".env.example").read_text().splitlines()
    values = dict(line.split("=", 1) for line in example if line and not line.startswith("#"))
    values |= images | {name: str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    values |= {"IMAGE": "mlsync:drill", "SIMULATOR_LISTINGS": str(listings)}
    env_file = folder / "env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return Stack(found, env_file, values)


def up(stack: Stack) -> str:
    """The image is built and everything becomes healthy."""
    stack.compose("config", "--quiet")
    stack.compose("build")
    stack.compose("up", "--detach")
    stack.wait(300)
    return "every container is healthy, migrate is done"


def contained(stack: Stack) -> str:
    """Nobody is root, nobody may write to the image, nothing listens beyond this machine."""
    for service, items in stack.containers().items():
        for item in items:
            wrong = [*_loose(item)]
            if item["State"]["Running"] and 0 in stack.users(item["Id"]) and service not in ROOT_ALLOWED:
                wrong.append("runs as root")
            if wrong:
                raise DrillError(f"{service}: {', '.join(wrong)}")
    return f"non-root but for {', '.join(ROOT_ALLOWED)}, read-only, no capabilities, ports on loopback"


def _loose(item: dict[str, Any]) -> Iterator[str]:
    host = item["HostConfig"]
    if not host["ReadonlyRootfs"]:
        yield "its root file system can be written"
    if host["CapDrop"] != ["ALL"] or host["CapAdd"]:
        yield "it has capabilities"
    if not any(option.startswith("no-new-privileges") for option in host["SecurityOpt"] or ()):
        yield "it may gain privileges"
    if any(port["HostIp"] != "127.0.0.1" for ports in (host["PortBindings"] or {}).values() for port in ports):
        yield "a port is open beyond this machine"


def in_step(stack: Stack) -> str:
    """The first sync ends equal to the MLS."""
    until("the first sync", 300, stack.differences)
    return "listings, photos and the objects' bytes are those of the MLS"


def scraped(stack: Stack) -> str:
    """Prometheus reaches every service, and RabbitMQ."""
    until("Prometheus", 60, lambda: dict.fromkeys(SERVICES, 1).items() - stack.replicas_up().items())
    down = [item["metric"] for item in stack.prometheus("query", query="up == 0")["result"]]
    if down:
        raise DrillError(f"Prometheus cannot reach {down}")
    return f"{', '.join(SERVICES)} are up in Prometheus, and so is RabbitMQ"


def shown(stack: Stack) -> str:
    """Every query of the dashboards is answered, and with something where there is something to show."""
    asked = queries("trial", cluster=False)

    def empty() -> list[str]:
        return [query.of for query in asked if query.panel not in EMPTY and not _answer(stack, query)]

    until("queries with nothing to show", 60, empty)
    return f"{len(asked)} queries answered"


def _answer(stack: Stack, query: Query) -> list[Any]:
    try:
        return list(stack.prometheus("query", query=query.text)["result"])
    except urllib.error.HTTPError as error:
        raise DrillError(f"{query.of}: {json.load(error)['error']}") from None


def a_day_later(stack: Stack) -> str:
    """What a day brings is brought in step too."""
    stack.control("advance?days=1", "POST")
    until("the second sync", 180, stack.differences)
    return "in step again"


def scaled(stack: Stack) -> str:
    """Four media processes are started, and found by Prometheus."""
    stack.compose("up", "--detach", "--no-recreate", "--scale", "media=4")
    stack.wait(120)
    until("four media processes", 90, lambda: stack.replicas_up().get("media") != 4)
    stack.control("advance?days=1", "POST")
    until("the third sync", 180, stack.differences)
    return "four media processes are up, and all is in step"


def stopped(stack: Stack) -> str:
    """Told to stop, every service ends by itself and logs out."""
    stack.compose("stop", "--timeout", "45", *SERVICES)
    codes = {
        item["Name"]: item["State"]["ExitCode"]
        for service, items in stack.containers().items()
        if service in SERVICES
        for item in items
    }
    if any(codes.values()):
        raise DrillError(f"not everyone ended well: {codes}")
    if sessions := json.loads(stack.control("stats"))["sessions_open"]:
        raise DrillError(f"{sessions} sessions are still open at the MLS")
    return "exit code 0, no session left open at the MLS"


if __name__ == "__main__":
    sys.exit(main())
