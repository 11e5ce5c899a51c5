"""What README.md shows of `make run` is what it prints."""

from __future__ import annotations

import re
from pathlib import Path

from tests.pipeline.simulated import command

README = Path(__file__).parents[2] / "README.md"
SHOWN = re.compile(r"^```console\n\$ make run\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETTING_UP = "Setting up .venv (once)"
REST = "…"


def settled(text: str) -> list[str]:
    """The lines without what differs from run to run: the port, durations, the blanks that align them."""
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    text = re.sub(r"\b\d+\.\d\b", "SECONDS", text)
    return [re.sub(r"\s+", " ", line.strip()) for line in text.splitlines()]


def test_the_readme_shows_what_make_run_prints(tmp_path: Path) -> None:
    blocks = SHOWN.findall(README.read_text())
    assert len(blocks) == 1
    shown = settled(blocks[0])
    assert shown[0] == SETTING_UP
    done = command("demo", "--folder", str(tmp_path / "demo"))
    assert done.code == 0, done.err
    printed = settled(done.out)
    if REST in shown:
        shown = shown[: shown.index(REST)]
        printed = printed[: len(shown) - 1]
    assert shown[1:] == printed
    assert "In step. Three things to try next:" in printed
