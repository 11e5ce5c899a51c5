"""Sort more names than memory should hold."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import IO

AT_ONCE = 200_000


def sorted_names(names: Iterable[str], at_once: int = AT_ONCE) -> Iterator[str]:
    """Names (without line ends) in byte order. More than ``at_once`` of them are sorted by way of temporary files."""
    waiting = iter(names)
    with ExitStack() as stack:
        runs: list[IO[str]] = []
        while block := sorted(islice(waiting, at_once), key=str.encode):
            if not runs and len(block) < at_once:
                yield from block
                return
            run = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n"))
            run.writelines(f"{name}\n" for name in block)
            run.seek(0)
            runs.append(run)
        for line in heapq.merge(*runs, key=str.encode):
            yield line[:-1]
