"""Starts ``mlsync run`` by forking, all modules loaded before: hundreds of starts would else be hundreds of imports.

``python -m tests.chaos.nursery`` reads a line of JSON for each process to start, and writes when one began and ended.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

LOADED = (
    "services.cli", "services.app", "services.observed", "services.schedule", "shared.blobs.s3", "shared.store.migrate",
    "shared.store.postgres.store", "shared.transport.rabbitmq",
)  # fmt: skip
"""What ``mlsync run`` loads, some of it only when needed."""
TURN = 0.05


class Child:
    """A process of the nursery, in a session of its own."""

    def __init__(self) -> None:
        self.pid = 0
        self.code: int | None = None
        self.began = threading.Event()
        self.ended = threading.Event()

    def send(self, number: int) -> None:
        """Signal it, unless it has ended."""
        if not self.ended.is_set():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Nursery:
    """The hand on the process that forks. Safe to use from many threads."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self._running = running
        self._lock = threading.Lock()
        self._children: dict[str, Child] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self, service: str, env: Mapping[str, str], folder: Path, log: Path) -> Child:
        """``mlsync run`` with this environment, in this folder, its log appended."""
        child = Child()
        assert self._running.stdin is not None
        with self._lock:
            name = str(len(self._children))
            self._children[name] = child
            wanted = {"name": name, "service": service, "env": dict(env), "folder": str(folder), "log": str(log)}
            self._running.stdin.write(json.dumps(wanted) + "\n")
            self._running.stdin.flush()
        assert child.began.wait(60), "the nursery starts nothing"
        return child

    def _listen(self) -> None:
        assert self._running.stdout is not None
        for line in self._running.stdout:
            name, what, number = line.split()
            child = self._children[name]
            if what == "began":
                child.pid = int(number)
                child.began.set()
            else:
                child.code = int(number)
                child.ended.set()


@contextmanager
def nursery(log: Path) -> Iterator[Nursery]:
    """One, until the end; its children do not outlive it."""
    command = [sys.executable, "-m", "tests.chaos.nursery"]
    root = Path(__file__).parents[2]
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            start_new_session=True,
        ) as running,
    ):  # fmt: skip
        try:
            yield Nursery(running)
        finally:
            assert running.stdin is not None
            running.stdin.close()  # which ends it, and whoever is left
            running.wait(10)


def _serve() -> int:
    names: dict[int, str] = {}
    wanting = os.fdopen(sys.stdin.fileno(), "rb", buffering=0, closefd=False)  # what is buffered, select does not see
    while True:
        if select.select([wanting], [], [], TURN)[0]:
            line = wanting.readline()
            if not line:
                for pid in names:
                    os.kill(pid, signal.SIGKILL)
                return 0
            wanted = json.loads(line)
            pid = os.fork()
            if pid == 0:
                return _become(wanted)
            names[pid] = wanted["name"]
            print(wanted["name"], "began", pid, flush=True)
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                print(names.pop(ended[0]), "ended", os.waitstatus_to_exitcode(ended[1]), flush=True)


def _become(wanted: dict[str, Any]) -> int:
    """What a process that was started as a command would be."""
    from services.cli import main

    os.setsid()
    os.environ.clear()
    os.environ.update(wanted["env"])
    os.chdir(wanted["folder"])
    nothing = os.open(os.devnull, os.O_RDWR)
    log = os.open(wanted["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for source, target in ((nothing, 0), (nothing, 1), (log, 2)):
        os.dup2(source, target)
    random.seed()
    sys.argv = ["mlsync", "run", wanted["service"]]
    main()
    return 0


if __name__ == "__main__":
    for module in LOADED:
        import_module(module)
    sys.exit(_serve())
