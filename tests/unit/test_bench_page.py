"""The page of the benchmarks says what was measured, and whether it is enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import page, results, table
from bench.figures import Figure
from bench.results import Measured, Results


def figure(ratio: float, target: float, *, at_least: bool = True, rounds: int = 5, unit: str = "%") -> Figure:
    return Figure("a path", ratio, target, at_least, unit, "its floor", [ratio] * rounds, {"listings/s": 1234.5})


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        (figure(0.30, 0.28), "met"),
        (figure(0.27, 0.28), "not met"),
        (figure(102.0, 130.0, at_least=False, unit="MB"), "met"),
        (figure(131.0, 130.0, at_least=False, unit="MB"), "not met"),
        (figure(0.0, 0.85, rounds=0), "not measured"),
        (figure(7.0, 0.0, unit="x"), ""),
    ],
)
def test_a_row_says_whether_its_target_is_met_and_never_claims_what_no_round_showed(one: Figure, verdict: str) -> None:
    assert table.verdict(one) == verdict
    written = page.text(Results({"processor": "2 cores"}, {"parse": Measured([one], rounds=5)}))
    row = next(line for line in written.splitlines() if line.startswith("| a path "))
    assert f"| {verdict} |" in row
    assert "its floor" in row
    assert "listings/s: 1,234" in row


def test_the_page_counts_the_targets_met_and_names_what_failed() -> None:
    measured = {
        "parse": Measured([figure(0.3, 0.28), figure(0.2, 0.28), figure(2.0, 0.0), figure(0.0, 0.85, rounds=0)]),
        "chain": Measured(error="it ended with 1"),
    }
    written = page.text(Results({}, measured))
    assert "**1 of 3 targets are met**" in written
    assert "**Not measured: it ended with 1.**" in written


def test_results_measured_anew_replace_those_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    assert results.read(file) is None
    first = Results({"python": "3.11"}, {"parse": Measured([figure(0.3, 0.28)]), "chain": Measured(error="late")})
    results.write(file, first)
    assert results.read(file) == first
    first.measured["chain"] = Measured([figure(0.5, 0.45)], rounds=5)
    results.write(file, first)
    assert results.read(file) == first
