"""The alerts, on series as they come: each in a case in which it fires and one in which it keeps quiet."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm.chart import CHART
from tests.packaging.dashboards import dashboards, panels

ROOT = Path(__file__).parents[2]
FILE = CHART / "rules/mlsync.yaml"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]
]  # fmt: skip
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
DAY = 24 * 60

FEED = 'feed="ddf"'
LISTINGS = f'{FEED}, resource="property"'


def _changes(in_time: int, in_hour: int, whole: int) -> dict[str, str]:
    """So many changes a minute: within 15 minutes, within 60, and all."""
    name = "mlsync_freshness_seconds"
    return {
        f'{name}_bucket{{{LISTINGS}, le="900.0"}}': f"0+{in_time}x600",
        f'{name}_bucket{{{LISTINGS}, le="3600.0"}}': f"0+{in_hour}x600",
        f"{name}_count{{{LISTINGS}}}": f"0+{whole}x600",
    }


IN_STEP = {f"mlsync_run_in_step_timestamp_seconds{{{FEED}}}": "60x2000"}


@dataclass(frozen=True)
class Case:
    """Series as promtool writes them, a sample a minute; whether the alert fires ``at`` that minute, and for what."""

    alert: str
    series: dict[str, str]
    at: int
    fires: str = ""
    """Labels of what fires; none: it keeps quiet."""


def _consumers(consumers: int, messages: int, queue: str = "media") -> dict[str, str]:
    return {
        f'rabbitmq_detailed_queue_consumers{{queue="{queue}", vhost="/"}}': f"{consumers}x60",
        f'rabbitmq_detailed_queue_messages{{queue="{queue}", vhost="/"}}': f"{messages}x60",
    }


def _logins(failed: str, ok: str) -> dict[str, str]:
    return {f'mlsync_logins_total{{{FEED}, outcome="{name}"}}': values for name, values in
            (("failed", failed), ("ok", ok))}  # fmt: skip


def _photos(failed: int, stored: int) -> dict[str, str]:
    return {f'mlsync_photos_total{{{FEED}, outcome="{name}"}}': f"0+{each}x120" for name, each in
            (("failed", failed), ("stored", stored))}  # fmt: skip


def _sets(incomplete: str) -> dict[str, str]:
    return {f"mlsync_photo_sets{{{FEED}}}": "1000x200", f"mlsync_photo_sets_incomplete{{{FEED}}}": incomplete} | IN_STEP


def _stored(stored: str, listed: str = "10000x2000") -> dict[str, str]:
    return {f"mlsync_records_stored{{{LISTINGS}}}": stored, f"mlsync_inventory_whole_records{{{LISTINGS}}}": listed}


def _budget(window: str, left: int) -> dict[str, str]:
    labels = f'{FEED}, window="{window}"'
    return {f"mlsync_budget_limit{{{labels}}}": "1000x100", f"mlsync_budget_remaining{{{labels}}}": f"{left}x100"}


def _outcome(failed: int) -> dict[str, str]:
    return {f'mlsync_run_last_outcome{{{FEED}, outcome="failed"}}': f"{failed}x200"}


def _quarantined(values: str) -> dict[str, str]:
    return {f'mlsync_quarantined{{{FEED}, kind="record", instance="a"}}': values}


def _extra(values: str) -> dict[str, str]:
    return {f'mlsync_extra_elements{{{LISTINGS}, kind="unknown"}}': values}


CASES = [
    Case("MlsyncFreshnessFast", _changes(10, 99, 100), 120, 'feed="ddf", within="15m"'),
    Case("MlsyncFreshnessFast", _changes(80, 80, 100), 120, 'feed="ddf", within="60m"'),
    Case("MlsyncFreshnessFast", _changes(60, 99, 100), 120),
    Case("MlsyncFreshnessSlow", _changes(60, 99, 100), 500, 'feed="ddf", within="15m"'),
    Case("MlsyncFreshnessSlow", _changes(90, 92, 100), 500, 'feed="ddf", within="60m"'),
    Case("MlsyncFreshnessSlow", _changes(90, 99, 100), 500),
    Case("MlsyncFreshnessSlow", _changes(0, 0, 0), 500),
    Case("MlsyncIncomplete", _stored("9980x200") | IN_STEP, 90, LISTINGS),
    Case("MlsyncIncomplete", _stored("9995x200") | IN_STEP, 90),
    Case("MlsyncIncomplete", _stored("100x200"), 90),  # a first load
    Case("MlsyncPhotosLate", _sets("20x200"), 100, FEED),
    Case("MlsyncPhotosLate", _sets("20x30 0x3 20x150"), 80),  # they came; others are missing now
    Case("MlsyncPhotosLate", _sets("9x200"), 100),
    Case("MlsyncInventoryOld", {f"mlsync_inventory_whole_timestamp_seconds{{{LISTINGS}}}": "0x2000"}, 26 * 60 + 10,
         LISTINGS),
    Case("MlsyncInventoryOld", {f"mlsync_inventory_whole_timestamp_seconds{{{LISTINGS}}}": "0x2000"}, 25 * 60),
    Case("MlsyncSyncFailing", _outcome(1), 150, 'feed="ddf", outcome="failed"'),
    Case("MlsyncSyncFailing", _outcome(1), 100),
    Case("MlsyncSyncFailing", _outcome(0), 150),
    Case("MlsyncRemovalsHeld", {f'mlsync_removals_held{{{LISTINGS}, instance="{one}"}}': "7x20" for one in "ab"}, 10,
         LISTINGS),
    Case("MlsyncRemovalsHeld", {f"mlsync_removals_held{{{LISTINGS}}}": "0x20"}, 10),
    Case("MlsyncActiveCountDropped", _stored("1000x100 880x100"), 150, FEED),
    Case("MlsyncActiveCountDropped", _stored("1000x100 920x100"), 150),
    Case("MlsyncLoginFailing", _logins("0+1x60", "5x60"), 50, FEED),
    Case("MlsyncLoginFailing", _logins("0+1x60", "0+1x60"), 50),
    Case("MlsyncLoginFailing", _logins("0x20 1x40", "5x60"), 50),  # once
    Case("MlsyncBudgetLow", _budget("requests_per_hour", 50), 60, 'feed="ddf", window="requests_per_hour"'),
    Case("MlsyncBudgetLow", _budget("requests_per_hour", 500), 60),
    Case("MlsyncBudgetLow", _budget("requests_per_second", 0), 60),  # used up within any second
    Case("MlsyncMetadataChanged", {f"mlsync_metadata_read_timestamp_seconds{{{FEED}}}": "100x50 9000x100"}, 90, FEED),
    Case("MlsyncMetadataChanged", {f"mlsync_metadata_read_timestamp_seconds{{{FEED}}}": "100x200"}, 90),
    Case("MlsyncMetadataFailing", {f"mlsync_metadata_failed_attempts{{{FEED}}}": "3x100"}, 70, FEED),
    Case("MlsyncMetadataFailing", {f"mlsync_metadata_failed_attempts{{{FEED}}}": "2x100"}, 70),
    Case("MlsyncPhotosFailing", _photos(10, 90), 100, FEED),
    Case("MlsyncPhotosFailing", _photos(10, 990), 100),
    Case("MlsyncPhotosFailing", {f'mlsync_photos_total{{{FEED}, outcome="failed"}}': "0x60 5x60"}, 100),  # a few
    Case("MlsyncDeadLetters", {'mlsync_dead_letters_total{queue="writer"}': "0x20 1x60"}, 40, 'queue="writer"'),
    Case("MlsyncDeadLetters", {'mlsync_dead_letters_total{queue="writer"}': "1x60"}, 40),
    Case("MlsyncQuarantineGrowing", _quarantined("5x400 30x100"), 450, 'feed="ddf", kind="record"'),
    Case("MlsyncQuarantineGrowing", _quarantined("5x400 12x100"), 450),
    Case("MlsyncQuarantineGrowing", _quarantined("400x500"), 450),
    Case("MlsyncSchemaDrift", _extra(f"3x{DAY} 4x100"), DAY + 50, f'{LISTINGS}, kind="unknown"'),
    Case("MlsyncSchemaDrift", _extra(f"3x{DAY + 100}"), DAY + 50),
    Case("MlsyncConsumersMissing", _consumers(0, 5), 30, 'queue="media"'),
    Case("MlsyncConsumersMissing", _consumers(0, 5, "fetcher.ddf.backlog"), 30, 'queue="fetcher.ddf.backlog"'),
    Case("MlsyncConsumersMissing", _consumers(0, 0), 30),  # scaled to none
    Case("MlsyncConsumersMissing", _consumers(2, 5), 30),
    Case("MlsyncConsumersMissing", _consumers(0, 5, "media.dead"), 30),
    Case("MlsyncConsumersMissing", _consumers(0, 5, "mlsync.delay.1000ms"), 30),
    Case("MlsyncStateUnknown", {"mlsync_state_up": "0x60"}, 30, "none"),
    Case("MlsyncStateUnknown", {"up": "1x60"}, 30, "none"),
    Case("MlsyncStateUnknown", {'mlsync_state_up{instance="a"}': "1x60", 'mlsync_state_up{instance="b"}': "0x60"}, 30),
]  # fmt: skip


def _promtool(*arguments: str) -> str:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=120, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_prometheus_takes_the_rules() -> None:
    assert f"{len(RULES)} rules found" in _promtool("check", "rules", str(FILE))


def test_each_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    for alert in ALERTS:
        told = {bool(case.fires) for case in CASES if case.alert == alert}
        assert told == {True, False}, f"{alert} needs a case that fires and one that does not"
    for alert in ALERTS:
        cases = {
            "rule_files": [_alone(alert, tmp_path)],
            "evaluation_interval": "5m" if any(case.at > DAY for case in CASES if case.alert == alert) else "1m",
            "tests": [_tested(case) for case in CASES if case.alert == alert],
        }
        (tmp_path / f"{alert}-cases.yml").write_text(json.dumps(cases))
    _promtool("test", "rules", *map(str, tmp_path.glob("*-cases.yml")))


def _alone(alert: str, folder: Path) -> str:
    """A file with that alert and what it takes from recording rules: promtool evaluates every rule every minute."""
    needed = [rule for rule in RULES if rule.get("record", "-") in ALERTS[alert]["expr"]]
    path = folder / f"{alert}.yml"
    path.write_text(json.dumps({"groups": [{"name": alert, "rules": [*needed, ALERTS[alert]]}]}))
    return str(path)


def _tested(case: Case) -> dict[str, Any]:
    query = f'sum without (instance, severity) (ALERTS{{alertname="{case.alert}", alertstate="firing"}})'
    labels = f'alertname="{case.alert}", alertstate="firing"' + (
        f", {case.fires}" if case.fires not in ("", "none") else "")  # fmt: skip
    expected = [{"labels": f"{{{labels}}}", "value": 1}] if case.fires else []
    return {
        "name": f"{case.alert} {'fires' if case.fires else 'is quiet'} on {case.series}",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "promql_expr_test": [{"expr": query, "eval_time": f"{case.at}m", "exp_samples": expected}],
    }


def test_what_an_alert_says_is_filled_in(tmp_path: Path) -> None:
    rule = ALERTS["MlsyncRemovalsHeld"]
    said = {
        **rule["annotations"],
        "summary": "Removals of ddf wait for a decision",
        "description": "7 property records are to go, which is more at once than is believable.",
    }
    labels = {"feed": "ddf", "resource": "property", "severity": "warning"}
    series = [{"series": f"mlsync_removals_held{{{LISTINGS}}}", "values": "7x20"}]
    test = {
        "interval": "1m", "input_series": series,
        "alert_rule_test": [{
            "eval_time": "10m", "alertname": rule["alert"],
            "exp_alerts": [{"exp_labels": labels, "exp_annotations": said}],
        }],
    }  # fmt: skip
    cases = {"rule_files": [_alone(rule["alert"], tmp_path)], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "cases.yml").write_text(json.dumps(cases))
    _promtool("test", "rules", str(tmp_path / "cases.yml"))


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_leads_to_its_panel_and_to_what_to_do(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert {"summary", "description"} <= rule["annotations"].keys()
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^### (\w+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor == name.lower()
    assert name in headings
    found = re.fullmatch(r"/d/([\w-]+)\?viewPanel=(\d+)", rule["annotations"]["dashboard_url"])
    assert found
    (board,) = (board for board in dashboards().values() if board["uid"] == found[1])
    (panel,) = (panel for panel in panels(board) if panel["id"] == int(found[2]))
    metrics = set(
        re.findall(
            r"\bmlsync_\w+|\brabbitmq_\w+", rule["expr"].replace("mlsync:changes_late", "mlsync_freshness_seconds")
        )
    )
    shown = {name for target in panel["targets"] for name in re.findall(r"\b(?:mlsync|rabbitmq)_\w+", target["expr"])}
    assert {_family(name) for name in metrics} & {_family(name) for name in shown}, panel["title"]


def _family(metric: str) -> str:
    return re.sub(r"_(bucket|count|sum)$", "", metric)


@pytest.mark.parametrize("name", ALERTS)
def test_the_runbook_tells_of_each_alert_what_it_means_and_how_to_see_that_it_is_over(name: str) -> None:
    text = (ROOT / "docs/runbook.md").read_text()
    section = re.search(rf"^### {name}$(.*?)(?=^##)", text + "\n## end", re.MULTILINE | re.DOTALL)
    assert section
    for part in ("**Means:**", "**Look:**", "**Do:**", "**Over when:**"):
        assert part in section[1], part
