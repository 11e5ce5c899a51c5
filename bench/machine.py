"""What it was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path


def machine() -> dict[str, str]:
    """Words about processor, memory, system and commit."""
    return {
        "processor": f"{os.cpu_count()} cores, {_line('/proc/cpuinfo', 'model name') or platform.machine()}",
        "memory": f"{int((_line('/proc/meminfo', 'MemTotal') or '0').split()[0]) / 1024**2:.0f} GiB",
        "system": (_line("/etc/os-release", "PRETTY_NAME", "=") or platform.system()).strip('"'),
        "python": platform.python_version(),
        "commit": _commit(),
    }


def load() -> float:
    """How many processes wanted a core during the last minute."""
    return round(os.getloadavg()[0], 1)


def _line(file: str, name: str, mark: str = ":") -> str:
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(mark)[2].strip() for line in lines if line.split(mark)[0].strip() == name), "")


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
