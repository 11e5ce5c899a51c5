"""Writes deploy/helm/dashboards/*.json: ``python -m deploy.generate.dashboards``. What they show is in ``boards``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery as Query
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models import dashboard as model

from deploy.generate.boards import BOARDS, Board, Panel

FOLDER = Path(__file__).parents[1] / "helm/dashboards"
SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
LOW, HIGH, WHOLE = 5, 8, 24


def render(board: Board) -> str:
    """The dashboard as Grafana reads it."""
    made = (
        dashboard.Dashboard(board.title).uid(board.uid).description(board.about).tags(["mlsync"]).editable()
        .tooltip(model.DashboardCursorSync.CROSSHAIR).refresh("30s").time("now-6h", "now").timezone("browser")
        .link(dashboard.DashboardLink("mlsync").type(model.DashboardLinkType.DASHBOARDS).tags(["mlsync"])
              .as_dropdown(True).include_vars(True).keep_time(True))
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(_variable("feed", "Feed", "mlsync_records_stored") if board.by_feed
                       else _variable("namespace", "Namespace", "kube_pod_info"))
    )  # fmt: skip
    for panel in _placed(board):
        made = made.with_row(panel) if isinstance(panel, dashboard.Row) else made.with_panel(panel)
    return json.dumps(made.build(), cls=JSONEncoder, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _variable(name: str, label: str, metric: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name).label(label).datasource(SOURCE)
        .query({"query": f"label_values({metric}, {name})", "refId": name})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(model.VariableSort.ALPHABETICAL_ASC)
        .include_all(True).multi(True).all_value(".*")
        .current(model.VariableOption(text=["All"], value=["$__all"], selected=True))
    )  # fmt: skip


def _placed(board: Board) -> Iterator[dashboard.Row | stat.Panel | timeseries.Panel]:
    """Rows and panels with ids in order; in each row from left to right, figures above graphs."""
    number = y = 0
    for title, panels in board.rows:
        number += 1
        yield dashboard.Row(title).id(number).grid_pos(model.GridPos(h=1, w=WHOLE, x=0, y=y))
        y += 1
        x = height = 0
        for panel in panels:
            number += 1
            low = panel.kind in ("figure", "name")
            high = LOW if low else HIGH
            if x + panel.width > WHOLE or (height and height != high):
                x, y = 0, y + height
            height = high
            place = model.GridPos(h=high, w=panel.width, x=x, y=y)
            x += panel.width
            made = _figure(panel) if low else _graph(panel)
            if isinstance(made, stat.Panel):
                yield made.id(number).grid_pos(place)
            else:
                yield made.id(number).grid_pos(place)
        y += height


def _targets(panel: Panel, *, instant: bool) -> list[Builder[Query]]:
    made: list[Builder[Query]] = []
    for letter, (query, legend) in zip("ABC", panel.queries, strict=False):
        target = prometheus.Dataquery().ref_id(letter).datasource(SOURCE).expr(query).legend_format(legend)
        made.append(target.instant() if instant else target.range())
    return made


def _figure(panel: Panel) -> stat.Panel:
    steps = [model.Threshold(value=None, color="green")]
    steps += [model.Threshold(value=panel.orange, color="orange")] if panel.orange is not None else []
    steps += [model.Threshold(value=panel.red, color="red")] if panel.red is not None else []
    return (
        stat.Panel().title(panel.title).description(panel.about).datasource(SOURCE).unit(panel.unit)
        .targets(_targets(panel, instant=True)).no_value("0").graph_mode(look.BigValueGraphMode.NONE)
        .text_mode(look.BigValueTextMode.NAME if panel.kind == "name" else look.BigValueTextMode.VALUE_AND_NAME)
        .thresholds(dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps))
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )  # fmt: skip


def _graph(panel: Panel) -> timeseries.Panel:
    stacked = look.StackingMode.NORMAL if panel.kind == "areas" else look.StackingMode.NONE
    made = (
        timeseries.Panel().title(panel.title).description(panel.about).datasource(SOURCE).unit(panel.unit)
        .targets(_targets(panel, instant=False)).min(0).line_width(1)
        .fill_opacity(40 if panel.kind == "areas" else 10).show_points(look.VisibilityMode.NEVER)
        .stacking(common.StackingConfig().mode(stacked).group("A"))
        .legend(common.VizLegendOptions().display_mode(look.LegendDisplayMode.TABLE)
                .placement(look.LegendPlacement.BOTTOM).show_legend(True).calcs(["lastNotNull"]))
        .tooltip(common.VizTooltipOptions().mode(look.TooltipDisplayMode.MULTI).sort(look.SortOrder.DESCENDING))
    )  # fmt: skip
    for legend, unit in panel.right.items():
        made = made.override_by_name(
            legend,
            [model.DynamicConfigValue(id_val="unit", value=unit),
             model.DynamicConfigValue(id_val="custom.axisPlacement", value="right")],
        )  # fmt: skip
    return made


def main() -> None:
    """Write the files."""
    for board in BOARDS:
        (FOLDER / f"{board.uid.removeprefix('mlsync-')}.json").write_text(render(board))


if __name__ == "__main__":
    main()
