"""The page of metrics in docs/ says what there is, and what there is keeps to the ecosystem's conventions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.metrics_page import DECLARING, render

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \| (.+) \|$", re.MULTILINE)
ROWS: list[tuple[str, str, str, str]] = ROW.findall(render())
UNITS = ("_seconds", "_bytes")


def test_the_page_in_docs_is_current() -> None:
    assert PAGE.read_text("utf-8") == render(), "run: python -m services.metrics_page > docs/metrics.md"


def test_every_metric_that_is_declared_is_on_it() -> None:
    declared: dict[str, str] = {}
    for top in ("services", "shared"):
        for file in sorted((ROOT / top).rglob("*.py")):
            for name in re.findall(r'"(mlsync_[a-z_]+)"', file.read_text("utf-8")):
                declared[name.removesuffix("_info")] = str(file.relative_to(ROOT))
    named = {name.removesuffix("_info") for name, *_ in ROWS}
    assert {name: file for name, file in declared.items() if name not in named} == {}
    assert named <= declared.keys()
    assert len(ROWS) == len({name for name, *_ in ROWS}) > 40


def test_every_module_named_declares_some() -> None:
    for module in DECLARING:
        assert '"mlsync_' in (ROOT / (module.replace(".", "/") + ".py")).read_text("utf-8"), module


@pytest.mark.parametrize(("name", "kind", "labels", "text"), ROWS, ids=[name for name, *_ in ROWS])
def test_names_labels_and_texts_keep_to_the_conventions(name: str, kind: str, labels: str, text: str) -> None:
    assert re.fullmatch(r"mlsync(_[a-z]+)+", name)
    assert name.endswith("_total") == (kind == "counter")
    if kind == "histogram" or "timestamp" in name:
        assert name.endswith(UNITS)
    for unit in ("milliseconds", "_ms", "minutes", "_kb", "percent"):
        assert unit not in name
    allowed = {
        "feed", "resource", "outcome", "queue", "code", "transaction", "reason", "kind", "window", "source", "change",
        "verdict", "broker", "version",
    }  # fmt: skip
    found = re.findall(r"`(\w+)`", labels)
    assert set(found) <= allowed
    assert len(found) <= 3
    assert text[0].isupper()
    assert text.endswith(".")
    assert len(text) > 20
