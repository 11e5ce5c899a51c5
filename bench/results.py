"""The results as they are kept: a JSON file, into which a part can be measured anew."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bench.figures import Figure


class Measured(msgspec.Struct):
    """One benchmark's run. ``load`` is how many processes wanted a core in the minute before it; ``error`` says why it
    has no figures."""

    figures: list[Figure] = []
    rounds: int = 0
    seconds: float = 0.0
    load: float = 0.0
    at: str = ""
    error: str = ""


class Results(msgspec.Struct):
    """All of them, by the benchmark's name, and the machine."""

    machine: dict[str, str]
    measured: dict[str, Measured] = {}


def read(path: Path) -> Results | None:
    """What is in the file; None when there is none. Raises msgspec.MsgspecError when it is something else."""
    return msgspec.json.decode(path.read_bytes(), type=Results) if path.exists() else None


def write(path: Path, results: Results) -> None:
    """Put them there, whole or not at all."""
    draft = path.with_name(path.name + ".part")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
    draft.replace(path)
