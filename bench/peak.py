"""Memory of a function in a process of its own: ``python -m bench.peak MODULE FUNCTION`` prints start and peak.

The peak is the kernel's, so none is missed; the start is what the process had when the function began.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from services import collector

STATUS = Path("/proc/self/status")


def grown(module: str, function: str) -> tuple[float, float]:
    """MB at the beginning of the function, and at its peak."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.peak", module, function], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    start, peak = done.stdout.split()[-2:]
    return float(start), float(peak)


def megabytes(name: str, status: str) -> float:
    """A line of a process's status, in MB of 1,000,000 bytes."""
    found = re.search(rf"^{name}:\s*(\d+) kB", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024 / 1e6


def main() -> None:
    """See the module."""
    function = getattr(import_module(sys.argv[1]), sys.argv[2])
    collector.look_seldom()  # as mlsync itself does
    start = megabytes("VmRSS", STATUS.read_text())
    function()
    print(start, megabytes("VmHWM", STATUS.read_text()))


if __name__ == "__main__":
    main()
