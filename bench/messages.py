"""A page of listings in one message against a message a listing, through the transport as shipped: every message
confirmed by RabbitMQ (durable quorum queues), received, decoded and acknowledged."""

from __future__ import annotations

import time

from bench.figures import Figure
from bench.mls import PAGE, simulated
from bench.parse import source_records
from bench.rounds import middle, say
from bench.servers import folder
from shared.messages import PageFetched, SourceRecord, decode
from shared.outbox import Outbox
from shared.transport.rabbitmq import RabbitTransport
from tests.servers.rabbitmq import rabbitmq

PAGES, SINGLES = 30, 500


def measure(rounds: int) -> list[Figure]:
    """See the module."""
    with simulated(10 * PAGE) as mls:
        records = [record for page in mls.pages(10) for record in source_records(page)]
    with folder() as here, rabbitmq(here / "broker") as broker:
        sending, receiving = RabbitTransport(broker.url, name="sends"), RabbitTransport(broker.url, name="receives")
        try:
            _through(sending, receiving, records, PAGE, PAGE)
            ratios: list[float] = []
            paged: list[float] = []
            for _ in range(rounds):
                pages = _through(sending, receiving, records, PAGE, PAGES * PAGE)
                singles = _through(sending, receiving, records, 1, SINGLES)
                paged.append(pages)
                ratios.append(pages / singles)
                say(f"{pages:,.0f} listings/s by pages, {singles:,.0f}/s one by one")
        finally:
            sending.close()
            receiving.close()
    return [
        Figure("a page a message against a listing a message", middle(ratios), 10, True, "x",
               "a listing a message, confirmed each", ratios, {"listings/s by pages": middle(paged)}),
    ]  # fmt: skip


def _through(
    sending: RabbitTransport, receiving: RabbitTransport, records: list[SourceRecord], at_once: int, listings: int
) -> float:
    """Listings a second, ``at_once`` in a message: sent and confirmed, then received, decoded and acknowledged."""
    outbox = Outbox(sending)
    pages = [
        PageFetched(feed="ddf", resource="property", observed_at=1, server_date=None, asked=[], records=part)
        for at in range(0, listings, at_once)
        if (part := [records[place % len(records)] for place in range(at, at + at_once)])
    ]
    receiving.receive([PageFetched.QUEUE], 0.0)  # it consumes from here on
    started = time.perf_counter()
    for page in pages:
        outbox.publish(page, "bench")
    for _ in pages:
        delivery = receiving.receive([PageFetched.QUEUE], 30.0)
        assert delivery is not None
        decode(delivery.body)
        receiving.ack(delivery)
    return listings / (time.perf_counter() - started)
