"""``Store.write``: one transaction, and what threads see of each other's."""

from __future__ import annotations

import threading

import pytest

from shared.effects import Line, PutLine
from tests.contract.stores import FEED, RUN, Kit, Listing


def test_a_transaction_is_committed_at_its_end(kit: Kit) -> None:
    with kit.store.write() as tx:
        tx.records.apply(FEED, "property", RUN, [PutLine(Line("1"))])
        assert kit.rows("SELECT * FROM ledger") == []
    assert kit.rows("SELECT key FROM ledger") == [("1",)]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_transaction_is_rolled_back_on_an_exception(kit: Kit, error: type[BaseException]) -> None:
    kit.apply(PutLine(Line("1")))

    def interrupted() -> None:
        with kit.store.write() as tx:
            tx.records.apply(FEED, "property", RUN, [PutLine(Line("1", observed_at=9)), PutLine(Line("2"))])
            raise error

    with pytest.raises(error):
        interrupted()
    assert kit.lines("1", "2") == {"1": Line("1")}


def test_a_transaction_sees_what_it_wrote(kit: Kit) -> None:
    with kit.store.write() as tx:
        tx.records.apply(FEED, "property", RUN, [PutLine(Line("1"))])
        assert tx.ledger.lines(FEED, "property", ["1"]) == {"1": Line("1")}


def test_what_is_committed_outlives_the_process(kit: Kit) -> None:
    kit.page(10, Listing("1", rooms=2, photos={1: 1}, agents={"7": ("Ann", "9")}))
    before = kit.line("1")
    kit.reopen()
    assert kit.line("1") == before
    assert kit.rows("SELECT listing_key FROM property") == [("1",)]


def test_what_two_threads_read_and_write_is_one_step_each(kit: Kit) -> None:
    """A hundred increments by read and write, none lost: what a transaction read stays true until it ends."""
    kit.apply(PutLine(Line("1", attempts=0)))

    def increment() -> None:
        for _ in range(50):
            with kit.store.write() as tx:
                line = tx.ledger.lines(FEED, "property", ["1"])["1"]
                tx.records.apply(FEED, "property", RUN, [PutLine(Line("1", attempts=line.attempts + 1))])

    threads = [threading.Thread(target=increment) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kit.line("1").attempts == 100


def test_a_thread_that_only_reads_is_not_shown_what_is_not_committed(kit: Kit) -> None:
    seen: list[int] = []
    with kit.store.write() as tx:
        tx.records.apply(FEED, "property", RUN, [PutLine(Line("1", wanted_stamp="s", wanted_by=1))])
        reader = threading.Thread(target=lambda: seen.append(kit.store.feeds.outstanding(FEED).wanted))
        reader.start()
        reader.join()
    assert seen == [0]
    assert kit.store.feeds.outstanding(FEED).wanted == 1


def test_a_closed_store_can_be_used_again(kit: Kit) -> None:
    kit.apply(PutLine(Line("1")))
    kit.store.close()
    kit.store.close()
    assert kit.line("1") == Line("1")
