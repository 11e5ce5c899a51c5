"""Text escaped twice is undone where a record shows it, and honest text stays what it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.simulator.formats import escape
from shared.mapping.escaped import Unescape, restored
from shared.messages import SourceRecord

SCRIPT = '<![CDATA[<script>log("1", location.search < 1 && "?&amp;x");</script>]]>'


def fields(mode: Unescape = "auto", **sent: Any) -> dict[str, Any]:
    return restored(SourceRecord("1", "s", sent), mode).fields


def test_a_record_escaped_twice_is_undone_whole() -> None:
    sent: dict[str, Any] = {
        "@ID": "1",
        "Remarks": "Caf&eacute; &amp; kitchen, 5&#39; x 6&#x27;",
        "Script": escape(SCRIPT),
        "Rooms": {"Room": [{"Type": "Bed &amp; Breakfast"}, {"Type": "Den"}], "#text": "a &lt; b"},
    }
    assert fields(**sent) == {
        "@ID": "1",
        "Remarks": "Café & kitchen, 5' x 6'",
        "Script": SCRIPT,
        "Rooms": {"Room": [{"Type": "Bed & Breakfast"}, {"Type": "Den"}], "#text": "a < b"},
    }


@pytest.mark.parametrize(
    "sent",
    [
        {"Remarks": "Bed &amp; Breakfast"},
        {"Remarks": "Bed &amp; Breakfast &eacute;", "Script": SCRIPT},
        {"Remarks": "caf&eacute;", "City": "Bed & Breakfast"},
        {"Remarks": "caf&eacute;", "Where": "exit 42 <east>"},
        {"Remarks": "caf&eacute;", "Odd": "&nosuchthing;"},
        {"Remarks": "caf&eacute;", "Rooms": [{"@Type": "a & b"}]},
        {"Remarks": "AT&T"},
        {},
    ],
    ids=["only &amp;", "a script", "a bare ampersand", "a tag", "no reference", "in an attribute", "bare", "empty"],
)
def test_a_record_that_may_be_honest_stays_as_it_was_sent(sent: dict[str, Any]) -> None:
    assert fields(**sent) == sent


def test_always_undoes_each_text_by_itself_that_can_have_been_escaped() -> None:
    assert fields("always", Remarks="Bed &amp; Breakfast", Script=SCRIPT, Name="AT&T, caf&eacute;") == {
        "Remarks": "Bed & Breakfast",
        "Script": SCRIPT,
        "Name": "AT&T, caf&eacute;",
    }


def test_never_undoes_nothing() -> None:
    assert fields("never", Remarks="caf&eacute;") == {"Remarks": "caf&eacute;"}


def test_only_one_level_is_undone() -> None:
    assert fields(Remarks="&quot;?&amp;amp;x&quot;") == {"Remarks": '"?&amp;x"'}


def test_references_to_half_characters_become_the_character() -> None:
    assert fields(Remarks="&#55357;&#56842; &#xD83D;&#xDE0A; &#55357;") == {"Remarks": "😊 😊 \ufffd"}


def test_key_and_stamp_are_not_text() -> None:
    record = restored(SourceRecord("a&lt;b", "s&lt;", {"Remarks": "&lt;"}), "auto")
    assert (record.key, record.stamp, record.fields) == ("a&lt;b", "s&lt;", {"Remarks": "<"})


TEXT = st.text(st.sampled_from("ab &<>;#x39amp\"'é"), max_size=30).map(str.strip)


@given(st.dictionaries(st.sampled_from("ABCD"), TEXT | st.lists(TEXT, max_size=3), max_size=4))
def test_undoing_inverts_escaping_wherever_more_than_ampersands_was_escaped(honest: dict[str, Any]) -> None:
    sent: dict[str, Any] = {
        name: [escape(text) for text in value] if isinstance(value, list) else escape(value)
        for name, value in honest.items()
    }
    assume(any(mark in str(sent) for mark in ("&lt;", "&gt;", "&quot;")))
    assert fields(**sent) == honest


@given(st.dictionaries(st.sampled_from("ABCD"), TEXT, max_size=4))
def test_an_honest_record_with_a_script_is_never_touched(honest: dict[str, Any]) -> None:
    assert fields(**honest, Script=SCRIPT) == {**honest, "Script": SCRIPT}
