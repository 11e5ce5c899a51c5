"""Rows are made anew when they were made otherwise, also where two versions of the program write beside each other."""

from __future__ import annotations

from services.writer.service import Remapped
from tests.contract.stores import FEED, Kit, Listing
from tests.contract.written import Written


def remapped(written: Written, run_id: str) -> tuple[int, int]:
    done = written.writer.remap(FEED, run_id)
    return done.records, done.changed


def test_rows_are_made_anew_once(kit: Kit) -> None:
    old, new = Written(kit, media="none"), Written(kit)
    old.page(10, Listing("1", photos={1: 1}))
    assert remapped(old, "a") == (1, 0)
    assert remapped(old, "b") == (0, 0)
    assert remapped(new, "c") == (1, 1)
    assert remapped(new, "d") == (0, 0)


def test_a_page_written_by_a_process_of_before_an_upgrade_is_made_anew(kit: Kit) -> None:
    old, new = Written(kit, media="none"), Written(kit)
    assert remapped(old, "a") == remapped(new, "b") == (0, 0)
    old.page(10, Listing("1", photos={1: 1}))
    new.page(11, Listing("2", photos={1: 1}))
    assert remapped(new, "c") == (2, 1)
    assert remapped(new, "d") == (0, 0)


def test_also_one_written_behind_the_back_of_him_who_makes_them_anew(kit: Kit) -> None:
    old, new = Written(kit, media="none"), Written(kit)
    old.page(10, *(Listing(f"{number:03}", photos={1: 1}) for number in range(150)))
    remapped(old, "a")
    behind: list[Remapped] = []

    def watch(done: Remapped) -> None:
        if not behind:
            behind.append(done)
            old.page(20, Listing("000", stamp=2, photos={1: 1}))
            new.page(30, Listing("001", stamp=2, photos={1: 1}))

    new.writer.remap(FEED, "b", watch=watch)
    assert remapped(new, "c") == (150, 1)
    assert remapped(new, "d") == (0, 0)


def test_his_own_pages_meanwhile_are_no_reason_to_begin_again(kit: Kit) -> None:
    old, new = Written(kit, media="none"), Written(kit)
    old.page(10, Listing("1", photos={1: 1}))
    remapped(old, "a")
    new.writer.remap(FEED, "b", watch=lambda _: new.page(20, Listing("2", photos={1: 1})))
    assert remapped(new, "c") == (0, 0)
