"""The way of new listings: page bytes → source records → RabbitMQ → the writer, a process of its own → PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing

import psycopg

from bench.figures import Figure
from bench.mls import PAGE, simulated
from bench.parse import source_records, typed_records
from bench.rounds import middle, say, seconds
from bench.servers import folder, servers, store_of
from shared.messages import PageFetched
from shared.outbox import Outbox
from shared.store.base import Store
from shared.transport.rabbitmq import RabbitTransport
from tests.pipeline.simulated import MLSYNC, bare_env, command, process, until

PAGES = 10
"""Of a round."""


def measure(rounds: int) -> list[Figure]:
    """See the module."""
    with simulated((rounds + 1) * PAGES * PAGE) as mls:
        pages = mls.pages((rounds + 1) * PAGES)
    parser: list[float] = []
    rates: list[float] = []
    with ExitStack() as stack:
        here = stack.enter_context(folder())
        place = stack.enter_context(servers(here)).place(here)
        env = bare_env() | place.settings | {
            "MLSYNC_FEEDS__DDF__PROTOCOL": "ddf",
            "MLSYNC_FEEDS__DDF__LOGIN_URL": "http://127.0.0.1:9/login",
            "MLSYNC_FEEDS__DDF__USERNAME": "nobody",
            "MLSYNC_FEEDS__DDF__PASSWORD": "nothing",
            "MLSYNC_FEEDS__DDF__MEDIA": "link",
        }  # fmt: skip
        assert command("migrate", env=env, cwd=here).code == 0
        log = stack.enter_context((here / "log").open("w"))
        stack.enter_context(process([str(MLSYNC), "run", "writer"], env, here, log.fileno()))
        store = stack.enter_context(closing(store_of(env)))
        transport = stack.enter_context(closing(RabbitTransport(place.settings["MLSYNC_BROKER_URL"])))
        database = stack.enter_context(psycopg.connect(place.settings["MLSYNC_DATABASE_URL"], autocommit=True))
        for number in range(rounds + 1):
            mine = pages[number * PAGES : (number + 1) * PAGES]
            alone = PAGES * PAGE / seconds(lambda mine=mine: [typed_records(page) for page in mine])  # type: ignore[misc]
            stored = (number + 1) * PAGES * PAGE
            rate = PAGES * PAGE / _through(mine, store, Outbox(transport), database, stored)
            if number:  # the first warms up
                parser.append(alone)
                rates.append(rate)
                say(f"{rate:,.0f} listings/s, {alone:,.0f}/s of the parser alone")
    ratios = [rate / alone for rate, alone in zip(rates, parser, strict=True)]
    return [
        Figure("chain: page bytes to RabbitMQ to PostgreSQL, new listings", middle(ratios), 0.45, True, "%",
               "bytes to typed records in one process, and no more", ratios,
               {"listings/s": middle(rates), "listings/s of the parser alone": middle(parser)}),
    ]  # fmt: skip


def _through(pages: Sequence[bytes], store: Store, outbox: Outbox, database: psycopg.Connection, stored: int) -> float:
    started = time.perf_counter()
    for page in pages:
        records = source_records(page)
        outbox.publish(
            PageFetched(
                feed="ddf", resource="property", observed_at=store.feeds.observe("ddf"), server_date=None,
                asked=[record.key for record in records], records=records,
            ),
            "bench",
        )  # fmt: skip
    until(lambda: _count(database) >= stored, 300)
    return time.perf_counter() - started


def _count(database: psycopg.Connection) -> int:
    row = database.execute("SELECT count(*) FROM ledger").fetchone()
    assert row is not None
    return int(row[0])
