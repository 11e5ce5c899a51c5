"""Pictures of the dashboards, from a Prometheus that scrapes four processes: ``python -m tests.pipeline.pictures``.

Written to docs/pictures, by hand, to be looked at: for some minutes listings change at the simulated MLS, while not all
is well there; then each panel is drawn where the dashboard has it.
"""

from __future__ import annotations

import argparse
import functools
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from tests.packaging.dashboards import Json, dashboards, filled, panels
from tests.pipeline.forms import Servers
from tests.pipeline.seen import ROOT, Prometheus, seen
from tests.servers.postgres import postgres
from tests.servers.rabbitmq import rabbitmq
from tests.servers.s3 import s3_server

FOLDER = ROOT / "docs/pictures"
WIDTH, ROW = 18.0, 0.42
"""Inches: of a dashboard, and of a unit of its height."""
NAMED = 6
"""Lines of a panel that are named below it: in three columns, or half as many in one where a name is ``LONG``."""
LONG = 26


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
            figure.text(left + 0.005, bottom + tall * 0.3, panel["title"], fontsize=14, weight="bold")
            continue
        axes = figure.add_axes((left + width * 0.11, bottom + tall * 0.33, width * 0.8, tall * 0.5))
        axes.set_title(panel["title"], fontsize=10, weight="bold", loc="left")
        (_figures if panel["type"] == "stat" else _lines)(axes, panel, prometheus, start, end)
    path = FOLDER / f"dashboard-{name}.png"
    figure.savefig(path, dpi=75)
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
            said.append(name if only_name else f"{name}  {_told(value, unit=panel['fieldConfig']['defaults']['unit'])}")
    axes.axis("off")
    axes.text(0.0, 0.5, "\n".join(said) or panel["fieldConfig"]["defaults"]["noValue"], fontsize=12, va="center")


def _lines(axes: Axes, panel: Json, prometheus: Prometheus, start: float, end: float) -> None:
    lines: list[tuple[str, list[float], list[float]]] = []
    for target in panel["targets"]:
        for series in prometheus.over(filled(target["expr"], "ddf").replace("[5m]", "[30s]"), start, end, 2):
            points: list[Any] = [(float(at) - start, float(value)) for at, value in series["values"]]
            lines.append((_named(target, series["metric"]), [at / 60 for at, _ in points], [y for _, y in points]))
    right = {item["matcher"]["options"] for item in panel["fieldConfig"].get("overrides", ())}
    other = axes.twinx() if right else axes
    for number, (name, at, values) in enumerate(lines):
        (other if name in right else axes).plot(at, values, label=name, linewidth=1.5, color=f"C{number % 10}")
    unit = panel["fieldConfig"]["defaults"]["unit"]
    units = {item["matcher"]["options"]: item["properties"][0]["value"] for item in _overridden(panel)}
    for one, its in ((axes, unit), (other, next(iter(units.values()), unit))):
        highest = float(one.dataLim.y1)
        one.set_ylim(bottom=0, top=1.1 * highest if highest > 0 else None)
        one.tick_params(labelsize=8)
        one.yaxis.set_major_locator(MaxNLocator(4))
        one.yaxis.set_major_formatter(FuncFormatter(functools.partial(_told, unit=its)))
    axes.xaxis.set_major_formatter("{x:g} min")
    axes.grid(alpha=0.3)
    handles = [line for one in dict.fromkeys((axes, other)) for line in one.get_lines()]
    long = any(len(str(line.get_label())) > LONG for line in handles)
    axes.legend(
        handles=handles[: NAMED // 2 if long else NAMED], fontsize=8, loc="upper left", bbox_to_anchor=(-0.08, -0.14),
        ncol=1 if long else 3, frameon=False, handlelength=1, columnspacing=1,
    )  # fmt: skip


def _overridden(panel: Json) -> list[Json]:
    return [item for item in panel["fieldConfig"].get("overrides", ()) if item["properties"][0]["id"] == "unit"]


def _told(value: float, _place: int = 0, *, unit: str) -> str:
    """A value as Grafana would show it in one of its units, nearly."""
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    if unit == "s":
        for seconds, name in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
            if value >= seconds:
                return f"{value / seconds:.3g} {name}"
        return f"{1_000 * value:.3g} ms"
    suffix = {"bytes": "B", "Bps": "B/s", "ops": "/s", "reqps": "/s", "eps": "/s"}.get(unit, "")
    for size, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {name}{suffix}".rstrip()
    return f"{value:.3g} {suffix}".rstrip()


if __name__ == "__main__":
    main()
