"""The dashboards and Prometheus's configuration as they are written; ``make drill`` asks a live Prometheus."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as grafana

from deploy.generate import boards
from deploy.generate.dashboards import render
from tests.packaging.dashboards import FOLDER, dashboards, panels, queries

ROOT = Path(__file__).parents[2]
BOARDS = dashboards()


def _promtool(*arguments: str) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_files_are_as_they_are_generated() -> None:
    made = {f"{board.uid.removeprefix('mlsync-')}.json": render(board) for board in boards.BOARDS}
    assert {name: (FOLDER / name).read_text() for name in BOARDS} == made, "make docs"
    assert len(queries()) > 100


@pytest.mark.parametrize("name", BOARDS)
def test_grafanas_own_types_know_every_key_and_value(name: str) -> None:
    """What they do not know, they drop or refuse."""
    read = grafana.Dashboard.from_json(copy.deepcopy(BOARDS[name]))
    assert json.loads(json.dumps(read, cls=JSONEncoder)) == BOARDS[name]


def test_every_query_is_one_that_prometheus_understands(tmp_path: Path) -> None:
    rules = [{"record": f"query:{number}", "expr": query.text} for number, query in enumerate(queries())]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "dashboards", "rules": rules}]}))
    _promtool("check", "rules", str(tmp_path / "rules.yml"))


def test_every_metric_of_ours_that_is_asked_for_is_one_that_mlsync_has() -> None:
    known = set(re.findall(r"^\| `(mlsync_\w+)`", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE))
    known |= {f"{name}_{part}" for name in known for part in ("bucket", "count", "sum")}
    asked = {name for query in queries() for name in re.findall(r"\bmlsync_\w+", query.text)}
    assert asked
    assert asked <= known


def test_prometheus_understands_its_configuration() -> None:
    _promtool("check", "config", str(ROOT / "deploy/prometheus/prometheus.yml"))


@pytest.mark.parametrize("name", BOARDS)
def test_panels_have_ids_of_their_own_and_do_not_overlap(name: str) -> None:
    shown = list(panels(BOARDS[name]))
    assert len({panel["id"] for panel in shown}) == len(shown)
    assert not [(one["title"], other["title"]) for one, other in combinations(shown, 2) if _overlap(one, other)]
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in shown)


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    a, b = one["gridPos"], other["gridPos"]
    return bool(
        a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]
    )


@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_says_what_it_shows_and_takes_the_data_source_chosen(name: str) -> None:
    for panel in panels(BOARDS[name]):
        if panel["type"] == "row":
            continue
        assert panel["description"].endswith((".", "`.")), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert {item["datasource"]["uid"] for item in (panel, *panel["targets"])} == {"${datasource}"}


def test_the_dashboard_that_grafana_opens_with_is_mounted() -> None:
    grafana = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    mounted = {target: source for source, target, *_ in (volume.split(":") for volume in grafana["volumes"])}
    assert (ROOT / mounted[str(home.parent)] / home.name).is_file()
    provider = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/mlsync.yml").read_text())
    assert provider["providers"][0]["options"]["path"] == str(home.parent)
