"""A page of 100 listings: bytes as they come over the network → typed records, as the writer stores them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import xmltodict
from lxml import etree

from bench.figures import Figure
from bench.mls import PAGE, simulated
from bench.rounds import interleaved, middle, say
from shared.mapping.mapping import load
from shared.mapping.record import Mapped
from shared.messages import SourceRecord
from shared.rets.mend import Mender
from shared.rets.records import RecordReader

BLOCK = 65_536
"""Bytes that come from a connection at a time."""


def source_records(page: bytes) -> list[SourceRecord]:
    """The page's records as the fetcher publishes them."""
    blocks = (page[at : at + BLOCK] for at in range(0, len(page), BLOCK))
    return list(RecordReader("PropertyDetails").read(blocks, Mender()))


def typed_records(page: bytes) -> list[Mapped]:
    """The page's records as the writer stores them: rows of columns, with a hash."""
    mapping = load("ddf")
    return [mapping.map("ddf", "property", record) for record in source_records(page)]


def measure(rounds: int) -> list[Figure]:
    """See the module."""
    with simulated(10 * PAGE) as mls:
        pages = mls.pages(10)
    found = typed_records(pages[0])
    assert len(found) == PAGE
    assert all(record.key and not record.problems for record in found)
    say(f"a page of {len(pages[0]):,} bytes, {sum(1 for _ in etree.fromstring(pages[0]).iter()) // PAGE} elements each")
    times = interleaved(
        rounds,
        [
            partial(_each, typed_records, pages),
            partial(_each, source_records, pages),
            partial(_each, etree.fromstring, pages),
            partial(_each, xmltodict.parse, pages),
        ],
    )
    listings = PAGE * len(pages)
    detail: dict[str, float | str] = {
        "listings/s, typed": middle([listings / typed for typed, *_ in times]),
        "listings/s, source records": middle([listings / source for _, source, *_ in times]),
        "source records, share of fromstring": middle([bare / source for _, source, bare, _ in times]),
        "bytes a listing": round(sum(map(len, pages)) / listings),
    }
    of_lxml = [bare / typed for typed, _, bare, _ in times]
    of_dicts = [dicts / typed for typed, _, _, dicts in times]
    return [
        Figure("page of 100 listings, bytes to typed records", middle(of_lxml), 0.28, True, "%",
               "bare lxml.etree.fromstring of the page", of_lxml, detail),
        Figure("the same, against the usual way", middle(of_dicts), 3.0, True, "x",
               "xmltodict.parse of the page", of_dicts, {}),
    ]  # fmt: skip


def _each(read: Callable[[bytes], object], pages: Sequence[bytes]) -> None:
    """Page by page, none kept."""
    for page in pages:
        read(page)
