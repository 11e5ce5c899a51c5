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

SECONDS = 120.0
"""How long a server may take to be ready."""


class ServerError(RuntimeError):
    """A server that the tests need is not to be had; one line says what to do."""


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def running(
    command: Sequence[str], log: Path, ready: Callable[[], bool], *, env: Mapping[str, str] | None = None,
    cwd: Path | None = None, seconds: float = SECONDS,
) -> Iterator[subprocess.Popen[bytes]]:  # fmt: skip
    """A server from ready to end; it and its children are killed at the end.

    Raises ServerError with the end of its log when it ends before it is ready, or is not ready in time.
    """
    with log.open("wb") as out:
        started = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=env, cwd=cwd,
            start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + seconds
        while not ready():
            if started.poll() is not None or time.monotonic() > deadline:
                tail = log.read_text(errors="replace")[-2_000:]
                raise ServerError(f"{command[0]} is not ready: {tail}")
            time.sleep(0.05)
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait(30)
