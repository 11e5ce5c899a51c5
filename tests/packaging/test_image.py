"""The Dockerfile as it is written; ``make drill`` builds it."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text()


def _needed(name: str) -> set[str]:
    """A distribution and all it needs here."""
    wanted = [Requirement(line) for line in metadata.requires(name) or ()]
    here = [item.name for item in wanted if item.marker is None or item.marker.evaluate({"extra": ""})]
    return {name}.union(*map(_needed, here))


def test_the_whole_build_backend_is_taken_from_the_lock() -> None:
    taken = re.search(r"\^\\\((.+)\\\)==", TEXT)
    assert taken
    assert set(taken[1].split("\\|")) == _needed("hatchling")


def test_everything_installed_has_the_hash_the_lock_names() -> None:
    installs = re.findall(r"pip.* install .*", TEXT)
    assert installs
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)


def test_the_image_is_run_by_a_user_with_a_number_that_is_not_root() -> None:
    assert re.findall(r"^USER (.+)$", TEXT, re.MULTILINE) == ["10001:10001"]
