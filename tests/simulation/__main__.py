"""Play many histories, or one again.

python -m tests.simulation --histories 100000          as many, on all cores
python -m tests.simulation --seed 123                  that one, its story told; shrunk if it goes wrong
python -m tests.simulation --bug guard-per-range       with a bug in the product: it must be caught
"""

from __future__ import annotations

import argparse
import os
import sys

from tests.simulation.history import machine, play
from tests.simulation.many import command, many, with_bug
from tests.simulation.plan import Plan, drawn
from tests.simulation.planted import BUGS
from tests.simulation.shrink import as_arguments, from_arguments, shrunk


def one(plan: Plan, seed_plan: Plan, bug: str | None, shrink: bool) -> int:
    """Play a history and tell it; if it goes wrong, the least of it that still does."""
    with with_bug(bug), machine() as made:
        ended = play(made, plan)
        if ended.wrong and shrink:
            kind = _kind(ended.wrong)
            plan = shrunk(plan, lambda candidate: _kind(play(made, candidate).wrong) == kind)
        story: list[str] = []
        ended = play(made, plan, story)
    print(f"{plan.setup.words() or 'the plainest world'}\n" + "\n".join(story))
    print("\n".join(f"WRONG {line}" for line in ended.wrong) or "in step")
    print(command(plan.seed, bug, as_arguments(plan, seed_plan)))
    return len(ended.wrong)


def _kind(wrong: list[str]) -> str:
    return wrong[0].partition(":")[0] if wrong else ""


def main() -> int:
    """The exit status: 0 when nothing went wrong."""
    parser = argparse.ArgumentParser("python -m tests.simulation", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--histories", type=int, default=1_000, help="how many to play")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that play")
    parser.add_argument("--minutes", type=float, help="end after so many, however many were played")
    parser.add_argument("--bug", choices=sorted(BUGS), help="put this bug into the product")
    parser.add_argument("--seed", type=int, help="play this one, and tell it")
    parser.add_argument("--keep", help="of its events only these, 3,7:2,9: 7 with but two effects")
    parser.add_argument("--setup", help="another world, listings=2,form=embedded")
    parser.add_argument("--whole", action="store_true", help="do not shrink what goes wrong")
    given = parser.parse_args()
    if given.seed is None:
        return min(1, many(given.first, given.histories, given.jobs, given.minutes, given.bug))
    seed_plan = drawn(given.seed)
    plan = from_arguments(seed_plan, given.keep, given.setup)
    return min(1, one(plan, seed_plan, given.bug, not given.whole and given.keep is None))


if __name__ == "__main__":
    sys.exit(main())
