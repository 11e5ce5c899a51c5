"""docs/performance.md, from the results."""

from __future__ import annotations

from bench.results import Results


def text(results: Results) -> str:
    """The page."""
    return str(results)
