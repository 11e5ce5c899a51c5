"""mlsync as separate processes: each service in its own, killed, doubled, told to stop; the same rows and photos."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.processes import distributed
from tests.servers.rabbitmq import Broker

FOUR = ("fetcher", "reconciler", "writer", "media")


def test_a_sync_asked_of_four_processes_ends_equal_to_the_mls(broker: Broker, tmp_path: Path) -> None:
    with distributed(broker, tmp_path) as (mls, here), here.running(*FOUR):
        assert here.sync()["inserted"] == 40
        assert here.differences(mls) == []
        mls.advance(3)
        again = here.sync()
        assert here.differences(mls) == []
        assert again["inventory"] == len(mls.keys())
