"""Pages of listings for the store's benchmarks: what the simulated MLS sends, read and mapped as the services do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from time import perf_counter
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from services.simulator.faults import Faults
from services.simulator.options import Options
from services.simulator.render import property_xml
from services.simulator.world import World
from services.writer.decide import Read
from services.writer.service import Writer
from services.writer.settings import WriterSettings
from shared.effects import Line, PutLine
from shared.messages import Envelope, PageFetched, SourceRecord
from shared.outbox import Outbox
from shared.rets.mend import Mender
from shared.rets.records import RecordReader
from shared.store.base import Store, Tx
from shared.transport.base import Delivery
from shared.transport.memory import MemoryTransport

FEED = "ddf"
RUN = "bench"
AT_ONCE = 100
PHOTOS = 20
"""Per listing on average, as at DDF."""
LATER = "Sat, 02 Jan 2027 10:00:00 GMT"
LAST = "Sun, 03 Jan 2027 10:00:00 GMT"
"""When listings were changed, and touched; long before they are read."""
SERVER_DATE = 1_900_000_000_000_000


def listings(count: int, *, seed: int = 1) -> list[SourceRecord]:
    """The first listings of a simulated MLS of ``count``, as the fetcher reads them."""
    view = World(Options(listings=count, photos=PHOTOS, seed=seed)).view()
    faults = Faults(seed, [])
    xml = (property_xml(view, view.listing(number), "http://mls.example", faults) for number in view.listings.numbers())
    reader = RecordReader("PropertyDetails")
    whole = [b'<RETS ReplyCode="0" ReplyText="Operation successful">', *xml, b"</RETS>"]
    return list(reader.read(whole, Mender()))[:count]


def changed(record: SourceRecord) -> SourceRecord:
    """Another price, other remarks, a new timestamp; two photos taken anew; the last photo and the last room gone."""
    fields: dict[str, Any] = deepcopy(record.fields)
    fields["@LastUpdated"] = LATER
    fields["Price"] = str(int(float(fields.get("Price") or 100_000)) + 1_000)
    fields["PublicRemarks"] = f"{fields.get('PublicRemarks', '')} Price changed."
    photos = fields.get("Photo") or {}
    shown = photos.get("PropertyPhoto") if isinstance(photos, dict) else None
    if isinstance(shown, list) and len(shown) > 3:
        shown.pop()
        for photo in shown[:2]:
            photo["LastUpdated"] = photo["PhotoLastUpdated"] = LATER
    rooms = (fields.get("Building") or {}).get("Rooms") or {}
    if isinstance(rooms, dict) and isinstance(rooms.get("Room"), list) and len(rooms["Room"]) > 1:
        rooms["Room"].pop()
    return SourceRecord(record.key, LATER, fields)


def touched(record: SourceRecord) -> SourceRecord:
    """The same but for its timestamp."""
    return SourceRecord(record.key, LAST, record.fields | {"@LastUpdated": LAST})


class Timed:
    """A store of which the transactions are timed: what is spent inside ``write``, its commit included."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction of the store's."""
        began = perf_counter()
        try:
            with self._store.write() as tx:
                yield tx
        finally:
            self.seconds += perf_counter() - began


class MappedWriter(Writer):
    """The writer, given records that were mapped before: mapping has a benchmark of its own."""

    known: dict[int, Read]

    def map(self, feed: str, resource: str, record: SourceRecord) -> Read:
        """What mapping this record made."""
        found = self.known.get(id(record))
        return super().map(feed, resource, record) if found is None else found


class Pages:
    """Writes pages of records into a store by the writer's own handling of a page, and times its transactions."""

    def __init__(self, store: Store) -> None:
        self.store = Timed(store)
        settings = {FEED: WriterSettings(mapping=FEED)}
        self._transport = MemoryTransport()
        self._writer = MappedWriter(settings, self.store, Outbox(self._transport))
        self._writer.known = {}

    def want(self, records: Sequence[SourceRecord]) -> None:
        """What an inventory does that lists these records: the ledger wants them."""
        for start in range(0, len(records), AT_ONCE):
            page = records[start : start + AT_ONCE]
            by = self.store.feeds.observe(FEED)
            with self.store.write() as tx:
                lines = tx.ledger.lines(FEED, "property", [record.key for record in page])
                wants = [
                    PutLine(replace(lines.get(record.key, Line(record.key)), wanted_stamp=record.stamp, wanted_by=by))
                    for record in page
                ]
                tx.records.apply(FEED, "property", RUN, wants)

    def write(self, records: Sequence[SourceRecord], *, observed_at: int = 0) -> float:
        """The seconds its transactions took. Delivered again if ``observed_at`` is that of the first time."""
        spent = 0.0
        for start in range(0, len(records), AT_ONCE):
            page = records[start : start + AT_ONCE]
            self._writer.known = {id(record): Writer.map(self._writer, FEED, "property", record) for record in page}
            message = PageFetched(
                feed=FEED, resource="property", observed_at=observed_at or self.store.feeds.observe(FEED),
                server_date=SERVER_DATE, asked=[record.key for record in page], records=list(page),
            )  # fmt: skip
            envelope = Envelope(f"{start}", PageFetched.TYPE, RUN, 0, Raw())
            before = self.store.seconds
            self._writer.handle(envelope, message, Delivery("writer", b"", 1))
            spent += self.store.seconds - before
        return spent


def rekeyed(records: Sequence[SourceRecord], prefix: str) -> list[SourceRecord]:
    """The same listings under other keys, of the same agents: more of them for little work."""
    return [
        replace(record, key=f"{prefix}{record.key}", fields=record.fields | {"@ID": f"{prefix}{record.key}"})
        for record in records
    ]
