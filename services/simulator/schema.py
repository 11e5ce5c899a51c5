"""Every element of a DDF property, one line each: where it stands, what it holds, how often, and what truth calls it.

The line order is the order in the answer. Columns: path, kind, share of listings that carry it, group of listings it
suits, name in ``Control.truth`` (RESO Data Dictionary 2.0 in snake case), source of its values: a lookup, a range
``low..high``, or the samples of ``vocabulary.TEXTS`` under the element's own name when left out. ``-`` as source means
that ``listing.py`` computes it; ``child`` lines mark where repeated elements stand.
"""

from __future__ import annotations

from dataclasses import dataclass

_TABLE = """
ListingID                        text     1    any        listing_id -
AgentDetails                     child    1    any        -
Board                            text     1    any        list_aor_key -
Business/BusinessType            list     0.9  business   business_type
Business/BusinessSubType         list     0.7  business   business_sub_type
Business/EstablishedDate         text     0.4  business   business_established_date
Business/Franchise               bool     0.3  any        business_franchise
Business/Name                    text     0.5  business   business_name BusinessName
Business/OperatingSince          text     0.4  business   business_operating_since
Building/BathroomTotal           int      0.9  building   bathrooms_total_integer 1..5
Building/BedroomsTotal           int      1    building   bedrooms_total -
Building/BedroomsAboveGround     int      0.9  building   bedrooms_above_grade -
Building/BedroomsBelowGround     int      0.7  building   bedrooms_below_grade -
Building/HalfBathTotal           int      0.3  building   bathrooms_partial 0..2
Building/Age                     text     0.3  building   age
Building/Amenities               list     0.5  condo      building_amenities
Building/Amperage                list     0.1  building   amperage
Building/Anchor                  text     0.3  business   anchor
Building/Appliances              list     0.7  building   appliances
Building/ArchitecturalStyle      list     0.5  building   architectural_style
Building/BasementDevelopment     list     0.6  building   basement_development
Building/BasementFeatures        list     0.3  building   basement_features
Building/BasementType            list     0.7  building   basement
Building/BomaRating              text     0.2  business   boma_rating Rating
Building/CeilingHeight           measure  0.2  building   ceiling_height
Building/CeilingType             list     0.1  building   ceiling_type
Building/ClearCeilingHeight      measure  0.4  business   clear_ceiling_height
Building/ConstructedDate         year     0.7  building   year_built 1870..2024
Building/ConstructionMaterial    list     0.3  building   construction_materials
Building/ConstructionStatus      lookup   0.1  building   construction_status
Building/ConstructionStyleAttachment lookup 0.8 building  construction_style_attachment
Building/ConstructionStyleOther  lookup   0.1  building   construction_style_other
Building/ConstructionStyleSplitLevel lookup 0.15 building construction_style_split_level
Building/CoolingType             list     0.6  building   cooling
Building/EnerguideRating         text     0.05 building   energuide_rating
Building/ExteriorFinish          list     0.8  building   exterior_features
Building/FireProtection          list     0.3  building   fire_protection
Building/FireplacePresent        bool     0.8  building   fireplace_yn -
Building/FireplaceFuel           list     0.6  fireplace  fireplace_fuel
Building/FireplaceTotal          int      0.7  fireplace  fireplaces_total 1..3
Building/FireplaceType           list     0.4  fireplace  fireplace_features
Building/Fixture                 list     0.2  building   fixture
Building/FlooringType            list     0.5  building   flooring
Building/FoundationType          list     0.6  building   foundation_details
Building/HeatingFuel             list     0.9  building   heating_fuel
Building/HeatingType             list     0.9  building   heating
Building/LeedsCategory           text     0.1  business   leeds_category
Building/LeedsRating             text     0.1  business   leeds_rating Rating
Building/RenovatedDate           text     0.1  building   renovated_date
Building/RoofMaterial            list     0.3  building   roof
Building/RoofStyle               list     0.2  building   roof_style
Building/Rooms                   child    1    building   -
Building/SizeExterior            measure  0.2  building   size_exterior 700..6000
Building/SizeInterior            range    0.7  building   living_area -
Building/SizeInteriorFinished    measure  0.3  building   size_interior_finished 600..5000
Building/StoreFront              list     0.3  business   store_front
Building/StoriesTotal            dec      0.7  building   stories -
Building/TotalFinishedArea       measure  0.3  building   building_area_total:building_area_units:building_area_text 600..5000
Building/Type                    list     0.97 building   structure_type BuildingType
Building/Uffi                    text     0.05 building   uffi Uffi
Building/UnitType                lookup   0.3  condo      unit_type
Building/UtilityPower            list     0.1  building   utility_power
Building/UtilityWater            list     0.8  building   water_source
Building/VacancyRate             measure  0.2  business   vacancy_rate
Land/SizeTotal                   measure  0.4  any        lot_size_area:lot_size_units:lot_size_text -
Land/SizeTotalText               text     0.8  any        lot_size_dimensions
Land/SizeFrontage                measure  0.7  any        frontage_length_numeric:frontage_length_numeric_units:frontage_length 20..400
Land/AccessType                  list     0.3  any        road_surface_type
Land/Acreage                     bool     0.9  any        acreage
Land/Amenities                   list     0.5  any        land_amenities AmenitiesNearBy
Land/ClearedTotal                measure  0.3  farm       cleared_total 5..300
Land/CurrentUse                  list     0.2  any        current_use
Land/Divisible                   lookup   0.1  any        divisible
Land/FenceTotal                  measure  0.2  farm       fence_total 1..300
Land/FenceType                   list     0.3  any        fencing
Land/FrontsOn                    lookup   0.3  any        fronts_on
Land/LandDisposition             list     0.1  any        land_disposition
Land/LandscapeFeatures           list     0.3  any        landscape_features
Land/PastureTotal                measure  0.3  farm       pasture_total 5..300
Land/Sewer                       list     0.8  any        sewer
Land/SizeDepth                   measure  0.6  any        size_depth 40..900
Land/SizeIrregular               text     0.2  any        size_irregular
Land/SoilEvaluation              lookup   0.2  farm       soil_evaluation
Land/SoilType                    list     0.3  any        soil_type
Land/SurfaceWater                list     0.1  any        surface_water
Land/TiledTotal                  measure  0.3  farm       tiled_total 5..300
Land/TopographyType              list     0.1  any        topography
Address/StreetAddress            text     1    any        unparsed_address -
Address/AddressLine1             text     1    any        address_line1 -
Address/AddressLine2             text     0.1  any        address_line2
Address/StreetNumber             text     1    any        street_number -
Address/StreetDirectionPrefix    text     0.1  any        street_dir_prefix -
Address/StreetName               text     1    any        street_name -
Address/StreetSuffix             text     1    any        street_suffix -
Address/StreetDirectionSuffix    text     0.2  any        street_dir_suffix -
Address/UnitNumber               text     0.3  any        unit_number -
Address/BoxNumber                text     0.03 any        box_number
Address/City                     text     1    any        city -
Address/Province                 text     1    any        state_or_province -
Address/PostalCode               text     1    any        postal_code -
Address/Country                  text     1    any        country -
Address/AdditionalStreetInfo     text     0.05 any        street_additional_info -
Address/CommunityName            text     0.3  any        community_name
Address/Neighbourhood            text     0.3  any        city_region
Address/Subdivision              text     0.3  any        subdivision_name
Address/Longitude                coord    0.7  any        longitude -
Address/Latitude                 coord    0.7  any        latitude -
AlternateURL/BrochureLink        url      0.1  any        brochure_link
AlternateURL/MapLink             url      0.1  any        map_link
AlternateURL/PhotoLink           url      0.1  any        photo_link
AlternateURL/SoundLink           url      0.03 any        sound_link
AlternateURL/VideoLink           url      0.3  any        video_link
AdditionalInformationIndicator   text     0.1  any        additional_information_indicator
AmmenitiesNearBy                 list     0.5  any        ammenities_near_by AmenitiesNearBy
CommunicationType                list     0.2  any        communication_type
CommunityFeatures                list     0.4  any        community_features
Crop                             list     0.6  farm       crop
DocumentType                     list     0.05 any        document_type
Easement                         list     0.1  any        easement
EquipmentType                    list     0.3  building   other_equipment
Features                         list     0.8  any        lot_features
FarmType                         list     0.9  farm       farm_type
IrrigationType                   list     0.2  farm       irrigation_type
Lease                            money    1    lease      lease_amount -
LeasePerTime                     lookup   0.9  lease      lease_amount_frequency
LeasePerUnit                     lookup   0.4  lease      lease_per_unit
LeaseTermRemaining               measure  0.2  lease      lease_term_remaining
LeaseTermRemainingFreq           lookup   0.2  lease      lease_term_remaining_freq
LeaseType                        lookup   0.4  lease      lease_type
ListingContractDate              date     0.8  any        listing_contract_date -
LiveStockType                    list     0.4  farm       live_stock_type
LoadingType                      list     0.3  business   loading_type
LocationDescription              text     0.2  any        location_description
Machinery                        list     0.3  farm       machinery
MaintenanceFee                   money    0.9  condo      association_fee -
MaintenanceFeePaymentUnit        lookup   0.9  condo      association_fee_frequency
MaintenanceFeeType               list     0.7  condo      association_fee_includes
ManagementCompany                text     0.5  condo      association_name
MunicipalId                      text     0.05 any        municipal_id
MunicipalID                      text     0.05 any        municipal_id MunicipalId
OpenHouse                        child    1    any        -
OwnershipType                    lookup   0.8  any        common_interest
ParkingSpaces                    child    1    any        -
ParkingSpaceTotal                int      0.7  building   parking_total 0..8
Plan                             text     0.1  any        plan
Photo                            child    1    any        -
PoolType                         list     0.1  building   pool_type
PoolFeatures                     list     0.05 building   pool_features
Price                            money    1    sale       list_price -
PricePerTime                     lookup   0.1  sale       price_per_time
PricePerUnit                     lookup   0.1  sale       price_per_unit
PropertyType                     lookup   1    any        property_sub_type -
PublicRemarks                    remarks  0.98 any        public_remarks -
RentalEquipmentType              list     0.2  building   rental_equipment_type
RightType                        list     0.05 any        right_type
RoadType                         list     0.2  any        road_type
SignType                         list     0.3  business   sign_type
StorageType                      list     0.2  any        storage_type
Structure                        list     0.3  any        structure
TransactionType                  lookup   1    any        transaction_type -
TotalBuildings                   int      0.2  any        number_of_buildings 1..4
UtilitiesAvailable               child    1    any        -
ViewType                         list     0.3  any        view
WaterFrontType                   list     1    water      waterfront_features
WaterFrontName                   text     0.8  water      water_body_name
ZoningDescription                text     0.4  any        zoning_description
ZoningType                       list     0.3  any        zoning
AnalyticsClick                   text     0.95 any        analytics_click -
AnalyticsView                    text     0.95 any        analytics_view -
MoreInformationLink              text     1    any        listing_url -
"""  # noqa: E501

# What time may change of a listing, and which change a redrawn element belongs to. The rest stays as it was born.
PRICE, REMARKS, ROOMS, FEATURES, OPEN_HOUSE, AGENTS, BORN = range(7)


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a property: ``columns`` are its names in truth, ``leaf`` its own name.

    ``computed`` says that ``listing.py`` makes the value instead of drawing it from ``source``.
    """

    path: str
    kind: str
    chance: float
    group: str
    columns: tuple[str, ...]
    source: str
    section: str
    leaf: str
    computed: bool


def _columns(kind: str, names: str) -> tuple[str, ...]:
    if ":" in names:
        return tuple(names.split(":"))
    if kind == "measure":
        return names, f"{names}_units", f"{names}_text"
    if kind == "range":
        return names, f"{names}_units", f"{names}_text", f"{names}_minimum", f"{names}_maximum"
    return (names,)


def _element(line: str) -> Element:
    path, kind, chance, group, names, *rest = line.split()
    section, _, leaf = path.rpartition("/")
    source = rest[0] if rest else leaf
    columns = _columns(kind, names)
    return Element(path, kind, float(chance), group, columns, source, section, leaf, computed=source == "-")


ELEMENTS: tuple[Element, ...] = tuple(_element(line) for line in _TABLE.strip().splitlines())
BY_PATH = {element.path: element for element in ELEMENTS}

# The element, the attributes and the children of what repeats, with the kinds of their texts.
CHILDREN: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {
    "Building/Rooms": (
        "Room",
        (
            ("Type", "lookup", "room_type"),
            ("Width", "measure", "room_width"),
            ("Length", "measure", "room_length"),
            ("Level", "lookup", "room_level"),
            ("Dimension", "text", "room_dimensions"),
            ("Description", "text", "room_description"),
        ),
    ),
    "OpenHouse": (
        "Event",
        (
            ("StartDateTime", "event", "open_house_start_time"),
            ("EndDateTime", "instant", "open_house_end_time"),
            ("Comments", "text", "open_house_remarks"),
        ),
    ),
    "ParkingSpaces": ("Parking", (("Name", "lookup", "parking_name"), ("Spaces", "int", "parking_spaces"))),
    "UtilitiesAvailable": (
        "Utility",
        (("Type", "lookup", "utility_type"), ("Description", "lookup", "utility_description")),
    ),
}
