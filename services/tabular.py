"""What an MLS says as a table for people, or as CSV or JSON for programs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from shared.telemetry import escape

WIDEST = 40
_FORMULA = re.compile(r"\s*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


class Form(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"


def rendered(columns: Sequence[str], rows: Sequence[Mapping[str, str]], form: Form) -> str:
    """The rows in this form, without a line end behind the last."""
    match form:
        case Form.json:
            return json.dumps([{name: row.get(name, "") for name in columns} for row in rows], indent=1)
        case Form.csv:
            out = io.StringIO()
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow([harmless(name) for name in columns])
            writer.writerows([harmless(row.get(name, "")) for name in columns] for row in rows)
            return out.getvalue().removesuffix("\n")
    lines = [list(columns), *([_short(row.get(name, "")) for name in columns] for row in rows)]
    shown = [[escape(cell) for cell in line] for line in lines]
    widths = [max(len(line[place]) for line in shown) for place in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in shown
    )


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe before it."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def _short(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
