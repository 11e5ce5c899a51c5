"""Many photos at once: in order, bounded, and nothing left running."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from services.media.pools import AHEAD, Pool


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool(8, "test")
    yield made
    made.close()


def _value(number: int) -> Callable[[], int]:
    return lambda: number


def test_results_come_in_order_however_long_each_takes(pool: Pool) -> None:
    last = threading.Event()

    def first() -> int:
        assert last.wait(10), "the next was not under way"
        return 0

    def second() -> int:
        last.set()
        return 1

    assert list(pool.each([first, second])) == [0, 1]


def test_only_so_many_are_begun_before_they_are_taken(pool: Pool) -> None:
    begun: list[int] = []

    def tasks() -> Iterator[Callable[[], int]]:
        for number in range(100):
            begun.append(number)
            yield _value(number)

    with closing(pool.each(tasks())) as results:
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        assert len(begun) <= 3 + AHEAD


def test_a_failure_leaves_out_the_rest_and_nothing_running(pool: Pool) -> None:
    release, running, ran = threading.Event(), threading.Event(), []

    def fails() -> int:
        assert running.wait(10)
        threading.Timer(0.05, release.set).start()
        raise ValueError("no such photo")

    def under_way() -> int:
        running.set()
        assert release.wait(10)
        ran.append("under way")
        return 1

    def never() -> int:
        ran.append("never")
        return 2

    with pytest.raises(ValueError, match="no such photo"):
        list(pool.each([fails, under_way, *[lambda: 0] * (AHEAD - 2), never]))
    assert ran == ["under way"], "it had ended when the failure was told, and nothing was begun after"


def test_one_record_leaves_threads_to_the_others() -> None:
    pool = Pool(AHEAD + 1, "test")
    hold = threading.Event()

    def slow() -> int:
        assert hold.wait(10)
        return 0

    busy = threading.Thread(target=lambda: list(pool.each([slow] * 50)), daemon=True)
    busy.start()
    assert list(pool.each([_value(7)])) == [7]
    hold.set()
    busy.join(10)
    pool.close()
    assert not busy.is_alive()
