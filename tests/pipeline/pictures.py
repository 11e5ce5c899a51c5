"""Pictures of the dashboards, from a Prometheus that scrapes four processes: ``python -m tests.pipeline.pictures``.

Written to docs/pictures, by hand, to be looked at: for some minutes listings change at the simulated MLS, while not all
is well there; then each panel is drawn where the dashboard has it.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from matplotlib import pyplot
from matplotlib.axes import Axes
from PIL import Image

from tests.packaging.dashboards import Json, dashboards, filled, panels
from tests.pipeline.forms import Servers
from tests.pipeline.seen import ROOT, Prometheus, seen
from tests.servers.postgres import postgres
from tests.servers.rabbitmq import rabbitmq
from tests.servers.s3 import s3_server

FOLDER = ROOT / "docs/pictures"
WIDTH, ROW = 15.0, 0.33
"""Inches: of a dashboard, and of a unit of its height."""


def main() -> None:
    """Draw all."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--minutes", type=float, default=5)
    options.add_argument("--listings", type=int, default=200)
    chosen = options.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="mlsync-pictures-") as name,
        rabbitmq(Path(name) / "rabbitmq") as broker,
        postgres() as database,
        s3_server(Path(name) / "s3") as s3,
    ):
        folder = Path(name) / "here"
        folder.mkdir()
        with seen(Servers(broker, database, s3), folder, chosen.listings) as (mls, _, prometheus):
            began = time.time()
            while time.time() < began + 60 * chosen.minutes:
                mls.advance()
                time.sleep(30)
            for file, board in dashboards().items():
                if file != "cluster.json":
                    _draw(file.removesuffix(".json"), board, prometheus, began, time.time())


def _draw(name: str, board: Json, prometheus: Prometheus, start: float, end: float) -> None:
    shown = list(panels(board))
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in shown)
    figure = pyplot.figure(figsize=(WIDTH, height * ROW), facecolor="white")
    for panel in shown:
        place = panel["gridPos"]
        left, width = place["x"] / 24, place["w"] / 24
        bottom, tall = 1 - (place["y"] + place["h"]) / height, place["h"] / height
        if panel["type"] == "row":
            figure.text(left + 0.005, bottom + tall * 0.3, panel["title"], fontsize=11, weight="bold")
            continue
        axes = figure.add_axes((left + width * 0.12, bottom + tall * 0.16, width * 0.84, tall * 0.66))
        axes.set_title(panel["title"], fontsize=8, loc="left")
        (_figures if panel["type"] == "stat" else _lines)(axes, panel, prometheus, start, end)
    path = FOLDER / f"dashboard-{name}.png"
    figure.savefig(path, dpi=70)
    pyplot.close(figure)
    Image.open(path).convert("RGB").quantize(48).save(path, optimize=True)


def _named(target: Json, labels: dict[str, str]) -> str:
    legend: str = target["legendFormat"]
    for label, value in labels.items():
        legend = legend.replace("{{" + label + "}}", value.replace("127.0.0.1", ""))
    return re.sub(r"{{\w+}} ?", "", legend)


def _figures(axes: Axes, panel: Json, prometheus: Prometheus, _start: float, _end: float) -> None:
    only_name = panel["options"]["textMode"] == "name"
    said = []
    for target in panel["targets"]:
        for series in prometheus.query(filled(target["expr"], "ddf")):
            name, value = _named(target, series["metric"]), float(series["value"][1])
            said.append(name if only_name else f"{name}  {value:,.0f}")
    axes.axis("off")
    axes.text(0.0, 0.5, "\n".join(said) or panel["fieldConfig"]["defaults"]["noValue"], fontsize=10, va="center")


def _lines(axes: Axes, panel: Json, prometheus: Prometheus, start: float, end: float) -> None:
    lines: list[tuple[str, list[float], list[float]]] = []
    for target in panel["targets"]:
        for series in prometheus.over(filled(target["expr"], "ddf").replace("[5m]", "[30s]"), start, end, 2):
            points: list[Any] = [(float(at) - start, float(value)) for at, value in series["values"]]
            lines.append((_named(target, series["metric"]), [at / 60 for at, _ in points], [y for _, y in points]))
    right = {item["matcher"]["options"] for item in panel["fieldConfig"].get("overrides", ())}
    other = axes.twinx() if right else axes
    for number, (name, at, values) in enumerate(lines):
        (other if name in right else axes).plot(at, values, label=name, linewidth=1, color=f"C{number % 10}")
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=6)
    axes.set_ylabel(panel["fieldConfig"]["defaults"]["unit"], fontsize=6)
    handles = [line for one in {axes, other} for line in one.get_lines()]
    axes.legend(handles=handles[:8], fontsize=5, loc="upper left")


if __name__ == "__main__":
    main()
