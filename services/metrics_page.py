"""Writes docs/metrics.md from the metrics themselves: ``python -m services.metrics_page``."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from prometheus_client.metrics import MetricWrapperBase

from services.state_metrics import FAMILIES

HEAD = """\
# Metrics

Written by `make docs` from the metrics themselves. How to serve them, and what else may be watched, is in
[watching mlsync](watching.md).

Units are seconds and bytes; instants are seconds since 1970 UTC, so that `time() - …` is an age. Labels take few and
fixed values: feeds are those configured, and what an MLS says that is not known here counts as `other`. The Python
client's own `process_*` and `python_*` are served as well.
"""

DEEDS = """\
## What each process does

Counted by the process that does it, from its start. With several processes add them up:
`sum by (feed) (rate(mlsync_records_total[5m]))`.
"""

STATE = """\
## What is stored

Read from the database when somebody asks, at most every 15 seconds (less often where reading takes long). The
fetcher serves them, as does a process that runs all services; the others do not, so that a sum does not count them
twice. While two fetchers run, take `max by (feed, resource) (…)`.
"""

DECLARING = (
    "services.drain",
    "services.endpoints",
    "services.fetcher.drift",
    "services.fetcher.service",
    "services.geocoder.service",
    "services.media.others",
    "services.media.service",
    "services.outcome",
    "services.polite",
    "services.reconciler.service",
    "services.writer.service",
    "shared.consumer",
    "shared.transport.rabbitmq",
)
"""The modules that declare metrics."""

SUFFIX = {"counter": "_total", "info": "_info"}


def render() -> str:
    """The page."""
    deeds = sorted({row[0]: row for name in DECLARING for row in _declared(name)}.values())
    state = [(name, "gauge", labels, text) for name, (labels, text) in FAMILIES.items()]
    return "\n".join([HEAD, DEEDS, *_table(deeds), "", STATE, *_table(state)]) + "\n"


Row = tuple[str, str, tuple[str, ...], str]


def _declared(module: str) -> Iterator[Row]:
    for metric in vars(importlib.import_module(module)).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            labels = ("version",) if family.type == "info" else tuple(metric._labelnames)
            yield family.name + SUFFIX.get(family.type, ""), family.type, labels, family.documentation


def _table(rows: list[Row]) -> Iterator[str]:
    yield "| metric | type | labels | meaning |"
    yield "|---|---|---|---|"
    for name, kind, labels, text in rows:
        yield f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {text} |"


if __name__ == "__main__":
    print(render(), end="")
