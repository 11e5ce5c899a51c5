"""Broker, database or photo store go away in the midst of a sync: it goes on by itself and ends equal to the MLS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from shared.blobs.s3 import parse_url
from tests.conftest import SCALE
from tests.pipeline.forms import Servers
from tests.pipeline.processes import Processes, distributed
from tests.pipeline.simulated import until
from tests.pipeline.test_processes import TWO, reported
from tests.servers.postgres import own_postgres
from tests.servers.proxy import Proxy, proxied
from tests.servers.rabbitmq import Broker

AWAY_SECONDS = 6.0 if SCALE == 1 else 60.0
PROCESSES = 3
"""``TWO``, and the one that asks."""


def away(proxy: Proxy) -> None:
    """For a while nobody gets through."""
    proxy.refusing = True
    proxy.cut(reset=True)
    time.sleep(AWAY_SECONDS)
    proxy.refusing = False


@contextmanager
def takes_at_most(broker: Broker, size: int) -> Iterator[None]:
    """A broker that closes the channel of who sends more bytes in one message."""
    limit = "application:set_env(rabbit, max_message_size, {0}), persistent_term:put(max_message_size, {0})."
    broker.ctl("eval", limit.format(size))
    try:
        yield
    finally:
        broker.ctl("eval", limit.format(16_777_216))


def untroubled(here: Processes) -> None:
    """Nothing was parked, and nobody spoke of it all the time."""
    assert here.count("quarantine") == 0
    assert here.logged("away") + here.logged("rabbitmq.reconnecting") <= 6 * PROCESSES


def test_a_broker_that_goes_away_is_waited_for(servers: Servers, tmp_path: Path) -> None:
    with distributed(servers, tmp_path, 60, 2, page_size="5") as (mls, here):
        url = here.settings["MLSYNC_BROKER_URL"]
        where = urlsplit(url)
        with proxied(where.hostname or "", where.port or 0) as proxy:
            here.settings["MLSYNC_BROKER_URL"] = url.replace(f":{where.port}/", f":{proxy.port}/")
            mls.fault("slow", "60")
            with here.running(*TWO), here.start("sync", "--json") as asking:
                until(lambda: here.count("property_record") >= 10)
                away(proxy)
                assert reported(asking).get("error") is None
                mls.fault("slow", "off")
                here.sync()
                assert here.differences(mls) == []
        untroubled(here)


def test_pages_too_large_for_the_broker_come_in_smaller_ones(servers: Servers, tmp_path: Path) -> None:
    with distributed(servers, tmp_path, 40, 1, page_size="40") as (mls, here), takes_at_most(servers.broker, 10_000):
        with here.running(*TWO) as (fetcher, _):
            until(lambda: here.fetcher() == fetcher.pid)
            here.sync()
        assert here.differences(mls) == []
        assert here.logged("rabbitmq.reconnecting") == 1  # who fetches, once
        assert here.count("quarantine") == 0


def test_a_bucket_that_goes_away_is_waited_for(servers: Servers, tmp_path: Path) -> None:
    where = urlsplit(parse_url(servers.s3.url).endpoint)
    with (
        proxied(where.hostname or "", where.port or 0) as proxy,
        distributed(servers, tmp_path, 40, 4) as (_, here),
    ):
        url = here.settings["MLSYNC_MEDIA_URL"]
        here.settings["MLSYNC_MEDIA_URL"] = url.replace(f":{where.port}", f":{proxy.port}")
        proxy.delay = 0.02
        with here.running(*TWO), here.start("sync", "--json") as asking:
            until(lambda: here.count("media", "object_key IS NOT NULL") >= 5)
            away(proxy)
            proxy.delay = 0.0
            assert reported(asking)["photos"]["failed"] == 0
            assert here.count("media", "object_key IS NULL") == 0
            assert here.run("audit", "media").code == 0
        untroubled(here)


def test_a_database_that_is_stopped_and_started_is_waited_for(servers: Servers, tmp_path: Path) -> None:
    with (
        own_postgres(durable=True) as server,
        distributed(Servers(servers.broker, server, servers.s3), tmp_path, 60, 2, page_size="5") as (mls, here),
    ):
        mls.fault("slow", "60")
        with here.running(*TWO), here.start("sync", "--json") as asking:
            until(lambda: here.count("property_record") >= 10)
            server.stop("immediate")
            time.sleep(AWAY_SECONDS)
            server.start()
            assert reported(asking, 120).get("error") is None
            mls.fault("slow", "off")
            here.sync()
            here.give_up_objects()  # put as the database went, so that no row points at them
            assert here.differences(mls) == []
        untroubled(here)
