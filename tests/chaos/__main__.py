"""Replay a run by its seed: ``python -m tests.chaos --seed N``; ``--help`` says what else."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.chaos.run import run
from tests.chaos.schedule import LINKS, LYING, SERVERS, SERVICES, Plan, schedule
from tests.chaos.world import own_servers


def main() -> int:
    """0 when all was equal, 1 when not."""
    subjects = (*SERVICES, *LINKS, *SERVERS, LYING)
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--listings", type=int, default=Plan.listings)
    parser.add_argument("--photos", type=int, default=Plan.photos, help="of a listing, on average")
    parser.add_argument("--kills", type=int, default=Plan.kills, help="of each service")
    parser.add_argument("--seconds", type=float, default=Plan.seconds, help="how long things happen")
    parser.add_argument("--crew", nargs="+", default=list(Plan.crew), help="processes: writer, writer-2, …")
    parser.add_argument("--nodes", type=int, default=1, help="of the broker")
    parser.add_argument("--only", nargs="+", default=[], choices=subjects, help="what it happens to, else all")
    parser.add_argument("--folder", type=Path, help="keep logs here")
    parser.add_argument("--print", action="store_true", help="print the schedule and end")
    given = parser.parse_args()
    plan = Plan(
        given.seed, given.listings, given.photos, given.seconds, given.kills, tuple(given.crew), given.nodes,
        tuple(given.only),
    )  # fmt: skip
    if given.print:
        print(*schedule(plan), sep="\n")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing it started is left
    with tempfile.TemporaryDirectory(prefix="mlsync-chaos-") as scratch:
        folder = given.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        with own_servers(folder, plan.nodes) as servers:
            outcome = run(plan, folder, servers, partial(print, flush=True))
    print(json.dumps(outcome.as_json(), indent=2))
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
