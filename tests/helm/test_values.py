"""The chart's values: refused by name when wrong, each documented, each of use; generated files are as generated."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from deploy.generate import values_schema, values_table
from deploy.generate.values import Value, default_values, documented, everything
from tests.helm.chart import CHART, SERVERS, Json, Refused, merged, objects, text

ROOT = Path(__file__).parents[2]
FEED: Json = {"username": "u", "password": "p", "settings": {"protocol": "ddf"}}

WRONG: list[tuple[str, Json]] = [
    ("unheardOf", {"unheardOf": 1}),
    ("services.media.replica ", {"services": {"media": {"replica ": 1}}}),
    ("services.photos", {"services": {"photos": {}}}),
    ("services.fetcher.autoscaling.mode", {"services": {"fetcher": {"autoscaling": {"mode": "keda"}}}}),
    ("services.writer.autoscaling.minReplicas", {"services": {"writer": {"autoscaling": {"minReplicas": 0}}}}),
    ("services.media.autoscaling.mode", {"services": {"media": {"autoscaling": {"mode": "fast"}}}}),
    ("services.media.resources.limits.memory", {"services": {"media": {"resources": {"limits": {"memory": "lots"}}}}}),
    ("rabbitmq.port", {"rabbitmq": {"port": "amqp"}}),
    ("postgresql.sslmode", {"postgresql": {"sslmode": "maybe"}}),
    ("s3.endpoint", {"s3": {"endpoint": "s3.example"}}),
    ("s3.style", {"s3": {"style": "vhost"}}),
    ("feeds.a.settings.evry", {"feeds": {"a": merged(FEED, {"settings": {"evry": "5m"}})}}),
    ("feeds.a.settings.every", {"feeds": {"a": merged(FEED, {"settings": {"every": "often"}})}}),
    ("feeds.a.settings.media", {"feeds": {"a": merged(FEED, {"settings": {"media": "video"}})}}),
    ("feeds.a.settings.password", {"feeds": {"a": merged(FEED, {"settings": {"password": "secret"}})}}),
    ("protocol", {"feeds": {"a": {"username": "u", "password": "p", "settings": {}}}}),
    ("Big Feed", {"feeds": {"Big Feed": FEED}}),
    ("settings.database_url", {"settings": {"database_url": "sqlite:///x"}}),
    ("settings.log_level", {"settings": {"log_level": "loud"}}),
    ("image.tag", {"image": {"tag": 1.5}}),
    ("image.digest", {"image": {"digest": "latest"}}),
    ("migration.mode", {"migration": {"mode": "later"}}),
    ("graceSeconds", {"graceSeconds": 1}),
]


@pytest.mark.parametrize(("name", "values"), WRONG, ids=[name for name, _ in WRONG])
def test_what_is_wrong_is_refused_by_name(name: str, values: Json) -> None:
    with pytest.raises(Refused) as refused:
        text(SERVERS, values)
    said = str(refused.value)
    parent, _, last = name.strip().rpartition(".")
    assert name in said or (parent in said and last in said), said


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("rabbitmq.host", {"rabbitmq": {"host": ""}}),
        ("rabbitmq.password", {"rabbitmq": {"password": ""}}),
        ("postgresql.host", {"postgresql": {"host": ""}}),
        ("postgresql.password", {"postgresql": {"password": ""}}),
        ("s3.accessKey", {"s3": {"accessKey": ""}}),
        ("feeds.a.password", {"feeds": {"a": {"username": "u", "settings": {"protocol": "ddf"}}}}),
        ("services.media.autoscaling", {"services": {"media": {"autoscaling": {"mode": "hpa", "minReplicas": 0}}}}),
    ],
)
def test_what_is_missing_is_named(name: str, values: Json) -> None:
    with pytest.raises(Refused, match=re.escape(name)):
        text(SERVERS, values)


def test_generated_files_are_as_they_are_generated() -> None:
    assert (CHART / "values.schema.json").read_text() == values_schema.render(), "make docs"
    assert (CHART / "README.md").read_text() == values_table.render(), "make docs"


def test_every_value_is_explained() -> None:
    explained = [value.path for value in documented()]
    for value in everything():
        covered = any(value.path[: len(path)] == path or path[: len(value.path)] == value.path for path in explained)
        assert covered, f"{value.name} has no comment"
    assert all(value.about.endswith((".", "…", "none.")) for value in documented())


def test_templates_take_no_value_that_is_not_in_the_file() -> None:
    known = {value.path for value in everything()}
    for path in CHART.glob("templates/**/*"):
        for name in re.findall(r"\.Values\.([\w.]+)", path.read_text() if path.is_file() else ""):
            assert tuple(name.split(".")) in known, f"{path.name}: .Values.{name}"


def _marked(default: Any, path: str, marks: dict[str, str]) -> Any:
    """The value with something in its place that can be found again."""
    number = len(marks)
    match default:
        case bool():
            return default
        case int():
            marks[path] = str(20_000 + number)
            return 20_000 + number
        case str():
            marks[path] = f"mark-{number}-"
            return f"http://mark-{number}-:9" if path.endswith(("endpoint", "Url")) else f"mark-{number}-"
        case dict() if default:
            return {key: _marked(value, f"{path}.{key}", marks) for key, value in default.items()}
        case dict():
            marks[path] = f"mark-{number}-"
            return {f"mark-{number}-": "x"}
        case list():
            marks[path] = f"mark-{number}-" if not default or not isinstance(default[0], int) else str(20_000 + number)
            return [20_000 + number] if marks[path].startswith("2") else [{"name": f"mark-{number}-"}]
    raise TypeError(path)


ON = {"enabled": True}
FORMS: list[Json] = [
    {"services": {"media": {"autoscaling": {"mode": "keda"}}, "geocoder": ON}, "migration": {"mode": "hook"}},
    {"services": {"writer": {"autoscaling": {"mode": "hpa"}}}, "migration": {"mode": "job"},
     "image": {"digest": ""}, "serviceAccount": {"name": ""}, "fullnameOverride": ""},
    {"demo": ON},
    {"rabbitmq": {"existingSecret": ""}, "postgresql": {"existingSecret": ""}, "s3": {"existingSecret": ""},
     "services": {"writer": {"autoscaling": {"mode": "keda"}}}},
]  # fmt: skip
"""Ways to use the chart that between them use every value."""
ONLY_CHOSEN = {"migration.mode", "prometheusRule.disabled", "services.reconciler", "services.writer"}
"""Shown by tests of their own."""


def test_every_value_is_of_use() -> None:
    marks: dict[str, str] = {}
    values = {name: _marked(default, name, marks) for name, default in default_values().items()}
    values["feeds"] = {"a": {"existingSecret": "s", "settings": {"login_url": "http://h"}}}
    values["settings"] = {"log_level": marks["settings"]}
    del marks["feeds"]
    defaults = values["defaults"]
    defaults["autoscaling"]["mode"] = "none"
    del marks["defaults.autoscaling.mode"], marks["services.fetcher.autoscaling.mode"]
    values["services"]["fetcher"]["autoscaling"]["mode"] = "none"
    for group in ("podMonitor", "prometheusRule", "dashboards"):
        values[group]["enabled"] = True
    values["prometheusRule"]["disabled"] = []
    seen = ""
    for form in FORMS:
        seen += text(merged(values, form), options=("--skip-schema-validation",))
    unused = [name for name, mark in marks.items() if mark not in seen and name not in ONLY_CHOSEN]
    assert unused == []


def _switches() -> Iterator[Value]:
    yield from (value for value in documented() if isinstance(value.default, bool))


KEDA = merged(SERVERS, {"services": {"media": {"autoscaling": {"mode": "keda"}}}})


@cache
def _as_usual() -> str:
    return text(KEDA)


@pytest.mark.parametrize("switch", [value.path for value in _switches()], ids=[value.name for value in _switches()])
def test_every_switch_changes_something(switch: tuple[str, ...]) -> None:
    other: Any = copy.deepcopy(default_values())
    for name in switch:
        other = other[name]
    turned: Any = not other
    for name in reversed(switch):
        turned = {name: turned}
    assert text(KEDA, turned) != _as_usual()


def test_alerts_can_be_left_out_and_lead_to_panel_and_runbook() -> None:
    on = {"prometheusRule": {
        "enabled": True, "disabled": ["MlsyncDeadLetters"], "alertLabels": {"team": "data"},
        "runbookUrl": "https://docs.example/runbook.md", "grafanaUrl": "https://grafana.example/",
    }}  # fmt: skip
    (rule,) = (item for item in objects(SERVERS, on) if item["kind"] == "PrometheusRule")
    alerts = {item["alert"]: item for group in rule["spec"]["groups"] for item in group["rules"] if "alert" in item}
    assert "MlsyncDeadLetters" not in alerts
    assert len(alerts) > 10
    for name, alert in alerts.items():
        assert alert["labels"]["team"] == "data"
        assert alert["annotations"]["runbook_url"] == f"https://docs.example/runbook.md#{name.lower()}"
        assert alert["annotations"]["dashboard_url"].startswith("https://grafana.example/d/mlsync-")
