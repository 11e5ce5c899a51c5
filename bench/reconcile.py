"""Reconciling an inventory of 1,000,000 text keys with the store, against sorting the same keys.

Each inventory goes through the reconciler's own handling of its ranges, as the fetcher cuts them: reading the ledger,
comparing, writing what is wanted, marking the range, weighing. One key in a hundred has changed, one in ten thousand is
new, as many are gone. Each runs in a process of its own, whose greatest memory is measured; making the ranges is not
timed.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.figures import Figure
from bench.pages import FEED, RUN
from services import collector
from services.reconciler.service import Reconciler
from services.reconciler.settings import ReconcilerSettings
from shared.effects import Line, PutLine
from shared.messages import Envelope, InventoryTaken
from shared.outbox import Outbox
from shared.store.base import Store
from shared.store.postgres.store import PostgresStore
from shared.store.sqlite.store import SqliteStore
from shared.transport.base import Delivery
from tests.servers.postgres import own_postgres

KEYS = 1_000_000
RANGE = 5_000
"""As ``range_size`` of the fetcher."""
STAMP = "Sat, 02 Jan 2027 10:00:00 GMT"
MIB = 1024
KEY_LENGTH = 17


def measure(rounds: int) -> list[Figure]:
    """On both databases."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="mlsync-bench-", dir=".") as folder, own_postgres(durable=True) as server:
        for name, where in (("SQLite", str(Path(folder) / "mlsync.db")), ("PostgreSQL", server.create())):
            fill(where)
            found = [_once(where, turn, Path(folder) / "inventory") for turn in range(rounds)]
            ratios = [one["reconcile"] / one["sort"] for one in found]
            detail: dict[str, float | str] = {
                "reconcile, s": round(median(one["reconcile"] for one in found), 2),
                "sort, s": round(median(one["sort"] for one in found), 2),
            }
            path = f"reconcile {KEYS:,} text keys, {name}"
            figures.append(Figure(path, median(ratios), 8, False, "x", "sorting the same keys", ratios, detail))
            peaks = [one["peak"] for one in found]
            figures.append(Figure(f"{path}, peak", median(peaks), 200, False, "MB", "none", peaks, {}))
    return figures


def key(number: int) -> str:
    """An opaque key, as of a server whose keys are texts."""
    return f"K{number * 2_654_435_761 % 2**32:08X}-{number:07d}"


class _Nowhere:
    """A transport for messages that nobody waits for."""

    def publish_all(self, _queue: str, bodies: Iterable[bytes]) -> None:
        """Let them go."""
        deque(bodies, maxlen=0)


def store_at(where: str) -> Store:
    """The store of either database."""
    return PostgresStore(where) if "://" in where else SqliteStore(Path(where))


def fill(where: str) -> None:
    """Have all keys stored, as far as the ledger knows."""
    store = store_at(where)
    store.migrate()
    at = store.feeds.observe(FEED)
    keys = sorted(map(key, range(KEYS)))
    for start in range(0, KEYS, 20_000):
        with store.write() as tx:
            lines = [
                Line(one, stored=True, observed_at=at, stamp=STAMP, hash=b"0" * 16)
                for one in keys[start : start + 20_000]
            ]
            tx.records.apply(FEED, "property", RUN, [PutLine(line) for line in lines])
    store.close()


def _once(where: str, turn: int, inventory: Path) -> dict[str, float]:
    with inventory.open("w") as file:
        file.writelines(f"{name}\t{stamp}\n" for name, stamp in sorted(_entries(turn)))
    command = [sys.executable, "-m", "bench.reconcile", where, str(turn), str(inventory)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=900)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])  # what was logged stands before it
    return found


def _entries(turn: int) -> Iterator[tuple[str, str]]:
    """The inventory: a hundredth changed, a few gone, as many new."""
    other = f"Sun, 0{turn % 9 + 1} Feb 2027 10:00:00 GMT"
    numbers = (number + KEYS if number % 10_000 == turn else number for number in range(KEYS))
    return ((key(number), other if number % 100 == turn % 100 else STAMP) for number in numbers)


def _ranges(inventory: Path) -> Iterator[list[tuple[str, str]]]:
    with inventory.open() as file:
        while some := [(line[:KEY_LENGTH], line[KEY_LENGTH + 1 : -1]) for line in islice(file, RANGE)]:
            yield some


def _reconciled(where: str, turn: int, inventory: Path) -> tuple[float, float]:
    """The seconds that sorting took, and reconciling. Ranges are made from a file, for memory is measured."""
    store = store_at(where)
    settings = {FEED: ReconcilerSettings(remove_at_least=0, remove_share=0.0)}
    reconciler = Reconciler(settings, store, Outbox(_Nowhere()))  # type: ignore[arg-type]
    with inventory.open() as file:
        keys = [line[:KEY_LENGTH] for line in file]
    random.Random(turn).shuffle(keys)
    began = perf_counter()
    keys.sort()
    sort = perf_counter() - began
    del keys
    at = store.feeds.observe(FEED)
    parts = -(-KEYS // RANGE)
    spent = 0.0
    after = None
    for part, some in enumerate(_ranges(inventory), start=1):
        upto = None if part == parts else some[-1][0]
        taken = InventoryTaken(
            feed=FEED, resource="property", observed_at=at, server_date=None, after=after, upto=upto,
            entries=some, count=KEYS, part=part, parts=parts,
        )  # fmt: skip
        after = upto
        envelope = Envelope(str(part), InventoryTaken.TYPE, RUN, 0, b"")  # type: ignore[arg-type]
        began = perf_counter()
        reconciler.handle(envelope, taken, Delivery("reconciler", b"", 1))
        spent += perf_counter() - began
    store.close()
    return sort, spent


if __name__ == "__main__":
    if len(sys.argv) > 2:
        collector.look_seldom()  # as mlsync itself does
        sort, spent = _reconciled(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
        print(json.dumps({"sort": sort, "reconcile": spent, "peak": peak}))
    else:
        for one in measure(5):
            print(one)
