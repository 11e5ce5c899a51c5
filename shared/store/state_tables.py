"""The tables mlsync keeps for itself: ledger, inventories, removals, objects, runs, quarantine.

Instants here are integers, microseconds since 1970 UTC, as in the messages; they are compared, never shown raw.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, LargeBinary, Table, Text

from shared.store.listing_tables import KEY
from shared.store.metadata import metadata

feed = Table(
    "feed",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("clock", BigInteger, nullable=False, comment="newest observed_at given to this feed; never steps back"),
    Column("object_number", BigInteger, nullable=False, comment="newest n used in an object's name; never used twice"),
    Column("form", Text, comment="mapping and media policy that its rows were made with"),
    comment="one line a feed: the store's clock and counters for it",
)

ledger = Table(
    "ledger",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column("key", KEY, primary_key=True),
    Column("stored", Boolean, nullable=False, comment="a row exists; false: wanted only, or a tombstone"),
    Column("observed_at", BigInteger, nullable=False, comment="of the stored row, or of its removal; 0: never read"),
    Column("stamp", Text, comment="the stored record's source timestamp, verbatim"),
    Column("hash", LargeBinary, comment="content of the stored record without its own timestamp"),
    Column(
        "unsettled", Boolean, nullable=False, comment="read so soon after its stamp that a second change may share it"
    ),
    Column("wanted_stamp", Text, comment="the timestamp an inventory wants"),
    Column("wanted_by", BigInteger, comment="observed_at of the inventory that wants it"),
    Column("attempts", Integer, nullable=False, comment="inventories for which it was asked for in vain"),
    Column("attempted_by", BigInteger, comment="the last of them"),
    Column("next_attempt_at", BigInteger, comment="end of the back-off"),
    Column("reason", Text, comment="why the last attempt failed"),
    Column("modification_timestamp", DateTime(timezone=True), comment="the stored record's source timestamp, parsed"),
    comment="one narrow line per key an inventory named or a page brought: what is stored of it, what is wanted",
)
Index(
    "ledger_wanted",
    ledger.c.feed,
    ledger.c.resource,
    ledger.c.key,
    sqlite_where=ledger.c.wanted_by.is_not(None),
    postgresql_where=ledger.c.wanted_by.is_not(None),
)

inventory = Table(
    "inventory",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column(
        "observed_at", BigInteger, nullable=False, comment="the horizon: newest proven inventory with a range handled"
    ),
    Column("count", Integer, nullable=False, comment="distinct keys it listed"),
    Column("parts", Integer, nullable=False),
    Column("server_date", BigInteger, comment="the MLS's own clock when it answered"),
    Column("whole", BigInteger, comment="observed_at of the newest inventory of which every range was handled"),
    Column("whole_count", Integer, comment="distinct keys that one listed"),
    Column("complete_at", BigInteger, comment="when its last range had been handled and its candidates were weighed"),
    comment="the newest inventory of each resource",
)

inventory_part = Table(
    "inventory_part",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column("observed_at", BigInteger, primary_key=True),
    Column("part", Integer, primary_key=True),
    comment="ranges handled of the newest inventory",
)

removal_candidate = Table(
    "removal_candidate",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column("key", KEY, primary_key=True),
    Column("by", BigInteger, nullable=False, comment="the inventory that last lacked the key"),
    Column("since", BigInteger, nullable=False, comment="the inventory that first lacked it"),
    Column("state", Text, nullable=False, comment="seen, held, approved or released"),
    comment="stored keys that an inventory lacks",
)

removal = Table(
    "removal",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column("by", BigInteger, primary_key=True, comment="the inventory that released them"),
    Column("at", BigInteger, nullable=False, comment="the MLS's clock, else the store's"),
    Column("count", Integer, nullable=False),
    comment="how many rows each inventory removed: what the daily share is counted from",
)

source_record = Table(
    "source_record",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column("key", KEY, primary_key=True),
    Column("body", LargeBinary, nullable=False, comment="msgpack of the record as sent, zstd"),
    comment="the record as the MLS sent it, so that a changed mapping can be applied without fetching",
)

record_reference = Table(
    "record_reference",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("listing_key", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column("key", KEY, primary_key=True),
    Column("hash", LargeBinary, nullable=False, comment="content of the copy embedded in the listing"),
    comment="members and offices that stored listings refer to",
)
Index("record_reference_key", record_reference.c.feed, record_reference.c.resource, record_reference.c.key)

embedded_row = Table(
    "embedded_row",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column("key", KEY, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    comment="content of the member and office rows that come from a listing's copy",
)

media_object = Table(
    "media_object",
    metadata,
    Column("name", KEY, primary_key=True),
    Column("feed", KEY, nullable=False),
    Column("resource", KEY, nullable=False),
    Column("key", KEY, nullable=False),
    Column("state", Text, nullable=False, comment="writing, live or dead"),
    Column("at", BigInteger, nullable=False, comment="when it entered that state"),
    Column("byte_size", BigInteger, nullable=False),
    Column("content_sha256", Text, nullable=False),
    comment="the object ledger: every name ever put that may still exist",
)
Index(
    "media_object_dead",
    media_object.c.feed,
    media_object.c.resource,
    media_object.c.key,
    sqlite_where=media_object.c.state == "dead",
    postgresql_where=media_object.c.state == "dead",
)

media_set = Table(
    "media_set",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("resource_name", KEY, primary_key=True),
    Column("resource_record_key", KEY, primary_key=True),
    Column("photos_count", Integer, nullable=False, comment="photos the MLS lists"),
    Column("photos_stored", Integer, nullable=False, comment="of those, in the photo store in the version listed"),
    Column("complete_at", BigInteger, comment="since when all are stored; null while some are missing"),
    comment="whether a record's set of photos is complete",
)

run = Table(
    "run",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("feed", KEY, primary_key=True),
    Column("kind", Text, nullable=False, comment="sync, limited, ingest, remap or audit"),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("outcome", Text, comment="in_step, unfinished, paused, unavailable, stopped or failed; null: cut off"),
    Column("error", Text),
    comment="one line per sync of a feed",
)

run_count = Table(
    "run_count",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("feed", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column("name", KEY, primary_key=True),
    Column("value", BigInteger, nullable=False),
    comment="what a run did, counted in the transactions that did it",
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Text, primary_key=True, comment="hash of feed, kind, key and body: the same thing is kept once"),
    Column("feed", KEY, nullable=False),
    Column("resource", KEY, nullable=False),
    Column("key", KEY, nullable=False),
    Column("kind", Text, nullable=False, comment="record or message"),
    Column("reason", Text, nullable=False),
    Column("observed_at", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    comment="what could not be handled, with its bytes",
)
Index("quarantine_key", quarantine.c.feed, quarantine.c.resource, quarantine.c.key)

quarantine_may_be = Table(
    "quarantine_may_be",
    metadata,
    Column("id", Text, primary_key=True),
    Column("feed", KEY, nullable=False),
    Column("resource", KEY, nullable=False),
    Column("key", KEY, primary_key=True),
    comment="which keys a record in quarantine that came without one may have",
)
Index("quarantine_may_be_key", quarantine_may_be.c.feed, quarantine_may_be.c.resource, quarantine_may_be.c.key)
