"""``Records.apply`` and ``source``: rows, lines and counters from effects; ``QuarantineBox``."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from shared.effects import Count, DropLine, Line, PutLine, Quarantine, StoreRecord
from shared.messages import SourceRecord
from tests.contract.stores import FEED, START, Kit, Listing, mapped, stamp

FULL = Listing("1", rooms=2, photos={1: 1, 2: 1}, agents={"7": ("Ann", "9")})


def rooms(kit: Kit, key: str = "1") -> list[str]:
    sql = "SELECT room_type FROM property_room WHERE listing_key = '%s' ORDER BY \"order\""
    return [row[0] for row in kit.rows(sql % key)]


def price(kit: Kit, key: str = "1") -> Decimal | None:
    found = kit.rows(f"SELECT list_price FROM property WHERE listing_key = '{key}'")
    return Decimal(found[0][0]) if found else None


def modified(kit: Kit, key: str = "1") -> datetime:
    (row,) = kit.rows(f"SELECT modification_timestamp FROM property WHERE listing_key = '{key}'")
    return row[0] if isinstance(row[0], datetime) else datetime.fromisoformat(row[0])


# --- rows


def test_a_stored_record_has_its_rows_its_parts_and_its_line(kit: Kit) -> None:
    kit.page(10, FULL)
    assert price(kit) == 100
    assert rooms(kit) == ["Room 0", "Room 1"]
    assert len(kit.rows("SELECT * FROM media WHERE listing_key = '1'")) == 2
    assert kit.line("1") == Line("1", True, 10, stamp(1), mapped(FULL.source()).hash)


def test_the_source_is_kept_as_the_mls_sent_it(kit: Kit) -> None:
    odd = SourceRecord(
        "é", "not a time", {"@ID": "é", "Empty": "", "Deep": {"A": [{"#text": "x", "@B": "\U0001f3e0"}, "y"]}}
    )
    line = Line("é", stored=True, observed_at=1, stamp=odd.stamp)
    kit.apply(StoreRecord(mapped(odd), [], odd, line, insert=True))
    with kit.store.write() as tx:
        assert tx.records.source(FEED, "property", "é") == odd


def test_a_record_not_stored_has_no_source(kit: Kit) -> None:
    with kit.store.write() as tx:
        assert tx.records.source(FEED, "property", "1") is None


def test_an_updated_record_replaces_its_row_its_parts_and_its_source(kit: Kit) -> None:
    kit.page(10, FULL)
    changed = Listing("1", price=90, stamp=2, rooms=1, photos={2: 1})
    kit.page(20, changed)
    assert price(kit) == 90
    assert rooms(kit) == ["Room 0"]
    assert kit.rows("SELECT media_key FROM media") == [("2",)]
    with kit.store.write() as tx:
        assert tx.records.source(FEED, "property", "1") == changed.source()


def test_a_record_written_does_not_touch_another(kit: Kit) -> None:
    kit.page(10, FULL, Listing("11", rooms=1))
    kit.page(20, Listing("1", price=90, stamp=2))
    assert rooms(kit, "11") == ["Room 0"]
    assert price(kit, "11") == 100


def test_removing_a_record_deletes_all_its_rows_and_leaves_a_tombstone(kit: Kit) -> None:
    kit.page(10, FULL, Listing("2", rooms=1, photos={1: 1}, agents={"7": ("Ann", "9")}))
    kit.remove(20, "1")
    for table in ("property_record", "property_room", "property_agent", "media", "media_set", "source_record"):
        column = {"media": "resource_record_key", "media_set": "resource_record_key", "source_record": "key"}
        keys = {row[0] for row in kit.rows(f"SELECT {column.get(table, 'listing_key')} FROM {table}")}
        assert keys == {"2"}, table
    assert kit.line("1") == Line("1", observed_at=20)


def test_a_removed_record_is_in_the_view_no_more_and_comes_back_whole(kit: Kit) -> None:
    kit.page(10, FULL)
    kit.remove(20, "1")
    assert kit.rows("SELECT * FROM property") == []
    kit.page(30, FULL)
    assert rooms(kit) == ["Room 0", "Room 1"]
    assert len(kit.wants("1")) == 2


def test_a_thousand_records_in_one_transaction_are_all_written_and_removed(kit: Kit) -> None:
    kit.page(10, *(Listing(str(n), rooms=1) for n in range(1_001)))
    assert kit.rows("SELECT count(*) FROM property_room") == [(1_001,)]
    kit.page(20, *(Listing(str(n), stamp=2) for n in range(1_001)))
    assert kit.rows("SELECT count(*) FROM property_room") == [(0,)]
    kit.remove(30, *(str(n) for n in range(1_001)))
    assert kit.rows("SELECT count(*) FROM property") == [(0,)]


@pytest.mark.parametrize("twin", ["A", "á", "a\u0301", "a ", "'; DROP TABLE property_record; --", "%", "x" * 120])
def test_records_whose_keys_differ_in_bytes_are_different_records(kit: Kit, twin: str) -> None:
    kit.page(10, Listing("a", rooms=1), Listing(twin, rooms=2))
    kit.remove(20, "a")
    assert kit.rows("SELECT listing_key, count(*) FROM property_room GROUP BY 1") == [(twin, 2)]


# --- touched but unchanged


def test_the_view_shows_the_timestamp_from_the_ledger(kit: Kit) -> None:
    kit.page(10, FULL)
    assert modified(kit) == datetime.fromtimestamp(START + 1, UTC)


def test_a_record_touched_but_unchanged_shows_its_new_timestamp_and_rewrites_no_row(kit: Kit) -> None:
    kit.page(10, FULL)
    tables = ("property_record", "property_room", "property_agent", "media", "media_set", "source_record",
              "member", "office")  # fmt: skip
    for table in (*tables, "ledger"):
        kit.backend.watch(table)
    kit.page(20, Listing("1", stamp=2, rooms=2, photos={1: 1, 2: 1}, agents={"7": ("Ann", "9")}))
    assert modified(kit) == datetime.fromtimestamp(START + 2, UTC)
    assert (kit.line("1").observed_at, kit.line("1").stamp) == (20, stamp(2))
    assert {table: kit.backend.written(table) for table in tables} == dict.fromkeys(tables, 0)
    assert kit.backend.written("ledger") == 1


def test_a_line_put_without_a_record_keeps_the_records_timestamp(kit: Kit) -> None:
    kit.page(10, FULL)
    line = kit.line("1")
    kit.apply(PutLine(Line(line.key, line.stored, line.observed_at, line.stamp, line.hash, wanted_by=20)))
    assert modified(kit) == datetime.fromtimestamp(START + 1, UTC)


# --- quarantine


def aside(kit: Kit, key: str = "1", body: bytes = b"\x00\xff", reason: str = "no", at: int = 10) -> None:
    kit.apply(Quarantine(key, "record", body, reason, at))


def test_what_is_set_aside_is_listed_with_its_bytes_and_reason(kit: Kit) -> None:
    aside(kit)
    (found,) = kit.store.quarantine.list(FEED)
    assert (found.feed, found.resource, found.key, found.kind) == (FEED, "property", "1", "record")
    assert (found.reason, found.observed_at, found.at, found.body) == ("no", 10, kit.now, b"\x00\xff")


def test_the_same_thing_is_kept_once_with_its_newest_reason(kit: Kit) -> None:
    aside(kit)
    aside(kit, reason="still no", at=20)
    (found,) = kit.store.quarantine.list()
    assert (found.reason, found.observed_at) == ("still no", 20)


def test_other_bytes_are_another_thing(kit: Kit) -> None:
    aside(kit)
    aside(kit, body=b"\x00\xfe")
    aside(kit, key="2")
    assert len({item.id for item in kit.store.quarantine.list()}) == 3


def test_a_message_set_aside_is_kept_once_and_told_from_a_record(kit: Kit) -> None:
    for _ in range(2):
        kit.store.quarantine.put(FEED, "property", "1", "message", "no", b"\x00\xff", 10)
    aside(kit)
    assert sorted(item.kind for item in kit.store.quarantine.list()) == ["message", "record"]


def test_quarantine_is_listed_oldest_first_and_by_feed(kit: Kit) -> None:
    for key in ("c", "a", "b"):
        aside(kit, key)
        kit.seconds += 1
    kit.store.quarantine.put("other", "", "", "message", "no", b"", 10)
    assert [item.key for item in kit.store.quarantine.list(FEED)] == ["c", "a", "b"]
    assert [item.feed for item in kit.store.quarantine.list()] == [FEED, FEED, FEED, "other"]
    assert kit.store.quarantine.list("nobody") == []


def test_a_later_good_record_supersedes_what_was_set_aside_of_its_key(kit: Kit) -> None:
    aside(kit, "1")
    aside(kit, "2")
    kit.page(20, Listing("1"))
    assert [item.key for item in kit.store.quarantine.list()] == ["2"]


def test_an_unchanged_record_supersedes_what_was_set_aside_of_its_key(kit: Kit) -> None:
    kit.page(5, Listing("1"))
    aside(kit, "1")
    kit.page(20, Listing("1"))
    assert kit.store.quarantine.list() == []


def test_an_earlier_good_record_supersedes_nothing(kit: Kit) -> None:
    """What was observed last cannot be read: that must stay visible when an older answer arrives late."""
    aside(kit, "1", at=20)
    kit.page(10, Listing("1"))
    assert [item.key for item in kit.store.quarantine.list()] == ["1"]


def test_what_was_set_aside_goes_with_its_key(kit: Kit) -> None:
    kit.page(5, Listing("1"))
    aside(kit, "1")
    aside(kit, "2")
    kit.remove(20, "1")
    kit.apply(DropLine("2"))
    assert kit.store.quarantine.list() == []


def test_newer_bytes_of_a_key_supersede_what_was_set_aside_of_it(kit: Kit) -> None:
    aside(kit, "1", b"old", at=10)
    aside(kit, "1", b"new", at=20)
    aside(kit, "1", b"late", at=15)
    assert {item.body for item in kit.store.quarantine.list()} == {b"new", b"late"}


def test_nothing_stays_aside_of_a_key_of_which_nothing_is_wanted_any_more(kit: Kit) -> None:
    """The MLS went back to the timestamp that is stored."""
    kit.page(5, Listing("1"))
    aside(kit, "1")
    line = kit.line("1")
    kit.apply(PutLine(replace(line, wanted_by=20, wanted_stamp="s2")))
    assert [item.key for item in kit.store.quarantine.list()] == ["1"]
    kit.apply(PutLine(line))
    assert kit.store.quarantine.list() == []


def keyless(kit: Kit, at: int, *bodies: bytes, may_be: tuple[str, ...]) -> None:
    kit.apply(*(Quarantine("", "record", body, "no key", at, may_be) for body in bodies))


def bodies(kit: Kit) -> list[bytes]:
    return sorted(item.body for item in kit.store.quarantine.list())


def test_records_without_a_key_stay_until_all_keys_they_may_have_are_known(kit: Kit) -> None:
    keyless(kit, 10, b"a", b"b", may_be=("1", "2"))
    kit.page(20, Listing("1"))
    assert bodies(kit) == [b"a", b"b"]
    kit.page(20, Listing("2"))
    assert bodies(kit) == []


def test_a_key_that_the_mls_no_longer_lists_is_known_too(kit: Kit) -> None:
    kit.page(5, Listing("2"))
    keyless(kit, 10, b"a", b"b", may_be=("1", "2", "3"))
    kit.page(12, Listing("3"))
    kit.remove(20, "2")
    assert bodies(kit) == [b"a", b"b"]
    kit.apply(DropLine("1"))
    assert bodies(kit) == []


def test_a_key_known_from_before_tells_nothing_of_a_record_without_one(kit: Kit) -> None:
    keyless(kit, 10, b"a", may_be=("1", "2"))
    kit.page(9, Listing("1"), Listing("2"))
    assert bodies(kit) == [b"a"]


def test_a_later_page_takes_its_keys_over_from_what_earlier_ones_set_aside(kit: Kit) -> None:
    keyless(kit, 10, b"a", b"b", may_be=("1", "2"))
    keyless(kit, 20, b"c", may_be=("1",))
    assert bodies(kit) == [b"a", b"b", b"c"]
    keyless(kit, 21, b"b", b"d", may_be=("2", "3"))
    assert bodies(kit) == [b"b", b"c", b"d"]
    aside(kit, "1", b"e", at=30)
    assert bodies(kit) == [b"b", b"d", b"e"]
    kit.page(40, Listing("2"), Listing("3"))
    assert bodies(kit) == [b"e"]


def test_a_record_that_is_none_of_those_asked_for_waits_for_the_operator(kit: Kit) -> None:
    keyless(kit, 10, b"stranger", may_be=())
    kit.page(20, Listing("1"))
    (found,) = kit.store.quarantine.list()
    kit.store.quarantine.drop([found.id])
    assert bodies(kit) == []


def test_dropping_forgets_the_keys_too(kit: Kit) -> None:
    keyless(kit, 10, b"a", may_be=("1", "2"))
    kit.store.quarantine.drop([item.id for item in kit.store.quarantine.list()])
    keyless(kit, 10, b"a", may_be=("3",))
    kit.page(20, Listing("3"))
    assert bodies(kit) == []


# --- counters


def test_counts_add_up_by_name(kit: Kit) -> None:
    kit.apply(Count("inserted"), Count("inserted"), Count("fetched", 3))
    kit.apply(Count("fetched", 4), Count("nothing", 0))
    assert kit.counts() == {"inserted": 2, "fetched": 7}


def test_counts_of_resources_are_kept_apart(kit: Kit) -> None:
    kit.apply(Count("fetched", 1))
    kit.apply(Count("fetched", 2), resource="member")
    assert kit.counts("member") == {"fetched": 2}


def test_keys_that_no_index_holds_are_set_aside_and_stop_nothing(kit: Kit) -> None:
    key = "".join(chr(0x100 + n * n % 5_000) for n in range(9_000))
    kit.apply(PutLine(Line(key, wanted_stamp="s", wanted_by=1)), PutLine(Line("1", wanted_stamp="s", wanted_by=1)))
    kit.apply(Quarantine(key, "record", b"<x/>", "unmappable", 2))
    assert list(kit.lines(key, "1")) == ["1"]
    shown = {(item.key, item.reason) for item in kit.store.quarantine.list(FEED)}
    assert {reason for _, reason in shown} == {"unmappable"}
    assert {len(item) for item, _ in shown} == {67}
