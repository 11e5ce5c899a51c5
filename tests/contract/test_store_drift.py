"""``Drift``: what a feed remembers of its metadata, and in what its versions differ."""

from __future__ import annotations

from dataclasses import replace

from shared.effects import Line, StoreRecord
from shared.known import HELD, REMOVED, Known, KnownClass, KnownField
from shared.mapping.mapping import load
from shared.messages import SourceRecord
from shared.store.base import MetadataDifference
from tests.contract.stores import FEED, Kit

PRICE = KnownField("property", "RES", "ListPrice", "PRICE", "1", standard=True)
NOTE = KnownField("property", "RES", "NOTE", "NÖTE '☃", "2", state=HELD, since=5)
AREA = KnownField("property", "LND", "AREA", "AREA", state=HELD, since=6)
RES = KnownClass("property", "RES", "KEY", "TS", pictured=True)
LND = KnownClass("property", "LND", "KEY", stopped="its key is gone", since=7)
KNOWN = Known((AREA, PRICE, NOTE), (LND, RES))


def remember(kit: Kit, known: Known, feed: str = FEED) -> None:
    kit.store.drift.follow(feed, lambda _known, _now: known)


def difference(number: int, told: str) -> MetadataDifference:
    return MetadataDifference(number, 100 + number, f"1.{number}", "field", "renamed", "Property RES", "B", "A", told)


def test_what_is_remembered_comes_back_and_is_given_to_whoever_decides(kit: Kit) -> None:
    assert kit.store.drift.known(FEED) == Known()
    remember(kit, KNOWN)
    kit.reopen()
    found = kit.store.drift.known(FEED)
    assert set(found.fields) == set(KNOWN.fields)
    assert set(found.classes) == set(KNOWN.classes)
    given: list[tuple[Known, int]] = []

    def decide(known: Known, now: int) -> Known:
        given.append((known, now))
        return Known((replace(PRICE, system_name="ASKING"),), (RES,))

    kit.store.drift.follow(FEED, decide)
    assert given == [(found, kit.now)]
    assert kit.store.drift.known(FEED) == Known((replace(PRICE, system_name="ASKING"),), (RES,))
    assert kit.store.drift.known("other") == Known()


def test_what_stays_as_it_is_is_not_written(kit: Kit) -> None:
    remember(kit, KNOWN)
    for table in ("metadata_field", "metadata_class"):
        kit.backend.watch(table)
    remember(kit, KNOWN)
    assert kit.backend.written("metadata_field") + kit.backend.written("metadata_class") == 0


def test_fields_held_are_removed_when_that_is_approved(kit: Kit) -> None:
    remember(kit, KNOWN)
    remember(kit, KNOWN, "other")
    assert kit.store.drift.approve(FEED, "property", "LND") == 1
    assert {each.element: each.state for each in kit.store.drift.known(FEED).fields} == {
        "AREA": REMOVED, "NOTE": HELD, "ListPrice": ""
    }  # fmt: skip
    assert kit.store.drift.approve(FEED) == 1
    assert kit.store.drift.approve(FEED) == 0
    assert len(kit.store.drift.known("other").held()) == 2


def test_differences_are_recorded_once_and_come_in_order(kit: Kit) -> None:
    drift = kit.store.drift
    assert (drift.compared(FEED), drift.differences(FEED)) == (0, [])
    first, second, third = difference(2, "one"), difference(2, "two"), difference(3, "three ☃")
    assert drift.record(FEED, [], 1)
    assert drift.record(FEED, [first, second], 2)
    assert not drift.record(FEED, [difference(2, "again")], 2)
    assert drift.record(FEED, [third], 4)
    assert drift.compared(FEED) == 4
    assert drift.differences(FEED) == [first, second, third]
    assert drift.differences(FEED, 2) == [second, third]
    assert drift.differences("other") == []


def test_what_is_stored_of_a_class(kit: Kit) -> None:
    mapping = load("rets")
    for key, name in (("1", "RES"), ("2", "LND"), ("3", "RES")):
        record = SourceRecord(key, f"t{key}", {"#class": name})
        line = Line(key, stored=True, observed_at=1, stamp=record.stamp, hash=b"h")
        kit.apply(StoreRecord(mapping.map(FEED, "property", record), (), record, line, insert=True))
    kit.want("4", by=9)
    assert sorted(kit.store.drift.of_classes(FEED, "property", ["RES"])) == [("1", "t1"), ("3", "t3")]
    assert sorted(kit.store.drift.of_classes(FEED, "property", ["RES", "LND"]))[1] == ("2", "t2")
    assert list(kit.store.drift.of_classes(FEED, "member", ["AGT"])) == []


def test_what_was_read_while_fields_were_held_is_read_again_when_they_are_back(kit: Kit) -> None:
    mapping = load("rets")
    began = 1_000
    for key, name, observed in (
        ("1", "RES", began - 1),
        ("2", "LND", began),
        ("3", "RES", began),
        ("4", "RES", began + 5),
    ):
        record = SourceRecord(key, f"t{key}", {"#class": name})
        line = Line(key, stored=True, observed_at=observed, stamp=record.stamp, hash=b"h")
        kit.apply(StoreRecord(mapping.map(FEED, "property", record), (), record, line, insert=True))

    def unsettled() -> list[str]:
        with kit.store.write() as tx:
            return [key for key, line in tx.ledger.lines(FEED, "property", "1234").items() if line.unsettled]

    held = replace(NOTE, since=began)
    remember(kit, Known((PRICE, held), (RES,)))
    remember(kit, Known((PRICE, replace(held, state=REMOVED)), (RES,)))
    assert unsettled() == []
    remember(kit, Known((PRICE, held), (RES,)))
    remember(kit, Known((PRICE, replace(NOTE, state="", since=None)), (RES,)))
    assert sorted(unsettled()) == ["3", "4"]
