"""What the examples render to, kept to be looked at: ``python -m tests.helm.golden`` writes it anew."""

from __future__ import annotations

from pathlib import Path

from tests.helm.chart import CHART, example, text

FOLDER = Path(__file__).parents[1] / "golden/helm"
NAMES = ("laptop", "many-feeds")
ELSEWHERE = {"prometheusRule": {"enabled": False}, "dashboards": {"enabled": False}}
"""Files of their own, with tests of their own."""


def render(name: str) -> str:
    """The example as it is sent to Kubernetes; versions aside, which change with every release."""
    version = next(line.split()[-1] for line in (CHART / "Chart.yaml").read_text().splitlines() if "appV" in line)
    return text(example(name), ELSEWHERE).replace(version, "VERSION")


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name in NAMES:
        (FOLDER / f"{name}.yaml").write_text(render(name))


if __name__ == "__main__":
    main()
