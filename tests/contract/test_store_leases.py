"""``Leases``: one holder at a time, by the store's clock, and none after its holder's death."""

from __future__ import annotations

import threading

import pytest

from tests.contract.stores import Kit

NAME = "fetcher:ddf"


def test_a_lease_is_one_holders(kit: Kit) -> None:
    leases = kit.store.leases
    assert leases.holder(NAME) is None
    assert leases.take(NAME, "a", 30)
    assert not leases.take(NAME, "b", 30)
    assert leases.holder(NAME) == "a"


def test_a_holder_may_take_it_again(kit: Kit) -> None:
    assert kit.store.leases.take(NAME, "a", 30)
    kit.seconds += 20
    assert kit.store.leases.take(NAME, "a", 30)
    kit.seconds += 20
    assert kit.store.leases.holder(NAME) == "a"


def test_names_are_apart(kit: Kit) -> None:
    assert kit.store.leases.take(NAME, "a", 30)
    assert kit.store.leases.take("fetcher:other", "b", 30)
    assert [kit.store.leases.holder(name) for name in (NAME, "fetcher:other")] == ["a", "b"]


def test_a_dead_holders_lease_ends_by_itself(kit: Kit) -> None:
    assert kit.store.leases.take(NAME, "a", 30)
    kit.seconds += 29.9
    assert not kit.store.leases.take(NAME, "b", 30)
    kit.seconds += 0.1
    assert kit.store.leases.holder(NAME) is None
    assert kit.store.leases.take(NAME, "b", 30)
    assert kit.store.leases.holder(NAME) == "b"


def test_renewing_keeps_it(kit: Kit) -> None:
    kit.store.leases.take(NAME, "a", 30)
    for _ in range(5):
        kit.seconds += 20
        assert kit.store.leases.renew(NAME, "a", 30)
    assert not kit.store.leases.take(NAME, "b", 30)


def test_what_another_has_taken_is_not_renewed(kit: Kit) -> None:
    kit.store.leases.take(NAME, "a", 30)
    kit.seconds += 31
    kit.store.leases.take(NAME, "b", 30)
    assert not kit.store.leases.renew(NAME, "a", 30)
    assert kit.store.leases.holder(NAME) == "b"


def test_what_nobody_took_meanwhile_can_be_renewed_late(kit: Kit) -> None:
    kit.store.leases.take(NAME, "a", 30)
    kit.seconds += 60
    assert kit.store.leases.renew(NAME, "a", 30)
    assert kit.store.leases.holder(NAME) == "a"


def test_what_was_never_taken_or_was_released_is_not_renewed(kit: Kit) -> None:
    assert not kit.store.leases.renew(NAME, "a", 30)
    kit.store.leases.take(NAME, "a", 30)
    kit.store.leases.release(NAME, "a")
    assert not kit.store.leases.renew(NAME, "a", 30)
    assert kit.store.leases.holder(NAME) is None


def test_only_its_holder_releases_a_lease(kit: Kit) -> None:
    kit.store.leases.take(NAME, "a", 30)
    kit.store.leases.release(NAME, "b")
    assert kit.store.leases.holder(NAME) == "a"
    kit.store.leases.release(NAME, "a")
    assert kit.store.leases.take(NAME, "b", 30)


def test_leases_outlive_the_process(kit: Kit) -> None:
    kit.store.leases.take(NAME, "a", 30)
    assert kit.reopen().leases.holder(NAME) == "a"


@pytest.mark.parametrize("late", [False, True])
def test_of_many_that_take_at_once_one_gets_it(kit: Kit, late: bool) -> None:
    """Whether it is nobody's, or that of a holder that died."""
    if late:
        kit.store.leases.take(NAME, "dead", 1)
        kit.seconds += 2
    gate, got = threading.Barrier(6), list[int]()

    def take(number: int) -> None:
        gate.wait()
        if kit.store.leases.take(NAME, str(number), 30):
            got.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(got) == 1
    assert kit.store.leases.holder(NAME) == str(got[0])
