"""A Docker engine: the one that answers, else one started here as root, on a socket and a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.install import install
from tests.servers.process import ServerError, running

PACKAGES = {"dockerd": "docker.io", "docker-compose": "docker-compose", "debootstrap": "debootstrap",
            "iptables": "iptables", "ip": "iproute2"}  # fmt: skip
DEBIAN = "/usr/sbin:/usr/bin:/sbin:/bin"
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


@dataclass(frozen=True)
class Engine:
    """An engine to talk to: ``own`` if it was started here, and so can pull nothing it was not given."""

    env: Mapping[str, str]
    compose: tuple[str, ...]
    own: bool

    def docker(self, *arguments: str, stdin: int | None = None, seconds: float = 600.0) -> str:
        """Run ``docker``; its output. Raises CalledProcessError, its complaint printed."""
        return self.run("docker", *arguments, stdin=stdin, seconds=seconds)

    def run(self, *command: str, stdin: int | None = None, seconds: float = 600.0, cwd: Path | None = None) -> str:
        """Run any command against this engine; its output. Raises CalledProcessError, its complaint printed."""
        done = subprocess.run(
            command, env=dict(self.env), stdin=stdin or subprocess.DEVNULL, capture_output=True, text=True,
            timeout=seconds, cwd=cwd, check=False,
        )  # fmt: skip
        if done.returncode:
            print(done.stdout[-2_000:], done.stderr[-6_000:], sep="\n", flush=True)
        done.check_returncode()
        return done.stdout


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """The engine for a drill; what was started or changed on this machine for it is undone at the end."""
    if _answers(os.environ):
        yield Engine(os.environ, _compose(os.environ), own=False)
        return
    if os.geteuid() != 0:
        raise ServerError("no Docker engine answers, and only root can start one: start yours, or set DOCKER_HOST")
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program, path=DEBIAN)]
    if missing and (shutil.which("apt-get") is None or install(missing)):
        raise ServerError(f"no Docker engine answers, and {', '.join(missing)} cannot be installed")
    env = {**os.environ, "PATH": f"{DEBIAN}:{os.environ['PATH']}", "DOCKER_HOST": f"unix://{folder}/docker.sock",
           "DOCKER_BUILDKIT": "1"}  # fmt: skip
    command = ["dockerd", f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--host=unix://{folder}/docker.sock",
               f"--pidfile={folder}/pid", "--bip=172.29.0.1/24", "--default-ulimit=nofile=20000:20000"]  # fmt: skip
    forwarding, policy = FORWARDING.read_text(), _rules("filter")[:3]
    try:
        with running(command, folder / "dockerd.log", lambda: _answers(env), env=env) as dockerd:
            try:
                yield Engine(env, _compose(env), own=True)
            finally:
                dockerd.send_signal(signal.SIGTERM)  # killed, it would leave its mounts
                dockerd.wait(60)
    finally:
        _unmount(folder)
        _remove_bridge()
        for rule in policy:
            subprocess.run(["iptables", *rule.split()], check=True)
        FORWARDING.write_text(forwarding)


def _answers(env: Mapping[str, str]) -> bool:
    try:
        return subprocess.run(["docker", "version"], env=dict(env), capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _compose(env: Mapping[str, str]) -> tuple[str, ...]:
    plugin = subprocess.run(["docker", "compose", "version"], env=dict(env), capture_output=True, check=False)
    return ("docker", "compose") if plugin.returncode == 0 else ("docker-compose",)


def _rules(table: str) -> list[str]:
    listed = subprocess.run(["iptables", "-t", table, "-S"], capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def _unmount(folder: Path) -> None:
    """The engine leaves a network namespace mounted; killed, its data too."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in reversed(mounted):
        if place.startswith(f"{folder}/"):
            subprocess.run(["umount", place], check=True)


def _remove_bridge() -> None:
    """The engine leaves its bridge, rules and chains behind, though it makes them anew at every start."""
    subprocess.run(["ip", "link", "delete", "docker0"], capture_output=True, check=False)
    for table in ("nat", "filter"):
        rules = [rule for rule in _rules(table) if "docker" in rule.lower()]
        changes = [["-D", *rule.split()[1:]] for rule in rules if rule.startswith("-A ")]
        changes += [["-X", rule.split()[1]] for rule in rules if rule.startswith("-N ")]
        for change in changes:
            subprocess.run(["iptables", "-t", table, *change], check=True)
