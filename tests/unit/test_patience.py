"""What is away is waited for, whatever else goes wrong is not."""

from __future__ import annotations

import threading

import pytest

from services.patience import patiently
from shared.store.base import StoreError, StoreUnavailableError
from shared.transport.base import TransportUnavailableError


def test_it_goes_on_when_what_was_away_is_back() -> None:
    left: list[Exception] = [StoreUnavailableError("the database does not answer")]

    def do() -> str:
        if left:
            raise left.pop()
        return "done"

    assert patiently(threading.Event(), do) == "done"


@pytest.mark.parametrize("error", [StoreUnavailableError("away"), TransportUnavailableError("away")])
def test_it_waits_no_longer_than_the_process_lives(error: Exception) -> None:
    stopping = threading.Event()
    stopping.set()

    def do() -> None:
        raise error

    with pytest.raises(type(error)):
        patiently(stopping, do)


def test_other_errors_are_not_waited_for() -> None:
    tries = []

    def do() -> None:
        tries.append(1)
        raise StoreError("a newer mlsync has been here")

    with pytest.raises(StoreError, match="newer"):
        patiently(threading.Event(), do)
    assert tries == [1]
