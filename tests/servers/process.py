"""Server processes of a test session: on loopback, on ports of their own, ended by their id."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

SECONDS = 180.0
"""How long a server may take to be ready; on a machine that others use RabbitMQ needs more than a minute."""


class ServerError(RuntimeError):
    """A server that the tests need is not to be had; one line says what to do."""


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Server:
    """A server that can be killed and started again: the same command, on the data it left."""

    def __init__(
        self, command: Sequence[str], log: Path, ready: Callable[[], bool], *, env: Mapping[str, str] | None = None,
        cwd: Path | None = None, seconds: float = SECONDS,
    ) -> None:  # fmt: skip
        self._command = command
        self._log = log
        self._ready = ready
        self._env = env
        self._cwd = cwd
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Start it and wait until it is ready.

        Raises ServerError with the end of its log when it ends before it is ready, or is not ready in time.
        """
        with self._log.open("ab") as out:
            self._process = started = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=self._env,
                cwd=self._cwd, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + self._seconds
        while not self._ready():
            if started.poll() is not None or time.monotonic() > deadline:
                self.kill()
                tail = self._log.read_text(errors="replace")[-2_000:]
                raise ServerError(f"{self._command[0]} is not ready: {tail}")
            time.sleep(0.05)
        return started

    def kill(self) -> None:
        """End it and its children at once: a crash."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(30)
            self._process = None


@contextmanager
def running(
    command: Sequence[str], log: Path, ready: Callable[[], bool], *, env: Mapping[str, str] | None = None,
    cwd: Path | None = None, seconds: float = SECONDS,
) -> Iterator[subprocess.Popen[bytes]]:  # fmt: skip
    """A server from ready to end; it and its children are killed at the end. Raises as ``Server.start`` does."""
    server = Server(command, log, ready, env=env, cwd=cwd, seconds=seconds)
    try:
        yield server.start()
    finally:
        server.kill()
