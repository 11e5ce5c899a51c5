"""Whole syncs: the first, one without changes, one after a day that changed a hundredth; in both forms, as they grow.

Without photos, so that it is about listings. Time is the sync's own, as it reports it; memory is the peak of the
process, in the distributed form of all of them together.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from xml.parsers import expat

from bench import chain
from bench.figures import Figure
from bench.mls import PASSWORD, USERNAME, Mls, simulated
from bench.peak import megabytes
from bench.rounds import middle, say, seconds
from bench.servers import folder, servers, store_of
from services.distributed import fetcher_of
from tests.pipeline.simulated import MLSYNC, bare_env, command, process, until

LONG = "MLSYNC_BENCH_LONG"
"""Set, the distributed form too is measured with 100,000 listings, which 45 minutes do not allow."""
SIZES = (1_000, 10_000, 100_000)
_WATCHED = """
import sys
from services.cli import main
try:
    main()
finally:
    print(open("/proc/self/status").read(), file=sys.stderr)
"""
Sync = Callable[[], tuple[float, float]]
"""Syncs; seconds, and MB at the peak."""
Installed = Callable[[Path, Mls], AbstractContextManager[Sync]]


@dataclass
class Run:
    """What was measured of one form with so many listings."""

    form: str
    listings: int
    first: tuple[float, float]
    changed: tuple[float, float]
    unchanged: list[tuple[float, float]] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    """Seconds of a bare request for the same inventory, beside each sync without changes."""


def measure(rounds: int) -> list[Figure]:
    """See the module."""
    rates = [_chain_rate()]
    runs = [_run("embedded", listings, rounds, _embedded) for listings in SIZES]
    rates.append(_chain_rate())
    sizes = SIZES if os.environ.get(LONG) else SIZES[:-1]
    runs += [_run("distributed", listings, rounds, _distributed) for listings in sizes]
    return [*_targets(runs, rates), *(figure for run in runs for figure in _shown(run, runs))]


def _chain_rate() -> float:
    (figure,) = chain.measure(2)
    return float(figure.detail["listings/s"])


def _targets(runs: list[Run], rates: list[float]) -> list[Figure]:
    small, large = runs[0], next(run for run in reversed(runs) if run.form == "embedded")
    share = large.listings / large.first[0] / (sum(rates) / len(rates))
    growth = (large.first[0] / large.listings) / (small.first[0] / small.listings)
    times = [sync[0] / bare for sync, bare in zip(large.unchanged, large.bare, strict=True)]
    name = f"{large.listings:,} listings"
    return [
        Figure(f"sync without changes, {name}, embedded", middle(times), 3.0, False, "x",
               "a bare request for the same inventory, read by expat", times,
               {"seconds": middle([sync[0] for sync in large.unchanged]), "seconds of the floor": middle(large.bare)}),
        Figure(f"first sync, {name}, embedded", share, 0.40, True, "%", "the chain's rate, before and after", [share],
               {"listings/s": round(large.listings / large.first[0]), "listings/s of the chain": middle(rates)}),
        Figure(f"first sync, cost of one of {name}", growth, 1.15, False, "x", f"that of one of {small.listings:,}",
               [growth], {}),
    ]  # fmt: skip


def _shown(run: Run, runs: list[Run]) -> Iterator[Figure]:
    """Seconds and memory of each kind of sync, as multiples of those with the fewest listings in the same form."""
    least = next(other for other in runs if other.form == run.form)
    for kind, mine, of_least in (
        ("first", run.first, least.first),
        ("no change", _typical(run.unchanged), _typical(least.unchanged)),
        ("1 % changed", run.changed, least.changed),
    ):
        times = mine[0] / of_least[0]
        yield Figure(
            f"whole sync: {kind}, {run.listings:,} listings, {run.form}", times, 0.0, True, "x",
            f"{least.listings:,} listings", [times], {"seconds": round(mine[0], 2), "MB at the peak": round(mine[1])},
        )  # fmt: skip


def _typical(measured: list[tuple[float, float]]) -> tuple[float, float]:
    return median(sync[0] for sync in measured), max(sync[1] for sync in measured)


def _run(form: str, listings: int, rounds: int, installed: Installed) -> Run:
    with folder() as here, simulated(listings, 0) as mls, installed(here, mls) as sync:
        run = Run(form, listings, sync(), (0.0, 0.0))
        say(f"{form}, {listings:,}: first {run.first[0]:.1f} s, {run.first[1]:.0f} MB")
        for _ in range(rounds):
            run.bare.append(seconds(lambda: _bare(mls)))
            run.unchanged.append(sync())
        mls.advance()
        run.changed = sync()
        say(f"no change {_typical(run.unchanged)[0]:.2f} s, 1 % changed {run.changed[0]:.1f} s")
    return run


def _bare(mls: Mls) -> None:
    expat.ParserCreate("utf-8").Parse(mls.inventory(), True)


def _feed(mls: Mls) -> dict[str, str]:
    return {
        "MLSYNC_FEEDS__DDF__PROTOCOL": "ddf",
        "MLSYNC_FEEDS__DDF__LOGIN_URL": mls.login_url,
        "MLSYNC_FEEDS__DDF__USERNAME": USERNAME,
        "MLSYNC_FEEDS__DDF__PASSWORD": PASSWORD,
    }


@contextmanager
def _embedded(here: Path, mls: Mls) -> Iterator[Sync]:
    env = bare_env() | _feed(mls)

    def sync() -> tuple[float, float]:
        with process([sys.executable, "-c", _WATCHED, "sync", "--json"], env, here) as running:
            out, err = running.communicate()
        return _reported(running.returncode, out, err), megabytes("VmHWM", err)

    yield sync


@contextmanager
def _distributed(here: Path, mls: Mls) -> Iterator[Sync]:
    """A process of each service, without media, and `mlsync sync`, which asks them."""
    with servers(here) as at, ExitStack() as stack:
        env = bare_env() | at.place(here).settings | _feed(mls) | {"MLSYNC_FEEDS__DDF__HOURS": _not_now()}
        done = command("migrate", env=env, cwd=here)
        assert done.code == 0, done.err
        pids: list[int] = []
        for service in ("reconciler", "writer", "fetcher"):
            log = stack.enter_context((here / f"log-{service}").open("w"))
            command_line = [str(MLSYNC), "run", service]
            pids.append(stack.enter_context(process(command_line, env, here, log.fileno())).pid)
        with closing(store_of(env)) as store:
            until(lambda: store.leases.holder(fetcher_of("ddf")) is not None)

        def sync() -> tuple[float, float]:
            done = command("sync", "--json", env=env, cwd=here, seconds=3_600)
            peaks = [megabytes("VmHWM", Path(f"/proc/{pid}/status").read_text()) for pid in pids]
            return _reported(done.code, done.out, done.err), sum(peaks)

        yield sync


def _not_now() -> str:
    """Hours that begin in six: no sync begins by itself, those asked for do."""
    hour = datetime.now(UTC).hour
    return f"{(hour + 6) % 24:02d}:00-{(hour + 7) % 24:02d}:00 UTC"


def _reported(code: int, out: str, err: str) -> float:
    assert code == 0, re.sub(r"(?m)^Vm.*\n", "", err)[-2_000:]
    return float(json.loads(out)["feeds"]["ddf"]["seconds"])
