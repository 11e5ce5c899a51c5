"""Start a simulator: in a test with ``with Simulator(options)``, on its own with ``serve``."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from types import FrameType, TracebackType

from .control import Control
from .faults import describe
from .options import Options
from .server import Server

__all__ = ["Options", "Simulator", "describe", "serve"]

log = logging.getLogger("simulator")


class Simulator:
    """A running simulator in this process. Entering starts it; leaving ends every connection and waits for them."""

    def __init__(self, options: Options) -> None:
        self._server = Server(options)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def login_url(self) -> str:
        """Where clients log in."""
        return self._server.login_url

    @property
    def base(self) -> str:
        """Scheme, host and port."""
        return self._server.base

    @property
    def control(self) -> Control:
        """The hand on the simulator; needs no ``control`` option, which only opens it to HTTP."""
        return self._server.control

    def __enter__(self) -> Simulator:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join()


def serve(options: Options) -> int:
    """Run a simulator until SIGTERM or SIGINT and return 0; 1 when its port cannot be had.

    Standard output gets one line, ``ready <login URL>``, once clients can log in; logs go to standard error.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (the signature of a signal handler)
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with Simulator(options) as simulator:
            log.info("%d listings, seed %d, faults %s", options.listings, options.seed, options.faults or "none")
            print(f"ready {simulator.login_url}", flush=True)
            stopped.wait()
    except OSError as error:
        log.error("cannot listen on %s port %d: %s", options.host, options.port, error.strerror or error)
        return 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0
