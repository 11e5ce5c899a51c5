"""What an inventory says about the ledger (design rules 2, 4, 6, 10 and 11), as plain values."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reconciler.decide import lanes, on_inventory, to_reread, weigh, without_want
from shared.effects import AddCandidate, DropLine, Effect, EndCandidacy, Line, PutLine
from shared.messages import InventoryTaken
from shared.store.base import Candidates

HOUR = 3_600_000_000
DAY = 24 * HOUR
WEEK = 7 * DAY

STORED = Line("1", stored=True, observed_at=50, stamp="s1", hash=b"h")
WANTED = Line("1", wanted_stamp="s1", wanted_by=50)
TOMBSTONE = Line("1", observed_at=50)


def taken(*entries: tuple[str, str], at: int = 100, proven: bool = True) -> InventoryTaken:
    return InventoryTaken(
        feed="ddf", resource="property", observed_at=at, server_date=None, after=None, upto=None,
        entries=list(entries), count=len(entries), part=1, parts=1, proven=proven,
    )  # fmt: skip


def wanted(line: Line, stamp: str = "s1", at: int = 100) -> Line:
    return Line(
        line.key, line.stored, line.observed_at, line.stamp, line.hash, line.unsettled, wanted_stamp=stamp, wanted_by=at
    )


# --- what is listed


def test_a_key_never_seen_is_wanted_and_gets_a_line() -> None:
    assert on_inventory(taken(("1", "s1")), [], ()) == [PutLine(Line("1", wanted_stamp="s1", wanted_by=100))]


def test_a_listing_with_the_stored_timestamp_is_left_alone() -> None:
    assert on_inventory(taken(("1", "s1")), [STORED], ()) == []


@pytest.mark.parametrize("stamp", ["s2", "s0", "", "S1"])
def test_a_listing_with_another_timestamp_is_wanted_be_it_newer_or_older(stamp: str) -> None:
    assert on_inventory(taken(("1", stamp)), [STORED], ()) == [PutLine(wanted(STORED, stamp))]


def test_a_listing_with_another_timestamp_keeps_what_the_line_says_is_stored() -> None:
    (effect,) = on_inventory(taken(("1", "s2")), [STORED], ())
    assert isinstance(effect, PutLine)
    assert without_want(effect.line) == STORED


def test_a_record_observed_after_the_inventory_is_not_wanted_by_it() -> None:
    later = Line("1", stored=True, observed_at=101, stamp="s2", hash=b"h")
    assert on_inventory(taken(("1", "s1")), [later], ()) == []


def test_an_unsettled_record_is_wanted_again_though_its_timestamp_is_the_same() -> None:
    unsettled = Line("1", stored=True, observed_at=50, stamp="s1", hash=b"h", unsettled=True)
    assert on_inventory(taken(("1", "s1")), [unsettled], ()) == [PutLine(wanted(unsettled))]


def test_a_removed_key_that_is_listed_again_is_wanted() -> None:
    assert on_inventory(taken(("1", "s1")), [TOMBSTONE], ()) == [PutLine(wanted(TOMBSTONE))]


def test_a_key_removed_after_the_inventory_is_not_wanted_by_it() -> None:
    assert on_inventory(taken(("1", "s1")), [Line("1", observed_at=100)], ()) == []


def test_a_want_is_renewed_by_each_inventory_that_still_lists_it() -> None:
    assert on_inventory(taken(("1", "s1")), [WANTED], ()) == [PutLine(wanted(WANTED))]


def test_a_want_renewed_with_the_same_timestamp_remembers_its_attempts() -> None:
    tried = Line("1", wanted_stamp="s1", wanted_by=50, attempts=4, attempted_by=50, next_attempt_at=7, reason="lost")
    again = Line("1", wanted_stamp="s1", wanted_by=100, attempts=4, attempted_by=50, next_attempt_at=7, reason="lost")
    assert on_inventory(taken(("1", "s1")), [tried], ()) == [PutLine(again)]
    assert not again.asked  # on behalf of the new inventory


def test_a_new_timestamp_starts_attempts_afresh() -> None:
    tried = Line("1", wanted_stamp="s1", wanted_by=50, attempts=4, attempted_by=50, next_attempt_at=7, reason="lost")
    assert on_inventory(taken(("1", "s2")), [tried], ()) == [PutLine(wanted(Line("1"), "s2"))]


def test_a_want_ends_when_the_mls_lists_the_stored_timestamp_again() -> None:
    assert on_inventory(taken(("1", "s1")), [wanted(STORED, "s2", at=60)], ()) == [PutLine(STORED)]


def test_an_older_inventory_does_not_touch_the_want_of_a_newer_one() -> None:
    assert on_inventory(taken(("1", "s1"), at=100), [wanted(STORED, "s3", at=101)], ()) == []


def test_an_inventory_delivered_twice_does_nothing() -> None:
    lines = {"1": STORED, "2": Line("2", stored=True, observed_at=50, stamp="s1", hash=b"h"), "4": Line("4")}
    message = taken(("1", "s2"), ("3", "s1"))
    first = on_inventory(message, lines.values(), ())
    after = _lines_after(lines, first)
    again = on_inventory(message, after.values(), {"2"})
    assert [effect for effect in again if not isinstance(effect, AddCandidate)] == []
    assert _lines_after(after, again) == after


def test_a_reread_not_served_yet_is_still_wanted_by_the_next_inventory() -> None:
    """Else a record that is listed and never delivered is asked for by every inventory, for ever, without back-off."""
    reread = Line("1", stored=True, observed_at=50, stamp="s1", hash=b"h", wanted_stamp="s1", wanted_by=60,
                  attempts=3, attempted_by=60, next_attempt_at=HOUR, reason="lost")  # fmt: skip
    (effect,) = on_inventory(taken(("1", "s1")), [reread], ())
    assert isinstance(effect, PutLine)
    assert (effect.line.wanted_by, effect.line.attempts, effect.line.next_attempt_at) == (100, 3, HOUR)


# --- what is absent


def test_an_absent_key_whose_row_was_observed_earlier_becomes_a_candidate() -> None:
    assert on_inventory(taken(), [STORED], ()) == [AddCandidate("1", 100)]


def test_an_absence_alone_removes_nothing() -> None:
    effects = on_inventory(taken(), [Line(str(n), stored=True, observed_at=1, stamp="s") for n in range(50)], ())
    assert {type(effect) for effect in effects} == {AddCandidate}


@pytest.mark.parametrize("at", [100, 101])
def test_an_absent_key_whose_row_was_observed_later_is_no_candidate(at: int) -> None:
    assert on_inventory(taken(), [Line("1", stored=True, observed_at=at, stamp="s1")], ()) == []


def test_an_absent_key_that_a_newer_inventory_wants_is_no_candidate() -> None:
    assert on_inventory(taken(), [wanted(STORED, "s2", at=101)], ()) == []


def test_an_absent_key_is_not_wanted_any_more() -> None:
    assert on_inventory(taken(), [wanted(STORED, "s2", at=60)], ()) == [AddCandidate("1", 100), PutLine(STORED)]


def test_a_tombstone_goes_when_a_later_inventory_lacks_the_key() -> None:
    assert on_inventory(taken(), [TOMBSTONE], ()) == [DropLine("1")]


def test_a_tombstone_stays_while_only_older_inventories_lack_the_key() -> None:
    assert on_inventory(taken(at=50), [TOMBSTONE], ()) == []


def test_a_want_never_met_goes_when_a_later_inventory_lacks_the_key() -> None:
    assert on_inventory(taken(), [WANTED], ()) == [DropLine("1")]


def test_an_unproven_inventory_makes_no_candidates() -> None:
    assert on_inventory(taken(proven=False), [STORED], ()) == []


@pytest.mark.parametrize("line", [TOMBSTONE, WANTED])
def test_an_unproven_inventory_drops_no_line(line: Line) -> None:
    assert on_inventory(taken(proven=False), [line], ()) == []


def test_an_unproven_inventory_still_says_what_to_fetch() -> None:
    effects = on_inventory(taken(("1", "s2"), ("2", "s1"), proven=False), [STORED], ())
    assert effects == [PutLine(wanted(STORED, "s2")), PutLine(Line("2", wanted_stamp="s1", wanted_by=100))]


@pytest.mark.parametrize("proven", [True, False])
def test_a_candidate_that_is_listed_again_is_none_any_more(proven: bool) -> None:
    assert on_inventory(taken(("1", "s1"), proven=proven), [STORED], {"1"}) == [EndCandidacy("1")]


def test_a_candidate_that_a_later_inventory_lacks_too_is_renewed() -> None:
    assert on_inventory(taken(at=200), [STORED], {"1"}) == [AddCandidate("1", 200)]


# --- for all inputs

stamps = st.sampled_from(["a", "b", "c"])
times = st.integers(1, 20)


@st.composite
def lines(draw: st.DrawFn) -> dict[str, Line]:
    """Ledgers as they can be."""
    found = {}
    for key in draw(st.sets(st.sampled_from("123456"))):
        line = Line(key)
        if draw(st.booleans()):
            line = Line(key, True, draw(times), draw(stamps), b"h", draw(st.booleans()))
        elif draw(st.booleans()):
            line = Line(key, observed_at=draw(times))
        if draw(st.booleans()):
            line = wanted(line, draw(stamps), draw(times))
        found[key] = line
    return found


def _lines_after(before: dict[str, Line], effects: list[Effect]) -> dict[str, Line]:
    after = dict(before)
    for effect in effects:
        if isinstance(effect, PutLine):
            after[effect.line.key] = effect.line
        elif isinstance(effect, DropLine):
            del after[effect.key]
    return after


@given(lines(), st.dictionaries(st.sampled_from("123456"), stamps), st.integers(1, 25), st.booleans())
def test_handling_an_inventory_twice_equals_handling_it_once(
    ledger: dict[str, Line], listed: dict[str, str], at: int, proven: bool
) -> None:
    message = taken(*sorted(listed.items()), at=at, proven=proven)
    once = _lines_after(ledger, on_inventory(message, ledger.values(), ()))
    assert _lines_after(once, on_inventory(message, once.values(), ())) == once


@given(lines(), st.dictionaries(st.sampled_from("123456"), stamps))
def test_the_newest_inventory_owes_every_listed_key_its_timestamp(
    ledger: dict[str, Line], listed: dict[str, str]
) -> None:
    after = _lines_after(ledger, on_inventory(taken(*sorted(listed.items())), ledger.values(), ()))
    for key, stamp in listed.items():
        line = after[key]
        if line.wanted_by is None:
            assert line.stored
            assert line.stamp == stamp
        else:
            assert (line.wanted_by, line.wanted_stamp) == (100, stamp)


@given(lines(), st.dictionaries(st.sampled_from("123456"), stamps))
def test_the_newest_proven_inventory_leaves_no_line_of_an_absent_key_but_candidates(
    ledger: dict[str, Line], listed: dict[str, str]
) -> None:
    effects = on_inventory(taken(*sorted(listed.items())), ledger.values(), ())
    after = _lines_after(ledger, effects)
    candidates = {effect.key for effect in effects if isinstance(effect, AddCandidate)}
    assert set(after) - set(listed) == candidates == {key for key in ledger if ledger[key].stored} - set(listed)


# --- weighing


def known(
    *, seen: int = 0, held: int = 0, stored: int = 1000, today: int = 0, count: int = 900, missing: int = 0
) -> Candidates:
    return Candidates(seen, held, 0, stored, today, count, missing)


def verdict(candidates: Candidates, at_least: int = 5, share: float = 0.05) -> str | None:
    return weigh(candidates, at_least=at_least, share=share)


def test_candidates_are_not_weighed_while_ranges_are_missing() -> None:
    assert verdict(known(seen=1, missing=1)) is None


def test_an_empty_inventory_is_always_held() -> None:
    assert verdict(known(seen=1, count=0), at_least=1_000_000, share=1.0) == "held"


def test_an_empty_inventory_of_an_empty_store_holds_nothing() -> None:
    assert verdict(known(stored=0, count=0)) == "released"


def test_the_share_is_the_limit_of_a_large_store() -> None:
    assert verdict(known(seen=50)) == "released"
    assert verdict(known(seen=51)) == "held"


def test_the_least_number_is_the_limit_of_a_small_store() -> None:
    assert verdict(known(seen=5, stored=20)) == "released"
    assert verdict(known(seen=6, stored=20)) == "held"


def test_what_the_day_removed_before_counts_too() -> None:
    assert verdict(known(seen=25, today=25, stored=975)) == "released"
    assert verdict(known(seen=26, today=25, stored=975)) == "held"


def test_candidates_held_before_are_weighed_with_the_new_ones() -> None:
    assert verdict(known(seen=1, held=50)) == "held"


counts = st.integers(0, 300)


@given(counts, counts, counts, counts, st.integers(1, 300), counts, st.floats(0, 1))
def test_weigh_never_releases_above_the_limit_and_never_holds_below_it(
    seen: int, held: int, others: int, today: int, count: int, at_least: int, share: float
) -> None:
    stored = seen + held + others
    limit = max(at_least, share * (stored + today))
    result = verdict(known(seen=seen, held=held, stored=stored, today=today, count=count), at_least, share)
    if seen + held and seen + held + today > limit:
        assert result == "held"
    else:
        assert result == "released"


@given(counts, counts, counts, st.integers(0, 300), st.floats(0, 1))
def test_an_empty_inventory_releases_no_candidate_whatever_the_settings(
    seen: int, held: int, today: int, at_least: int, share: float
) -> None:
    result = verdict(known(seen=seen, held=held, stored=seen + held, today=today, count=0), at_least, share)
    assert result == ("held" if seen + held else "released")


# --- rereading


def simulate(stored: int, interval: int, jitter: float, days: int) -> list[tuple[int, int]]:
    """Read everything at 0, then at every inventory what is due: (age at rereading, number read) of each step."""
    rng = random.Random(1)
    ages: list[tuple[int, int]] = []
    observed = [0] * stored
    previous: int | None = 0
    now = 0
    while now < days * DAY:
        now += int(interval * rng.uniform(1 - jitter, 1))
        before, limit = to_reread(now, previous, stored, within=WEEK)
        observed.sort()
        due = [at for at in observed[:limit] if at < before]
        ages.append((now - observed[0], len(due)))
        observed[: len(due)] = [now] * len(due)
        previous = now
    return ages


@pytest.mark.parametrize("interval", [HOUR // 2, HOUR, 7 * HOUR, DAY])
@pytest.mark.parametrize("jitter", [0.0, 0.8])
def test_rereading_covers_everything_within_the_week(interval: int, jitter: float) -> None:
    oldest = max(age for age, _ in simulate(1_000, interval, jitter, 40))
    assert oldest <= WEEK + interval


def test_rereading_does_not_repeat_the_first_load_in_one_burst() -> None:
    steps = [read for _, read in simulate(10_000, HOUR, 0.0, 40)]
    assert max(steps) <= -(-10_000 * HOUR // (2 * DAY))


def test_nothing_is_read_again_before_five_days_have_passed() -> None:
    assert all(read == 0 for _, read in simulate(100, HOUR, 0.0, 5)[:-1])


def test_an_inventory_after_a_long_pause_rereads_all_that_is_old() -> None:
    assert to_reread(30 * DAY, DAY, 1_000, within=WEEK) == (25 * DAY, 1_000)


def test_the_first_inventory_may_reread_all_that_is_old() -> None:
    assert to_reread(30 * DAY, None, 1_000, within=WEEK) == (25 * DAY, 1_000)


def test_an_empty_store_rereads_nothing() -> None:
    assert to_reread(30 * DAY, None, 0, within=WEEK)[1] == 0


def test_a_few_new_keys_do_not_wait() -> None:
    assert lanes(["a", "b", "c"], {"a": Line("a", stored=True)}, 2) == (["a", "b", "c"], [])


def test_many_new_keys_wait_behind_what_is_stored_and_has_changed() -> None:
    lines = {"b": Line("b", stored=True), "c": Line("c")}
    assert lanes(["a", "b", "c", "d"], lines, 2) == (["b"], ["a", "c", "d"])


def test_however_much_has_changed_it_does_not_wait() -> None:
    keys = [str(number) for number in range(1_000)]
    assert lanes(keys, {key: Line(key, stored=True) for key in keys}, 2) == (keys, [])
