"""One request for a record's photos is queued at a time, and none is lost by that."""

from __future__ import annotations

import pytest

from services.once import PhotosOnce
from shared.consumer import Retry
from shared.messages import PhotosPending, RecordsRequested
from shared.transport.memory import MemoryTransport

PENDING = PhotosPending(feed="ddf", resource="property", key="1")


def queued(transport: MemoryTransport, queue: str) -> int:
    return transport.depths().get(queue, (0, 0, 0))[0]


def test_the_like_of_a_request_still_queued_is_left_out() -> None:
    transport = MemoryTransport()
    outbox = PhotosOnce(transport)
    for _ in range(3):
        outbox.publish(PENDING, "run")
        outbox.publish(PhotosPending(feed="ddf", resource="property", key="2"), "run")
    assert queued(transport, "media") == 2


def test_what_is_said_once_the_request_was_taken_is_queued_again() -> None:
    transport = MemoryTransport()
    outbox = PhotosOnce(transport)
    outbox.publish(PENDING, "run")
    assert transport.receive(["media"], 0) is not None
    with outbox.taking(PENDING):
        outbox.publish(PENDING, "run")
        assert queued(transport, "media") == 1


def test_a_record_is_handled_by_one_thread_at_a_time() -> None:
    outbox = PhotosOnce(MemoryTransport())
    with outbox.taking(PENDING):
        with pytest.raises(Retry) as waits, outbox.taking(PENDING):
            raise AssertionError("two at once")
        assert not waits.value.counts
    with outbox.taking(PENDING):
        pass


def test_what_must_wait_for_its_turn_is_queued_and_not_queued_again() -> None:
    transport = MemoryTransport()
    outbox = PhotosOnce(transport)
    with pytest.raises(Retry), outbox.taking(PENDING):
        raise Retry("its host is left alone", delay=600.0, counts=False)
    outbox.publish(PENDING, "run")
    assert queued(transport, "media") == 0  # the loop has queued the copy
    with outbox.taking(PENDING):
        outbox.publish(PENDING, "run")
    assert queued(transport, "media") == 1


def test_what_failed_may_be_parked_so_that_its_like_is_queued() -> None:
    transport = MemoryTransport()
    outbox = PhotosOnce(transport)
    with pytest.raises(Retry), outbox.taking(PENDING):
        raise Retry("it failed")
    outbox.publish(PENDING, "run")
    assert queued(transport, "media") == 1


def test_other_messages_pass_however_often_they_are_sent() -> None:
    transport = MemoryTransport()
    outbox = PhotosOnce(transport)
    for _ in range(2):
        outbox.publish(RecordsRequested(feed="ddf", resource="property", keys=["1"]), "run")
    assert queued(transport, "fetcher.ddf") == 2


def test_what_comes_sooner_is_queued_though_its_like_waits_behind_a_first_load() -> None:
    transport = MemoryTransport()
    outbox = PhotosOnce(transport)
    late = PhotosPending(feed="ddf", resource="property", key="1", backlog=True)
    for message in (late, late, PENDING, PENDING, late):
        outbox.publish(message, "run")
    assert (queued(transport, "media"), queued(transport, "media.backlog")) == (1, 1)
