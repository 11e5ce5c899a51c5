"""What this MLS has: resources, classes and fields, one line each.

Columns of a field: SystemName, StandardName, DataType, maximum length or precision, lookup (with ``+`` for several
values), and where its value comes from: the path of an element, or with ``@`` what ``records.py`` makes.
"""

from __future__ import annotations

from dataclasses import dataclass

_PROPERTY = """
LIST_KEY    ListingKey              Character 12   -                @key
MLS_NUM     ListingId               Character 20   -                ListingID
MOD_TS      ModificationTimestamp   DateTime  0    -                @stamp
PHOTO_TS    PhotosChangeTimestamp   DateTime  0    -                @photo_stamp
PHOTO_CNT   PhotosCount             Int       0    -                @photos
PROP_TYPE   PropertySubType         Character 40   PropertyType     PropertyType
TRANS       TransactionType         Character 40   TransactionType  TransactionType
PRICE       ListPrice               Decimal   2    -                Price
LEASE       LeaseAmount             Decimal   2    -                Lease
LIST_DATE   ListingContractDate     Date      0    -                ListingContractDate
STREET      UnparsedAddress         Character 120  -                Address/StreetAddress
CITY        City                    Character 50   -                Address/City
PROVINCE    StateOrProvince         Character 40   -                Address/Province
POSTAL      PostalCode              Character 10   -                Address/PostalCode
LAT         Latitude                Decimal   6    -                Address/Latitude
LON         Longitude               Decimal   6    -                Address/Longitude
FEATURES    LotFeatures             Character 400  Features+        Features
REMARKS     PublicRemarks           Character 4000 -                PublicRemarks
AGENT_KEY   ListAgentKey            Character 12   -                @agent
"""
_BUILDING = """
BEDS        BedroomsTotal           Int       0    -                Building/BedroomsTotal
BATHS       BathroomsTotalInteger   Int       0    -                Building/BathroomTotal
YEAR        YearBuilt               Int       0    -                Building/ConstructedDate
STORIES     StoriesTotal            Decimal   1    -                Building/StoriesTotal
HEAT        Heating                 Character 400  HeatingType+     Building/HeatingType
FIREPLACE   FireplaceYN             Boolean   0    -                Building/FireplacePresent
"""
_AGENT = """
AGENT_KEY   MemberKey               Character 12   -                @key
MOD_TS      ModificationTimestamp   DateTime  0    -                @stamp
NAME        MemberFullName          Character 80   -                Name
POSITION    JobTitle                Character 80   -                Position
PHONE       MemberPreferredPhone    Character 30   -                @phone
OFFICE_KEY  OfficeKey               Character 12   -                @office
PHOTO_TS    PhotosChangeTimestamp   DateTime  0    -                @photo_stamp
PHOTO_CNT   PhotosCount             Int       0    -                @photos
"""
_OFFICE = """
OFFICE_KEY  OfficeKey               Character 12   -                @key
MOD_TS      ModificationTimestamp   DateTime  0    -                @stamp
NAME        OfficeName              Character 80   -                Name
STREET      OfficeAddress1          Character 120  -                Address/StreetAddress
CITY        OfficeCity              Character 50   -                Address/City
PHONE       OfficePhone             Character 30   -                @phone
LOGO_TS     LogoChangeTimestamp     DateTime  0    -                @photo_stamp
"""
_OPEN_HOUSE = """
OH_KEY      OpenHouseKey            Character 20   -                @key
LIST_KEY    ListingKey              Character 12   -                @listing
MOD_TS      ModificationTimestamp   DateTime  0    -                @stamp
START_TS    OpenHouseStartTime      DateTime  0    -                StartDateTime
END_TS      OpenHouseEndTime        DateTime  0    -                EndDateTime
COMMENTS    OpenHouseRemarks        Character 400  -                Comments
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a class."""

    entry: str
    system_name: str
    standard_name: str
    data_type: str
    size: int
    lookup: str
    several: bool
    source: str


@dataclass(frozen=True, slots=True)
class Class:
    """One class of records; its first column is the key."""

    resource: str
    name: str
    standard_name: str
    columns: tuple[Column, ...]


def _columns(prefix: str, table: str) -> tuple[Column, ...]:
    found = []
    for number, line in enumerate(table.strip().splitlines(), 1):
        system, standard, kind, size, lookup, source = line.split()
        bare = "" if lookup == "-" else lookup.rstrip("+")
        found.append(Column(f"{prefix}{number}", system, standard, kind, int(size), bare, lookup.endswith("+"), source))
    return tuple(found)


CLASSES = (
    Class("Property", "RES", "ResidentialProperty", _columns("R", _PROPERTY + _BUILDING.lstrip())),
    Class("Property", "LND", "LotsAndLand", _columns("L", _PROPERTY)),
    Class("Property", "COM", "CommercialProperty", _columns("C", _PROPERTY + _BUILDING.lstrip())),
    Class("Agent", "AGT", "Agent", _columns("A", _AGENT)),
    Class("Office", "OFF", "Office", _columns("O", _OFFICE)),
    Class("OpenHouse", "OPH", "OpenHouse", _columns("H", _OPEN_HOUSE)),
)
RESOURCES = tuple(dict.fromkeys(each.resource for each in CLASSES))
OBJECTS = {"Property": ("ThumbnailPhoto", "Photo", "LargePhoto", "Plat", "Video", "Audio"),
           "Agent": ("ThumbnailPhoto", "LargePhoto"), "Office": ("ThumbnailPhoto",)}  # fmt: skip
OTHER_TYPES = {"Plat": "application/pdf", "Video": "video/mp4", "Audio": "audio/mpeg"}
"""Media types of the objects that are no photos."""
CLASS_OF = {"Single Family": "RES", "Multi-family": "RES", "Vacant Land": "LND", "Agriculture": "LND"}
"""By property type; all others are commercial."""
