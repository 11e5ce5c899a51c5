"""What a page of records does to the ledger (design rules 1-4, 6 and 11), as plain values."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.reconciler.decide import on_inventory
from services.writer.decide import (
    WITHOUT_KEY,
    Read,
    Unreadable,
    became_known,
    is_unsettled,
    on_gone,
    on_page,
    on_unlisted,
)
from services.writer.photos import under_policy
from services.writer.settings import WriterSettings
from shared.backoff import HOUR
from shared.effects import (
    Count,
    DropLine,
    Effect,
    EndCandidacy,
    KeepRecord,
    Line,
    Photo,
    PutLine,
    Quarantine,
    RecheckPhotos,
    RemoveRecord,
    RetryPhotos,
    StoreRecord,
)
from shared.mapping.record import Mapped, MediaItem
from shared.messages import InventoryTaken, PageFetched, SourceRecord

SECOND = 1_000_000
NOW = 9_000_000_000 * SECOND
MODIFIED = datetime(2024, 5, 1, 12, tzinfo=UTC)
STAMPED = int(MODIFIED.timestamp()) * SECOND
LONG_AFTER = STAMPED + 3_600 * SECOND


def read(key: str = "1", stamp: str = "s1", content: bytes = b"x", modified: datetime | None = None) -> Read:
    mapped = Mapped("property", key, modified, {}, [], [], {}, [], [], content)
    return Read(SourceRecord(key, stamp, {"@ID": key}), mapped)


def page(at: int, *, asked: Iterable[str] = (), server_date: int | None = LONG_AFTER) -> PageFetched:
    return PageFetched(
        feed="ddf", resource="property", observed_at=at, server_date=server_date, asked=list(asked), records=[]
    )


def handle(
    at: int,
    items: Sequence[Read] = (),
    lines: Iterable[Line] = (),
    *,
    bad: Sequence[Unreadable] = (),
    asked: Iterable[str] = (),
    horizon: int | None = None,
    server_date: int | None = LONG_AFTER,
) -> list[Effect]:
    message = page(at, asked=asked, server_date=server_date)
    return on_page(message, items, bad, {line.key: line for line in lines}, horizon, NOW)


def stored(at: int, stamp: str = "s1", content: bytes = b"x", *, unsettled: bool = False) -> Line:
    return Line("1", stored=True, observed_at=at, stamp=stamp, hash=content, unsettled=unsettled)


def wanted(by: int, stamp: str = "s1") -> Line:
    return Line("1", wanted_stamp=stamp, wanted_by=by)


def line_after(effects: Sequence[Effect]) -> Line | None:
    return lines_after({}, effects).get("1")


def lines_after(before: Mapping[str, Line], effects: Sequence[Effect]) -> dict[str, Line]:
    """A ledger in memory."""
    after = dict(before)
    for effect in effects:
        if isinstance(effect, PutLine | StoreRecord | KeepRecord | RemoveRecord):
            after[effect.line.key] = effect.line
    return after


# --- the last observation wins


def test_a_record_never_seen_is_inserted() -> None:
    item = read()
    assert handle(10, [item]) == [
        EndCandidacy("1"),
        StoreRecord(item.mapped, item.photos, item.source, stored(10), insert=True),
        Count("inserted"),
    ]


def test_a_record_with_other_content_is_updated() -> None:
    item = read(stamp="s2", content=b"y")
    assert handle(10, [item], [stored(5)]) == [
        EndCandidacy("1"),
        StoreRecord(item.mapped, item.photos, item.source, stored(10, "s2", b"y"), insert=False),
        Count("updated"),
    ]


def test_a_record_with_the_same_content_rewrites_no_row_but_its_line() -> None:
    item = read(stamp="s2")
    assert handle(10, [item], [stored(5)]) == [
        EndCandidacy("1"),
        KeepRecord(item.mapped, stored(10, "s2")),
        Count("unchanged"),
    ]


def test_a_record_that_comes_back_is_inserted_over_its_tombstone() -> None:
    effects = handle(10, [read()], [Line("1", observed_at=5)])
    assert [effect.insert for effect in effects if isinstance(effect, StoreRecord)] == [True]


@pytest.mark.parametrize("at", [4, 5])
def test_a_page_observed_no_later_than_the_line_does_nothing(at: int) -> None:
    assert handle(at, [read(stamp="s0", content=b"old")], [stored(5)]) == []


def test_a_page_observed_before_a_removal_brings_nothing_back() -> None:
    assert handle(4, [read()], [Line("1", observed_at=5)]) == []


def test_an_older_timestamp_wins_when_it_was_observed_later() -> None:
    line = line_after(handle(10, [read(stamp="s1")], [stored(5, "s9", b"y")]))
    assert line == stored(10, "s1")


def test_a_page_delivered_twice_does_nothing() -> None:
    before = {"1": wanted(5), "2": Line("2", wanted_stamp="s1", wanted_by=5)}
    bad = [Unreadable("3", b"?", "no key")]
    message = page(10, asked=["1", "2"])
    first = on_page(message, [read()], bad, before, 5, NOW)
    after = lines_after(before, first)
    again = on_page(message, [read()], bad, after, 5, NOW)
    assert again == [Quarantine("3", "record", b"?", "no key", 10)]  # the same thing is kept once


def test_a_record_twice_in_one_page_is_written_once_as_it_came_last() -> None:
    effects = handle(10, [read(content=b"first"), read(content=b"last")])
    assert [effect.mapped.hash for effect in effects if isinstance(effect, StoreRecord)] == [b"last"]
    assert effects[-1] == Count("inserted")


# --- the horizon


def test_a_page_older_than_the_horizon_fills_only_a_want() -> None:
    assert handle(10, [read()], horizon=11) == []
    assert handle(10, [read(content=b"y")], [stored(5)], horizon=11) == []
    assert line_after(handle(10, [read()], [wanted(by=11)], horizon=11)) == stored(10)


def test_a_page_newer_than_the_horizon_needs_no_want() -> None:
    assert line_after(handle(12, [read()], horizon=11)) == stored(12)


def test_before_the_first_inventory_there_is_no_horizon() -> None:
    assert line_after(handle(1, [read()])) == stored(1)


def test_an_unreadable_record_older_than_the_horizon_that_nothing_wants_is_dropped() -> None:
    """Its key went meanwhile: set aside once more, nothing would ever supersede it and no sync would end in step."""
    assert handle(10, bad=[Unreadable("1", b"?", "nested too deep")], asked=["1"], horizon=11) == []


# --- wants


def test_a_want_is_met_by_a_settled_record_with_the_wanted_timestamp() -> None:
    assert line_after(handle(10, [read()], [wanted(by=11)])) == stored(10)


def test_a_want_is_met_by_any_record_observed_later_than_its_inventory() -> None:
    assert line_after(handle(12, [read(stamp="s7")], [wanted(by=11)])) == stored(12, "s7")


def test_a_want_is_not_met_by_an_earlier_record_with_another_timestamp() -> None:
    line = line_after(handle(10, [read(stamp="s0")], [wanted(by=11)]))
    assert line == Line("1", True, 10, "s0", b"x", wanted_stamp="s1", wanted_by=11)


def test_a_want_is_not_met_by_an_earlier_unsettled_record_with_the_wanted_timestamp() -> None:
    line = line_after(handle(10, [read(modified=MODIFIED)], [wanted(by=11)], server_date=STAMPED))
    assert line == Line("1", True, 10, "s1", b"x", unsettled=True, wanted_stamp="s1", wanted_by=11)


def test_an_unsettled_record_observed_later_meets_the_want_and_says_so() -> None:
    line = line_after(handle(12, [read(modified=MODIFIED)], [wanted(by=11)], server_date=STAMPED))
    assert line == stored(12, unsettled=True)


MONDAY, TUESDAY, WEDNESDAY = (f"{day} Mar 2024 09:00:00 GMT" for day in ("Mon, 04", "Tue, 05", "Wed, 06"))


def test_an_older_copy_than_was_listed_is_written_and_stays_wanted_as_an_attempt() -> None:
    before = replace(stored(5, MONDAY, b"old"), wanted_stamp=WEDNESDAY, wanted_by=10)
    effects = handle(12, [read(stamp=TUESDAY, content=b"new")], [before])
    (write,) = [effect for effect in effects if isinstance(effect, StoreRecord)]
    line = write.line
    assert (line.observed_at, line.stamp, line.hash) == (12, TUESDAY, b"new")
    assert (line.wanted_stamp, line.wanted_by, line.attempts, line.attempted_by) == (WEDNESDAY, 10, 1, 10)
    assert line.reason == f"the MLS delivers an older copy than it lists: of {TUESDAY}, listed of {WEDNESDAY}"
    assert line.next_attempt_at is None
    assert EndCandidacy("1") in effects


def test_an_older_copy_of_the_same_content_is_an_attempt_too() -> None:
    before = replace(stored(5, MONDAY), wanted_stamp=TUESDAY, wanted_by=10)
    (line,) = [effect.line for effect in handle(12, [read(stamp=MONDAY)], [before]) if isinstance(effect, KeepRecord)]
    assert (line.wanted_by, line.attempts, line.asked) == (10, 1, True)


def test_an_older_copy_is_counted_once_per_inventory_and_backs_off_after_three() -> None:
    line = wanted(0, WEDNESDAY)
    for number, by in enumerate((10, 20, 30), start=1):
        line = replace(line, wanted_by=by)
        for at in (by + 1, by + 2):
            found = line_after(handle(at, [read(stamp=TUESDAY)], [line]))
            assert found is not None
            line = found
            assert (line.attempts, line.attempted_by) == (number, by)
    assert line.next_attempt_at == NOW + HOUR


def test_an_older_copy_becomes_the_newest_when_the_mls_lists_it_so() -> None:
    """It was no lagging replica: the MLS had set the timestamp back."""
    line = replace(stored(12, TUESDAY), wanted_stamp=WEDNESDAY, wanted_by=10, attempts=1, attempted_by=10, reason="x")
    taken = InventoryTaken(
        feed="ddf", resource="property", observed_at=20, server_date=None, after=None, upto=None,
        entries=[("1", TUESDAY)], count=1, part=1, parts=1,
    )  # fmt: skip
    assert on_inventory(taken, [line], []) == [PutLine(stored(12, TUESDAY))]


@pytest.mark.parametrize("stamp", [WEDNESDAY, TUESDAY, "", "no timestamp"])
def test_a_record_as_new_as_listed_or_newer_or_without_a_timestamp_meets_the_want(stamp: str) -> None:
    line = line_after(handle(12, [read(stamp=stamp)], [wanted(10, TUESDAY)]))
    assert line is not None
    assert (line.wanted_by, line.attempts) == (None, 0)


def test_a_want_met_forgets_its_attempts() -> None:
    tried = Line("1", wanted_stamp="s1", wanted_by=11, attempts=4, attempted_by=9, next_attempt_at=7, reason="lost")
    assert line_after(handle(12, [read()], [tried])) == stored(12)


def test_a_record_ends_the_candidacy_of_its_key() -> None:
    assert EndCandidacy("1") in handle(10, [read()], [stored(5)])


def test_a_dropped_record_ends_no_candidacy() -> None:
    assert EndCandidacy("1") not in handle(4, [read()], [stored(5)])


def test_a_record_read_again_only_for_its_age_asks_for_its_photos_too() -> None:
    reread = Line("1", True, 5, "s1", b"x", wanted_stamp="s1", wanted_by=11)
    assert RecheckPhotos("1") in handle(12, [read()], [reread])


@pytest.mark.parametrize(
    "line",
    [
        Line("1", True, 5, "s1", b"x", wanted_stamp="s2", wanted_by=11),
        Line("1", True, 5, "s1", b"x", unsettled=True, wanted_stamp="s1", wanted_by=11),
        stored(5),
        wanted(by=11),
    ],
)
def test_a_record_read_for_another_reason_does_not_ask_for_its_photos(line: Line) -> None:
    assert RecheckPhotos("1") not in handle(12, [read(stamp="s2")], [line])


def test_a_record_marked_to_be_read_again_has_its_failed_photos_asked_for_at_once() -> None:
    marked = Line("1", True, 5, "s1", b"x", unsettled=True, wanted_stamp="s1", wanted_by=11)
    assert RetryPhotos("1") in handle(12, [read()], [marked])
    assert RetryPhotos("1") in handle(12, [read(stamp="s2")], [marked])
    assert RetryPhotos("1") not in handle(12, [read()], [stored(5)])


# --- settling


@pytest.mark.parametrize("seconds", [-2, -1, 0, 1, 2])
def test_equal_timestamps_within_the_margin_are_unsettled(seconds: int) -> None:
    assert is_unsettled(MODIFIED, STAMPED + seconds * SECOND, 0)


@pytest.mark.parametrize("microseconds", [-2 * SECOND - 1, 2 * SECOND + 1, 60 * SECOND])
def test_a_record_read_outside_the_margin_by_the_servers_date_is_settled(microseconds: int) -> None:
    assert not is_unsettled(MODIFIED, STAMPED + microseconds, STAMPED)


@pytest.mark.parametrize(("seconds", "unsettled"), [(0, True), (60, True), (-60, True), (61, False), (-61, False)])
def test_without_a_date_the_margin_is_a_minute_by_the_stores_clock(seconds: int, unsettled: bool) -> None:
    assert is_unsettled(MODIFIED, None, STAMPED + seconds * SECOND) is unsettled


def test_a_record_without_a_timestamp_is_settled() -> None:
    assert not is_unsettled(None, STAMPED, STAMPED)


def test_a_timestamp_in_another_zone_is_the_same_instant() -> None:
    elsewhere = datetime.fromisoformat("2024-05-01T08:00:00-04:00")
    assert is_unsettled(elsewhere, STAMPED, 0)
    assert not is_unsettled(elsewhere + timedelta(hours=4), STAMPED, 0)


# --- in vain


def test_a_wanted_key_missing_from_the_answer_is_an_attempt() -> None:
    effects = handle(12, lines=[wanted(by=11)], asked=["1"])
    assert effects == [
        PutLine(
            Line("1", wanted_stamp="s1", wanted_by=11, attempts=1, attempted_by=11,
                 reason="the MLS lists it but does not deliver it")
        ),
        Count("unavailable"),
    ]  # fmt: skip


def test_an_attempt_is_counted_once_per_inventory() -> None:
    tried = Line("1", wanted_stamp="s1", wanted_by=11, attempts=1, attempted_by=11, reason="lost")
    assert handle(13, lines=[tried], asked=["1"]) == []


def test_an_answer_older_than_the_want_is_no_attempt() -> None:
    assert handle(10, lines=[wanted(by=11)], asked=["1"]) == []


@pytest.mark.parametrize("line", [None, stored(5), Line("1", observed_at=5)])
def test_a_key_that_nothing_wants_may_be_missing(line: Line | None) -> None:
    assert handle(12, lines=[line] if line else [], asked=["1"]) == []


def test_the_third_attempt_in_vain_begins_the_back_off() -> None:
    tried = Line("1", wanted_stamp="s1", wanted_by=11, attempts=2, attempted_by=9, reason="lost")
    line = line_after(handle(12, lines=[tried], asked=["1"]))
    assert line is not None
    assert (line.attempts, line.next_attempt_at) == (3, NOW + HOUR)


def test_a_missing_key_leaves_the_row_and_its_line_as_they_are() -> None:
    before = Line("1", True, 5, "s0", b"x", wanted_stamp="s1", wanted_by=11)
    line = line_after(handle(12, lines=[before], asked=["1"]))
    assert line is not None
    assert (line.stored, line.observed_at, line.stamp, line.hash) == (True, 5, "s0", b"x")


def test_an_unreadable_record_is_quarantined_with_its_bytes_and_counted_as_an_attempt() -> None:
    bad = Unreadable("1", b"\x00bytes", "nested too deep")
    assert handle(12, lines=[wanted(by=11)], bad=[bad], asked=["1"]) == [
        Quarantine("1", "record", b"\x00bytes", "nested too deep", 12),
        PutLine(
            Line("1", wanted_stamp="s1", wanted_by=11, attempts=1, attempted_by=11,
                 reason="quarantined: nested too deep")
        ),
        Count("unavailable"),
    ]  # fmt: skip


def test_xml_that_no_parser_reads_is_quarantined_as_such() -> None:
    bad = Unreadable("1", b"<a>", "broken XML", "xml")
    effects = handle(12, lines=[wanted(10)], bad=[bad], asked=["1"])
    assert Quarantine("1", "xml", b"<a>", "broken XML", 12) in effects


def test_an_unreadable_record_does_not_stop_the_others() -> None:
    effects = handle(12, [read("2")], bad=[Unreadable("1", b"?", "no")])
    assert [effect.mapped.key for effect in effects if isinstance(effect, StoreRecord)] == ["2"]


def test_an_unreadable_record_does_not_touch_the_row() -> None:
    effects = handle(12, lines=[stored(5)], bad=[Unreadable("1", b"?", "no")])
    assert effects == [Quarantine("1", "record", b"?", "no", 12)]


def test_an_unreadable_record_that_was_overtaken_is_not_set_aside() -> None:
    assert handle(12, lines=[stored(13)], bad=[Unreadable("1", b"?", "no")]) == []


# --- removal


def test_a_released_candidate_is_removed_and_leaves_a_tombstone() -> None:
    assert on_gone(20, ["1"], {"1": stored(10)}, 20) == [
        EndCandidacy("1"),
        RemoveRecord(Line("1", observed_at=20)),
        Count("removed"),
    ]


@pytest.mark.parametrize("at", [20, 21])
def test_a_candidate_observed_since_the_inventory_is_not_removed(at: int) -> None:
    assert on_gone(20, ["1"], {"1": stored(at)}, 20) == [EndCandidacy("1")]


def test_removals_of_an_inventory_older_than_the_horizon_are_dropped() -> None:
    assert on_gone(20, ["1"], {"1": stored(10)}, 21) == []


def test_a_removal_delivered_twice_removes_nothing_more() -> None:
    assert on_gone(20, ["1"], {"1": Line("1", observed_at=20)}, 20) == [EndCandidacy("1")]


def test_a_candidate_without_a_line_is_only_ended() -> None:
    assert on_gone(20, ["1"], {}, 20) == [EndCandidacy("1")]


# --- photos under the feed's policy

MAPPED = Mapped(
    "property", "1", None, {}, [MediaItem("1", 1, "v1", "http://x/t", "http://x/p", "http://x/l")], [], {}, [], [], b"h"
)  # fmt: skip


def test_policy_none_has_no_photos() -> None:
    assert under_policy(MAPPED, WriterSettings("ddf", "none"))[1] == []


def test_policy_link_keeps_addresses_and_stores_nothing() -> None:
    assert under_policy(MAPPED, WriterSettings("ddf", "link"))[1] == [Photo(MAPPED.media[0], "http://x/l", None)]


@pytest.mark.parametrize("policy", ["url", "location", "bytes"])
def test_other_policies_want_the_version_in_the_size_asked_for(policy: str) -> None:
    settings = WriterSettings("ddf", policy, "photo")  # type: ignore[arg-type]
    assert under_policy(MAPPED, settings)[1] == [Photo(MAPPED.media[0], "http://x/p", "photo v1")]


def test_a_changed_policy_makes_every_record_a_changed_one() -> None:
    policies = [
        WriterSettings("ddf", "none"), WriterSettings("ddf", "link"), WriterSettings("ddf", "url"),
        WriterSettings("ddf", "url", "photo"), WriterSettings("ddf", "url", "thumbnail"),
    ]  # fmt: skip
    assert len({under_policy(MAPPED, settings)[0].hash for settings in policies}) == len(policies)


def test_the_same_policy_keeps_the_hash() -> None:
    settings = WriterSettings("ddf")
    assert under_policy(MAPPED, settings)[0] == under_policy(MAPPED, settings)[0]


@pytest.mark.parametrize(
    ("resources", "media", "wanted"),
    [
        (("property", "member"), "url", 1), (("property", "member"), "location", 1),
        (("property", "member"), "bytes", 1), (("property", "member"), "link", 0),
        (("property", "member"), "none", 0), (("property", "office"), "url", 0), (("property",), "url", 0),
    ],
)  # fmt: skip
def test_a_portrait_is_wanted_where_its_resource_is_listed_and_photos_are_downloaded(
    resources: tuple[str, ...], media: str, wanted: int
) -> None:
    agent = Mapped("member", "7", None, {}, [MediaItem("1", 1, "v1")], [], {}, [], [], b"h")
    photos = under_policy(agent, WriterSettings("ddf", media, resources=resources))[1]  # type: ignore[arg-type]
    assert photos == [Photo(agent.media[0], None, "large v1")][:wanted]


def test_listing_agents_too_changes_no_listing() -> None:
    both = [WriterSettings("ddf", resources=resources) for resources in (("property",), ("property", "member"))]
    assert len({under_policy(MAPPED, settings)[0].hash for settings in both}) == 1


# --- a resource that is listed no more


def test_a_stored_record_is_removed_without_a_tombstone() -> None:
    gone = Line("1", observed_at=10)
    assert on_unlisted([stored(10)]) == [RemoveRecord(gone), Count("removed"), DropLine("1")]


def test_a_want_or_tombstone_goes() -> None:
    assert on_unlisted([Line("2", wanted_by=5), Line("3", observed_at=5)]) == [DropLine("2"), DropLine("3")]


# --- for all inputs

keys = st.sampled_from("123")
contents = st.sampled_from([b"x", b"y"])
stamps = st.sampled_from(["a", "b"])
horizons = st.sampled_from([None, 5])


@st.composite
def ledgers(draw: st.DrawFn) -> dict[str, Line]:
    """Ledgers as an inventory of 5 left them."""
    found: dict[str, Line] = {}
    for key in draw(st.sets(keys)):
        line = draw(
            st.sampled_from([Line(key), Line(key, observed_at=4)])
            | st.builds(Line, st.just(key), st.just(True), st.just(3), stamps, contents, st.booleans())
        )
        if draw(st.booleans()):
            line = replace(line, wanted_stamp=draw(stamps), wanted_by=5)
        found[key] = line
    return found


@st.composite
def pages(draw: st.DrawFn, at: st.SearchStrategy[int]) -> tuple[PageFetched, list[Read], list[Unreadable]]:
    content = draw(st.dictionaries(keys, st.tuples(stamps, contents, st.booleans())))
    bad = draw(st.sets(keys.filter(lambda key: key not in content), max_size=1)) if len(content) < 3 else set()
    items = [read(key, stamp, what, MODIFIED if near else None) for key, (stamp, what, near) in content.items()]
    message = page(draw(at), asked=draw(st.sets(keys)), server_date=STAMPED)
    return message, items, [Unreadable(key, b"?", "no") for key in sorted(bad)]


def fold(before: dict[str, Line], several: Iterable[tuple[PageFetched, list[Read], list[Unreadable]]],
         horizon: int | None) -> dict[str, Line]:  # fmt: skip
    after = before
    for message, items, bad in several:
        after = lines_after(after, on_page(message, items, bad, after, horizon, NOW))
    return after


@given(ledgers(), pages(st.integers(1, 9)), horizons)
def test_applying_a_page_twice_equals_once(
    ledger: dict[str, Line], one: tuple[PageFetched, list[Read], list[Unreadable]], horizon: int | None
) -> None:
    assert fold(ledger, [one, one], horizon) == fold(ledger, [one], horizon)


@given(
    ledgers(),
    st.lists(pages(st.integers(6, 99)), max_size=5, unique_by=lambda one: one[0].observed_at),
    horizons,
    st.randoms(use_true_random=False),
)
def test_page_order_does_not_matter(
    ledger: dict[str, Line],
    several: list[tuple[PageFetched, list[Read], list[Unreadable]]],
    horizon: int | None,
    rng: random.Random,
) -> None:
    """What each key has is what its last observation said; the reason of an attempt in vain may be either's."""
    shuffled = list(several)
    rng.shuffle(shuffled)
    one, other = fold(ledger, several, horizon), fold(ledger, shuffled, horizon)
    delivered = {item.mapped.key for _, items, _ in several for item in items}
    for key in one.keys() | other.keys():
        if key in delivered:
            assert one[key] == other[key]
        else:
            assert (one[key].stored, one[key].wanted_by, one[key].attempts) == (
                other[key].stored, other[key].wanted_by, other[key].attempts,
            )  # fmt: skip


@given(ledgers(), pages(st.integers(1, 9)), horizons)
def test_a_page_never_moves_an_observation_back(
    ledger: dict[str, Line], one: tuple[PageFetched, list[Read], list[Unreadable]], horizon: int | None
) -> None:
    after = fold(ledger, [one], horizon)
    assert all(after[key].observed_at >= line.observed_at for key, line in ledger.items())


@given(ledgers(), pages(st.integers(1, 9)), horizons)
def test_a_page_alone_removes_no_row_and_wants_nothing_new(
    ledger: dict[str, Line], one: tuple[PageFetched, list[Read], list[Unreadable]], horizon: int | None
) -> None:
    after = fold(ledger, [one], horizon)
    assert {key for key, line in ledger.items() if line.stored} <= {key for key, line in after.items() if line.stored}
    assert {key for key, line in after.items() if line.wanted_by} <= {
        key for key, line in ledger.items() if line.wanted_by
    }


@given(ledgers(), st.dictionaries(st.sampled_from("123456"), stamps, min_size=1))
def test_an_inventory_its_records_and_the_same_inventory_again_want_nothing(
    ledger: dict[str, Line], listed: dict[str, str]
) -> None:
    def inventory(at: int) -> InventoryTaken:
        return InventoryTaken(
            feed="ddf", resource="property", observed_at=at, server_date=None, after=None, upto=None,
            entries=sorted(listed.items()), count=len(listed), part=1, parts=1,
        )  # fmt: skip

    after = lines_after(ledger, on_inventory(inventory(10), ledger.values(), ()))
    wants = [key for key, line in after.items() if line.wanted_by is not None and key in listed]
    items = [read(key, listed[key]) for key in wants]
    after = fold(after, [(page(11, asked=wants), items, [])], 10)
    again = on_inventory(inventory(20), [after[key] for key in listed], ())
    assert again == []


def test_a_record_without_its_key_is_that_of_the_only_key_that_did_not_come() -> None:
    effects = handle(12, [read("2")], lines=[wanted(by=11)], bad=[Unreadable("", b"?", "no key")], asked=["1", "2"])
    assert Quarantine("1", "record", b"?", "no key", 12) in effects
    line = line_after(effects)
    assert line is not None
    assert line.reason == "quarantined: no key"


def test_records_without_keys_may_be_any_of_those_that_did_not_come() -> None:
    lines = [Line(key, wanted_stamp="s1", wanted_by=11) for key in "123"]
    for bodies, asked in (((b"a", b"b"), ["1", "2", "3"]), ((b"a",), ["1", "2", "3"])):
        bad = [Unreadable("", body, "no key") for body in bodies]
        effects = handle(12, [read("3")], lines=lines, bad=bad, asked=asked)
        aside = [effect for effect in effects if isinstance(effect, Quarantine)]
        assert aside == [Quarantine("", "record", body, "no key", 12, ("1", "2")) for body in bodies]
        reasons = {effect.line.reason for effect in effects if isinstance(effect, PutLine) and effect.line.reason}
        assert reasons == {WITHOUT_KEY}


def test_a_record_without_a_key_when_all_came_is_nobodys() -> None:
    effects = handle(12, [read("1")], lines=[wanted(by=11)], bad=[Unreadable("", b"?", "no key")], asked=["1"])
    assert Quarantine("", "record", b"?", "no key", 12) in effects


# --- what measures freshness


def known_since(since: int | None, item: Read, *lines: Line) -> list[datetime]:
    before = {line.key: line for line in lines}
    effects = on_page(page(LONG_AFTER), [item], [], before, None, NOW)
    return became_known(effects, before, since)


@pytest.mark.parametrize(
    ("since", "counts"), [(None, False), (STAMPED - 1, True), (STAMPED, False), (STAMPED + SECOND, False)]
)
def test_a_new_record_is_timed_if_it_is_younger_than_the_first_list(since: int | None, counts: bool) -> None:
    assert known_since(since, read(modified=MODIFIED)) == [MODIFIED] * counts


@pytest.mark.parametrize(("stamp", "content", "counts"), [("s2", b"y", True), ("s1", b"y", False), ("s2", b"x", False)])
def test_a_change_is_timed_if_the_record_has_another_timestamp_and_reads_otherwise(
    stamp: str, content: bytes, counts: bool
) -> None:
    before = Line("1", stored=True, observed_at=5, stamp="s1", hash=b"x")
    assert known_since(STAMPED + 1, read("1", stamp, content, MODIFIED), before) == [MODIFIED] * counts


def test_a_record_without_a_timestamp_is_not_timed() -> None:
    assert known_since(0, read()) == []
