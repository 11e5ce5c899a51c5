"""Run the benchmarks: ``python -m bench [--only NAME…] [--rounds N] [--json FILE] [--page FILE]``.

Prints a table. With ``--json`` the results are kept in a file, benchmark by benchmark as they come; what is measured
anew replaces what the file had. ``--page`` writes the page of the documentation from the results; with ``--only`` and
no name nothing is measured, and it is written from the file alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench import catalogue, page, table
from bench.figures import Figure
from bench.machine import load, machine
from bench.programs import install
from bench.results import Measured, Results, read, write

SECONDS = 1_500
"""No benchmark may take longer."""


def main() -> int:
    """0 when all were measured, whatever they showed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the hot paths against their floors.")
    parser.add_argument("--only", nargs="*", metavar="NAME", choices=catalogue.names(), help="these benchmarks alone")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds of each (default: 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the results in this file")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the page of the documentation there")
    asked = parser.parse_args()
    names: list[str] = catalogue.names() if asked.only is None else asked.only
    results = (read(asked.json) if asked.json else None) or Results({})
    if names:
        results.machine = machine()
        if code := install():
            return code
    begun = time.monotonic()
    for number, name in enumerate(names, start=1):
        print(f"[{number}/{len(names)}, {time.monotonic() - begun:.0f} s] {name}", file=sys.stderr, flush=True)
        results.measured[name] = measured = _measure(name, asked.rounds)
        print("\n".join(table.lines(measured)) or f"    {measured.error}", file=sys.stderr, flush=True)
        if asked.json:
            asked.json.parent.mkdir(parents=True, exist_ok=True)
            write(asked.json, results)
    if asked.page:
        asked.page.write_text(page.text(results))
    print("\n".join(line for measured in results.measured.values() for line in table.lines(measured)))
    return 1 if any(results.measured[name].error for name in names) else 0


def _measure(name: str, rounds: int) -> Measured:
    measured = Measured(rounds=rounds, load=load(), at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"))
    started = time.monotonic()
    command = [sys.executable, "-m", "bench.one", name, str(rounds)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as running:
        try:
            said, _ = running.communicate(timeout=SECONDS)
            measured.figures = _figures(said) if not running.returncode else []
            measured.error = f"it ended with {running.returncode}" if running.returncode else ""
        except subprocess.TimeoutExpired:
            measured.error = f"it took longer than {SECONDS} seconds"
        finally:
            running.terminate()  # not killed: what it started would stay
    measured.seconds = round(time.monotonic() - started, 1)
    return measured


def _figures(said: bytes) -> list[Figure]:
    """What it printed last; servers it started may have said something before."""
    return msgspec.json.decode(said.splitlines()[-1], type=list[Figure])


if __name__ == "__main__":
    sys.exit(main())
