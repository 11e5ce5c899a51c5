"""What the simulated MLS holds: a function of the seed, complete, and changing only as it says."""

from __future__ import annotations

import io
import time
import tracemalloc
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from PIL import Image

from services.simulator.answers import Answer, Call, RefusedError
from services.simulator.clock import DAY, START
from services.simulator.drawing import SIZES, picture
from services.simulator.faults import Faults
from services.simulator.making import key_of
from services.simulator.options import Options, OptionsError
from services.simulator.search import search
from services.simulator.truth import Look, truths
from services.simulator.world import World

NO_FAULTS = Faults(1, [])
BASE = "http://mls.example"

# DDF guide, PropertyDetails: every element there is, written out here so that the table under test cannot hide one.
TREE = {
    "PropertyDetails": """ListingID AgentDetails Board Business Building Land Address AlternateURL
        AdditionalInformationIndicator AmmenitiesNearBy CommunicationType CommunityFeatures Crop DocumentType Easement
        EquipmentType Features FarmType IrrigationType Lease LeasePerTime LeasePerUnit LeaseTermRemaining
        LeaseTermRemainingFreq LeaseType ListingContractDate LiveStockType LoadingType LocationDescription Machinery
        MaintenanceFee MaintenanceFeePaymentUnit MaintenanceFeeType ManagementCompany MunicipalId MunicipalID OpenHouse
        OwnershipType ParkingSpaces ParkingSpaceTotal Plan Photo PoolType PoolFeatures Price PricePerTime PricePerUnit
        PropertyType PublicRemarks RentalEquipmentType RightType RoadType SignType StorageType Structure
        TransactionType TotalBuildings UtilitiesAvailable ViewType WaterFrontType WaterFrontName ZoningDescription
        ZoningType AnalyticsClick AnalyticsView MoreInformationLink""",
    "AgentDetails": """Name Phones Websites Office Position EducationCredentials PhotoLastUpdated Specialties
        Designations Languages TradingAreas Address""",
    "Office": "Name LogoLastUpdated Address Phones Websites OrganizationType Designation Franchisor",
    "Phones": "Phone",
    "Websites": "Website",
    "Specialties": "Specialty",
    "Designations": "Designation",
    "Languages": "Language",
    "TradingAreas": "TradingArea",
    "Business": "BusinessType BusinessSubType EstablishedDate Franchise Name OperatingSince",
    "Building": """BathroomTotal BedroomsTotal BedroomsAboveGround BedroomsBelowGround HalfBathTotal Age Amenities
        Appliances ArchitecturalStyle BasementFeatures BasementType CeilingType ConstructionMaterial CoolingType
        ExteriorFinish FireProtection FireplaceFuel FireplaceType Fixture FlooringType FoundationType HeatingFuel
        HeatingType RoofMaterial RoofStyle StoreFront UtilityPower UtilityWater BasementDevelopment Amperage Anchor
        BomaRating EnerguideRating LeedsCategory LeedsRating CeilingHeight ClearCeilingHeight ConstructedDate
        RenovatedDate ConstructionStatus ConstructionStyleAttachment ConstructionStyleOther
        ConstructionStyleSplitLevel FireplacePresent FireplaceTotal Rooms SizeExterior SizeInterior
        SizeInteriorFinished TotalFinishedArea StoriesTotal Type UnitType Uffi VacancyRate""",
    "Rooms": "Room",
    "Room": "Type Width Length Level Dimension Description",
    "Land": """SizeTotal SizeTotalText SizeFrontage SizeDepth SizeIrregular AccessType Acreage Amenities ClearedTotal
        FenceTotal PastureTotal TiledTotal CurrentUse Divisible FenceType FrontsOn LandDisposition LandscapeFeatures
        Sewer SoilEvaluation SoilType SurfaceWater TopographyType""",
    "Address": """StreetAddress AddressLine1 AddressLine2 StreetNumber StreetDirectionPrefix StreetName StreetSuffix
        StreetDirectionSuffix UnitNumber BoxNumber City Province PostalCode Country AdditionalStreetInfo CommunityName
        Neighbourhood Subdivision Longitude Latitude""",
    "AlternateURL": "BrochureLink MapLink PhotoLink SoundLink VideoLink",
    "OpenHouse": "Event",
    "Event": "StartDateTime EndDateTime Comments",
    "ParkingSpaces": "Parking",
    "Parking": "Name Spaces",
    "Photo": "PropertyPhoto",
    "PropertyPhoto": """SequenceId LastUpdated PhotoLastUpdated Description ThumbnailPhotoURL PhotoURL
        LargePhotoURL""",
    "UtilitiesAvailable": "Utility",
    "Utility": "Type Description",
}


def ask(world: World, query: str, resource: str = "Property", **more: str) -> Answer:
    arguments = {"searchtype": resource, "class": resource, "querytype": "DMQL2", "query": query} | more
    return search(world, Call(arguments, BASE), NO_FAULTS)


def body(answer: Answer) -> bytes:
    return answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)


def tree(world: World, query: str, resource: str = "Property", **more: str) -> list[etree._Element]:
    """The record elements of an answer, without namespaces."""
    root = etree.fromstring(body(ask(world, query, resource, **more)))
    for element in root.iter():
        element.tag = etree.QName(element).localname
    return [child for child in root[-1] if child.tag != "Pagination"]


def everything(world: World) -> list[etree._Element]:
    keys = [key_of(number) for number in world.view().listings.numbers()]
    pages = [tree(world, f"(ID={','.join(keys[at : at + 100])})") for at in range(0, len(keys), 100)]
    return [record for page in pages for record in page]


def true(world: World, resource: str = "property", size: str = "") -> dict[str, dict[str, Any]]:
    return {record["key"]: record for record in truths(world.view(), resource, Look(BASE, size, 0, NO_FAULTS))}


@pytest.fixture(scope="module")
def crowd() -> list[etree._Element]:
    return everything(World(Options(listings=3000)))


def test_every_element_of_the_guide_occurs(crowd: list[etree._Element]) -> None:
    seen = {(record.tag, child.tag) for top in crowd for record in top.iter() for child in record}
    wanted = {(parent, name) for parent, names in TREE.items() for name in names.split()}
    assert wanted - seen == set()
    assert seen - wanted == set()


def test_the_traps_of_the_guide_occur(crowd: list[etree._Element]) -> None:
    def texts(path: str) -> set[str | None]:
        return {found.text for top in crowd for found in top.iterfind(path)}

    def counts(path: str) -> Counter[int]:
        return Counter(len(top.findall(path)) for top in crowd)

    assert {"True", "False", "true", "false", None} <= texts(".//Acreage") | texts(".//Franchise")
    assert {0, 1, 2} <= set(counts("AgentDetails"))
    assert {0, 1, 2} <= set(counts("Building/Rooms/Room"))
    assert {0, 1, 2, 50} <= set(counts("Photo/PropertyPhoto"))
    assert None in texts(".//Room/Width")
    assert any(top.find("Address/Latitude") is None for top in crowd)
    assert any("-" in (text or "") for text in texts("Building/SizeInterior"))
    assert {len(text or "") for text in texts("Address/PostalCode")} == {3, 6}
    remarks = [text.strip() for text in texts("PublicRemarks") if text]
    assert {text.endswith(" (id:5012345)") for text in remarks} == {True, False}
    assert any("É" in text for text in remarks)
    assert all(text and text.startswith("<![CDATA[<script") for text in texts("AnalyticsView"))
    assert any(top.find("Lease") is not None and top.find("Price") is None for top in crowd)
    gaps = [[int(order.text or 0) for order in top.iterfind("Photo/PropertyPhoto/SequenceId")] for top in crowd]
    assert any(orders and orders != list(range(1, len(orders) + 1)) for orders in gaps)


def test_photos_average_what_was_asked_for() -> None:
    view = World(Options(listings=2000, photos=7)).view()
    assert 6 < sum(len(view.photos(number)) for number in range(2000)) / 2000 < 8


def test_no_photos_means_none_at_all() -> None:
    world = World(Options(listings=60, photos=0))
    world.advance(10)
    assert not any(record["photos"] for record in true(world).values())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    def first(seed: int) -> bytes:
        world = World(Options(listings=40, seed=seed))
        world.advance(3)
        return body(ask(world, "(ID=*)")) + body(ask(world, "(ID=20000001,20000002,20000040)"))

    assert first(1) == first(1)
    assert first(1) != first(2)


@pytest.mark.parametrize("count", [1, 2, 19, 20, 99, 100, 101, 201])
def test_there_are_exactly_as_many_listings_as_asked_for(count: int) -> None:
    rows = tree(World(Options(listings=count)), "(ID=*)")
    assert len({row.get("ID") for row in rows}) == len(rows) == count


@pytest.mark.parametrize("resource", ["Property", "Agent", "Office"])
def test_an_mls_without_listings_has_no_records_of_any_kind(resource: str) -> None:
    world = World(Options(listings=0))
    world.advance(3)
    with pytest.raises(RefusedError) as refused:
        ask(world, "(ID=*)", resource)
    assert refused.value.code == 20201


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**40), listings=st.integers(20, 150), days=st.integers(1, 5))
def test_a_day_changes_exactly_what_it_says(seed: int, listings: int, days: int) -> None:
    world = World(Options(listings=listings, seed=seed))
    for day in range(1, days + 1):
        before, then = true(world), world.view().listings
        counts = world.advance(1)
        after = true(world)
        assert counts["new"] == len(after.keys() - before.keys()) >= 1
        assert counts["removed"] == len(before.keys() - after.keys()) >= 1
        assert counts["removed"] <= max(1, 0.01 * len(before))
        assert counts["listings"] == len(after)
        both = after.keys() & before.keys()
        stamped = {key for key in both if after[key]["stamp"] != before[key]["stamp"]}
        assert counts["changed"] == len(stamped) >= 1
        assert all(after[key] == before[key] for key in both - stamped)
        assert any(after[key]["fields"] != before[key]["fields"] for key in stamped)
        photographed = {key for key in stamped if after[key]["photos"] != before[key]["photos"]}
        assert 1 <= len(photographed) <= counts["rephotographed"]
        fresh = [world.view().listings.stamp(int(key) - 20_000_001) for key in stamped | after.keys() - before.keys()]
        assert all(START + (day - 1) * DAY + 3600 < stamp < START + day * DAY - 60 for stamp in fresh)
        assert all(then.has(int(key) - 20_000_001) for key in before)


def test_changes_of_a_long_running_simulator_still_lie_in_the_day_that_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(Options(listings=50))
    monkeypatch.setattr(world.clock, "elapsed", lambda: 15 * 3600.0)
    before = world.clock.now()
    world.advance(1)
    listings = world.view().listings
    stamps = [listings.stamp(number) for number in listings.numbers() if listings.last_day(number) == 1]
    assert stamps
    assert all(before < stamp < world.clock.now() - 60 for stamp in stamps)


def test_every_photo_change_shows_in_its_stamp_and_url() -> None:
    world = World(Options(listings=300))
    before = true(world, size="ThumbnailPhoto")
    world.advance(5)
    for key, record in true(world, size="ThumbnailPhoto").items():
        old = {photo["order"]: photo for photo in before.get(key, {"photos": []})["photos"]}
        for photo in record["photos"]:
            if photo["order"] in old and photo["url"] == old[photo["order"]]["url"]:
                assert photo == old[photo["order"]]


def test_an_agent_is_the_same_in_all_listings_of_one_day() -> None:
    world = World(Options(listings=300))
    world.advance(8)
    view, days = world.view(), set()
    copies: dict[tuple[int, str], object] = {}
    for key, record in true(world).items():
        day = view.listings.last_day(int(key) - 20_000_001)
        for agent in record["agents"]:
            days.add(day)
            assert copies.setdefault((day, agent["member"]["key"]), agent) == agent
    assert len(days) > 5
    assert {key for _, key in copies} <= {str(1_500_001 + number) for number in range(view.agents.total)}


def test_agents_and_offices_leave_their_lists_and_come_back_as_they_were() -> None:
    world = World(Options(listings=300))
    left: dict[str, set[str]] = {"member": set(), "office": set()}
    back: dict[str, set[str]] = {"member": set(), "office": set()}
    for _ in range(40):
        before = {name: set(true(world, name)) for name in left}
        world.advance(1)
        for name, keys in before.items():
            now = true(world, name).keys()
            assert len(now) == world.view().snapshot({"member": "Agent", "office": "Office"}[name]).live
            back[name] |= now & left[name]
            left[name] = (left[name] | keys) - now
    assert all(back.values())
    named = {agent["member"]["key"] for record in true(world).values() for agent in record["agents"]}
    assert left["member"] & named  # listings go on naming them


def test_a_portrait_changes_comes_and_goes_with_its_timestamp() -> None:
    world = World(Options(listings=200))
    before = true(world, "member", size="ThumbnailPhoto")
    seen: Counter[str] = Counter()
    for _ in range(15):
        world.advance(20)
        now = true(world, "member", size="ThumbnailPhoto")
        for key in now.keys() & before.keys():
            old, new = before[key].get("photo"), now[key].get("photo")
            assert (new is None) == ("photo_last_updated" not in now[key]["fields"])
            if old is None or new is None:
                seen["came"] += old is None and new is not None
                seen["went"] += old is not None and new is None
            else:
                same = old["modification_timestamp"] == new["modification_timestamp"]
                assert same == (old["sha256"] == new["sha256"])
                seen["kept" if same else "changed"] += 1
        before = now
    assert set(+seen) == {"came", "went", "kept", "changed"}


def test_no_listing_carries_an_agent_or_office_from_its_own_future() -> None:
    world = World(Options(listings=200))
    world.advance(20)
    view = world.view()
    for number in view.listings.numbers():
        listing = view.listing(number)
        if listing.as_of:
            for agent in (view.agent(one, listing.as_of) for one in listing.agents):
                assert agent.stamp < listing.stamp
                assert agent.office is not None
                assert agent.office.stamp < listing.stamp


def test_what_is_sent_is_what_is_true() -> None:
    world = World(Options(listings=200))
    world.advance(3)
    truth = true(world)
    for record in everything(world):
        known = truth[record.get("ID") or ""]
        fields = known["fields"]
        assert record.get("LastUpdated") == known["stamp"]
        assert record.findtext("Price") == fields.get("list_price")
        assert (record.findtext("Address/City") or "") == fields.get("city")
        features = record.findtext("Features")
        assert (features.split(", ") if features else None) == fields.get("lot_features")
        assert [room.findtext("Type") for room in record.iterfind("Building/Rooms/Room")] == [
            room["room_type"] for room in known["rooms"]
        ]
        assert [url.text for url in record.iterfind("Photo/PropertyPhoto/LargePhotoURL")] == [
            photo["url"] for photo in known["photos"]
        ]


def test_french_answers_are_in_french() -> None:
    world = World(Options(listings=100))
    keys = ",".join(key_of(number) for number in range(100))
    kinds = {record.findtext("PropertyType") for record in tree(world, f"(ID={keys})", culture="fr-CA")}
    assert "Unifamiliale" in kinds
    assert "Single Family" not in kinds


def test_photos_are_jpegs_of_about_40_kb_and_never_alike() -> None:
    pictures = [picture("LargePhoto", "house", 1, number, 1, 0) for number in range(40)]
    assert len(set(pictures)) == 40
    assert pictures[7] == picture("LargePhoto", "house", 1, 7, 1, 0)
    assert 30_000 < sum(map(len, pictures)) / 40 < 50_000
    for kind in ("house", "face", "logo"):
        for size, expected in SIZES.items():
            image = Image.open(io.BytesIO(picture(size, kind, 1, 2)))
            image.load()
            assert (image.format, image.size) == ("JPEG", expected)


def test_a_photo_is_drawn_in_a_few_milliseconds() -> None:
    picture("LargePhoto", "house", 0)
    began = time.process_time()
    for number in range(20):
        picture("LargePhoto", "house", 1, number)
    assert (time.process_time() - began) / 20 < 0.015


def test_a_million_listings_need_neither_time_nor_memory() -> None:
    tracemalloc.start()
    try:
        began = time.monotonic()
        world = World(Options(listings=1_000_000))
        assert time.monotonic() - began < 1
        stream = ask(world, "(ID=*)").body
        assert not isinstance(stream, bytes)
        assert b'<COUNT Records="1000000">' in next(stream)
        for _ in range(20):
            next(stream)
        world.advance(1)
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


def test_a_master_list_being_read_is_of_one_moment() -> None:
    world = World(Options(listings=3000))
    stream = ask(world, "(ID=*)").body
    assert not isinstance(stream, bytes)
    head = next(stream)
    world.advance(30)
    assert (head + b"".join(stream)).count(b"<Property ID=") == 3000


@pytest.mark.parametrize(
    "wrong", [{"personality": "x"}, {"listings": -1}, {"photos": 51}, {"port": 70_000}, {"location_style": "x"}]
)
def test_options_that_make_no_sense_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(OptionsError, match=next(iter(wrong))):
        Options(**wrong)  # type: ignore[arg-type]
