"""``Ledger``: which keys are stored and wanted."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.effects import DropLine, Line, PutLine
from shared.store.base import Horizon
from tests.contract.stores import FEED, Kit

FULL = Line("1", True, 5, "s1", b"\x00hash", True, "s2", 7, 3, 6, 99, "lost")


def between(kit: Kit, after: str | None, upto: str | None) -> list[str]:
    with kit.store.write() as tx:
        return [line.key for line in tx.ledger.between(FEED, "property", after, upto)]


def due(kit: Kit, after: str | None = None, upto: str | None = None, now: int = 1_000) -> list[str]:
    with kit.store.write() as tx:
        return tx.ledger.due(FEED, "property", after, upto, now)


def horizon(kit: Kit) -> Horizon | None:
    with kit.store.write() as tx:
        return tx.ledger.horizon(FEED, "property")


@pytest.mark.parametrize("line", [FULL, Line("1"), Line("1", observed_at=5)])
def test_a_line_reads_back_as_it_was_put(kit: Kit, line: Line) -> None:
    kit.apply(PutLine(line))
    assert kit.line("1") == line


def test_a_line_put_again_is_the_last_one(kit: Kit) -> None:
    kit.apply(PutLine(FULL))
    kit.apply(PutLine(Line("1")))
    assert kit.lines("1") == {"1": Line("1")}


def test_a_dropped_line_is_gone(kit: Kit) -> None:
    kit.apply(PutLine(Line("1")), PutLine(Line("2")))
    kit.apply(DropLine("1"))
    assert kit.lines("1", "2") == {"2": Line("2")}


def test_keys_without_a_line_have_none(kit: Kit) -> None:
    assert kit.lines("1") == {}
    assert kit.lines() == {}


def test_more_keys_than_a_statement_takes_are_all_found(kit: Kit) -> None:
    keys = [str(n) for n in range(1_234)]
    kit.apply(*(PutLine(Line(key)) for key in keys))
    assert kit.lines(*keys, *keys).keys() == set(keys)


def test_feeds_and_resources_do_not_see_each_other(kit: Kit) -> None:
    kit.apply(PutLine(Line("1", attempts=1)))
    kit.apply(PutLine(Line("1", attempts=2)), resource="member")
    kit.apply(PutLine(Line("1", attempts=3)), feed="other")
    assert kit.line("1").attempts == 1
    assert kit.line("1", "member").attempts == 2
    assert between(kit, None, None) == ["1"]


# --- ranges

BYTES = ["1", "10", "9", "A", "Z", "a", "b", "z", "É", "é", "\ue000", "\U0001f3e0", "x" * 2_000]


def test_ranges_are_open_below_and_closed_above(kit: Kit) -> None:
    kit.apply(*(PutLine(Line(key)) for key in "abcde"))
    assert between(kit, "b", "d") == ["c", "d"]
    assert between(kit, None, "b") == ["a", "b"]
    assert between(kit, "d", None) == ["e"]
    assert between(kit, None, None) == list("abcde")


def test_keys_are_in_the_order_of_their_bytes(kit: Kit) -> None:
    """Not of any language: case apart, é after z, a house (U+1F3E0) after U+E000 though UTF-16 has it before."""
    kit.apply(*(PutLine(Line(key)) for key in reversed(BYTES)))
    assert between(kit, None, None) == sorted(BYTES, key=str.encode)


@given(st.sampled_from(BYTES), st.sampled_from(BYTES))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_range_holds_the_keys_whose_bytes_are_in_it(kit: Kit, after: str, upto: str) -> None:
    kit.apply(*(PutLine(Line(key)) for key in BYTES))
    expected = [key for key in sorted(BYTES, key=str.encode) if after.encode() < key.encode() <= upto.encode()]
    assert between(kit, after, upto) == expected


@pytest.mark.parametrize("twin", ["A", "a ", "á", "a\u0301", "ａ"])
def test_keys_that_differ_in_bytes_are_different_keys(kit: Kit, twin: str) -> None:
    kit.apply(PutLine(Line("a", attempts=1)))
    kit.apply(PutLine(Line(twin, attempts=2)))
    assert kit.line("a").attempts == 1
    assert kit.line(twin).attempts == 2


# --- due


def test_a_wanted_key_is_due(kit: Kit) -> None:
    kit.want("2", "1", by=5)
    kit.apply(PutLine(Line("3", stored=True, observed_at=5)))
    assert due(kit) == ["1", "2"]


def test_only_keys_of_the_range_are_due(kit: Kit) -> None:
    kit.want(*"abcde", by=5)
    assert due(kit, "b", "d") == ["c", "d"]


def test_a_key_asked_for_in_vain_by_its_inventory_is_not_due(kit: Kit) -> None:
    kit.apply(PutLine(Line("1", wanted_stamp="s", wanted_by=5, attempts=1, attempted_by=5)))
    assert due(kit) == []
    kit.apply(PutLine(Line("1", wanted_stamp="s", wanted_by=6, attempts=1, attempted_by=5)))
    assert due(kit) == ["1"]


@pytest.mark.parametrize(("until", "keys"), [(999, ["1"]), (1_000, ["1"]), (1_001, [])])
def test_a_key_in_back_off_is_not_due_until_it_ends(kit: Kit, until: int, keys: list[str]) -> None:
    kit.apply(PutLine(Line("1", wanted_stamp="s", wanted_by=6, attempted_by=5, next_attempt_at=until)))
    assert due(kit) == keys


# --- rereading


def test_unread_longest_gives_stored_lines_that_nothing_wants_oldest_first(kit: Kit) -> None:
    kit.apply(
        PutLine(Line("new", stored=True, observed_at=50, stamp="s")),
        PutLine(Line("b", stored=True, observed_at=20, stamp="s")),
        PutLine(Line("a", stored=True, observed_at=30, stamp="s")),
        PutLine(Line("wanted", stored=True, observed_at=1, stamp="s", wanted_stamp="t", wanted_by=5)),
        PutLine(Line("tombstone", observed_at=1)),
        PutLine(Line("never read")),
    )
    with kit.store.write() as tx:
        assert [line.key for line in tx.ledger.unread_longest(FEED, "property", 50, 10)] == ["b", "a"]
        assert [line.key for line in tx.ledger.unread_longest(FEED, "property", 51, 10)] == ["b", "a", "new"]
        assert [line.key for line in tx.ledger.unread_longest(FEED, "property", 51, 1)] == ["b"]
        assert tx.ledger.unread_longest(FEED, "property", 51, 0) == []


# --- the horizon


def test_there_is_no_horizon_before_the_first_inventory(kit: Kit) -> None:
    assert horizon(kit) is None


def test_the_horizon_is_the_newest_inventory_of_which_a_range_was_handled(kit: Kit) -> None:
    kit.inventory(10, part=2, parts=3, count=7)
    assert horizon(kit) == Horizon(10, 7, complete=False)
    kit.inventory(20, count=8)
    assert horizon(kit) == Horizon(20, 8, complete=False)


def test_the_horizon_does_not_move_back(kit: Kit) -> None:
    kit.inventory(20, count=8)
    kit.inventory(10, count=7)
    assert horizon(kit) == Horizon(20, 8, complete=False)


def test_the_horizon_is_complete_once_its_candidates_were_weighed(kit: Kit) -> None:
    kit.inventory(10, count=7)
    with kit.store.write() as tx:
        tx.removals.decide(FEED, "property", 10, "released", kit.now)
    assert horizon(kit) == Horizon(10, 7, complete=True)
    kit.inventory(10, count=7)
    assert horizon(kit) == Horizon(10, 7, complete=True)
    kit.inventory(20, count=7)
    assert horizon(kit) == Horizon(20, 7, complete=False)


def test_an_inventory_is_told_apart_from_lines_it_finds_as_they_are(kit: Kit) -> None:
    quiet = Line("2", True, 5, "s1", b"hash")
    others = [
        replace(quiet, key="3", stamp="s0"),  # other timestamps
        replace(quiet, key="4", unsettled=True),
        replace(quiet, key="5", wanted_stamp="s1", wanted_by=4),
        replace(quiet, key="6", stored=False),
        replace(quiet, key="7", stamp=None),
        replace(quiet, key="8"),  # not listed
    ]
    beyond = [replace(quiet, key="1"), replace(quiet, key="9")]
    kit.apply(*(PutLine(line) for line in (quiet, *others, *beyond)))
    listed = dict.fromkeys(["1", "2", "3", "4", "5", "6", "7", "9", "x"], "s1")
    with kit.store.write() as tx:
        assert tx.ledger.unlike(FEED, "property", "1", "8", listed) == ({"2"}, others)
