"""Many photos on their way at once, whichever records they belong to.

Downloads and uploads have a pool each: a thread that did both would wait for one server when it could use the other.
What lies between them is bounded, as each record has only so many photos under way or in hand.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

AHEAD = 4
"""Photos of one record begun and not yet taken: few, as each may be as large as is allowed."""


class Pool:
    """So many threads for the tasks of any number of callers. Starts none before the first task."""

    def __init__(self, threads: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._ahead = min(AHEAD, threads)

    def each(self, tasks: Iterable[Callable[[], T]]) -> Generator[T, None, None]:
        """The tasks' results, in order, while the next are under way; to be closed.

        Raises what a task raises. Then, and when it is closed, tasks not begun are left out; those begun have ended.
        """
        left = iter(tasks)
        begun: deque[Future[T]] = deque(self._begin(task) for task in islice(left, self._ahead))
        try:
            while begun:
                result = begun.popleft().result()
                begun.extend(self._begin(task) for task in islice(left, 1))
                yield result
        finally:
            for future in begun:
                future.cancel()
            wait(begun)

    def _begin(self, task: Callable[[], T]) -> Future[T]:
        return self._threads.submit(copy_context().run, task)  # what is bound for logging goes with it

    def close(self) -> None:
        """End the threads; what is under way ends first."""
        self._threads.shutdown()
