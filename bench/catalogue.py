"""Which benchmarks there are: the modules of this package that have ``measure``, in the order of the data's way."""

from __future__ import annotations

from importlib.util import find_spec

ORDER = (
    "parse", "inventory", "reconcile", "messages", "postgres_write", "sqlite_write", "chain", "photos", "workers",
    "multipart", "syncs",
)  # fmt: skip


def names() -> list[str]:
    """The benchmarks that are there."""
    return [name for name in ORDER if find_spec(f"bench.{name}") is not None]
