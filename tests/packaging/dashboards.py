"""The Grafana dashboards, as far as Prometheus is concerned."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "deploy/helm/dashboards"
Json = dict[str, Any]


def dashboards() -> dict[str, Json]:
    """Each dashboard by the name of its file."""
    return {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def panels(dashboard: Json) -> Iterator[Json]:
    """Every panel, those of collapsed rows too."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", ())


@dataclass(frozen=True)
class Query:
    """What Grafana sends for one target of a panel, or for a variable."""

    dashboard: str
    panel: str
    text: str

    @property
    def of(self) -> str:
        """What it belongs to, in words."""
        return f"{self.dashboard}: {self.panel}: {self.text}"


def queries(feed: str = ".*", *, cluster: bool = True) -> list[Query]:
    """Every panel's and variable's query; of the dashboard that only Kubernetes has figures for if ``cluster``."""
    found = []
    for name, dashboard in dashboards().items():
        if name == "cluster.json" and not cluster:
            continue
        found += [
            Query(name, panel["title"], filled(target["expr"], feed))
            for panel in panels(dashboard)
            for target in panel.get("targets", ())
        ]
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
                assert asked, f"{name}: variable {variable['name']} asks for no label_values"
                found.append(Query(name, f"${variable['name']}", f"count by ({asked[2]}) ({asked[1]})"))
    return found


def filled(query: str, feed: str) -> str:
    return query.replace("$__rate_interval", "5m").replace("$feed", feed).replace("$namespace", ".*")
