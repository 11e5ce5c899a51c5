"""Any RETS server as a Source: against the simulated MLS, whose metadata and caps it must work by."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
import pytest
from pydantic import SecretStr

from services.simulator.main import Options, Simulator
from services.simulator.mls.tables import CLASSES
from services.simulator.switches import MLS_SWITCHES
from shared.rets.login import Capabilities
from shared.rets.schema.document import READER, document_of, system_of
from shared.rets.schema.fetch import fetch_metadata
from shared.rets.schema.types import Field, ObjectKind, Resource, ResourceClass, System
from shared.rets.session import RetsSession
from shared.rets.settings import RetsSettings
from shared.sources.base import Inventory, SourceRefusedError
from shared.sources.rets.plan import make_plan
from shared.sources.rets.rows import RowReader
from shared.sources.rets.settings import Override, RetsSourceSettings
from shared.sources.rets.source import RetsSource
from shared.sources.rets.state import RetsState
from shared.sources.rets.windows import cut
from tests.unit.mls_metadata import serving as serving_metadata
from tests.unit.rets_server import Asked, Say, ScriptedServer
from tests.unit.test_rets_quirks import board as metadata_of_a_board
from tests.unit.test_rets_quirks import source_at

LISTINGS = 80
NOTHING = RetsSourceSettings()


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator(Options(personality="mls", listings=LISTINGS, photos=0)) as simulator:
        yield simulator


@pytest.fixture
def sim(running: Simulator) -> Iterator[Simulator]:
    yield running
    for name in (*MLS_SWITCHES, "refused-resource"):
        running.control.fault(name, "off")


@pytest.fixture(scope="module")
def system(running: Simulator) -> System:
    session = session_at(running)
    try:
        return fetch_metadata(session).system
    finally:
        session.logout()


def session_at(sim: Simulator) -> RetsSession:
    return RetsSession(RetsSettings(sim.login_url, "demo", SecretStr("demo")), sleep=lambda _: None)


@pytest.fixture
def source(sim: Simulator) -> Iterator[RetsSource]:
    opened = RetsSource(session_at(sim), RetsState(NOTHING))
    yield opened
    opened.close()


def keys(inventory: Inventory) -> list[str]:
    return [item.partition(b"\0")[0].decode() for item in inventory.packed]


def stamps(inventory: Inventory) -> dict[str, str]:
    return dict(item.decode().split("\0") for item in inventory.packed)


def all_keys(sim: Simulator) -> list[str]:
    return sorted(
        row["LIST_KEY"] for each in CLASSES if each.resource == "Property"
        for row in sim.control.rows("Property", each.name)
    )  # fmt: skip


@pytest.mark.parametrize("cap", [None, "30:maxrows", "30:20208", "7:count", "2:count"])
def test_every_key_is_listed_and_proven_however_the_server_caps(
    sim: Simulator, source: RetsSource, cap: str | None
) -> None:
    if cap is not None:
        sim.control.fault("row-cap", cap)
    found = source.inventory("property")
    assert (keys(found), found.proven, found.doubt) == (all_keys(sim), True, "")


@pytest.mark.parametrize("how", ["refused", "ignored"])
def test_where_keys_take_no_ranges_timestamps_do_and_prove_nothing(
    sim: Simulator, source: RetsSource, how: str
) -> None:
    sim.control.fault("row-cap", "15")
    sim.control.fault("no-ranges", how)
    found = source.inventory("property")
    assert keys(found) == all_keys(sim)
    assert not found.proven
    assert "ranges of timestamps" in found.doubt


def test_a_cap_of_one_row_is_said_to_be_too_few(sim: Simulator, source: RetsSource) -> None:
    sim.control.fault("row-cap", "1")
    found = source.inventory("office")
    assert set(keys(found)) <= {row["OFFICE_KEY"] for row in sim.control.rows("Office", "OFF")}
    assert found.proven == (len(keys(found)) == len(list(sim.control.rows("Office", "OFF"))))


@pytest.mark.parametrize("cap", [None, "7:maxrows"])
def test_records_have_the_stamps_they_are_listed_with(sim: Simulator, source: RetsSource, cap: str | None) -> None:
    if cap is not None:
        sim.control.fault("row-cap", cap)
    listed = stamps(source.inventory("property"))
    fresh = RetsSource(session_at(sim), RetsState(NOTHING))  # which does not know the class of any key
    for asked in (source, fresh):
        page = asked.records("property", [*listed, "nobody"][-100:])
        assert {record.key: record.stamp for record in page.records} == listed
        assert any("OpenHouse" in record.fields for record in page.records)
        assert {record.fields["#class"] for record in page.records} == {"RES", "LND", "COM"}
    fresh.close()


def test_what_cannot_be_asked_for_is_named(source: RetsSource) -> None:
    page = source.records("property", ["a\nb", '20000001),(PRICE=1+"', ""])
    assert (page.records, page.unaskable) == ([], ["a\nb", ""])
    with pytest.raises(ValueError, match="101 keys"):
        source.records("property", ["1"] * 101)


def test_a_field_that_the_server_no_longer_has_is_left_out_after_its_metadata_were_read_again(
    sim: Simulator, system: System
) -> None:
    state = RetsState(NOTHING, with_field(system, Field(system_name="GONE", data_type="Character")))
    source = RetsSource(session_at(sim), state)
    before = sim.control.stats()["requests"].get("GetMetadata", 0)
    page = source.records("property", all_keys(sim)[:5])
    source.close()
    assert len(page.records) == 5
    assert sim.control.stats()["requests"]["GetMetadata"] > before
    assert state.system == system


def test_a_field_that_the_metadata_keep_naming_is_done_without(sim: Simulator, system: System) -> None:
    class Stubborn(RetsSource):
        def _fetch(self) -> System:
            return with_field(system, Field(system_name="GONE", data_type="Character"))

    source = Stubborn(session_at(sim), RetsState(NOTHING))
    page = source.records("property", all_keys(sim)[:5])
    source.close()
    assert len(page.records) == 5


@pytest.mark.parametrize("code", ["20200", "20202"])
def test_after_metadata_were_read_again_once_a_request_is_replayed_without_what_is_unknown(code: str) -> None:
    before, after = described_with("OLD"), described_with("NEW")
    metadata = serving_metadata(after)

    def answer(asked: Asked) -> Say | None:
        if asked.path != "/search":
            return metadata(asked)
        unknown = "OLD" in asked.arguments["Select"].split(",")
        return Say(f'<RETS ReplyCode="{code}" ReplyText="Unknown field: OLD"/>' if unknown else CHANGED_ROWS)

    with ScriptedServer(answer) as server:
        source = source_at(server, before)
        (page,) = source.changes("property", 0, 100)
        assert [(record.key, record.stamp) for record in page.records] == [("77", "2024-03-05T14:00:00Z")]
        asked = [each.arguments for each in server.asked if each.path == "/search"]
        assert [(each["Query"], each["Select"]) for each in asked] == [
            ("(CHANGED_AT=1970-01-01T00:00:00Z+)", "SYSID,CHANGED_AT"),
            ("(SYSID=77)", "SYSID,CHANGED_AT,OLD"), ("(SYSID=77)", "SYSID,CHANGED_AT,NEW"),
        ]  # fmt: skip


CHANGED_ROWS = (
    '<RETS ReplyCode="0"><COUNT Records="1"/><COLUMNS>\tSYSID\tCHANGED_AT\t</COLUMNS>'
    "<DATA>\t77\t2024-03-05T14:00:00\t</DATA></RETS>"
)


def described_with(name: str) -> System:
    """The metadata of one class with a key, a timestamp, and a field of this name."""
    fields = (
        Field(system_name="SYSID", data_type="Int"), Field(system_name="CHANGED_AT", data_type="DateTime"),
        Field(system_name=name, data_type="Character"),
    )  # fmt: skip
    described = ResourceClass(class_name="1", class_time_stamp="CHANGED_AT", fields=fields)
    return System(resources=(Resource(resource_id="Property", key_field="SYSID", classes=(described,)),))


def with_field(system: System, field: Field) -> System:
    first, *others = system.resources
    classes = tuple(msgspec.structs.replace(each, fields=(*each.fields, field)) for each in first.classes)
    return msgspec.structs.replace(system, resources=(msgspec.structs.replace(first, classes=classes), *others))


def test_newer_metadata_are_read_at_the_next_login(sim: Simulator) -> None:
    state = RetsState(NOTHING)
    for _ in range(2):
        source = RetsSource(session_at(sim), state)
        source.explain()
        source.close()
    asked = sim.control.stats()["requests"]["GetMetadata"]
    before = state.system
    sim.control.publish()
    source = RetsSource(session_at(sim), state)
    source.explain()
    source.explain()
    source.close()
    assert sim.control.stats()["requests"]["GetMetadata"] == asked + 6
    assert state.system != before


def test_metadata_that_were_kept_are_used_while_the_login_names_them_and_this_version_would_read_them_so(
    sim: Simulator, system: System
) -> None:
    session = session_at(sim)
    session.login()
    assert session.capabilities is not None
    document = document_of(fetch_metadata(session).system).document
    current = system_of(document)
    fetched: list[System] = []

    def fetch() -> System:
        fetched.append(system)
        return system

    def told(**values: str) -> Capabilities:
        return Capabilities(sim.login_url, values)

    by_another_reader = document.replace(f'"reader":{READER}'.encode(), b'"reader":0')
    assert by_another_reader != document
    for kept, said, read in (
        (document_of(current, "another").document, session.capabilities, 1),
        (document, session.capabilities, 0),
        (document, told(metadataversion=current.version), 0),
        (document, told(metadatatimestamp=current.date), 0),
        (document, told(metadataversion="9.9"), 1),
        (document, told(metadataversion=current.version, minmetadataversion="9.9"), 1),
        (document, told(), 1),
        (by_another_reader, session.capabilities, 1),
        (b"{", session.capabilities, 1),
        (None, session.capabilities, 1),
    ):
        fetched.clear()
        state = RetsState(NOTHING, stored=lambda kept=kept: kept)  # type: ignore[misc]
        state.plan(said, fetch)
        state.plan(said, fetch)
        assert len(fetched) == read, said
        assert read or state.system == current
    session.logout()


def test_changes_are_what_changed_since(sim: Simulator, source: RetsSource) -> None:
    listed = stamps(source.inventory("property"))
    latest = max(stamp.partition("|")[0] for stamp in listed.values())
    since = int(datetime.fromisoformat(latest).timestamp() * 1_000_000)
    pages = list(source.changes("property", since, 2))
    found = [record.key for page in pages for record in page.records]
    assert {key for key, stamp in listed.items() if stamp.partition("|")[0] == latest} <= set(found)
    assert len(found) < len(listed)
    assert all(len(page.records) <= 2 for page in pages)
    (nothing,) = source.changes("property", since + 10**15, 2)
    assert (nothing.records, nothing.doubt) == ([], "")


def test_what_is_asked_for_can_be_told_in_words(source: RetsSource) -> None:
    lines = source.explain()
    assert "property: Property, class RES, 25 fields, key LIST_KEY, timestamp MOD_TS, photos of type LargePhoto, "\
        "counted by PHOTO_CNT, changed by PHOTO_TS" in lines  # fmt: skip
    assert any(line.startswith("open_house: OpenHouse") for line in lines)
    assert any(line.endswith("photos of type LargePhoto, counted by PHOTO_CNT, changed by PHOTO_TS") for line in lines
               if line.startswith("member: Agent"))  # fmt: skip
    assert any(line.endswith("photo of type ThumbnailPhoto, there while LOGO_TS has a value") for line in lines
               if line.startswith("office: Office"))  # fmt: skip


PEOPLE = (
    Field(system_name="K", standard_name="MemberKey"),
    Field(system_name="T", standard_name="ModificationTimestamp", data_type="DateTime"),
    Field(system_name="N", standard_name="PhotosCount", data_type="Int"),
    Field(system_name="P", standard_name="", data_type="DateTime"),
    Field(system_name="Photo", data_type="Character"),
)
CHANGED, SHOT = "2024-03-05T14:00:00Z", "2023-01-02T03:04:05Z"


@pytest.mark.parametrize(
    ("stamp", "counted", "row", "photo"),
    [
        ("P", "N", {"N": "2", "P": SHOT}, SHOT),
        ("P", "N", {"N": "0", "P": SHOT}, None),
        ("P", "N", {"N": "", "P": SHOT}, SHOT),
        ("P", "", {"P": SHOT}, SHOT),
        ("P", "", {"P": ""}, None),
        ("", "N", {"N": "1"}, CHANGED),
        ("P", "N", {"N": "1", "P": ""}, CHANGED),
        ("", "N", {"N": "0"}, None),
        ("T", "", {}, None),
    ],
)
def test_of_an_agents_photo_is_told_by_a_count_or_else_by_a_timestamp_of_its_own(
    stamp: str, counted: str, row: dict[str, str], photo: str | None
) -> None:
    described = ResourceClass(
        class_name="A", fields=tuple(each for each in PEOPLE if each.system_name != "N" or counted)
    )
    kinds = (
        ObjectKind(object_type="Map", mime_type="image/png"),
        ObjectKind(object_type="Portrait", mime_type="image/jpeg", object_time_stamp=stamp, object_count=counted),
    )
    resource = Resource(resource_id="Agent", key_field="K", classes=(described,), objects=kinds)
    plan = make_plan(System(resources=(resource,)), NOTHING)
    (each,) = plan.resource("member").classes
    assert plan.resource("member").photo_type == "Portrait"
    record = RowReader(each, (), plan.zone).record({"K": "7", "T": CHANGED, "Photo": "see below", **row})
    assert record.fields.get("Photo") == photo
    assert record.fields["Photo_"] == "see below"
    assert record.stamp == (f"{CHANGED}|{SHOT}" if stamp == "P" and row["P"] else CHANGED)


def test_an_agents_photo_without_a_type_is_none() -> None:
    described = ResourceClass(class_name="A", fields=PEOPLE)
    resource = Resource(resource_id="Agent", key_field="K", classes=(described,))
    plan = make_plan(System(resources=(resource,)), NOTHING)
    (each,) = plan.resource("member").classes
    assert "Photo" not in RowReader(each, (), plan.zone).record({"K": "7", "N": "1", "P": SHOT}).fields
    (line,) = plan.in_words()
    assert line.endswith("no photo: the metadata name no type of photo")
    chosen = RetsSourceSettings(
        {"member": Override(photo_type="Photo", photo_timestamp_field="P", photo_count_field="N")}
    )
    (line,) = make_plan(System(resources=(resource,)), chosen).in_words()
    assert line.endswith("photos of type Photo, counted by N, changed by P")


def test_what_the_login_may_not_see_is_asked_to_be_marked_and_is_none() -> None:
    table = (
        '<RETS ReplyCode="0"><COUNT Records="1"/><COLUMNS>\tSYSID\tMLSNUM\tMODIFIED\tPICS\t</COLUMNS>'
        "<DATA>\t77\t****\t2024-03-05T14:00:00\t\t</DATA></RETS>"
    )
    with ScriptedServer(lambda asked: Say(table) if asked.path == "/search" else None) as server:
        (record,) = source_at(server, metadata_of_a_board()).records("property", ["77"]).records
        assert server.asked[-1].arguments["RestrictedIndicator"] == "****"
    assert "ListingId" not in record.fields
    assert record.fields["#restricted"] == ["ListingId"]


def test_keys_and_timestamps_that_are_withheld_are_none() -> None:
    rows = "".join(f"<DATA>\t{key}\tR-1\t{stamp}\t1\t</DATA>" for key, stamp in (("77", "****"), ("****", CHANGED)))
    table = f'<RETS ReplyCode="0"><COUNT Records="2"/><COLUMNS>\tSYSID\tMLSNUM\tMODIFIED\tPICS\t</COLUMNS>{rows}</RETS>'
    with ScriptedServer(lambda asked: Say(table) if asked.path == "/search" else None) as server:
        found = source_at(server, metadata_of_a_board()).inventory("property")
        assert (found.packed, found.proven, found.doubt) == ([b"77\0"], False, "1 rows have no key")
        (record, _) = source_at(server, metadata_of_a_board()).records("property", ["77", "78"]).records
        assert (record.key, record.stamp) == ("77", "")
        assert record.fields["Media"] == {"Order": "1", "ModificationTimestamp": ""}
        assert record.fields["#restricted"] == ["MODIFIED"]


@pytest.mark.parametrize(
    ("kind", "override", "said"),
    [
        ("property", Override(resource="Tax"), "there is no Tax; there are Property, Agent"),
        ("property", Override(classes=("XXX",)), "overrides.property.classes: Property has no class XXX"),
        ("member", Override(key_field="NOPE"), "overrides.member.key_field: class AGT has no field NOPE"),
    ],
)
def test_settings_that_name_what_is_not_there_are_refused(
    system: System, kind: str, override: Override, said: str
) -> None:
    with pytest.raises(SourceRefusedError, match=said):
        make_plan(system, RetsSourceSettings({kind: override}))  # type: ignore[dict-item]


def test_settings_override_the_metadata(system: System) -> None:
    override = Override(
        classes=("LND",), key_field="MLS_NUM", timestamp_field="PHOTO_TS", photo_type="ThumbnailPhoto",
        photo_count_field="PHOTO_CNT",
    )  # fmt: skip
    plan = make_plan(system, RetsSourceSettings({"property": override})).resource("property")
    (each,) = plan.classes
    assert (each.key, each.stamp, each.photo_stamp, plan.photo_type) == ("MLS_NUM", "PHOTO_TS", "", "ThumbnailPhoto")


def test_types_of_object_are_those_of_the_metadata(system: System) -> None:
    chosen = Override(objects=("Plat", "Audio"), object_links=("Video",))
    plan = make_plan(system, RetsSourceSettings({"property": chosen}))
    assert plan.resource("property").others == ("Plat", "Audio", "Video")
    assert plan.resource("property").object_types["Plat"] == "application/pdf"
    assert "property: objects of type Plat, Audio, Video beside the photos" in list(plan.in_words())
    for wrong, said in (
        (Override(objects=("Floorplan",)), r"overrides\.property\.objects: Property has no objects of type Floorplan"),
        (Override(object_links=("plat",)), r"overrides\.property\.object_links: .* no objects of type plat; .* Plat,"),
        (Override(objects=("LargePhoto",)), r"overrides\.property\.objects: LargePhoto is the type of the photos"),
    ):
        with pytest.raises(SourceRefusedError, match=said):
            make_plan(system, RetsSourceSettings({"property": wrong}))


def test_a_type_of_object_that_is_gone_since_stops_nothing(system: System) -> None:
    chosen = RetsSourceSettings({"property": Override(objects=("Plat",))})
    known = make_plan(system, chosen).known
    without = msgspec.structs.replace(
        system,
        resources=tuple(
            msgspec.structs.replace(each, objects=tuple(item for item in each.objects if item.object_type != "Plat"))
            for each in system.resources
        ),
    )
    plan = make_plan(without, chosen, known=known).resource("property")
    assert len(plan.classes) == 3
    assert plan.stopped == {}
    assert "Plat" not in plan.object_types


def test_objects_are_numbered_as_the_server_does_and_a_type_unknown_is_refused(sim: Simulator) -> None:
    session = session_at(sim)
    try:
        source = RetsSource(session, RetsState(NOTHING))
        odd = next(item.key for item in sim.control.others() if (item.kind, item.order) == ("Video", 2))
        films = list(source.objects("property", odd, "Video", location=True))
        assert [(item.order, bool(item.url), item.data) for item in films] == [(1, True, None), (2, True, None)]
        (plat,) = source.objects("property", odd, "Plat", location=False)
        assert (plat.order, plat.content_type, plat.description) == (1, "application/pdf", f"Plat 1 of {odd}")
        assert list(source.objects("property", "29999999", "Plat", location=False)) == []
        (bad,) = source.objects("property", "1:2", "Plat", location=False)
        assert bad.error == "the key cannot be asked for"
        with pytest.raises(SourceRefusedError, match="no type Floorplan"):
            next(source.objects("property", odd, "Floorplan", location=False))
        sim.control.fault("multipart-defects", "missing-ids")
        films = list(source.objects("property", odd, "Video", location=False))
        assert [item.order for item in films] == [1, 2]
    finally:
        sim.control.fault("multipart-defects", "off")
        session.logout()


def test_metadata_without_a_usable_key_name_the_setting() -> None:
    described = ResourceClass(class_name="A", fields=(Field(system_name="X"),))
    system = System(resources=(Resource(resource_id="Property", key_field="K", classes=(described,)),))
    with pytest.raises(SourceRefusedError, match=r"overrides\.property\.key_field"):
        make_plan(system, NOTHING)


def test_a_standard_name_that_two_fields_have_is_nobodys() -> None:
    fields = (
        Field(system_name="K", standard_name="ListingKey"),
        Field(system_name="A", standard_name="ListPrice"),
        Field(system_name="B", standard_name="ListPrice"),
        Field(system_name="City", standard_name=""),
        Field(system_name="C", standard_name="City"),
        Field(system_name="Media", standard_name=""),
    )
    described = ResourceClass(class_name="R", fields=fields)
    objects = (ObjectKind(object_type="Plat", mime_type="application/pdf"),)
    resource = Resource(resource_id="Property", key_field="K", classes=(described,), objects=objects)
    plan = make_plan(System(resources=(resource,)), NOTHING).resource("property")
    assert plan.photo_type == ""
    assert plan.classes[0].elements == {
        "K": "ListingKey", "A": "A", "B": "B", "City": "City", "C": "C", "Media": "Media_",
    }  # fmt: skip


def test_values_are_written_in_one_way_whatever_the_server_writes() -> None:
    fields = (
        Field(system_name="K", standard_name="ListingKey", data_type="Int"),
        Field(system_name="T", standard_name="ModificationTimestamp", data_type="DateTime"),
        Field(system_name="P", standard_name="ListPrice", data_type="Decimal"),
        Field(system_name="Y", standard_name="FireplaceYN", data_type="Boolean"),
        Field(system_name="M", standard_name="Heating", data_type="Character", interpretation="LookupMulti"),
        Field(system_name="W", data_type="DateTime"),
        Field(system_name="D", data_type="Date"),
        Field(system_name="S", data_type="Character"),
        Field(system_name="Q", data_type="Decimal"),
    )
    described = ResourceClass(class_name="R", fields=fields, class_time_stamp="T")
    resource = Resource(resource_id="Property", key_field="K", classes=(described,))
    plan = make_plan(System(resources=(resource,), time_zone_offset="-05:00"), NOTHING)
    (each,) = plan.resource("property").classes
    record = RowReader(each, (), plan.zone).record({
        "K": "7", "T": "2024-03-05T09:00:00", "P": "+100.50", "Y": "Y", "M": 'a,"b, c"', "W": "2024-03-05 09:00:00",
        "D": "2024-03-05T00:00:00", "S": "****", "Q": "about 5",
    })  # fmt: skip
    assert (record.key, record.stamp) == ("7", "2024-03-05T14:00:00Z")
    assert record.fields == {
        "#class": "R", "ListPrice": "100.50", "FireplaceYN": "true", "Heating": ["a", "b, c"],
        "W": "2024-03-05T14:00:00Z", "D": "2024-03-05", "Q": "about 5", "#restricted": ["S"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("came", "low", "high", "at"),
    [
        (["1", "2", "10"], None, None, "2"),
        ([str(n) for n in range(1, 101)], None, None, "90"),
        ([str(n) for n in range(100, 0, -1)], None, None, "10"),
        (["5", "1", "9"], None, None, "5"),
        (["1", "5", "9"], "1", "9", "5"),
        (["1", "9", "9"], "1", "9", None),
        ([], None, None, None),
    ],
)
def test_where_a_list_is_cut(came: list[str], low: str | None, high: str | None, at: str | None) -> None:
    assert cut(came, low, high) == at
