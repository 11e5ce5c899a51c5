"""The broker does not fill up: who publishes looks at what waits there."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import pytest

from services import distributed as form
from services.distributed import PAGES_AHEAD, BoundedOutbox
from shared.messages import PhotosPending, RecordsRequested
from shared.transport.rabbitmq import RabbitTransport
from tests.pipeline.forms import Servers
from tests.pipeline.processes import distributed
from tests.pipeline.simulated import until
from tests.servers.rabbitmq import Broker

LISTINGS = PAGES_AHEAD + 60


def test_no_more_is_fetched_than_writers_keep_up_with(servers: Servers, tmp_path: Path) -> None:
    with distributed(servers, tmp_path, LISTINGS, 0, page_size="1") as (mls, here), here.running("fetcher reconciler"):
        transport = RabbitTransport(here.settings["MLSYNC_BROKER_URL"])

        def pages() -> int:
            return transport.depth("writer") + transport.depth("writer.backlog")

        try:
            until(lambda: pages() >= PAGES_AHEAD)
            time.sleep(3)
            assert pages() <= PAGES_AHEAD + 2
            with here.running("writer media"):
                here.sync()
                assert here.differences(mls) == []
                assert pages() == 0
        finally:
            transport.close()


def test_requests_are_not_repeated_while_enough_wait(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "QUEUE_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(form, "MOST", {PhotosPending: 3, RecordsRequested: 2})
    transport = RabbitTransport(broker.vhost(f"pressure-{secrets.token_hex(4)}"))
    try:
        outbox = BoundedOutbox(transport)
        for number in range(10):
            outbox.publish(PhotosPending(feed="ddf", resource="property", key=str(number)), "run")
            outbox.publish(PhotosPending(feed="ddf", resource="property", key=str(number), backlog=True), "run")
            outbox.publish(RecordsRequested(feed="ddf", resource="property", keys=[str(number)]), "run")
        queues = ("media", "media.backlog", "fetcher.ddf")
        until(lambda: [transport.depth(queue) for queue in queues] == [3, 3, 2])
    finally:
        transport.close()
