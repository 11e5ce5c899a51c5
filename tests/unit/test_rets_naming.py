"""What values of fields are called from one version of the metadata to the next, and when a class stops."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.writer.untold import completed
from shared.known import HELD, REMOVED, Known, KnownField
from shared.messages import SourceRecord
from shared.rets.schema.types import Field, ObjectKind, Resource, ResourceClass, System
from shared.sources.base import SourceRefusedError
from shared.sources.rets.naming import follow
from shared.sources.rets.plan import ClassPlan, Plan, make_plan
from shared.sources.rets.settings import Override, RetsSourceSettings

NOTHING = RetsSourceSettings()


def fields(*told: str) -> list[Field]:
    """``entry:SystemName`` or ``entry:SystemName=StandardName``."""
    made = []
    for each in told:
        entry, _, names = each.partition(":")
        name, _, standard = names.partition("=")
        made.append(Field(metadata_entry_id=entry, system_name=name, standard_name=standard))
    return made


def after(*versions: list[Field]) -> dict[str, KnownField]:
    """By element what is known after all of them."""
    known: list[KnownField] = []
    for now, version in enumerate(versions, 1):
        known = follow("property", "RES", known, version, now)
    return {each.element: each for each in known}


def elements(*versions: list[Field]) -> dict[str, str]:
    """By SystemName what the fields of the last version are called."""
    return {each.system_name: each.element for each in after(*versions).values() if not each.state}


MANY = [f"{number}:F{number}" for number in range(50, 60)]
"""Fields that stay, so that one that goes is no mass."""


def test_a_renamed_field_keeps_the_name_of_its_values() -> None:
    assert elements(fields("1:OLD"), fields("1:NEW")) == {"NEW": "OLD"}
    assert elements(fields("1:OLD"), fields("1:NEW"), fields("1:NEWER")) == {"NEWER": "OLD"}


def test_a_field_that_takes_the_name_of_another_gets_another() -> None:
    renamed = [fields("1:OLD"), fields("1:NEW"), fields("1:NEW", "2:OLD")]
    assert elements(*renamed) == {"NEW": "OLD", "OLD": "OLD_2"}
    assert elements(*renamed, fields("2:OLD", "1:NEW", "3:OLD_2")) == {"NEW": "OLD", "OLD": "OLD_2", "OLD_2": "OLD_2_2"}
    gone = [fields("1:OLD", *MANY), fields(*MANY), fields("2:OLD", *MANY)]
    assert elements(*gone)["OLD"] == "OLD_2"


def test_a_field_that_comes_back_is_the_one_it_was() -> None:
    gone = [fields("1:OLD", *MANY), fields(*MANY)]
    assert after(*gone)["OLD"].state == REMOVED
    assert elements(*gone, fields("1:OLD", *MANY))["OLD"] == "OLD"
    assert elements(*gone, fields("1:OTHER", *MANY))["OTHER"] == "OLD"
    assert elements(*gone, fields(":OLD", *MANY))["OLD"] == "OLD"


def test_a_standard_name_that_comes_counts_and_one_that_goes_stays() -> None:
    assert elements(fields("1:P"), fields("1:P=ListPrice")) == {"P": "ListPrice"}
    assert elements(fields("1:P=ListPrice"), fields("1:P")) == {"P": "ListPrice"}
    assert elements(fields("1:P=ListPrice"), fields("1:Q")) == {"Q": "ListPrice"}


def test_a_standard_name_given_to_another_field_is_the_others() -> None:
    assert elements(fields("1:P=ListPrice"), fields("1:P", "2:Q=ListPrice")) == {"Q": "ListPrice", "P": "P"}
    assert elements(fields("1:P=ListPrice"), fields("1:P=ListPrice", "2:Q=ListPrice")) == {"P": "ListPrice", "Q": "Q"}


def test_a_standard_name_that_a_field_is_called_by_already_is_not_given_to_another() -> None:
    assert elements(fields("1:City"), fields("1:Town", "2:C=City")) == {"Town": "City", "C": "C"}


def test_entry_ids_that_are_shared_or_shuffled_rename_nothing() -> None:
    assert elements(fields("1:A", "2:B"), fields("2:A", "1:B")) == {"A": "A", "B": "B"}
    assert elements(fields("1:A", "1:B"), fields("1:C", "1:B"))["C"] == "C"


def test_more_than_a_fifth_vanishing_is_held_until_they_are_fewer() -> None:
    ten = [f"{number}:F{number}" for number in range(10)]
    assert {each.state for each in after(fields(*ten), fields(*ten[2:])).values()} == {"", REMOVED}
    held = after(fields(*ten), fields(*ten[3:]))
    assert [each.state for each in held.values()].count(HELD) == 3
    assert {each.since for each in held.values() if each.state} == {2}
    assert all(each.state != HELD for each in after(fields(*ten), fields(*ten[3:]), fields(*ten[1:])).values())
    assert after(fields(*ten), fields(*ten[3:]), fields(*ten[3:]))["F0"].since == 2


names = st.sampled_from(["A", "B", "C", "A_2"])
some_fields = st.lists(
    st.builds(
        Field, metadata_entry_id=st.sampled_from(["", "1", "2", "3"]), system_name=names,
        standard_name=st.sampled_from(["", "A", "B", "ListPrice"]),
    ),
    max_size=4, unique_by=lambda each: each.system_name,
)  # fmt: skip


@given(st.lists(some_fields, max_size=6))
def test_whatever_comes_no_two_fields_share_a_name_and_nothing_read_twice_changes(versions: list[list[Field]]) -> None:
    known: list[KnownField] = []
    for version in versions:
        known = follow("property", "RES", known, version, 1)
        called = [each.element for each in known]
        assert len(set(called)) == len(called)
        assert {each.system_name for each in known if not each.state} == {each.system_name for each in version}
        assert follow("property", "RES", known, version, 2) == known


# --- classes

KEY, STAMP, PRICE = fields("1:KEY=ListingKey", "2:TS=ModificationTimestamp", "3:PRICE=ListPrice")


def system(*described: ResourceClass, key: str = "KEY") -> System:
    photos = ObjectKind(object_type="Photo", object_count="CNT")
    return System(resources=(Resource(resource_id="Property", key_field=key, classes=described, objects=(photos,)),))


def class_of(name: str, *more: Field) -> ResourceClass:
    return ResourceClass(class_name=name, fields=(KEY, STAMP, PRICE, *more), class_time_stamp="TS")


def without(described: ResourceClass, *gone: str) -> ResourceClass:
    kept = tuple(each for each in described.fields if each.system_name not in gone)
    return msgspec.structs.replace(described, fields=kept)


RES, LND = class_of("RES"), class_of("LND")
FIRST = make_plan(system(RES, LND), NOTHING)


def planned(found: System, known: Known = FIRST.known, settings: RetsSourceSettings = NOTHING) -> Plan:
    return make_plan(found, settings, (), known, 7)


def only(plan: Plan) -> ClassPlan:
    (each,) = plan.resource("property").classes
    return each


@pytest.mark.parametrize("name", ["KEY", "TS"])
def test_a_class_that_lost_its_key_or_timestamp_stops_and_goes_on_when_it_is_back(name: str) -> None:
    plan = planned(system(without(RES, name), LND))
    assert only(plan).name == "LND"
    assert name in plan.resource("property").stopped["RES"]
    assert any("RES" in line and "overrides.property." in line for line in plan.known.troubles())
    assert {each.class_name: each.since for each in plan.known.classes} == {"RES": 7, "LND": None}
    again = make_plan(system(RES, LND), NOTHING, (), plan.known, 8)
    assert [each.name for each in again.resource("property").classes] == ["RES", "LND"]
    assert again.known.troubles() == []


def test_a_key_that_the_metadata_rename_everywhere_stops_too_until_the_settings_name_it() -> None:
    renamed = [msgspec.structs.replace(each, fields=(*fields("1:ID=ListingKey"), STAMP, PRICE)) for each in (RES, LND)]
    found = system(*renamed, key="ID")
    plan = planned(found)
    assert plan.resource("property").classes == ()
    assert plan.resource("property").stopped.keys() == {"RES", "LND"}
    named = RetsSourceSettings({"property": Override(key_field="ID")})
    believed = planned(found, plan.known, named)
    assert [each.key for each in believed.resource("property").classes] == ["ID", "ID"]
    assert [each.key for each in planned(found, believed.known).resource("property").classes] == ["ID", "ID"]


def test_several_names_in_the_settings_are_taken_in_order_and_none_is_one() -> None:
    chosen = RetsSourceSettings({"property": Override(key_field="ID, ListingKey", timestamp_field="TS,-")})
    plan = planned(system(RES, without(LND, "TS")), settings=chosen)
    assert [(each.key, each.stamp) for each in plan.resource("property").classes] == [("KEY", "TS"), ("KEY", "")]


def test_the_settings_may_do_without_a_timestamp_only_where_they_say_so() -> None:
    chosen = RetsSourceSettings({"property": Override(timestamp_field="TS")})
    plan = planned(system(without(RES, "TS"), LND), settings=chosen)
    assert plan.resource("property").stopped == {"RES": "overrides.property.timestamp_field: class RES has no field TS"}


def test_a_class_that_is_gone_stops_until_that_is_approved() -> None:
    plan = planned(system(LND))
    assert plan.resource("property").stopped.keys() == {"RES"}
    gone = tuple(replace(each, state=REMOVED) if each.state else each for each in plan.known.fields)
    approved = planned(system(LND), replace(plan.known, fields=gone))
    assert approved.resource("property").stopped == {}
    assert [each.class_name for each in approved.known.classes] == ["LND"]
    assert planned(System()).resource("property").stopped.keys() == {"RES", "LND"}


def test_a_class_that_the_settings_leave_out_is_forgotten() -> None:
    plan = planned(system(RES, LND), settings=RetsSourceSettings({"property": Override(classes=("LND",))}))
    assert plan.resource("property").stopped == {}
    assert {each.class_name for each in plan.known.fields} == {"LND"}


def test_a_class_that_comes_without_a_key_stops_no_other() -> None:
    plan = planned(system(RES, LND, without(class_of("COM"), "KEY")))
    assert [each.name for each in plan.resource("property").classes] == ["RES", "LND"]
    assert plan.resource("property").stopped.keys() == {"COM"}
    with pytest.raises(SourceRefusedError, match=r"overrides\.property\.key_field"):
        make_plan(system(without(RES, "KEY")), NOTHING)


def test_what_is_asked_for_no_more_is_said_to_be_untold() -> None:
    many = class_of("RES", *fields(*MANY, "90:NOTE", "91:CNT"))
    plan = make_plan(system(many), NOTHING)
    assert only(plan).untold == ()
    removed = planned(system(without(many, "NOTE", "CNT")), plan.known)
    assert set(only(removed).untold) == {"NOTE", "CNT", "Media"}
    refused = make_plan(system(many), NOTHING, ("NOTE",), plan.known)
    assert only(refused).untold == ("NOTE",)


# --- records

BEFORE = SourceRecord("1", "t1", {"#class": "RES", "NOTE": "old", "Price": "1", "OpenHouse": [
    {"OpenHouseKey": "a", "COMMENTS": "one"}, {"OpenHouseKey": "b", "COMMENTS": "two"}]})  # fmt: skip


def test_what_a_record_cannot_tell_stays_as_it_was() -> None:
    sent = SourceRecord("1", "t2", {"#class": "RES", "Price": "2"}, ("NOTE", "OpenHouse"))
    made = completed(sent, BEFORE)
    assert (made.fields["NOTE"], made.fields["Price"], made.untold) == ("old", "2", ())
    assert made.fields["OpenHouse"] == BEFORE.fields["OpenHouse"]


def test_parts_are_completed_each_by_itself() -> None:
    shows = {"OpenHouseKey": "b", "When": "now"}
    made = completed(SourceRecord("1", "t2", {"#class": "RES", "OpenHouse": shows}, ("OpenHouse/COMMENTS",)), BEFORE)
    assert made.fields["OpenHouse"] == {"OpenHouseKey": "b", "When": "now", "COMMENTS": "two"}


@pytest.mark.parametrize("before", [None, msgspec.structs.replace(BEFORE, fields={"#class": "LND", "NOTE": "old"})])
def test_a_record_that_was_not_there_or_of_another_class_gains_nothing(before: SourceRecord | None) -> None:
    sent = SourceRecord("1", "t2", {"#class": "RES"}, ("NOTE",))
    assert completed(sent, before) == SourceRecord("1", "t2", {"#class": "RES"})
    plain = SourceRecord("1", "t2", {"#class": "RES"})
    assert completed(plain, BEFORE) is plain
