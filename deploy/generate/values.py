"""The chart's values as they are documented: each with its path, default and comment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[1] / "helm"
FILE = CHART / "values.yaml"


@dataclass(frozen=True)
class Value:
    """A value, or a group of them; ``about`` is the comment above it, empty where there is none."""

    path: tuple[str, ...]
    default: Any
    about: str

    @property
    def name(self) -> str:
        """As ``--set`` has it."""
        return ".".join(self.path)


def default_values() -> dict[str, Any]:
    """What holds where nothing is said."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return found


@cache
def everything() -> tuple[Value, ...]:
    """Every value and group that has a line of its own, in order."""
    defaults = default_values()
    found: list[Value] = []
    above: list[str] = []
    parents: list[tuple[int, str]] = []
    for line in FILE.read_text().splitlines():
        text = line.strip()
        if text.startswith("#"):
            above.append(text.removeprefix("#").strip())
            continue
        if text:
            indent = len(line) - len(text)
            parents = [parent for parent in parents if parent[0] < indent] + [(indent, text.partition(":")[0])]
            path = tuple(name for _, name in parents)
            found.append(Value(path, _at(defaults, path), " ".join(above)))
        above = []
    return tuple(found)


@cache
def documented() -> tuple[Value, ...]:
    """The values a reader chooses: single ones, and groups that are explained as a whole."""
    found = everything()
    explained = {value.path for value in found if value.about}
    groups = {path[:length] for path in explained for length in range(1, len(path))}
    return tuple(value for value in found if value.about and value.path not in groups)


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        values = values[name]
    return values
