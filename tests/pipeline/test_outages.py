"""Broker or photo store go away in the midst of a sync of several processes: it goes on by itself and ends equal."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from shared.blobs.s3 import parse_url
from tests.pipeline.processes import Processes, distributed
from tests.pipeline.simulated import until
from tests.pipeline.test_processes import TWO, reported
from tests.servers.proxy import Proxy, proxied
from tests.servers.rabbitmq import Broker
from tests.servers.s3 import S3Server

AWAY_SECONDS = 6.0
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


def test_a_broker_that_goes_away_is_waited_for(broker: Broker, tmp_path: Path) -> None:
    with distributed(broker, tmp_path, 60, 2, page_size="5") as (mls, here):
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


def test_pages_too_large_for_the_broker_come_in_smaller_ones(broker: Broker, tmp_path: Path) -> None:
    with distributed(broker, tmp_path, 40, 1, page_size="40") as (mls, here), takes_at_most(broker, 10_000):
        with here.running(*TWO) as (fetcher, _):
            until(lambda: here.fetcher() == fetcher.pid)
            here.sync()
        assert here.differences(mls) == []
        assert here.logged("rabbitmq.reconnecting") == 1  # who fetches, once
        assert here.count("quarantine") == 0


def test_a_bucket_that_goes_away_is_waited_for(broker: Broker, tmp_path: Path, s3_server: S3Server) -> None:
    url = s3_server.bucket(f"processes-{secrets.token_hex(6)}")
    where = urlsplit(parse_url(url).endpoint)
    with (
        proxied(where.hostname or "", where.port or 0) as proxy,
        distributed(broker, tmp_path, 40, 4) as (_, here),
    ):
        here.settings |= {
            "MLSYNC_MEDIA_URL": url.replace(f":{where.port}", f":{proxy.port}"),
            "MLSYNC_MEDIA_ACCESS_KEY": s3_server.access_key,
            "MLSYNC_MEDIA_SECRET_KEY": s3_server.secret_key,
        }
        proxy.delay = 0.02
        with here.running(*TWO), here.start("sync", "--json") as asking:
            until(lambda: here.count("media", "object_key IS NOT NULL") >= 5)
            away(proxy)
            proxy.delay = 0.0
            assert reported(asking)["photos"]["failed"] == 0
            assert here.count("media", "object_key IS NULL") == 0
            assert here.run("audit", "media").code == 0
        untroubled(here)
