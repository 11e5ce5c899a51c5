"""Figures as lines of a terminal."""

from __future__ import annotations

from bench.figures import Figure
from bench.results import Measured


def lines(measured: Measured) -> list[str]:
    """A line a figure, with its spread over the rounds."""
    return [_line(figure) for figure in measured.figures]


def amount(value: float, unit: str) -> str:
    """A ratio or target as people read it."""
    if unit == "%":
        return f"{value:.1%}" if value < 0.1 else f"{value:.0%}"
    number = f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    return f"{number}x" if unit == "x" else f"{number} {unit}"


def ratio(figure: Figure) -> str:
    """The ratio; a dash where none could be taken."""
    return amount(figure.ratio, figure.unit) if figure.rounds else "-"


def target(figure: Figure) -> str:
    """The target with its direction; "" without one."""
    if not figure.target:
        return ""
    return f"{'at least' if figure.at_least else 'at most'} {amount(figure.target, figure.unit)}"


def verdict(figure: Figure) -> str:
    """In a word whether the target is met."""
    if not figure.rounds:
        return "not measured"
    return {True: "met", False: "not met", None: ""}[figure.met]


def spread(figure: Figure) -> str:
    """The least and the most of the rounds."""
    if len(figure.rounds) < 2:
        return "one round" if figure.rounds else "none counted"
    return f"{amount(min(figure.rounds), figure.unit)} to {amount(max(figure.rounds), figure.unit)}"


def _line(figure: Figure) -> str:
    return (
        f"  {figure.path:<62} {ratio(figure):>10}  {target(figure):<17} {verdict(figure):<12} "
        f"({spread(figure)}) of {figure.floor}"
    )
