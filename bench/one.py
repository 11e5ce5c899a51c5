"""One benchmark in a process of its own: ``python -m bench.one NAME ROUNDS`` prints its figures as JSON.

Of its own, so that none measures what another left behind: memory, threads, warm caches.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from typing import cast

import msgspec

from bench.figures import Benchmark
from services import collector


def main() -> None:
    """See the module. Told to end, it ends the servers it started."""
    collector.look_seldom()  # as mlsync itself does
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    name, rounds = sys.argv[1:]
    benchmark = cast(Benchmark, import_module(f"bench.{name}"))
    figures = benchmark.measure(int(rounds))
    print(msgspec.json.encode(figures).decode())


if __name__ == "__main__":
    main()
