"""The DDF mapping: every element of the feed has a home, and a whole listing becomes the rows it should."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.mapping.extra import UNFIT
from shared.mapping.mapping import load
from shared.mapping.record import Mapped, MediaItem, Problem, UnmappableError
from shared.messages import SourceRecord
from shared.store.listing_tables import LISTING_TABLES, TABLES_OF, media

DDF = load("ddf")
STAMP = "Tue, 05 Mar 2024 14:00:00 GMT"
TEXT, INTEGER, DECIMAL, BOOLEAN, DATE, LOCAL, LIST, SIZE = (
    "Example", "3", "649900.00", "True", "2024-02-28", "05/03/2024 09:00:00 AM", "Park, Public Transit", "0.25 ac"
)  # fmt: skip

PROPERTY = {
    TEXT: """ListingID Board PricePerTime PricePerUnit LeasePerTime LeasePerUnit LeaseTermRemainingFreq LeaseType
        LocationDescription MaintenanceFeePaymentUnit ManagementCompany MunicipalId MunicipalID OwnershipType Plan
        PropertyType PublicRemarks TransactionType WaterFrontType WaterFrontName ZoningDescription AnalyticsClick
        AnalyticsView MoreInformationLink AdditionalInformationIndicator
        Business/EstablishedDate Business/Name Business/OperatingSince
        Building/Age Building/Anchor Building/BomaRating Building/EnerguideRating Building/LeedsCategory
        Building/LeedsRating Building/RenovatedDate Building/ConstructionStatus Building/ConstructionStyleAttachment
        Building/ConstructionStyleOther Building/ConstructionStyleSplitLevel Building/Type Building/UnitType
        Building/Uffi Building/Rooms/Room/Type Building/Rooms/Room/Level Building/Rooms/Room/Dimension
        Building/Rooms/Room/Description
        Land/SizeTotalText Land/SizeIrregular Land/Divisible Land/FrontsOn Land/SoilEvaluation
        Address/StreetAddress Address/AddressLine1 Address/AddressLine2 Address/StreetNumber
        Address/StreetDirectionPrefix Address/StreetName Address/StreetSuffix Address/StreetDirectionSuffix
        Address/UnitNumber Address/BoxNumber Address/City Address/Province Address/PostalCode Address/Country
        Address/AdditionalStreetInfo Address/CommunityName Address/Neighbourhood Address/Subdivision
        AlternateURL/BrochureLink AlternateURL/MapLink AlternateURL/PhotoLink AlternateURL/SoundLink
        AlternateURL/VideoLink OpenHouse/Event/Comments ParkingSpaces/Parking/Name
        UtilitiesAvailable/Utility/Type UtilitiesAvailable/Utility/Description""",
    LIST: """AmmenitiesNearBy CommunicationType CommunityFeatures Crop DocumentType Easement EquipmentType Features
        FarmType IrrigationType LiveStockType LoadingType Machinery MaintenanceFeeType PoolType PoolFeatures
        RentalEquipmentType RightType RoadType SignType StorageType Structure ViewType ZoningType
        Business/BusinessType Business/BusinessSubType
        Building/Amenities Building/Appliances Building/ArchitecturalStyle Building/BasementFeatures
        Building/BasementType Building/BasementDevelopment Building/CeilingType Building/ConstructionMaterial
        Building/CoolingType Building/ExteriorFinish Building/FireProtection Building/FireplaceFuel
        Building/FireplaceType Building/Fixture Building/FlooringType Building/FoundationType Building/HeatingFuel
        Building/HeatingType Building/RoofMaterial Building/RoofStyle Building/StoreFront Building/UtilityPower
        Building/UtilityWater Building/Amperage
        Land/AccessType Land/Amenities Land/CurrentUse Land/FenceType Land/LandDisposition Land/LandscapeFeatures
        Land/Sewer Land/SoilType Land/SurfaceWater Land/TopographyType""",
    SIZE: """Building/CeilingHeight Building/ClearCeilingHeight Building/SizeExterior Building/SizeInterior
        Building/SizeInteriorFinished Building/TotalFinishedArea Building/Rooms/Room/Width Building/Rooms/Room/Length
        Land/SizeTotal Land/SizeFrontage Land/SizeDepth Land/ClearedTotal Land/FenceTotal Land/PastureTotal
        Land/TiledTotal""",
    INTEGER: """LeaseTermRemaining ParkingSpaceTotal TotalBuildings Building/BathroomTotal Building/BedroomsTotal
        Building/BedroomsAboveGround Building/BedroomsBelowGround Building/HalfBathTotal Building/ConstructedDate
        Building/FireplaceTotal Building/VacancyRate ParkingSpaces/Parking/Spaces""",
    DECIMAL: "Price Lease MaintenanceFee Building/StoriesTotal",
    "-79.003981": "Address/Longitude Address/Latitude",
    BOOLEAN: "Business/Franchise Building/FireplacePresent Land/Acreage",
    DATE: "ListingContractDate",
    LOCAL: "OpenHouse/Event/StartDateTime OpenHouse/Event/EndDateTime",
}
ADDRESS = """Address/StreetAddress Address/AddressLine1 Address/AddressLine2 Address/StreetNumber
    Address/StreetDirectionPrefix Address/StreetName Address/StreetSuffix Address/StreetDirectionSuffix
    Address/UnitNumber Address/BoxNumber Address/City Address/Province Address/PostalCode Address/Country
    Address/AdditionalStreetInfo Address/CommunityName Address/Neighbourhood Address/Subdivision"""
MEMBER = {
    TEXT: f"""Name Position EducationCredentials Specialties/Specialty Designations/Designation Languages/Language
        TradingAreas/TradingArea Phones/Phone Phones/Phone/@ContactType Phones/Phone/@PhoneType Websites/Website
        Websites/Website/@ContactType Websites/Website/@WebsiteType {ADDRESS}""",
    STAMP: "@LastUpdated",
    "2024-02-01 9:15:00 AM": "PhotoLastUpdated",
}
OFFICE = {
    TEXT: f"""Name OrganizationType Designation Franchisor Phones/Phone Phones/Phone/@ContactType
        Phones/Phone/@PhoneType Websites/Website Websites/Website/@ContactType Websites/Website/@WebsiteType
        {ADDRESS}""",
    STAMP: "@LastUpdated",
    "2024-02-01 9:15:00 AM": "LogoLastUpdated",
}
ELEMENTS = [
    (resource, path, value)
    for resource, elements in (("property", PROPERTY), ("member", MEMBER), ("office", OFFICE))
    for value, paths in elements.items()
    for path in paths.split()
]


def nested(path: str, value: Any) -> dict[str, Any]:
    """A record with one element."""
    for name in reversed(path.split("/")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def mapped(fields: dict[str, Any], resource: str = "property", key: str = "20000001", stamp: str = STAMP) -> Mapped:
    return DDF.map("ddf", resource, SourceRecord(key, stamp, fields))


def rows(record: Mapped, table: str) -> list[dict[str, Any]]:
    """Rows of a table by column, without what is NULL."""
    return [
        {name: value for name, value in zip(DDF.columns[table], row, strict=True) if value is not None}
        for row in record.rows[table]
    ]


@pytest.mark.parametrize(("resource", "path", "value"), ELEMENTS, ids=lambda part: str(part)[:50])
def test_every_element_has_a_typed_home(resource: str, path: str, value: str) -> None:
    empty = mapped({}, resource, stamp="")
    record = mapped(nested(path, value), resource, stamp="")
    assert (record.problems, record.unknown, record.extra) == ([], [], {})
    assert record.rows != empty.rows
    assert record.hash != empty.hash


@pytest.mark.parametrize("path", [path for resource, path, _ in ELEMENTS if resource == "property"])
def test_an_empty_element_is_null(path: str) -> None:
    assert mapped(nested(path, "")).rows == mapped({}).rows


def office(**more: Any) -> dict[str, Any]:
    return {
        "@ID": "300001",
        "@LastUpdated": STAMP,
        "Name": "EXAMPLE REALTY",
        "LogoLastUpdated": "2024-02-01 9:15:00 AM",
        "Address": {"City": "Niagara", "Province": "Ontario"},
        "Phones": {"Phone": {"#text": "(905) 555-0100", "@ContactType": "Business", "@PhoneType": "Fax"}},
        "Websites": {"Website": "https://realty.example"},
        "Franchisor": "",
    } | more


def agent(number: int, **more: Any) -> dict[str, Any]:
    return {"@ID": str(1500000 + number), "Name": f"AGENT {number}", "Office": office()} | more


LISTING: dict[str, Any] = {
    "@ID": "20000001",
    "@LastUpdated": STAMP,
    "ListingID": "X1234567",
    "AgentDetails": [agent(1, Languages={"Language": ["French", "English"]}), agent(2)],
    "Board": "82",
    "Business": {"Franchise": ""},
    "Building": {
        "BathroomTotal": "2",
        "BedroomsTotal": "3",
        "Appliances": "Washer, Dryer",
        "ConstructedDate": "1998",
        "FireplacePresent": "True",
        "SizeInterior": "1100 - 1500 sqft",
        "StoriesTotal": "1.5",
        "Type": "House",
        "Rooms": {
            "Room": [
                {"Type": "Primary Bedroom", "Width": "", "Length": "", "Level": "Main level",
                 "Dimension": "12' 6'' x 10' 0''"},
                "",
                {"Type": "Den", "Width": "3.66 m", "Length": "3.05 m"},
            ]
        },
    },
    "Land": {"SizeTotal": "0.25 ac", "SizeTotalText": "under 1/2 acre", "SizeFrontage": "50 ft", "Acreage": "true"},
    "Address": {"StreetAddress": "12 Main St|Unit 3", "City": "Fort Erie", "Province": "Ontario",
                "PostalCode": "L0S1N0", "Longitude": "-79.003981", "Latitude": "42.87344"},
    "ListingContractDate": "28/02/2024",
    "OpenHouse": {"Event": {"StartDateTime": "09/03/2024 11:30:00 PM", "EndDateTime": "10/03/2024 03:30:00 AM",
                            "Comments": "Bring boots"}},
    "ParkingSpaces": {"Parking": {"Name": "Attached garage"}},
    "ParkingSpaceTotal": "4",
    "Photo": {
        "PropertyPhoto": [
            {"SequenceId": "1", "LastUpdated": "05/03/2024 09:00:00 AM", "PhotoLastUpdated": STAMP,
             "Description": "Front view", "ThumbnailPhotoURL": "https://cdn.example/th/1.jpg",
             "PhotoURL": "https://cdn.example/md/1.jpg", "LargePhotoURL": "https://cdn.example/lg/1.jpg?token=a"},
            {"SequenceId": "3", "PhotoLastUpdated": "Wed, 06 Mar 2024 14:00:00 GMT"},
        ]
    },
    "Price": "649900.00",
    "PropertyType": "Single Family",
    "PublicRemarks": "Bright bungalow … (id:1234)",
    "UtilitiesAvailable": {"Utility": [{"Type": "Water", "Description": "Available"}]},
    "ViewType": "View, Mountain view",
}  # fmt: skip


def test_a_listing_becomes_one_wide_row() -> None:
    (row,) = rows(mapped(LISTING), "property_record")
    assert row == {
        "feed": "ddf",
        "listing_key": "20000001",
        "listing_id": "X1234567",
        "list_aor_key": "82",
        "list_price": Decimal("649900.00"),
        "property_sub_type": "Single Family",
        "listing_contract_date": date(2024, 2, 28),
        "public_remarks": "Bright bungalow …",
        "parking_total": 4,
        "view": ["View", "Mountain view"],
        "unparsed_address": "12 Main St|Unit 3",
        "city": "Fort Erie",
        "state_or_province": "Ontario",
        "postal_code": "L0S1N0",
        "longitude": Decimal("-79.003981"),
        "latitude": Decimal("42.87344"),
        "bathrooms_total_integer": 2,
        "bedrooms_total": 3,
        "appliances": ["Washer", "Dryer"],
        "year_built": 1998,
        "fireplace_yn": True,
        "living_area_units": "sqft",
        "living_area_text": "1100 - 1500 sqft",
        "living_area_minimum": Decimal(1100),
        "living_area_maximum": Decimal(1500),
        "stories": Decimal("1.5"),
        "structure_type": ["House"],
        "lot_size_area": Decimal("0.25"),
        "lot_size_units": "ac",
        "lot_size_text": "0.25 ac",
        "lot_size_dimensions": "under 1/2 acre",
        "frontage_length_numeric": Decimal(50),
        "frontage_length_numeric_units": "ft",
        "frontage_length": "50 ft",
        "acreage": True,
        "photos_count": 2,
        "photos_change_timestamp": datetime(2024, 3, 6, 14, tzinfo=UTC),
        "list_agent_key": "1500001",
        "co_list_agent_key": "1500002",
        "list_office_key": "300001",
        "co_list_office_key": "300001",
    }


def test_the_parts_of_a_listing_become_rows_of_their_own() -> None:
    record = mapped(LISTING)
    of = {"feed": "ddf", "listing_key": "20000001"}
    assert rows(record, "property_room") == [
        of | {"room_key": "20000001-1", "order": 1, "room_type": "Primary Bedroom", "room_level": "Main level",
              "room_dimensions": "12' 6'' x 10' 0''"},
        of | {"room_key": "20000001-3", "order": 3, "room_type": "Den",
              "room_width": Decimal("3.66"), "room_width_units": "m", "room_width_text": "3.66 m",
              "room_length": Decimal("3.05"), "room_length_units": "m", "room_length_text": "3.05 m"},
    ]  # fmt: skip
    assert rows(record, "property_parking") == [of | {"order": 1, "parking_name": "Attached garage"}]
    assert rows(record, "property_utility") == [
        of | {"order": 1, "utility_type": "Water", "utility_description": "Available"}
    ]
    assert rows(record, "open_house") == [
        of | {"open_house_key": "20000001-1", "order": 1, "open_house_date": date(2024, 3, 9),
              "open_house_start_time": datetime(2024, 3, 10, 4, 30, tzinfo=UTC),
              "open_house_end_time": datetime(2024, 3, 10, 7, 30, tzinfo=UTC),
              "open_house_remarks": "Bring boots"}
    ]  # fmt: skip
    assert rows(record, "property_agent") == [
        of | {"member_key": "1500001", "order": 1, "office_key": "300001"},
        of | {"member_key": "1500002", "order": 2, "office_key": "300001"},
    ]


def test_photos_carry_their_addresses_and_a_version() -> None:
    first, second = mapped(LISTING).media
    assert (first.media_key, first.order, first.description) == ("1", 1, "Front view")
    assert first.modified == first.listed == datetime(2024, 3, 5, 14, tzinfo=UTC)
    assert first.version == f"{STAMP}|lg/1.jpg"
    assert first.url() == "https://cdn.example/lg/1.jpg?token=a"
    assert first.url("photo") == "https://cdn.example/md/1.jpg"
    assert first.url("thumbnail") == "https://cdn.example/th/1.jpg"
    assert (second.media_key, second.order, second.url(), second.listed) == ("3", 3, None, None)


def test_agents_and_offices_within_a_listing_are_records_once_each() -> None:
    embedded = mapped(LISTING).embedded
    assert [(copy.resource, copy.key) for copy in embedded] == [
        ("member", "1500001"), ("office", "300001"), ("member", "1500002")
    ]  # fmt: skip
    first, house, _ = embedded
    assert rows(first, "member") == [
        {"feed": "ddf", "member_key": "1500001", "member_full_name": "AGENT 1", "office_key": "300001",
         "member_languages": ["French", "English"]}
    ]  # fmt: skip
    assert rows(house, "office") == [
        {"feed": "ddf", "office_key": "300001", "office_name": "EXAMPLE REALTY", "office_city": "Niagara",
         "office_state_or_province": "Ontario", "modification_timestamp": datetime(2024, 3, 5, 14, tzinfo=UTC),
         "logo_last_updated": datetime(2024, 2, 1, 14, 15, tzinfo=UTC)}
    ]  # fmt: skip
    assert rows(house, "office_phone") == [
        {"feed": "ddf", "office_key": "300001", "order": 1, "phone_number": "(905) 555-0100",
         "contact_type": "Business", "phone_type": "Fax"}
    ]  # fmt: skip
    assert rows(house, "office_website") == [
        {"feed": "ddf", "office_key": "300001", "order": 1, "website_url": "https://realty.example"}
    ]


def test_a_member_of_its_own_brings_its_office() -> None:
    record = mapped(agent(1), "member", "1500001")
    assert [(copy.resource, copy.key) for copy in record.embedded] == [("office", "300001")]
    assert rows(record, "member")[0]["modification_timestamp"] == record.modified


@pytest.mark.parametrize(
    ("resource", "element", "column"),
    [("member", "PhotoLastUpdated", "photo_last_updated"), ("office", "LogoLastUpdated", "logo_last_updated")],
)
def test_a_record_that_says_when_its_photo_changed_has_one(resource: str, element: str, column: str) -> None:
    record = mapped({"@ID": "7", element: "2024-02-01 9:15:00 AM"}, resource, "7")
    changed = datetime(2024, 2, 1, 14, 15, tzinfo=UTC)
    assert record.media == [MediaItem("1", 1, "2024-02-01 9:15:00 AM", modified=changed)]
    assert rows(record, resource)[0][column] == changed
    assert mapped({"@ID": "7", element: ""}, resource, "7").media == mapped({"@ID": "7"}, resource, "7").media == []


def test_a_photos_timestamp_that_is_none_still_says_that_there_is_a_photo() -> None:
    versions = set()
    for odd in ("soon", ["soon", "later"], {"#text": "soon", "@Zone": "EST"}):
        (photo,) = mapped({"@ID": "7", "PhotoLastUpdated": odd}, "member", "7").media
        assert photo.modified is None
        versions.add(photo.version)
    assert versions == {"soon", "soon|later"}


def test_a_copy_in_a_listing_has_no_photo() -> None:
    sent = agent(1, PhotoLastUpdated="2024-02-01 9:15:00 AM")
    (copy, _) = mapped({"AgentDetails": sent}).embedded
    own = mapped(sent, "member", "1500001")
    said = [rows(record, "member")[0]["photo_last_updated"] for record in (copy, own)]
    assert said == [datetime(2024, 2, 1, 14, 15, tzinfo=UTC)] * 2
    assert (len(own.media), copy.media) == (1, [])


def test_a_listing_with_five_agents_refers_to_four_in_columns_and_to_all_in_the_table() -> None:
    record = mapped({"AgentDetails": [agent(n) for n in range(1, 6)]})
    (row,) = rows(record, "property_record")
    assert row["co_list_agent_key3"] == "1500004"
    assert [link["member_key"] for link in rows(record, "property_agent")] == [str(1500000 + n) for n in range(1, 6)]


def test_two_copies_of_an_office_that_differ_keep_the_first_and_the_other_in_extra() -> None:
    other = office(Name="OTHER REALTY")
    record = mapped({"AgentDetails": [agent(1), agent(2, Office=other)]})
    assert [rows(copy, "office")[0]["office_name"] for copy in record.embedded if copy.resource == "office"] == [
        "EXAMPLE REALTY"
    ]
    assert record.extra == {"AgentDetails[2]/Office": other, UNFIT: {"AgentDetails[2]/Office": "duplicate"}}
    assert record.problems == [Problem("AgentDetails[2]/Office", "duplicate")]


def test_an_agent_without_a_key_is_kept_in_extra() -> None:
    nobody = {"Name": "NOBODY"}
    record = mapped({"AgentDetails": [nobody, agent(2)]})
    assert record.extra == {"AgentDetails[1]": nobody, UNFIT: {"AgentDetails[1]": "key"}}
    assert record.problems == [Problem("AgentDetails[1]", "key")]
    assert rows(record, "property_record")[0]["list_agent_key"] == "1500002"


def test_a_single_child_reads_like_a_list_of_one() -> None:
    room = {"Type": "Den"}
    photo = {"SequenceId": "1", "PhotoLastUpdated": STAMP}
    for one, many in (
        (nested("Building/Rooms/Room", room), nested("Building/Rooms/Room", [room])),
        (nested("Photo/PropertyPhoto", photo), nested("Photo/PropertyPhoto", [photo])),
        ({"AgentDetails": agent(1)}, {"AgentDetails": [agent(1)]}),
    ):
        assert mapped(one).hash == mapped(many).hash


def test_a_second_photo_with_the_same_sequence_goes_to_extra() -> None:
    first, second = ({"SequenceId": "1", "Description": text} for text in ("first", "second"))
    record = mapped(nested("Photo/PropertyPhoto", [first, second, {"Description": "nameless"}]))
    assert [photo.description for photo in record.media] == ["first"]
    assert record.problems == [
        Problem("Photo/PropertyPhoto[2]", "duplicate"), Problem("Photo/PropertyPhoto[3]", "key")
    ]  # fmt: skip
    assert record.extra["Photo/PropertyPhoto[2]"] == second


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("Price", "a lot", "number"),
        ("Price", "1" * 20, "range"),
        ("Building/BedroomsTotal", "99999999999", "range"),
        ("Land/Acreage", "perhaps", "boolean"),
        ("ListingContractDate", "soon", "date"),
        ("City", None, None),
        ("Address/City", "x" * 256, "length"),
        ("Price", ["1", "2"], "duplicate"),
        ("Price", {"Amount": "1"}, "shape"),
        ("Price", 5, "shape"),
        ("Building", "a house", "shape"),
        ("Building/Rooms/Room", [["x"]], "shape"),
    ],
)
def test_a_value_that_does_not_fit_is_kept_verbatim_and_the_record_written(
    path: str, value: Any, reason: str | None
) -> None:
    record = mapped(nested(path, value) | {"ListingID": "X1"})
    where = f"{path}[1]" if path.endswith("Room") else path
    if reason is None:
        assert (record.extra, record.unknown) == ({path: value}, [path])
    else:
        kept = value[0] if path.endswith("Room") else value
        assert record.problems == [Problem(where, reason)]  # type: ignore[arg-type]
        assert record.extra == {where: kept, UNFIT: {where: reason}}
    assert rows(record, "property_record")[0]["listing_id"] == "X1"
    assert rows(record, "property_record")[0]["extra"] == record.extra


def test_text_with_nul_is_kept_in_a_form_every_store_takes() -> None:
    record = mapped({"Plan": "a\0b", "New": {"Name\0": "c\0"}})
    assert record.problems == [Problem("Plan", "characters")]
    assert record.extra == {
        "Plan": {"#json": '"a\\u0000b"'},
        "New": {"Name\\0": {"#json": '"c\\u0000"'}},
        UNFIT: {"Plan": "characters"},
    }


def test_unknown_elements_are_named_once_and_kept_where_they_stood() -> None:
    rooms = [{"Type": "Den", "Ceiling": "9 ft"}, {"Type": "Attic", "Ceiling": "7 ft"}]
    record = mapped({"New": {"Deep": ["1", "2"]}, "Building": {"Rooms": {"Room": rooms}, "@lang": "fr"}})
    assert record.unknown == ["New", "Building/Rooms/Room/Ceiling", "Building/@lang"]
    assert record.extra == {
        "New": {"Deep": ["1", "2"]},
        "Building/Rooms/Room[1]/Ceiling": "9 ft",
        "Building/Rooms/Room[2]/Ceiling": "7 ft",
        "Building/@lang": "fr",
    }
    assert record.problems == []


def test_an_attribute_nobody_knows_leaves_the_text_its_column() -> None:
    record = mapped({"Price": {"#text": "5.00", "@Currency": "CAD"}})
    assert rows(record, "property_record")[0]["list_price"] == Decimal("5.00")
    assert (record.extra, record.unknown) == ({"Price/@Currency": "CAD"}, ["Price/@Currency"])


def test_two_spellings_of_one_element_share_a_column() -> None:
    assert rows(mapped({"MunicipalID": "1"}), "property_record")[0]["municipal_id"] == "1"
    assert mapped({"MunicipalID": "1", "MunicipalId": "1"}).problems == []
    assert mapped({"MunicipalID": "1", "MunicipalId": "2"}).extra == {
        "MunicipalId": "2", UNFIT: {"MunicipalId": "duplicate"}
    }  # fmt: skip


def test_a_wrapper_that_comes_twice_is_read_once_and_kept_once() -> None:
    record = mapped({"Land": [{"Sewer": "Septic"}, {"Sewer": "None"}]})
    assert rows(record, "property_record")[0]["sewer"] == ["Septic"]
    assert record.extra == {"Land[2]": {"Sewer": "None"}, UNFIT: {"Land[2]": "duplicate"}}


def test_the_key_and_the_timestamp_fall_back_on_the_records_own_elements() -> None:
    record = mapped({"@ID": "7", "@LastUpdated": STAMP}, key="", stamp="")
    assert (record.key, record.modified) == ("7", datetime(2024, 3, 5, 14, tzinfo=UTC))


def test_a_timestamp_that_is_none_is_a_problem_and_the_record_written() -> None:
    record = mapped({}, stamp="yesterday")
    assert (record.modified, record.problems) == (None, [Problem("@LastUpdated", "date")])
    own = mapped({}, "office", stamp="yesterday")
    assert own.extra == {"@LastUpdated": "yesterday", UNFIT: {"@LastUpdated": "date"}}


@pytest.mark.parametrize("key", ["", "x" * 256, "a\0b"])
def test_a_record_without_a_usable_key_cannot_be_mapped(key: str) -> None:
    with pytest.raises(UnmappableError):
        mapped({}, key=key)


def test_nesting_beyond_reason_cannot_be_mapped() -> None:
    value: Any = "x"
    for _ in range(500):
        value = {"a": value}
    with pytest.raises(UnmappableError, match="nested"):
        mapped({"New": value})


def test_rows_are_in_the_order_of_the_tables_columns() -> None:
    assert {table: tuple(LISTING_TABLES[table].columns.keys()) for table in DDF.columns} == DDF.columns
    record = mapped(LISTING)
    assert set(record.rows) == {table.name for table in (TABLES_OF["property"][0], *TABLES_OF["property"][1])}
    for table, some in record.rows.items():
        assert {len(row) for row in some} <= {len(DDF.columns[table])}


def test_every_column_says_what_it_means() -> None:
    for table in (*LISTING_TABLES.values(), media):
        assert table.comment
        assert [column.name for column in table.columns if not column.comment] == []


def test_the_columns_that_scripts_rely_on_are_there() -> None:
    assert {
        "feed", "listing_key", "listing_id", "list_price", "bedrooms_total", "city", "state_or_province", "postal_code",
        "latitude", "longitude", "public_remarks", "extra",
    } <= set(DDF.columns["property_record"])  # fmt: skip
    assert {
        "listing_key", "order", "media_url", "object_key", "content_sha256", "byte_size", "width", "height",
    } <= set(media.columns.keys())  # fmt: skip
    keys = ["feed", "resource_name", "resource_record_key", "media_key"]
    assert [column.name for column in media.primary_key] == keys
