"""The data dictionary in docs/ says what the tables are."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.mapping.columns import MappingError
from shared.mapping.dictionary import render
from shared.mapping.spec import load_spec

PAGE = Path(__file__).parents[2] / "docs" / "data-dictionary.md"


def test_the_page_in_docs_is_current() -> None:
    assert PAGE.read_text("utf-8") == render(), "run: python -m shared.mapping.dictionary > docs/data-dictionary.md"


def test_an_unknown_mapping_is_named() -> None:
    with pytest.raises(MappingError, match="nowhere"):
        load_spec("nowhere")
