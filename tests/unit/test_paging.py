"""Reading by offsets: where the next request begins, when the list has ended, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sources.paging import MAX_PAGES, Paging

Answer = Callable[[int], tuple[Sequence[str], int | None]]


def keys(count: int, first: int = 1) -> list[str]:
    return [str(number) for number in range(first, first + count)]


def honest(count: int, limit: int = 100, *, announced: bool = True) -> Answer:
    """A server that honours offsets."""
    found = keys(count)
    return lambda offset: (found[offset - 1 : offset - 1 + limit], count if announced else None)


def read(answer: Answer, paging: Paging | None = None) -> tuple[list[int], set[str], Paging]:
    """The offsets asked for, the keys that came, and what is thought of it."""
    paging = paging or Paging()
    asked: list[int] = []
    came: set[str] = set()
    while paging.offset is not None:
        asked.append(paging.offset)
        found, total = answer(paging.offset)
        came |= set(found)
        paging.took(found, total)
    return asked, came, paging


@pytest.mark.parametrize(
    ("total", "offsets"),
    [
        (0, [1]),
        (1, [1]),
        (99, [1]),
        (100, [1]),
        (101, [1, 101]),
        (200, [1, 101]),
        (201, [1, 101, 201]),
        (300, [1, 101, 201]),
    ],
)
def test_requests_go_on_until_past_the_total_and_no_further(total: int, offsets: list[int]) -> None:
    asked, came, paging = read(honest(total))
    assert (asked, came, paging.doubt) == (offsets, set(keys(total)), "")


@pytest.mark.parametrize(("count", "offsets"), [(0, [1]), (1, [1, 2]), (100, [1, 101]), (101, [1, 101, 102])])
def test_without_a_total_requests_go_on_until_nothing_comes(count: int, offsets: list[int]) -> None:
    asked, came, paging = read(honest(count, announced=False))
    assert (asked, came, paging.doubt) == (offsets, set(keys(count)), "")


@pytest.mark.parametrize("total", [201, None])
def test_a_page_that_repeats_ends_the_list_in_doubt(total: int | None) -> None:
    asked, came, paging = read(lambda _: (keys(100), total))
    assert (asked, len(came)) == ([1, 101], 100)
    assert paging.repeated
    assert "offsets are not honoured" in paging.doubt


def test_a_server_that_sends_all_at_once_is_not_asked_again() -> None:
    asked, came, paging = read(lambda _: (keys(250), 250))
    assert (asked, len(came), paging.doubt) == ([1], 250, "")


def test_short_pages_step_over_nothing() -> None:
    asked, came, paging = read(honest(120, limit=50))
    assert (asked, len(came), paging.doubt) == ([1, 51, 101], 120, "")


def test_records_twice_in_a_page_count_once() -> None:
    pages = {1: keys(90) + keys(10), 91: keys(30, 91)}
    asked, came, paging = read(lambda offset: (pages[offset], 120))
    assert (asked, len(came), paging.doubt) == ([1, 91], 120, "")


def test_records_without_a_key_take_a_place_and_are_no_repetition() -> None:
    asked, _, paging = read(lambda _: (["", ""], 4))
    assert (asked, paging.doubt) == ([1, 3], "")


@pytest.mark.parametrize(("then", "asked"), [(102, [1, 101]), (301, [1, 101, 201, 301]), (100, [1, 101])])
def test_a_total_that_changes_is_followed_and_doubted(then: int, asked: list[int]) -> None:
    """It is the newest total that is gone by, in either direction."""
    totals = {1: 101}
    found, _, paging = read(
        lambda offset: (keys(min(100, max(1, then - offset + 1)), offset), totals.get(offset, then))
    )
    assert found == asked
    assert f"from 101 to {then}" in paging.doubt


def test_a_record_that_moved_while_the_list_was_read_is_doubted() -> None:
    """Record 5 changed after the first page: it is at the end now, and number 101 has become number 100."""
    pages = {1: keys(100), 101: [*keys(49, 102), "5"]}
    asked, came, paging = read(lambda offset: (pages[offset], 150))
    assert asked == [1, 101]
    assert "101" not in came
    assert "came twice" in paging.doubt


def test_nothing_where_more_was_announced_is_doubted() -> None:
    asked, _, paging = read(lambda offset: (keys(100) if offset == 1 else [], 201))
    assert asked == [1, 101]
    assert "none came from number 101" in paging.doubt


def test_an_empty_page_that_announces_records_is_doubted() -> None:
    assert "5 records were announced" in read(lambda _: ([], 5))[2].doubt


def test_more_than_announced_is_doubted() -> None:
    assert "2 records came, 1 were announced" in read(lambda _: (keys(2), 1))[2].doubt


@pytest.mark.parametrize("total", [None, 10**9])
def test_a_list_without_end_is_given_up(total: int | None) -> None:
    asked, _, paging = read(lambda offset: ([str(offset)], total))
    assert len(asked) == MAX_PAGES
    assert "no end" in paging.doubt


def test_the_last_page_allowed_may_be_the_end() -> None:
    assert read(honest(200), Paging(max_pages=2))[2].doubt == ""
    assert read(honest(201), Paging(max_pages=2))[2].doubt


def test_the_first_doubt_is_kept() -> None:
    paging = Paging()
    paging.suspect("one")
    paging.suspect("two")
    assert paging.doubt == "one"


def test_nothing_can_come_after_the_end() -> None:
    paging = read(honest(1))[2]
    with pytest.raises(ValueError, match="ended"):
        paging.took([], None)


@given(st.integers(0, 30), st.integers(1, 7), st.booleans())
def test_an_honest_server_is_read_whole_without_doubt(count: int, limit: int, announced: bool) -> None:
    _, came, paging = read(honest(count, limit, announced=announced))
    assert (came, paging.doubt) == (set(keys(count)), "")


@given(st.data())
def test_whatever_a_server_says_the_reading_ends(data: st.DataObject) -> None:
    answers = st.tuples(st.lists(st.sampled_from(["", *keys(4)]), max_size=4), st.none() | st.integers(0, 20))
    asked, _, _ = read(lambda _: data.draw(answers), Paging(max_pages=20))
    assert len(asked) <= 20


@given(st.integers(1, 30), st.integers(1, 5), st.integers(0, 5), st.sampled_from(["gone", "new", "moved"]), st.data())
def test_one_change_between_two_pages_is_seen_or_hides_nothing(
    count: int, limit: int, when: int, what: str, data: st.DataObject
) -> None:
    """What was there from the first page to the last came, or there is a doubt."""
    listed = keys(count)
    changed = data.draw(st.sampled_from(listed))
    pages = 0

    def answer(offset: int) -> tuple[list[str], int]:
        nonlocal pages
        if pages == when and pages:
            if what != "new":
                listed.remove(changed)
            if what != "gone":
                listed.append("new" if what == "new" else changed)
        pages += 1
        return listed[offset - 1 : offset - 1 + limit], len(listed)

    _, came, paging = read(answer)
    assert set(listed) - {"new"} <= came or paging.doubt
