"""The Grafana dashboards, as far as Prometheus is concerned."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
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


def queries(feed: str = ".*") -> list[tuple[str, str]]:
    """Every panel's and variable's query as Grafana would send it, with what it belongs to."""
    found = []
    for name, dashboard in dashboards().items():
        for panel in panels(dashboard):
            found += [
                (f"{name}: {panel['title']} {target['refId']}", filled(target["expr"], feed))
                for target in panel.get("targets", ())
            ]
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
                assert asked, f"{name}: variable {variable['name']} asks for no label_values"
                found.append((f"{name}: ${variable['name']}", f"count by ({asked[2]}) ({asked[1]})"))
    return found


def filled(query: str, feed: str) -> str:
    """A query with its variables replaced."""
    return query.replace("$__rate_interval", "1m").replace("$feed", feed)
