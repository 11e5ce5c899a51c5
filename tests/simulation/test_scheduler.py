"""What the scheduler promises of the threads it runs."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulation.scheduler import Scheduler, Task


@dataclass
class Anybody:
    name: str = "anybody"
    dead: bool = False


def test_a_thread_that_ends_wakes_nobody() -> None:
    """Least of all the one that started it, which waits for something else."""
    scheduler, owner, went_on = Scheduler(), Anybody(), list[str]()
    started: list[Task] = []

    def child() -> None:
        scheduler.point("an effect")

    def parent() -> None:
        started.append(Task(owner, "child", child))
        scheduler.wait(lambda: False)
        went_on.append("parent")

    waiting = Task(owner, "parent", parent)
    scheduler.step(waiting)
    scheduler.step(started[0])
    scheduler.step(started[0])

    assert started[0].ended
    assert not went_on
    assert not waiting.ended
