"""Which keys are worth a request (design rule 10), and how an inventory is cut (rule 7)."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fetcher.decide import apart, left_over, metadata_due, still_wanted, to_messages
from shared.effects import BREAKS_ANSWERS, Line
from shared.lookups import MetadataVersion
from shared.messages import SourceRecord
from shared.sources.base import Inventory, Page
from shared.store.base import DAY, MetadataState

NOW = 1_000
WANTED = Line("1", wanted_stamp="s", wanted_by=5)


def asked_for(line: Line | None) -> list[str]:
    return still_wanted(["1"], {} if line is None else {"1": line}, NOW)


def test_a_wanted_key_is_asked_for() -> None:
    assert asked_for(WANTED) == ["1"]


@pytest.mark.parametrize(
    "line", [None, Line("1", stored=True, observed_at=6, stamp="s"), Line("1", observed_at=6)],
    ids=["no line", "met meanwhile", "removed meanwhile"],
)  # fmt: skip
def test_a_key_that_the_ledger_no_longer_wants_costs_no_request(line: Line | None) -> None:
    assert asked_for(line) == []


def test_a_key_asked_for_in_vain_waits_for_the_next_inventory() -> None:
    assert asked_for(Line("1", wanted_stamp="s", wanted_by=5, attempts=1, attempted_by=5)) == []
    assert asked_for(Line("1", wanted_stamp="s", wanted_by=6, attempts=1, attempted_by=5)) == ["1"]


@pytest.mark.parametrize(("until", "keys"), [(NOW - 1, ["1"]), (NOW, ["1"]), (NOW + 1, [])])
def test_a_key_in_back_off_costs_no_request_until_it_ends(until: int, keys: list[str]) -> None:
    line = Line("1", wanted_stamp="s", wanted_by=6, attempts=3, attempted_by=5, next_attempt_at=until)
    assert asked_for(line) == keys


def test_a_key_is_not_left_out_because_it_was_asked_for_before() -> None:
    """Nothing remembers what is under way: the request may have died with its process."""
    assert asked_for(WANTED) == asked_for(WANTED) == ["1"]


def test_the_order_of_the_keys_is_kept() -> None:
    lines = {key: Line(key, wanted_stamp="s", wanted_by=5) for key in "abc"}
    assert still_wanted(["c", "a", "x", "b"], lines, NOW) == ["c", "a", "b"]


def failed(key: str, reason: str | None) -> Line:
    return Line(key, wanted_stamp="s", wanted_by=6, attempts=1, attempted_by=5, reason=reason)


def test_keys_that_broke_answers_alone_are_asked_for_alone_again_and_the_others_together() -> None:
    reasons = {"1": None, "2": f"{BREAKS_ANSWERS}too deep", "3": "not delivered", "4": f"{BREAKS_ANSWERS}500"}
    lines = {key: failed(key, reason) for key, reason in reasons.items()}
    assert apart(["4", "1", "2", "5", "3"], lines) == [["1", "5", "3"], ["4"], ["2"]]
    assert apart(["2"], lines) == [["2"]]
    assert apart(["1", "3"], lines) == [["1", "3"]]


def inventory(listed: dict[str, str], *, proven: bool = True) -> Inventory:
    return Inventory(sorted(f"{key}\0{stamp}".encode() for key, stamp in listed.items()), 77, proven=proven)


def test_an_empty_inventory_is_one_open_range() -> None:
    (message,) = to_messages("ddf", "property", 9, inventory({}), 3)
    assert (message.after, message.upto, message.entries, message.count) == (None, None, [], 0)
    assert (message.part, message.parts) == (1, 1)


def test_every_range_carries_what_the_whole_inventory_is() -> None:
    messages = list(to_messages("ddf", "property", 9, inventory(dict.fromkeys("abcde", "s")), 2))
    assert [(message.part, message.parts) for message in messages] == [(1, 3), (2, 3), (3, 3)]
    assert {(m.feed, m.resource, m.observed_at, m.server_date, m.count, m.proven) for m in messages} == {
        ("ddf", "property", 9, 77, 5, True)
    }


def test_a_doubtful_inventory_is_doubtful_in_every_range() -> None:
    messages = to_messages("ddf", "property", 9, inventory(dict.fromkeys("abcde", "s"), proven=False), 2)
    assert {message.proven for message in messages} == {False}


keys = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=4)


@given(st.dictionaries(keys, st.sampled_from(["s", ""]), max_size=12), st.integers(1, 13), keys)
def test_ranges_together_cover_every_key_once_and_in_order(listed: dict[str, str], size: int, other: str) -> None:
    messages = list(to_messages("ddf", "property", 9, inventory(listed), size))
    entries = [entry for message in messages for entry in message.entries]
    assert entries == sorted(listed.items(), key=lambda entry: entry[0].encode())
    assert all(len(message.entries) <= size for message in messages)
    for key in (other, *listed):
        covering = [
            message for message in messages
            if (message.after is None or key.encode() > message.after.encode())
            and (message.upto is None or key.encode() <= message.upto.encode())
        ]  # fmt: skip
        assert len(covering) == 1
        assert (key in listed) == (key in dict(covering[0].entries))


# --- metadata

SAID = MetadataVersion("1.0.12", "2024-01-15T00:00:00Z", "1.0.2", "en-CA")


def test_metadata_are_read_once_and_when_the_mls_has_others() -> None:
    assert metadata_due(SAID, MetadataState(), NOW)
    known = MetadataState(SAID, NOW - 400 * DAY)
    assert not metadata_due(SAID, known, NOW)
    assert not metadata_due(dataclasses.replace(SAID, min_version="1.0.12"), known, NOW)
    for other in ({"version": "1.0.13"}, {"timestamp": "2024-01-16T00:00:00Z"}, {"language": "fr-CA"}):
        assert metadata_due(dataclasses.replace(SAID, **other), known, NOW)


def test_metadata_that_could_not_be_read_are_tried_again_after_their_back_off_only() -> None:
    failed = MetadataState(failed=SAID, failed_at=NOW, attempts=1)
    assert metadata_due(SAID, failed, NOW)
    waiting = dataclasses.replace(failed, next_attempt_at=NOW + 1)
    assert not metadata_due(SAID, waiting, NOW)
    assert metadata_due(SAID, waiting, NOW + 1)
    assert metadata_due(dataclasses.replace(SAID, version="1.0.13"), waiting, NOW)
    again = dataclasses.replace(waiting, read=SAID, read_at=NOW)
    assert not metadata_due(SAID, again, NOW + DAY)


def test_metadata_of_which_the_mls_says_nothing_are_read_daily() -> None:
    silent = MetadataVersion(language="en-CA")
    assert metadata_due(silent, MetadataState(), NOW)
    assert not metadata_due(silent, MetadataState(silent, NOW), NOW + DAY - 1)
    assert metadata_due(silent, MetadataState(silent, NOW), NOW + DAY)


def records(*keys: str) -> list[SourceRecord]:
    return [SourceRecord(key, "s", {}) for key in keys]


def test_what_the_mls_did_not_get_to_is_asked_for_anew() -> None:
    assert left_over(["1", "2", "3"], Page(records("1"), None, partial=True)) == ["2", "3"]


def test_what_did_not_come_in_a_whole_answer_is_not_asked_for_anew() -> None:
    assert left_over(["1", "2", "3"], Page(records("1"), None)) == []


def test_an_mls_that_gets_nowhere_is_not_asked_for_ever() -> None:
    assert left_over(["1", "2"], Page(records("7"), None, partial=True)) == []


def test_a_key_that_cannot_be_asked_for_is_not_asked_for_anew() -> None:
    assert left_over(["1", "*"], Page(records("1"), None, unaskable=["*"], partial=True)) == []
