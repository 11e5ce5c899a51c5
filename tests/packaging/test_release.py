"""One version for program, image and chart; what CI runs is what developers run; what the image is made of is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github/workflows").glob("*.yml")}


def _commands(workflow: str) -> str:
    return "\n".join(
        step.get("run", "") for job in WORKFLOWS[workflow]["jobs"].values() for step in job.get("steps", ())
    )


def test_the_chart_has_the_version_of_the_program() -> None:
    chart = yaml.safe_load((ROOT / "deploy/helm/Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == PROJECT["version"], "make docs"


def test_every_version_is_told_of() -> None:
    told = re.findall(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert told[0] == PROJECT["version"]


def test_ci_runs_what_developers_run() -> None:
    assert ".ci/run" in _commands("ci")
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for workflow in WORKFLOWS:
        for line in re.findall(r"^\s*make (.+)$", _commands(workflow), re.MULTILINE):
            assert set(line.split()) <= targets
    assert {"chart", "image", "sbom"} <= set(re.findall(r"make (\w+)", _commands("ci")))
    assert "TEST_CRDS_DIR" in WORKFLOWS["ci"]["jobs"]["test"]["env"]


def test_a_release_makes_image_and_chart_of_one_version() -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text()
    values = (ROOT / "deploy/helm/values.yaml").read_text()
    for pattern in re.findall(r"s\|\^(.+?)\$\|", text):  # what it writes into values.yaml is there to be replaced
        assert re.search(f"^{pattern}$".replace('\\"', '"'), values, re.MULTILINE), pattern
    assert WORKFLOWS["release"]["jobs"]["publish"]["needs"] == "test"


def test_the_list_of_parts_names_every_package_of_the_lock() -> None:
    made = subprocess.run(
        [str(Path(sys.executable).with_name("cyclonedx-py")), "requirements", str(ROOT / "requirements.lock"),
         "--pyproject", str(ROOT / "pyproject.toml")],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = json.loads(made.stdout)
    assert found["metadata"]["component"]["version"] == PROJECT["version"]
    locked = set(re.findall(r"^([\w.-]+)==([^\s;\\]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert {(item["name"], item["version"]) for item in found["components"]} == locked
    assert all(item["externalReferences"][0]["hashes"] for item in found["components"])
