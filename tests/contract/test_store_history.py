"""``AddHistory``, ``Records.last_entries`` and ``History``; and what the writer makes of pages on a real store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services import retention
from shared.effects import AddHistory, DropLine, Line, PutLine, RemoveRecord
from shared.messages import SourceRecord
from shared.store.base import HistoryEntry, LastEntry
from tests.contract.stores import DAY, FEED, RUN, START, Kit, Listing, stamp
from tests.contract.written import Written

CHANGED = datetime(2024, 3, 5, 14, tzinfo=UTC)


def entry(key: str = "1", field: str | None = "list_price", at: int = 10, **others: Any) -> AddHistory:
    values = {"previous": "1", "new": "2", "change_type": None, "modified": CHANGED, "record_id": "A1"}
    return AddHistory(key=key, field=field, observed_at=at, **(values | others))


def entries(kit: Kit, key: str = "1", field: str | None = None, resource: str = "property") -> list[HistoryEntry]:
    return list(kit.store.history.entries(FEED, resource, key, field))


# --- entries


def test_an_entry_is_a_row_in_the_shape_of_reso(kit: Kit) -> None:
    kit.apply(entry(change_type="Price Change"))
    (found,) = kit.rows(
        "SELECT feed, resource_name, resource_record_key, resource_record_id, field_name, previous_value, new_value, "
        "change_type, modification_timestamp, observed_at FROM history_transactional"
    )
    assert found == (
        FEED, "property", "1", "A1", "list_price", "1", "2", "Price Change", "2024-03-05T14:00:00Z", 10
    )  # fmt: skip
    (shown,) = entries(kit)
    assert (shown.field_name, shown.modification_timestamp, shown.observed_at) == (
        "list_price", "2024-03-05T14:00:00Z", 10
    )  # fmt: skip


def test_the_same_entry_is_kept_once_as_it_was(kit: Kit) -> None:
    for _ in range(2):
        kit.apply(entry())
    kit.apply(entry(new="3"))
    assert [item.new_value for item in entries(kit)] == ["2"]


def test_entries_come_oldest_first_then_by_field(kit: Kit) -> None:
    kit.apply(entry(at=20), entry(field="city", at=20), entry(field=None, at=20), entry(at=10), entry(key="2", at=5))
    assert [(item.observed_at, item.field_name) for item in entries(kit)] == [
        (10, "list_price"), (20, None), (20, "city"), (20, "list_price")
    ]  # fmt: skip
    assert [item.observed_at for item in entries(kit, field="list_price")] == [10, 20]
    assert entries(kit, "3") == entries(kit, resource="member") == []


def test_histories_of_resources_and_feeds_are_apart(kit: Kit) -> None:
    kit.apply(entry(), resource="member")
    kit.apply(entry(), feed="other")
    assert len(entries(kit, resource="member")) == 1
    assert entries(kit) == []
    assert [item.feed for item in kit.store.history.entries("other", "property", "1")] == ["other"]


def test_feeds_are_those_that_store_the_record_or_remember_it(kit: Kit) -> None:
    for feed in ("c", "b", "a", FEED):
        kit.store.feeds.observe(feed)
    kit.apply(entry(), feed="b")
    kit.page(10, Listing("1"))
    kit.want("9", by=10)
    assert kit.store.history.feeds("property", "1") == ["b", FEED]
    assert kit.store.history.feeds("member", "1") == kit.store.history.feeds("property", "9") == []


def test_the_last_entry_says_when_and_whether_the_record_went(kit: Kit) -> None:
    kit.apply(entry("1", at=10), entry("1", None, at=20, change_type="Deleted"), entry("2", at=5))
    kit.apply(entry("3", at=10, change_type="Deleted"), entry("3", at=20), entry("3", None, at=15))
    kit.apply(entry("4", change_type="Deleted"), resource="member")
    with kit.store.write() as tx:
        assert tx.records.last_entries(FEED, "property", ["1", "3", "4", "5"]) == {
            "1": LastEntry(20, deleted=True), "3": LastEntry(20, deleted=False)
        }  # fmt: skip
        assert tx.records.last_entries("other", "property", ["1"]) == {}
        assert tx.records.last_entries(FEED, "property", []) == {}


def test_expiring_takes_the_oldest_first_and_no_more_than_allowed(kit: Kit) -> None:
    kit.apply(*(entry(str(at), at=at) for at in (5, 1, 3, 2, 4)))
    kit.apply(entry(at=1), feed="other")
    assert kit.store.history.expire(FEED, 4, 2) == 2
    left = kit.rows(f"SELECT observed_at FROM history_transactional WHERE feed = '{FEED}' ORDER BY 1")
    assert left == [(3,), (4,), (5,)]
    assert [kit.store.history.expire(FEED, 4, 2) for _ in range(2)] == [1, 0]
    assert kit.rows("SELECT feed, observed_at FROM history_transactional ORDER BY 2") == [
        ("other", 1), (FEED, 4), (FEED, 5)
    ]  # fmt: skip


def test_expiring_goes_on_until_nothing_old_is_left(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    kit.apply(*(entry(str(number), at=kit.now - number * DAY) for number in range(8)))
    assert retention.expire(kit.store, FEED, None) == 0
    assert retention.expire(kit.store, FEED, 3, lambda: True) == 0
    assert retention.expire(kit.store, FEED, 3) == 4
    assert kit.rows("SELECT count(*) FROM history_transactional") == [(4,)]


# --- what the writer writes


def changes(written: Written, key: str = "1", resource: str = "property") -> list[tuple[str | None, ...]]:
    return [
        (item.field_name, item.previous_value, item.new_value) for item in entries(written.kit, key, None, resource)
    ]


def test_a_first_insert_and_a_touched_record_write_none(kit: Kit) -> None:
    written = Written(kit)
    kit.backend.watch("history_transactional")
    written.page(10, Listing("1", rooms=1, photos={1: 1}))
    written.page(20, Listing("1", stamp=2, rooms=1, photos={1: 1}))
    assert kit.line("1").observed_at == 20
    assert kit.backend.written("history_transactional") == 0


def test_a_change_is_written_once_however_often_it_is_delivered(kit: Kit) -> None:
    written = Written(kit)
    written.page(10, Listing("1"))
    for _ in range(3):
        written.page(20, Listing("1", price=90, stamp=2, rooms=1, photos={1: 1}))
        written.page(10, Listing("1"))
    assert changes(written) == [
        ("list_price", "100", "90"),
        ("media", None, '{"added":["1"]}'),
        ("photos_count", "0", "1"),
        ("property_room", None, '[{"room_type":"Room 0"}]'),
    ]
    assert {item.modification_timestamp for item in entries(kit)} == {
        (datetime.fromtimestamp(START, UTC) + timedelta(seconds=2)).isoformat().replace("+00:00", "Z")
    }


def test_each_change_begins_where_the_one_before_ended(kit: Kit) -> None:
    written = Written(kit)
    for number, price in enumerate((100, 90, 95, 95, 80)):
        written.page(10 * (number + 1), Listing("1", price=price, stamp=number + 1))
    assert changes(written) == [
        ("list_price", "100", "90"), ("list_price", "90", "95"), ("list_price", "95", "80")
    ]  # fmt: skip


def gone(kit: Kit, written: Written, at: int, key: str = "1", resource: str = "property") -> None:
    """Remove a record as the writer does."""
    effects = [RemoveRecord(Line(key, observed_at=at))]
    with kit.store.write() as tx:
        history = written.writer._history(tx, FEED, resource, effects)
        tx.records.apply(FEED, resource, RUN, [*effects, *history])


def test_the_history_of_a_listing_that_goes_and_comes_back_tells_what_it_asked(kit: Kit) -> None:
    written = Written(kit)
    written.page(10, Listing("1", price=100))
    written.page(20, Listing("1", price=90, stamp=2))
    gone(kit, written, 30)
    assert kit.rows("SELECT * FROM property") == []
    written.page(40, Listing("1", price=80, stamp=3))
    written.page(50, Listing("1", price=70, stamp=4))
    gone(kit, written, 60)
    written.page(70, Listing("1", price=60, stamp=5))
    assert [(item.change_type, item.previous_value, item.new_value) for item in entries(kit, field="list_price")] == [
        ("Price Change", "100", "90"),
        ("Deleted", "90", None),
        ("Back On Market", None, "80"),
        ("Price Change", "80", "70"),
        ("Deleted", "70", None),
        ("Back On Market", None, "60"),
    ]


def test_a_record_back_after_its_tombstone_went_is_back_all_the_same(kit: Kit) -> None:
    written = Written(kit)
    written.page(10, Listing("1"))
    gone(kit, written, 20)
    kit.apply(DropLine("1"))
    written.page(30, Listing("1"), Listing("2"))
    assert [item.change_type for item in entries(kit)] == ["Deleted", "Back On Market"]
    assert entries(kit, "2") == []


def test_an_older_page_that_fills_a_want_after_all_comes_later_in_history(kit: Kit) -> None:
    """When the tombstone has gone, a page from before the removal may bring back what an inventory wants."""
    written = Written(kit)
    for _ in range(2):
        written.page(10, Listing("1"))
        gone(kit, written, 20)
        kit.apply(DropLine("1"))
        kit.apply(PutLine(Line("1", wanted_stamp=stamp(1), wanted_by=30)))
    written.page(10, Listing("1"))
    kinds = [(item.change_type, item.observed_at) for item in entries(kit)]
    assert kinds == [("Deleted", 20), ("Back On Market", 21), ("Deleted", 22), ("Back On Market", 23)]


def test_what_is_excluded_leaves_no_entry_and_a_star_leaves_none_at_all(kit: Kit) -> None:
    some = Written(kit, history_exclude=frozenset({"list_price"}))
    some.page(10, Listing("1"))
    some.page(20, Listing("1", price=90, stamp=2, rooms=1))
    assert [field for field, _, _ in changes(some)] == ["property_room"]
    none = Written(kit, history_exclude=frozenset({"*"}))
    none.page(30, Listing("1", price=80, stamp=3))
    gone(kit, none, 40)
    none.page(50, Listing("1", price=80, stamp=3))
    assert len(entries(kit)) == 1


def person(name: str, number: int) -> SourceRecord:
    return SourceRecord("7", stamp(number), {"@ID": "7", "@LastUpdated": stamp(number), "Name": name})


def test_own_members_and_offices_have_a_history_and_embedded_copies_have_none(kit: Kit) -> None:
    written = Written(kit)
    written.page(10, Listing("1", agents={"7": ("Ann", "9")}))
    written.page(20, Listing("1", stamp=2, agents={"7": ("Anne", "9")}))
    assert kit.rows("SELECT member_full_name FROM member") == [("Anne",)]
    assert kit.rows("SELECT * FROM history_transactional") == []
    written.page(30, person("Anna", 3), resource="member")
    assert kit.rows("SELECT * FROM history_transactional") == []  # its own record, read for the first time
    written.page(40, person("Hannah", 4), resource="member")
    assert changes(written, "7", "member") == [("member_full_name", "Anna", "Hannah")]
    written.page(50, SourceRecord("9", stamp(1), {"@ID": "9", "Name": "One"}), resource="office")
    written.page(60, SourceRecord("9", stamp(2), {"@ID": "9", "Name": "Two"}), resource="office")
    assert changes(written, "9", "office") == [("office_name", "One", "Two")]
    gone(kit, written, 70, "9", "office")
    written.page(80, SourceRecord("9", stamp(3), {"@ID": "9", "Name": "Two"}), resource="office")
    assert [item.change_type for item in entries(kit, "9", resource="office")] == [None, "Deleted", "Active"]


def test_mapping_again_is_no_observation_and_writes_none(kit: Kit) -> None:
    Written(kit).page(10, Listing("1", photos={1: 1}))
    kit.backend.watch("history_transactional")
    other = Written(kit, media="none")
    done = other.writer.remap(FEED, RUN)
    assert (done.records, done.changed, done.unmappable) == (1, 1, 0)
    done = other.writer.remap(FEED, RUN, force=True)
    assert (done.records, done.changed, done.unmappable) == (1, 0, 0)
    assert kit.backend.written("history_transactional") == 0
    other.page(20, Listing("1", stamp=2, price=90, photos={1: 1}))
    assert changes(other) == [("list_price", "100", "90")]
