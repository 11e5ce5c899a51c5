"""The first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# as it was at this revision
PROPERTY_VIEW = (
    'CREATE VIEW property AS SELECT r."feed", r."listing_key", r."listing_id", r."list_aor_key", '
    'r."list_price", r."price_per_time", r."price_per_unit", r."lease_amount", '
    'r."lease_amount_frequency", r."lease_per_unit", r."lease_term_remaining", '
    'r."lease_term_remaining_units", r."lease_term_remaining_text", r."lease_term_remaining_freq", '
    'r."lease_type", r."transaction_type", r."property_sub_type", r."common_interest", '
    'r."listing_contract_date", r."public_remarks", r."location_description", r."listing_url", '
    'r."analytics_click", r."analytics_view", r."additional_information_indicator", r."association_fee", '
    'r."association_fee_frequency", r."association_fee_includes", r."association_name", r."municipal_id", '
    'r."plan", r."ammenities_near_by", r."communication_type", r."community_features", r."crop", '
    'r."document_type", r."easement", r."other_equipment", r."lot_features", r."farm_type", '
    'r."irrigation_type", r."live_stock_type", r."loading_type", r."machinery", r."parking_total", '
    'r."pool_type", r."pool_features", r."rental_equipment_type", r."right_type", r."road_type", '
    'r."sign_type", r."storage_type", r."structure", r."number_of_buildings", r."view", '
    'r."waterfront_features", r."water_body_name", r."zoning_description", r."zoning", r."brochure_link", '
    'r."map_link", r."photo_link", r."sound_link", r."video_link", r."unparsed_address", '
    'r."address_line1", r."address_line2", r."street_number", r."street_dir_prefix", r."street_name", '
    'r."street_suffix", r."street_dir_suffix", r."unit_number", r."box_number", '
    'r."street_additional_info", r."city", r."state_or_province", r."postal_code", r."country", '
    'r."community_name", r."city_region", r."subdivision_name", r."longitude", r."latitude", '
    'r."business_type", r."business_sub_type", r."business_established_date", r."business_franchise", '
    'r."business_name", r."business_operating_since", r."bathrooms_total_integer", r."bathrooms_partial", '
    'r."bedrooms_total", r."bedrooms_above_grade", r."bedrooms_below_grade", r."age", '
    'r."building_amenities", r."amperage", r."anchor", r."appliances", r."architectural_style", '
    'r."basement_development", r."basement_features", r."basement", r."boma_rating", r."ceiling_height", '
    'r."ceiling_height_units", r."ceiling_height_text", r."ceiling_type", r."clear_ceiling_height", '
    'r."clear_ceiling_height_units", r."clear_ceiling_height_text", r."year_built", '
    'r."construction_materials", r."construction_status", r."construction_style_attachment", '
    'r."construction_style_other", r."construction_style_split_level", r."cooling", r."energuide_rating", '
    'r."exterior_features", r."fire_protection", r."fireplace_fuel", r."fireplace_yn", '
    'r."fireplaces_total", r."fireplace_features", r."fixture", r."flooring", r."foundation_details", '
    'r."heating_fuel", r."heating", r."leeds_category", r."leeds_rating", r."renovated_date", r."roof", '
    'r."roof_style", r."size_exterior", r."size_exterior_units", r."size_exterior_text", r."living_area", '
    'r."living_area_units", r."living_area_text", r."living_area_minimum", r."living_area_maximum", '
    'r."size_interior_finished", r."size_interior_finished_units", r."size_interior_finished_text", '
    'r."building_area_total", r."building_area_units", r."building_area_text", r."store_front", '
    'r."stories", r."structure_type", r."uffi", r."unit_type", r."utility_power", r."water_source", '
    'r."vacancy_rate", r."vacancy_rate_units", r."vacancy_rate_text", r."lot_size_area", '
    'r."lot_size_units", r."lot_size_text", r."lot_size_dimensions", r."frontage_length_numeric", '
    'r."frontage_length_numeric_units", r."frontage_length", r."size_depth", r."size_depth_units", '
    'r."size_depth_text", r."size_irregular", r."road_surface_type", r."acreage", r."land_amenities", '
    'r."cleared_total", r."cleared_total_units", r."cleared_total_text", r."current_use", r."divisible", '
    'r."fence_total", r."fence_total_units", r."fence_total_text", r."fencing", r."fronts_on", '
    'r."land_disposition", r."landscape_features", r."pasture_total", r."pasture_total_units", '
    'r."pasture_total_text", r."sewer", r."soil_evaluation", r."soil_type", r."surface_water", '
    'r."tiled_total", r."tiled_total_units", r."tiled_total_text", r."topography", r."photos_count", '
    'r."photos_change_timestamp", r."list_agent_key", r."co_list_agent_key", r."co_list_agent_key2", '
    'r."co_list_agent_key3", r."list_office_key", r."co_list_office_key", r."co_list_office_key2", '
    'r."co_list_office_key3", r."extra", l.modification_timestamp FROM property_record r JOIN ledger l ON '
    "l.feed = r.feed AND l.resource = 'property' AND l.key = r.listing_key"
)


def upgrade() -> None:
    op.create_table(
        "embedded_row",
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("resource", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "resource", "key", name=op.f("pk_embedded_row")),
        comment="content of the member and office rows that come from a listing's copy",
    )
    op.create_table(
        "feed",
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column(
            "clock", sa.BigInteger(), nullable=False, comment="newest observed_at given to this feed; never steps back"
        ),
        sa.Column(
            "object_number",
            sa.BigInteger(),
            nullable=False,
            comment="newest n used in an object's name; never used twice",
        ),
        sa.Column("form", sa.Text(), nullable=True, comment="mapping and media policy that its rows were made with"),
        sa.PrimaryKeyConstraint("feed", name=op.f("pk_feed")),
        comment="one line a feed: the store's clock and counters for it",
    )
    op.create_table(
        "inventory",
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("resource", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column(
            "observed_at",
            sa.BigInteger(),
            nullable=False,
            comment="the horizon: newest proven inventory with a range handled",
        ),
        sa.Column("count", sa.Integer(), nullable=False, comment="distinct keys it listed"),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("server_date", sa.BigInteger(), nullable=True, comment="the MLS's own clock when it answered"),
        sa.Column(
            "whole",
            sa.BigInteger(),
            nullable=True,
            comment="observed_at of the newest inventory of which every range was handled",
        ),
        sa.Column("whole_count", sa.Integer(), nullable=True, comment="distinct keys that one listed"),
        sa.Column(
            "complete_at",
            sa.BigInteger(),
            nullable=True,
            comment="when its last range had been handled and its candidates were weighed",
        ),
        sa.PrimaryKeyConstraint("feed", "resource", name=op.f("pk_inventory")),
        comment="the newest inventory of each resource",
    )
    op.create_table(
        "inventory_part",
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("resource", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "resource", "observed_at", "part", name=op.f("pk_inventory_part")),
        comment="ranges handled of the newest inventory",
    )
    op.create_table(
        "ledger",
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("resource", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("stored", sa.Boolean(), nullable=False, comment="a row exists; false: wanted only, or a tombstone"),
        sa.Column(
            "observed_at",
            sa.BigInteger(),
            nullable=False,
            comment="of the stored row, or of its removal; 0: never read",
        ),
        sa.Column("stamp", sa.Text(), nullable=True, comment="the stored record's source timestamp, verbatim"),
        sa.Column(
            "hash", sa.LargeBinary(), nullable=True, comment="content of the stored record without its own timestamp"
        ),
        sa.Column(
            "unsettled",
            sa.Boolean(),
            nullable=False,
            comment="read so soon after its stamp that a second change may share it",
        ),
        sa.Column("wanted_stamp", sa.Text(), nullable=True, comment="the timestamp an inventory wants"),
        sa.Column("wanted_by", sa.BigInteger(), nullable=True, comment="observed_at of the inventory that wants it"),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="inventories for which it was asked for in vain"),
        sa.Column("attempted_by", sa.BigInteger(), nullable=True, comment="the last of them"),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=True, comment="end of the back-off"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why the last attempt failed"),
        sa.Column(
            "modification_timestamp",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="the stored record's source timestamp, parsed",
        ),
        sa.PrimaryKeyConstraint("feed", "resource", "key", name=op.f("pk_ledger")),
        comment="one narrow line per key an inventory named or a page brought: what is stored of it, what is wanted",
    )
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.create_index(
            "ledger_wanted",
            ["feed", "resource", "key"],
            unique=False,
            sqlite_where=sa.text("wanted_by IS NOT NULL"),
            postgresql_where=sa.text("wanted_by IS NOT NULL"),
        )

    op.create_table(
        "media",
        sa.Column(
            "feed",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Name of the feed",
        ),
        sa.Column(
            "resource_name",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Resource the photo belongs to: property, member, office",
        ),
        sa.Column(
            "resource_record_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Key of the record the photo belongs to",
        ),
        sa.Column(
            "media_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Identity of the photo within its record",
        ),
        sa.Column(
            "listing_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
            comment="Key of the listing, if the photo is one of a listing's",
        ),
        sa.Column(
            "order",
            sa.Integer(),
            nullable=True,
            comment="Place in the display order, from 1, the main photo; as text it is the key (Photo/PropertyPhoto/SequenceId)",
        ),
        sa.Column(
            "modification_timestamp",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the picture last changed at the MLS (Photo/PropertyPhoto/PhotoLastUpdated)",
        ),
        sa.Column(
            "last_updated",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the photo's entry last changed at the MLS (Photo/PropertyPhoto/LastUpdated)",
        ),
        sa.Column("long_description", sa.Text(), nullable=True, comment="Caption (Photo/PropertyPhoto/Description)"),
        sa.Column(
            "large_photo_url",
            sa.Text(),
            nullable=True,
            comment="Address of the large picture (Photo/PropertyPhoto/LargePhotoURL)",
        ),
        sa.Column(
            "photo_url",
            sa.Text(),
            nullable=True,
            comment="Address of the medium picture (Photo/PropertyPhoto/PhotoURL)",
        ),
        sa.Column(
            "thumbnail_photo_url",
            sa.Text(),
            nullable=True,
            comment="Address of the small picture (Photo/PropertyPhoto/ThumbnailPhotoURL)",
        ),
        sa.Column(
            "media_url", sa.Text(), nullable=True, comment="Address of the picture in the size the feed asks for"
        ),
        sa.Column(
            "wanted_version",
            sa.Text(),
            nullable=True,
            comment="Version of the picture the MLS has; NULL when the feed stores no pictures",
        ),
        sa.Column(
            "stored_version",
            sa.Text(),
            nullable=True,
            comment="Version of the picture that is stored; NULL when none is",
        ),
        sa.Column("object_key", sa.Text(), nullable=True, comment="Name of the stored picture in the photo store"),
        sa.Column(
            "content_sha256", sa.Text(), nullable=True, comment="SHA-256 of the stored picture, 64 hexadecimal digits"
        ),
        sa.Column("byte_size", sa.BigInteger(), nullable=True, comment="Size of the stored picture in bytes"),
        sa.Column("width", sa.Integer(), nullable=True, comment="Width of the stored picture in pixels"),
        sa.Column("height", sa.Integer(), nullable=True, comment="Height of the stored picture in pixels"),
        sa.Column("mime_type", sa.Text(), nullable=True, comment="Type of the stored picture"),
        sa.Column("etag", sa.Text(), nullable=True, comment="ETag the stored picture came with"),
        sa.Column("last_modified", sa.Text(), nullable=True, comment="Last-Modified the stored picture came with"),
        sa.Column(
            "pending",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether the picture is still to be fetched, or to be asked for again",
        ),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Times the wanted version was tried in vain",
        ),
        sa.Column(
            "attempted_by", sa.BigInteger(), nullable=True, comment="Inventory on whose behalf it was last tried"
        ),
        sa.Column(
            "next_attempt_at",
            sa.BigInteger(),
            nullable=True,
            comment="Not to be tried before, microseconds since 1970 UTC",
        ),
        sa.Column("failed_reason", sa.Text(), nullable=True, comment="Why the last attempt failed"),
        sa.Column(
            "recheck",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether to ask the server if the stored picture is still the one it has",
        ),
        sa.PrimaryKeyConstraint("feed", "resource_name", "resource_record_key", "media_key", name=op.f("pk_media")),
        comment="Photos, one row each, with where and in which version our copy is.",
    )
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.create_index(
            "ix_media_pending",
            ["feed", "resource_name", "resource_record_key"],
            unique=False,
            sqlite_where=sa.text("pending"),
            postgresql_where=sa.text("pending"),
        )

    op.create_table(
        "media_object",
        sa.Column("name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("resource", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="writing, live or dead"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="when it entered that state"),
        sa.Column("byte_size", sa.BigInteger(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_media_object")),
        comment="the object ledger: every name ever put that may still exist",
    )
    with op.batch_alter_table("media_object", schema=None) as batch_op:
        batch_op.create_index(
            "media_object_dead",
            ["feed", "resource", "key"],
            unique=False,
            sqlite_where=sa.text("state = 'dead'"),
            postgresql_where=sa.text("state = 'dead'"),
        )

    op.create_table(
        "media_set",
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("resource_name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("resource_record_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("photos_count", sa.Integer(), nullable=False, comment="photos the MLS lists"),
        sa.Column(
            "photos_stored", sa.Integer(), nullable=False, comment="of those, in the photo store in the version listed"
        ),
        sa.Column(
            "complete_at",
            sa.BigInteger(),
            nullable=True,
            comment="since when all are stored; null while some are missing",
        ),
        sa.PrimaryKeyConstraint("feed", "resource_name", "resource_record_key", name=op.f("pk_media_set")),
        comment="whether a record's set of photos is complete",
    )
    op.create_table(
        "member",
        sa.Column(
            "feed",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Name of the feed",
        ),
        sa.Column(
            "member_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="CREA's unique key of the agent (@ID)",
        ),
        sa.Column(
            "modification_timestamp",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the agent's record last changed at the MLS (@LastUpdated)",
        ),
        sa.Column("member_full_name", sa.Text(), nullable=True, comment="Name; may be in capitals (Name)"),
        sa.Column("job_title", sa.Text(), nullable=True, comment="Position (Position)"),
        sa.Column("education_credentials", sa.Text(), nullable=True, comment="Credentials (EducationCredentials)"),
        sa.Column(
            "photo_last_updated",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the agent's photo last changed (PhotoLastUpdated)",
        ),
        sa.Column(
            "specialties",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Specialties (Specialties/Specialty)",
        ),
        sa.Column(
            "member_designation",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Designations (Designations/Designation)",
        ),
        sa.Column(
            "member_languages",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Languages spoken (Languages/Language)",
        ),
        sa.Column(
            "trading_areas",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Trading areas (TradingAreas/TradingArea)",
        ),
        sa.Column(
            "member_unparsed_address",
            sa.Text(),
            nullable=True,
            comment="The street address, lines joined by | (Address/StreetAddress)",
        ),
        sa.Column(
            "member_address1", sa.Text(), nullable=True, comment="First line of the address (Address/AddressLine1)"
        ),
        sa.Column(
            "member_address2", sa.Text(), nullable=True, comment="Second line of the address (Address/AddressLine2)"
        ),
        sa.Column("member_street_number", sa.Text(), nullable=True, comment="Street number (Address/StreetNumber)"),
        sa.Column(
            "member_street_dir_prefix",
            sa.Text(),
            nullable=True,
            comment="Direction before the street name (Address/StreetDirectionPrefix)",
        ),
        sa.Column("member_street_name", sa.Text(), nullable=True, comment="Street name (Address/StreetName)"),
        sa.Column("member_street_suffix", sa.Text(), nullable=True, comment="Street type (Address/StreetSuffix)"),
        sa.Column(
            "member_street_dir_suffix",
            sa.Text(),
            nullable=True,
            comment="Direction after the street name (Address/StreetDirectionSuffix)",
        ),
        sa.Column("member_unit_number", sa.Text(), nullable=True, comment="Unit or suite (Address/UnitNumber)"),
        sa.Column("member_box_number", sa.Text(), nullable=True, comment="Post office box (Address/BoxNumber)"),
        sa.Column(
            "member_street_additional_info",
            sa.Text(),
            nullable=True,
            comment="What else belongs to the street address (Address/AdditionalStreetInfo)",
        ),
        sa.Column("member_city", sa.Text(), nullable=True, comment="City (Address/City)"),
        sa.Column(
            "member_state_or_province", sa.Text(), nullable=True, comment="Province by its full name (Address/Province)"
        ),
        sa.Column(
            "member_postal_code", sa.Text(), nullable=True, comment="Postal code without a space (Address/PostalCode)"
        ),
        sa.Column("member_country", sa.Text(), nullable=True, comment="Country (Address/Country)"),
        sa.Column(
            "member_community_name", sa.Text(), nullable=True, comment="Name of the community (Address/CommunityName)"
        ),
        sa.Column("member_city_region", sa.Text(), nullable=True, comment="Neighbourhood (Address/Neighbourhood)"),
        sa.Column("member_subdivision_name", sa.Text(), nullable=True, comment="Subdivision (Address/Subdivision)"),
        sa.Column(
            "office_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
            comment="office_key of number 1 (Office/@ID)",
        ),
        sa.Column(
            "extra",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="By element: what the mapping does not know, and what does not fit its column",
        ),
        sa.PrimaryKeyConstraint("feed", "member_key", name=op.f("pk_member")),
        comment="Agents: their own record where the feed lists them, else the copy in a listing that refers to them.",
    )
    op.create_table(
        "member_phone",
        sa.Column(
            "feed",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Name of the feed",
        ),
        sa.Column(
            "member_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="CREA's unique key of the agent (@ID)",
        ),
        sa.Column("order", sa.Integer(), nullable=False, comment="Place among its like, from 1 (Phones/Phone)"),
        sa.Column("phone_number", sa.Text(), nullable=True, comment="Number as written (Phones/Phone/#text)"),
        sa.Column("contact_type", sa.Text(), nullable=True, comment="Business, Office, … (Phones/Phone/@ContactType)"),
        sa.Column(
            "phone_type",
            sa.Text(),
            nullable=True,
            comment="Telephone, Fax, Toll free, Cell, … (Phones/Phone/@PhoneType)",
        ),
        sa.PrimaryKeyConstraint("feed", "member_key", "order", name=op.f("pk_member_phone")),
        comment="Telephone numbers of an agent in the order given.",
    )
    op.create_table(
        "member_website",
        sa.Column(
            "feed",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Name of the feed",
        ),
        sa.Column(
            "member_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="CREA's unique key of the agent (@ID)",
        ),
        sa.Column("order", sa.Integer(), nullable=False, comment="Place among its like, from 1 (Websites/Website)"),
        sa.Column("website_url", sa.Text(), nullable=True, comment="Address (Websites/Website/#text)"),
        sa.Column(
            "contact_type", sa.Text(), nullable=True, comment="Business, Office, … (Websites/Website/@ContactType)"
        ),
        sa.Column("website_type", sa.Text(), nullable=True, comment="Kind of site (Websites/Website/@WebsiteType)"),
        sa.PrimaryKeyConstraint("feed", "member_key", "order", name=op.f("pk_member_website")),
        comment="Web sites of an agent in the order given.",
    )
    op.create_table(
        "office",
        sa.Column(
            "feed",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Name of the feed",
        ),
        sa.Column(
            "office_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="CREA's unique key of the office (@ID)",
        ),
        sa.Column(
            "modification_timestamp",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the office's record last changed at the MLS (@LastUpdated)",
        ),
        sa.Column("office_name", sa.Text(), nullable=True, comment="Name (Name)"),
        sa.Column(
            "logo_last_updated",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the logo last changed (LogoLastUpdated)",
        ),
        sa.Column("organization_type", sa.Text(), nullable=True, comment="Kind of organization (OrganizationType)"),
        sa.Column("designation", sa.Text(), nullable=True, comment="Designation (Designation)"),
        sa.Column("franchise_affiliation", sa.Text(), nullable=True, comment="Franchisor (Franchisor)"),
        sa.Column(
            "office_unparsed_address",
            sa.Text(),
            nullable=True,
            comment="The street address, lines joined by | (Address/StreetAddress)",
        ),
        sa.Column(
            "office_address1", sa.Text(), nullable=True, comment="First line of the address (Address/AddressLine1)"
        ),
        sa.Column(
            "office_address2", sa.Text(), nullable=True, comment="Second line of the address (Address/AddressLine2)"
        ),
        sa.Column("office_street_number", sa.Text(), nullable=True, comment="Street number (Address/StreetNumber)"),
        sa.Column(
            "office_street_dir_prefix",
            sa.Text(),
            nullable=True,
            comment="Direction before the street name (Address/StreetDirectionPrefix)",
        ),
        sa.Column("office_street_name", sa.Text(), nullable=True, comment="Street name (Address/StreetName)"),
        sa.Column("office_street_suffix", sa.Text(), nullable=True, comment="Street type (Address/StreetSuffix)"),
        sa.Column(
            "office_street_dir_suffix",
            sa.Text(),
            nullable=True,
            comment="Direction after the street name (Address/StreetDirectionSuffix)",
        ),
        sa.Column("office_unit_number", sa.Text(), nullable=True, comment="Unit or suite (Address/UnitNumber)"),
        sa.Column("office_box_number", sa.Text(), nullable=True, comment="Post office box (Address/BoxNumber)"),
        sa.Column(
            "office_street_additional_info",
            sa.Text(),
            nullable=True,
            comment="What else belongs to the street address (Address/AdditionalStreetInfo)",
        ),
        sa.Column("office_city", sa.Text(), nullable=True, comment="City (Address/City)"),
        sa.Column(
            "office_state_or_province", sa.Text(), nullable=True, comment="Province by its full name (Address/Province)"
        ),
        sa.Column(
            "office_postal_code", sa.Text(), nullable=True, comment="Postal code without a space (Address/PostalCode)"
        ),
        sa.Column("office_country", sa.Text(), nullable=True, comment="Country (Address/Country)"),
        sa.Column(
            "office_community_name", sa.Text(), nullable=True, comment="Name of the community (Address/CommunityName)"
        ),
        sa.Column("office_city_region", sa.Text(), nullable=True, comment="Neighbourhood (Address/Neighbourhood)"),
        sa.Column("office_subdivision_name", sa.Text(), nullable=True, comment="Subdivision (Address/Subdivision)"),
        sa.Column(
            "extra",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="By element: what the mapping does not know, and what does not fit its column",
        ),
        sa.PrimaryKeyConstraint("feed", "office_key", name=op.f("pk_office")),
        comment="Offices: their own record where the feed lists them, else the copy in a listing that refers to them.",
    )
    op.create_table(
        "office_phone",
        sa.Column(
            "feed",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Name of the feed",
        ),
        sa.Column(
            "office_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="CREA's unique key of the office (@ID)",
        ),
        sa.Column("order", sa.Integer(), nullable=False, comment="Place among its like, from 1 (Phones/Phone)"),
        sa.Column("phone_number", sa.Text(), nullable=True, comment="Number as written (Phones/Phone/#text)"),
        sa.Column("contact_type", sa.Text(), nullable=True, comment="Business, Office, … (Phones/Phone/@ContactType)"),
        sa.Column(
            "phone_type",
            sa.Text(),
            nullable=True,
            comment="Telephone, Fax, Toll free, Cell, … (Phones/Phone/@PhoneType)",
        ),
        sa.PrimaryKeyConstraint("feed", "office_key", "order", name=op.f("pk_office_phone")),
        comment="Telephone numbers of an office in the order given.",
    )
    op.create_table(
        "office_website",
        sa.Column(
            "feed",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Name of the feed",
        ),
        sa.Column(
            "office_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="CREA's unique key of the office (@ID)",
        ),
        sa.Column("order", sa.Integer(), nullable=False, comment="Place among its like, from 1 (Websites/Website)"),
        sa.Column("website_url", sa.Text(), nullable=True, comment="Address (Websites/Website/#text)"),
        sa.Column(
            "contact_type", sa.Text(), nullable=True, comment="Business, Office, … (Websites/Website/@ContactType)"
        ),
        sa.Column("website_type", sa.Text(), nullable=True, comment="Kind of site (Websites/Website/@WebsiteType)"),
        sa.PrimaryKeyConstraint("feed", "office_key", "order", name=op.f("pk_office_website")),
        comment="Web sites of an office in the order given.",
    )
    op.create_table(
        "open_house",
        sa.Column(
            "feed",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Name of the feed",
        ),
        sa.Column(
            "listing_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="CREA's unique key of the listing (@ID)",
        ),
        sa.Column(
            "open_house_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="The key of what it belongs to, a hyphen and the place",
        ),
        sa.Column("order", sa.Integer(), nullable=True, comment="Place among its like, from 1 (OpenHouse/Event)"),
        sa.Column(
            "open_house_start_time",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it starts; the date is local (OpenHouse/Event/StartDateTime)",
        ),
        sa.Column(
            "open_house_date",
            sa.Date(),
            nullable=True,
            comment="When it starts; the date is local (OpenHouse/Event/StartDateTime)",
        ),
        sa.Column(
            "open_house_end_time",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it ends (OpenHouse/Event/EndDateTime)",
        ),
        sa.Column("open_house_remarks", sa.Text(), nullable=True, comment="Comments (OpenHouse/Event/Comments)"),
        sa.PrimaryKeyConstraint("feed", "listing_key", "open_house_key", name=op.f("pk_open_house")),
        comment="Open houses of a listing in the order given.",
    )
    op.create_table(
        "property_agent",
        sa.Column(
            "feed",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Name of the feed",
        ),
        sa.Column(
            "listing_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="CREA's unique key of the listing (@ID)",
        ),
        sa.Column(
            "member_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Key of the embedded record (AgentDetails/@ID)",
        ),
        sa.Column("order", sa.Integer(), nullable=True, comment="Place among its like, from 1 (AgentDetails)"),
        sa.Column(
            "office_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
            comment="Key of the record embedded in that one (AgentDetails/Office/@ID)",
        ),
        sa.PrimaryKeyConstraint("feed", "listing_key", "member_key", name=op.f("pk_property_agent")),
        comment="Agents of a listing with their offices in the order given, the listing agent first.",
    )
    with op.batch_alter_table("property_agent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_property_agent_feed_member_key"), ["feed", "member_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_property_agent_feed_office_key"), ["feed", "office_key"], unique=False)

    op.create_table(
        "property_parking",
        sa.Column(
            "feed",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Name of the feed",
        ),
        sa.Column(
            "listing_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="CREA's unique key of the listing (@ID)",
        ),
        sa.Column(
            "order", sa.Integer(), nullable=False, comment="Place among its like, from 1 (ParkingSpaces/Parking)"
        ),
        sa.Column("parking_name", sa.Text(), nullable=True, comment="Kind of parking (ParkingSpaces/Parking/Name)"),
        sa.Column(
            "parking_spaces",
            sa.Integer(),
            nullable=True,
            comment="Number of spaces of this kind (ParkingSpaces/Parking/Spaces)",
        ),
        sa.PrimaryKeyConstraint("feed", "listing_key", "order", name=op.f("pk_property_parking")),
        comment="Kinds of parking of a listing in the order given.",
    )
    op.create_table(
        "property_record",
        sa.Column(
            "feed",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Name of the feed",
        ),
        sa.Column(
            "listing_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="CREA's unique key of the listing (@ID)",
        ),
        sa.Column(
            "listing_id",
            sa.Text(),
            nullable=True,
            comment="The board's MLS number; may repeat across boards (ListingID)",
        ),
        sa.Column("list_aor_key", sa.Text(), nullable=True, comment="Numeric code of the listing's board (Board)"),
        sa.Column("list_price", sa.Numeric(precision=14, scale=2), nullable=True, comment="Asking price (Price)"),
        sa.Column(
            "price_per_time",
            sa.Text(),
            nullable=True,
            comment="Period the price is for, where it is one (PricePerTime)",
        ),
        sa.Column(
            "price_per_unit", sa.Text(), nullable=True, comment="Unit the price is for, where it is one (PricePerUnit)"
        ),
        sa.Column("lease_amount", sa.Numeric(precision=14, scale=2), nullable=True, comment="Asking rent (Lease)"),
        sa.Column("lease_amount_frequency", sa.Text(), nullable=True, comment="Period the rent is for (LeasePerTime)"),
        sa.Column("lease_per_unit", sa.Text(), nullable=True, comment="Unit of area the rent is for (LeasePerUnit)"),
        sa.Column(
            "lease_term_remaining",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="What remains of an existing lease (LeaseTermRemaining)",
        ),
        sa.Column(
            "lease_term_remaining_units",
            sa.Text(),
            nullable=True,
            comment="What remains of an existing lease: unit as written (LeaseTermRemaining)",
        ),
        sa.Column(
            "lease_term_remaining_text",
            sa.Text(),
            nullable=True,
            comment="What remains of an existing lease: as written (LeaseTermRemaining)",
        ),
        sa.Column(
            "lease_term_remaining_freq",
            sa.Text(),
            nullable=True,
            comment="Unit of the remaining lease (LeaseTermRemainingFreq)",
        ),
        sa.Column("lease_type", sa.Text(), nullable=True, comment="Kind of lease (LeaseType)"),
        sa.Column(
            "transaction_type", sa.Text(), nullable=True, comment="For sale or for lease or for rent (TransactionType)"
        ),
        sa.Column("property_sub_type", sa.Text(), nullable=True, comment="Kind of property (PropertyType)"),
        sa.Column("common_interest", sa.Text(), nullable=True, comment="Form of ownership (OwnershipType)"),
        sa.Column(
            "listing_contract_date",
            sa.Date(),
            nullable=True,
            comment="Date of the agreement between seller and listing broker (ListingContractDate)",
        ),
        sa.Column(
            "public_remarks",
            sa.Text(),
            nullable=True,
            comment="Description for the public, without the feed's (id:N) ending (PublicRemarks)",
        ),
        sa.Column(
            "location_description", sa.Text(), nullable=True, comment="How to find the place (LocationDescription)"
        ),
        sa.Column("listing_url", sa.Text(), nullable=True, comment="The listing on REALTOR.ca (MoreInformationLink)"),
        sa.Column(
            "analytics_click",
            sa.Text(),
            nullable=True,
            comment="CREA's script for a click, verbatim; never to be executed by a server (AnalyticsClick)",
        ),
        sa.Column(
            "analytics_view",
            sa.Text(),
            nullable=True,
            comment="CREA's script for a view, verbatim; never to be executed by a server (AnalyticsView)",
        ),
        sa.Column(
            "additional_information_indicator",
            sa.Text(),
            nullable=True,
            comment="Whether more information exists (AdditionalInformationIndicator)",
        ),
        sa.Column(
            "association_fee",
            sa.Numeric(precision=14, scale=2),
            nullable=True,
            comment="Condominium or maintenance fee (MaintenanceFee)",
        ),
        sa.Column(
            "association_fee_frequency",
            sa.Text(),
            nullable=True,
            comment="Period the fee is for (MaintenanceFeePaymentUnit)",
        ),
        sa.Column(
            "association_fee_includes",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="What the fee covers (MaintenanceFeeType)",
        ),
        sa.Column(
            "association_name",
            sa.Text(),
            nullable=True,
            comment="Company that manages the property (ManagementCompany)",
        ),
        sa.Column(
            "municipal_id",
            sa.Text(),
            nullable=True,
            comment="Identifier of the property at the municipality (MunicipalId, MunicipalID)",
        ),
        sa.Column("plan", sa.Text(), nullable=True, comment="Number of the registered plan (Plan)"),
        sa.Column(
            "ammenities_near_by",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Amenities nearby (the spelling is CREA's) (AmmenitiesNearBy)",
        ),
        sa.Column(
            "communication_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Communication services (CommunicationType)",
        ),
        sa.Column(
            "community_features",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Features of the community (CommunityFeatures)",
        ),
        sa.Column(
            "crop",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Crops grown (Crop)",
        ),
        sa.Column(
            "document_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Documents available (DocumentType)",
        ),
        sa.Column(
            "easement",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Easements (Easement)",
        ),
        sa.Column(
            "other_equipment",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Equipment included (EquipmentType)",
        ),
        sa.Column(
            "lot_features",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Features of the property (Features)",
        ),
        sa.Column(
            "farm_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of farm (FarmType)",
        ),
        sa.Column(
            "irrigation_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of irrigation (IrrigationType)",
        ),
        sa.Column(
            "live_stock_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of livestock (LiveStockType)",
        ),
        sa.Column(
            "loading_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of loading facility (LoadingType)",
        ),
        sa.Column(
            "machinery",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Machinery included (Machinery)",
        ),
        sa.Column("parking_total", sa.Integer(), nullable=True, comment="Number of parking spaces (ParkingSpaceTotal)"),
        sa.Column(
            "pool_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of pool (PoolType)",
        ),
        sa.Column(
            "pool_features",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Features of the pool (PoolFeatures)",
        ),
        sa.Column(
            "rental_equipment_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Equipment that is rented (RentalEquipmentType)",
        ),
        sa.Column(
            "right_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Rights that go with the land (RightType)",
        ),
        sa.Column(
            "road_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of road (RoadType)",
        ),
        sa.Column(
            "sign_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of sign (SignType)",
        ),
        sa.Column(
            "storage_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of storage (StorageType)",
        ),
        sa.Column(
            "structure",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Other structures (Structure)",
        ),
        sa.Column("number_of_buildings", sa.Integer(), nullable=True, comment="Number of buildings (TotalBuildings)"),
        sa.Column(
            "view",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of view (ViewType)",
        ),
        sa.Column(
            "waterfront_features",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kind of waterfront (WaterFrontType)",
        ),
        sa.Column("water_body_name", sa.Text(), nullable=True, comment="Name of the water (WaterFrontName)"),
        sa.Column(
            "zoning_description", sa.Text(), nullable=True, comment="Zoning code or description (ZoningDescription)"
        ),
        sa.Column(
            "zoning",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of zoning (ZoningType)",
        ),
        sa.Column("brochure_link", sa.Text(), nullable=True, comment="Link to a brochure (AlternateURL/BrochureLink)"),
        sa.Column("map_link", sa.Text(), nullable=True, comment="Link to a map (AlternateURL/MapLink)"),
        sa.Column("photo_link", sa.Text(), nullable=True, comment="Link to more photos (AlternateURL/PhotoLink)"),
        sa.Column("sound_link", sa.Text(), nullable=True, comment="Link to a recording (AlternateURL/SoundLink)"),
        sa.Column("video_link", sa.Text(), nullable=True, comment="Link to a video (AlternateURL/VideoLink)"),
        sa.Column(
            "unparsed_address",
            sa.Text(),
            nullable=True,
            comment="The street address, lines joined by | (Address/StreetAddress)",
        ),
        sa.Column(
            "address_line1", sa.Text(), nullable=True, comment="First line of the address (Address/AddressLine1)"
        ),
        sa.Column(
            "address_line2", sa.Text(), nullable=True, comment="Second line of the address (Address/AddressLine2)"
        ),
        sa.Column("street_number", sa.Text(), nullable=True, comment="Street number (Address/StreetNumber)"),
        sa.Column(
            "street_dir_prefix",
            sa.Text(),
            nullable=True,
            comment="Direction before the street name (Address/StreetDirectionPrefix)",
        ),
        sa.Column("street_name", sa.Text(), nullable=True, comment="Street name (Address/StreetName)"),
        sa.Column("street_suffix", sa.Text(), nullable=True, comment="Street type (Address/StreetSuffix)"),
        sa.Column(
            "street_dir_suffix",
            sa.Text(),
            nullable=True,
            comment="Direction after the street name (Address/StreetDirectionSuffix)",
        ),
        sa.Column("unit_number", sa.Text(), nullable=True, comment="Unit or suite (Address/UnitNumber)"),
        sa.Column("box_number", sa.Text(), nullable=True, comment="Post office box (Address/BoxNumber)"),
        sa.Column(
            "street_additional_info",
            sa.Text(),
            nullable=True,
            comment="What else belongs to the street address (Address/AdditionalStreetInfo)",
        ),
        sa.Column("city", sa.Text(), nullable=True, comment="City (Address/City)"),
        sa.Column(
            "state_or_province", sa.Text(), nullable=True, comment="Province by its full name (Address/Province)"
        ),
        sa.Column("postal_code", sa.Text(), nullable=True, comment="Postal code without a space (Address/PostalCode)"),
        sa.Column("country", sa.Text(), nullable=True, comment="Country (Address/Country)"),
        sa.Column("community_name", sa.Text(), nullable=True, comment="Name of the community (Address/CommunityName)"),
        sa.Column("city_region", sa.Text(), nullable=True, comment="Neighbourhood (Address/Neighbourhood)"),
        sa.Column("subdivision_name", sa.Text(), nullable=True, comment="Subdivision (Address/Subdivision)"),
        sa.Column(
            "longitude",
            sa.Numeric(precision=18, scale=15),
            nullable=True,
            comment="Degrees east; only where the board lets it be distributed (Address/Longitude)",
        ),
        sa.Column(
            "latitude",
            sa.Numeric(precision=18, scale=15),
            nullable=True,
            comment="Degrees north; only where the board lets it be distributed (Address/Latitude)",
        ),
        sa.Column(
            "business_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of business (Business/BusinessType)",
        ),
        sa.Column(
            "business_sub_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of business more closely (Business/BusinessSubType)",
        ),
        sa.Column(
            "business_established_date",
            sa.Text(),
            nullable=True,
            comment="When the business was established (Business/EstablishedDate)",
        ),
        sa.Column(
            "business_franchise",
            sa.Boolean(),
            nullable=True,
            comment="Whether the business is a franchise (Business/Franchise)",
        ),
        sa.Column("business_name", sa.Text(), nullable=True, comment="Name of the business (Business/Name)"),
        sa.Column(
            "business_operating_since",
            sa.Text(),
            nullable=True,
            comment="Since when the business operates (Business/OperatingSince)",
        ),
        sa.Column(
            "bathrooms_total_integer",
            sa.Integer(),
            nullable=True,
            comment="Number of bathrooms (Building/BathroomTotal)",
        ),
        sa.Column(
            "bathrooms_partial",
            sa.Integer(),
            nullable=True,
            comment="Number of half bathrooms (Building/HalfBathTotal)",
        ),
        sa.Column("bedrooms_total", sa.Integer(), nullable=True, comment="Number of bedrooms (Building/BedroomsTotal)"),
        sa.Column(
            "bedrooms_above_grade",
            sa.Integer(),
            nullable=True,
            comment="Number of bedrooms above ground (Building/BedroomsAboveGround)",
        ),
        sa.Column(
            "bedrooms_below_grade",
            sa.Integer(),
            nullable=True,
            comment="Number of bedrooms below ground (Building/BedroomsBelowGround)",
        ),
        sa.Column("age", sa.Text(), nullable=True, comment="Age of the building in words (Building/Age)"),
        sa.Column(
            "building_amenities",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Amenities of the building (Building/Amenities)",
        ),
        sa.Column(
            "amperage",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Electrical supply (Building/Amperage)",
        ),
        sa.Column("anchor", sa.Text(), nullable=True, comment="Anchor tenant (Building/Anchor)"),
        sa.Column(
            "appliances",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Appliances included (Building/Appliances)",
        ),
        sa.Column(
            "architectural_style",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Architectural styles (Building/ArchitecturalStyle)",
        ),
        sa.Column(
            "basement_development",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="How far the basement is finished (Building/BasementDevelopment)",
        ),
        sa.Column(
            "basement_features",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Features of the basement (Building/BasementFeatures)",
        ),
        sa.Column(
            "basement",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of basement (Building/BasementType)",
        ),
        sa.Column("boma_rating", sa.Text(), nullable=True, comment="BOMA rating (Building/BomaRating)"),
        sa.Column(
            "ceiling_height",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Height of the ceilings (Building/CeilingHeight)",
        ),
        sa.Column(
            "ceiling_height_units",
            sa.Text(),
            nullable=True,
            comment="Height of the ceilings: unit as written (Building/CeilingHeight)",
        ),
        sa.Column(
            "ceiling_height_text",
            sa.Text(),
            nullable=True,
            comment="Height of the ceilings: as written (Building/CeilingHeight)",
        ),
        sa.Column(
            "ceiling_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of ceiling (Building/CeilingType)",
        ),
        sa.Column(
            "clear_ceiling_height",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Clear height below the ceiling (Building/ClearCeilingHeight)",
        ),
        sa.Column(
            "clear_ceiling_height_units",
            sa.Text(),
            nullable=True,
            comment="Clear height below the ceiling: unit as written (Building/ClearCeilingHeight)",
        ),
        sa.Column(
            "clear_ceiling_height_text",
            sa.Text(),
            nullable=True,
            comment="Clear height below the ceiling: as written (Building/ClearCeilingHeight)",
        ),
        sa.Column("year_built", sa.Integer(), nullable=True, comment="Year of construction (Building/ConstructedDate)"),
        sa.Column(
            "construction_materials",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Materials of the construction (Building/ConstructionMaterial)",
        ),
        sa.Column(
            "construction_status",
            sa.Text(),
            nullable=True,
            comment="State of the construction (Building/ConstructionStatus)",
        ),
        sa.Column(
            "construction_style_attachment",
            sa.Text(),
            nullable=True,
            comment="How it is attached to others (Building/ConstructionStyleAttachment)",
        ),
        sa.Column(
            "construction_style_other",
            sa.Text(),
            nullable=True,
            comment="Other style of construction (Building/ConstructionStyleOther)",
        ),
        sa.Column(
            "construction_style_split_level",
            sa.Text(),
            nullable=True,
            comment="Kind of split level (Building/ConstructionStyleSplitLevel)",
        ),
        sa.Column(
            "cooling",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of cooling (Building/CoolingType)",
        ),
        sa.Column("energuide_rating", sa.Text(), nullable=True, comment="EnerGuide rating (Building/EnerguideRating)"),
        sa.Column(
            "exterior_features",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Finish of the exterior (Building/ExteriorFinish)",
        ),
        sa.Column(
            "fire_protection",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Protection against fire (Building/FireProtection)",
        ),
        sa.Column(
            "fireplace_fuel",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Fuels of the fireplaces (Building/FireplaceFuel)",
        ),
        sa.Column(
            "fireplace_yn",
            sa.Boolean(),
            nullable=True,
            comment="Whether there is a fireplace (Building/FireplacePresent)",
        ),
        sa.Column(
            "fireplaces_total", sa.Integer(), nullable=True, comment="Number of fireplaces (Building/FireplaceTotal)"
        ),
        sa.Column(
            "fireplace_features",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of fireplace (Building/FireplaceType)",
        ),
        sa.Column(
            "fixture",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Fixtures (Building/Fixture)",
        ),
        sa.Column(
            "flooring",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of floor (Building/FlooringType)",
        ),
        sa.Column(
            "foundation_details",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of foundation (Building/FoundationType)",
        ),
        sa.Column(
            "heating_fuel",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Fuels of the heating (Building/HeatingFuel)",
        ),
        sa.Column(
            "heating",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of heating (Building/HeatingType)",
        ),
        sa.Column("leeds_category", sa.Text(), nullable=True, comment="LEED category (Building/LeedsCategory)"),
        sa.Column("leeds_rating", sa.Text(), nullable=True, comment="LEED rating (Building/LeedsRating)"),
        sa.Column("renovated_date", sa.Text(), nullable=True, comment="When it was renovated (Building/RenovatedDate)"),
        sa.Column(
            "roof",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Materials of the roof (Building/RoofMaterial)",
        ),
        sa.Column(
            "roof_style",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Styles of the roof (Building/RoofStyle)",
        ),
        sa.Column(
            "size_exterior",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Area measured outside (Building/SizeExterior)",
        ),
        sa.Column(
            "size_exterior_units",
            sa.Text(),
            nullable=True,
            comment="Area measured outside: unit as written (Building/SizeExterior)",
        ),
        sa.Column(
            "size_exterior_text",
            sa.Text(),
            nullable=True,
            comment="Area measured outside: as written (Building/SizeExterior)",
        ),
        sa.Column(
            "living_area",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Area inside, or the range in which it lies (Building/SizeInterior)",
        ),
        sa.Column(
            "living_area_units",
            sa.Text(),
            nullable=True,
            comment="Area inside, or the range in which it lies: unit as written (Building/SizeInterior)",
        ),
        sa.Column(
            "living_area_text",
            sa.Text(),
            nullable=True,
            comment="Area inside, or the range in which it lies: as written (Building/SizeInterior)",
        ),
        sa.Column(
            "living_area_minimum",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Area inside, or the range in which it lies: low end (Building/SizeInterior)",
        ),
        sa.Column(
            "living_area_maximum",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Area inside, or the range in which it lies: high end (Building/SizeInterior)",
        ),
        sa.Column(
            "size_interior_finished",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Finished area inside (Building/SizeInteriorFinished)",
        ),
        sa.Column(
            "size_interior_finished_units",
            sa.Text(),
            nullable=True,
            comment="Finished area inside: unit as written (Building/SizeInteriorFinished)",
        ),
        sa.Column(
            "size_interior_finished_text",
            sa.Text(),
            nullable=True,
            comment="Finished area inside: as written (Building/SizeInteriorFinished)",
        ),
        sa.Column(
            "building_area_total",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Finished area of the whole building (Building/TotalFinishedArea)",
        ),
        sa.Column(
            "building_area_units",
            sa.Text(),
            nullable=True,
            comment="Finished area of the whole building: unit as written (Building/TotalFinishedArea)",
        ),
        sa.Column(
            "building_area_text",
            sa.Text(),
            nullable=True,
            comment="Finished area of the whole building: as written (Building/TotalFinishedArea)",
        ),
        sa.Column(
            "store_front",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of store front (Building/StoreFront)",
        ),
        sa.Column(
            "stories",
            sa.Numeric(precision=14, scale=4),
            nullable=True,
            comment="Number of stories; halves occur (Building/StoriesTotal)",
        ),
        sa.Column(
            "structure_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kind of building (Building/Type)",
        ),
        sa.Column(
            "uffi",
            sa.Text(),
            nullable=True,
            comment="Whether there is urea formaldehyde foam insulation (Building/Uffi)",
        ),
        sa.Column("unit_type", sa.Text(), nullable=True, comment="Kind of unit (Building/UnitType)"),
        sa.Column(
            "utility_power",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Electrical supply (Building/UtilityPower)",
        ),
        sa.Column(
            "water_source",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Sources of water (Building/UtilityWater)",
        ),
        sa.Column(
            "vacancy_rate",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Share that is vacant (Building/VacancyRate)",
        ),
        sa.Column(
            "vacancy_rate_units",
            sa.Text(),
            nullable=True,
            comment="Share that is vacant: unit as written (Building/VacancyRate)",
        ),
        sa.Column(
            "vacancy_rate_text",
            sa.Text(),
            nullable=True,
            comment="Share that is vacant: as written (Building/VacancyRate)",
        ),
        sa.Column(
            "lot_size_area",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Area of the lot (Land/SizeTotal)",
        ),
        sa.Column(
            "lot_size_units", sa.Text(), nullable=True, comment="Area of the lot: unit as written (Land/SizeTotal)"
        ),
        sa.Column("lot_size_text", sa.Text(), nullable=True, comment="Area of the lot: as written (Land/SizeTotal)"),
        sa.Column(
            "lot_size_dimensions", sa.Text(), nullable=True, comment="Size of the lot in words (Land/SizeTotalText)"
        ),
        sa.Column(
            "frontage_length_numeric",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Width of the lot at the street (Land/SizeFrontage)",
        ),
        sa.Column(
            "frontage_length_numeric_units",
            sa.Text(),
            nullable=True,
            comment="Width of the lot at the street: unit as written (Land/SizeFrontage)",
        ),
        sa.Column(
            "frontage_length",
            sa.Text(),
            nullable=True,
            comment="Width of the lot at the street: as written (Land/SizeFrontage)",
        ),
        sa.Column(
            "size_depth", sa.Numeric(precision=20, scale=8), nullable=True, comment="Depth of the lot (Land/SizeDepth)"
        ),
        sa.Column(
            "size_depth_units", sa.Text(), nullable=True, comment="Depth of the lot: unit as written (Land/SizeDepth)"
        ),
        sa.Column("size_depth_text", sa.Text(), nullable=True, comment="Depth of the lot: as written (Land/SizeDepth)"),
        sa.Column(
            "size_irregular", sa.Text(), nullable=True, comment="Dimensions of an irregular lot (Land/SizeIrregular)"
        ),
        sa.Column(
            "road_surface_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="How the land is reached (Land/AccessType)",
        ),
        sa.Column("acreage", sa.Boolean(), nullable=True, comment="Whether it is an acreage (Land/Acreage)"),
        sa.Column(
            "land_amenities",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Amenities of the land (Land/Amenities)",
        ),
        sa.Column(
            "cleared_total",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Area that is cleared (Land/ClearedTotal)",
        ),
        sa.Column(
            "cleared_total_units",
            sa.Text(),
            nullable=True,
            comment="Area that is cleared: unit as written (Land/ClearedTotal)",
        ),
        sa.Column(
            "cleared_total_text",
            sa.Text(),
            nullable=True,
            comment="Area that is cleared: as written (Land/ClearedTotal)",
        ),
        sa.Column(
            "current_use",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Present uses (Land/CurrentUse)",
        ),
        sa.Column("divisible", sa.Text(), nullable=True, comment="Whether the land can be divided (Land/Divisible)"),
        sa.Column(
            "fence_total",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Length or area that is fenced (Land/FenceTotal)",
        ),
        sa.Column(
            "fence_total_units",
            sa.Text(),
            nullable=True,
            comment="Length or area that is fenced: unit as written (Land/FenceTotal)",
        ),
        sa.Column(
            "fence_total_text",
            sa.Text(),
            nullable=True,
            comment="Length or area that is fenced: as written (Land/FenceTotal)",
        ),
        sa.Column(
            "fencing",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of fence (Land/FenceType)",
        ),
        sa.Column("fronts_on", sa.Text(), nullable=True, comment="Side of the street (Land/FrontsOn)"),
        sa.Column(
            "land_disposition",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Disposition of the land (Land/LandDisposition)",
        ),
        sa.Column(
            "landscape_features",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Landscaping (Land/LandscapeFeatures)",
        ),
        sa.Column(
            "pasture_total",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Area that is pasture (Land/PastureTotal)",
        ),
        sa.Column(
            "pasture_total_units",
            sa.Text(),
            nullable=True,
            comment="Area that is pasture: unit as written (Land/PastureTotal)",
        ),
        sa.Column(
            "pasture_total_text",
            sa.Text(),
            nullable=True,
            comment="Area that is pasture: as written (Land/PastureTotal)",
        ),
        sa.Column(
            "sewer",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of sewer (Land/Sewer)",
        ),
        sa.Column("soil_evaluation", sa.Text(), nullable=True, comment="Evaluation of the soil (Land/SoilEvaluation)"),
        sa.Column(
            "soil_type",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of soil (Land/SoilType)",
        ),
        sa.Column(
            "surface_water",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Water on the surface (Land/SurfaceWater)",
        ),
        sa.Column(
            "tiled_total",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Area that is tile drained (Land/TiledTotal)",
        ),
        sa.Column(
            "tiled_total_units",
            sa.Text(),
            nullable=True,
            comment="Area that is tile drained: unit as written (Land/TiledTotal)",
        ),
        sa.Column(
            "tiled_total_text",
            sa.Text(),
            nullable=True,
            comment="Area that is tile drained: as written (Land/TiledTotal)",
        ),
        sa.Column(
            "topography",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="Kinds of terrain (Land/TopographyType)",
        ),
        sa.Column("photos_count", sa.Integer(), nullable=True, comment="Number of photos (Photo/PropertyPhoto)"),
        sa.Column(
            "photos_change_timestamp",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When a photo last changed (Photo/PropertyPhoto)",
        ),
        sa.Column(
            "list_agent_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
            comment="member_key of number 1 (AgentDetails/@ID)",
        ),
        sa.Column(
            "co_list_agent_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
            comment="member_key of number 2 (AgentDetails/@ID)",
        ),
        sa.Column(
            "co_list_agent_key2",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
            comment="member_key of number 3 (AgentDetails/@ID)",
        ),
        sa.Column(
            "co_list_agent_key3",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
            comment="member_key of number 4 (AgentDetails/@ID)",
        ),
        sa.Column(
            "list_office_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
            comment="office_key of number 1 (AgentDetails/Office/@ID)",
        ),
        sa.Column(
            "co_list_office_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
            comment="office_key of number 2 (AgentDetails/Office/@ID)",
        ),
        sa.Column(
            "co_list_office_key2",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
            comment="office_key of number 3 (AgentDetails/Office/@ID)",
        ),
        sa.Column(
            "co_list_office_key3",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
            comment="office_key of number 4 (AgentDetails/Office/@ID)",
        ),
        sa.Column(
            "extra",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
            comment="By element: what the mapping does not know, and what does not fit its column",
        ),
        sa.PrimaryKeyConstraint("feed", "listing_key", name=op.f("pk_property_record")),
        comment="Listings on offer, one row each. Read through the view property, which adds modification_timestamp.",
    )
    with op.batch_alter_table("property_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_property_record_feed_listing_id"), ["feed", "listing_id"], unique=False)

    op.create_table(
        "property_room",
        sa.Column(
            "feed",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Name of the feed",
        ),
        sa.Column(
            "listing_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="CREA's unique key of the listing (@ID)",
        ),
        sa.Column(
            "room_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="The key of what it belongs to, a hyphen and the place",
        ),
        sa.Column("order", sa.Integer(), nullable=True, comment="Place among its like, from 1 (Building/Rooms/Room)"),
        sa.Column("room_type", sa.Text(), nullable=True, comment="Kind of room (Building/Rooms/Room/Type)"),
        sa.Column("room_level", sa.Text(), nullable=True, comment="Floor it is on (Building/Rooms/Room/Level)"),
        sa.Column(
            "room_width", sa.Numeric(precision=20, scale=8), nullable=True, comment="Width (Building/Rooms/Room/Width)"
        ),
        sa.Column(
            "room_width_units", sa.Text(), nullable=True, comment="Width: unit as written (Building/Rooms/Room/Width)"
        ),
        sa.Column("room_width_text", sa.Text(), nullable=True, comment="Width: as written (Building/Rooms/Room/Width)"),
        sa.Column(
            "room_length",
            sa.Numeric(precision=20, scale=8),
            nullable=True,
            comment="Length (Building/Rooms/Room/Length)",
        ),
        sa.Column(
            "room_length_units",
            sa.Text(),
            nullable=True,
            comment="Length: unit as written (Building/Rooms/Room/Length)",
        ),
        sa.Column(
            "room_length_text", sa.Text(), nullable=True, comment="Length: as written (Building/Rooms/Room/Length)"
        ),
        sa.Column(
            "room_dimensions",
            sa.Text(),
            nullable=True,
            comment="Dimensions as given, imperial or metric (Building/Rooms/Room/Dimension)",
        ),
        sa.Column(
            "room_description", sa.Text(), nullable=True, comment="Description (Building/Rooms/Room/Description)"
        ),
        sa.PrimaryKeyConstraint("feed", "listing_key", "room_key", name=op.f("pk_property_room")),
        comment="Rooms of a listing in the order given.",
    )
    op.create_table(
        "property_utility",
        sa.Column(
            "feed",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="Name of the feed",
        ),
        sa.Column(
            "listing_key",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="CREA's unique key of the listing (@ID)",
        ),
        sa.Column(
            "order", sa.Integer(), nullable=False, comment="Place among its like, from 1 (UtilitiesAvailable/Utility)"
        ),
        sa.Column(
            "utility_type", sa.Text(), nullable=True, comment="Kind of utility (UtilitiesAvailable/Utility/Type)"
        ),
        sa.Column(
            "utility_description",
            sa.Text(),
            nullable=True,
            comment="Availability (UtilitiesAvailable/Utility/Description)",
        ),
        sa.PrimaryKeyConstraint("feed", "listing_key", "order", name=op.f("pk_property_utility")),
        comment="Utilities of a listing in the order given.",
    )
    op.create_table(
        "quarantine",
        sa.Column(
            "id", sa.Text(), nullable=False, comment="hash of feed, kind, key and body: the same thing is kept once"
        ),
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("resource", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="record or message"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        comment="what could not be handled, with its bytes",
    )
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.create_index("quarantine_key", ["feed", "resource", "key"], unique=False)

    op.create_table(
        "record_reference",
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("listing_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("resource", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="content of the copy embedded in the listing"),
        sa.PrimaryKeyConstraint("feed", "listing_key", "resource", "key", name=op.f("pk_record_reference")),
        comment="members and offices that stored listings refer to",
    )
    with op.batch_alter_table("record_reference", schema=None) as batch_op:
        batch_op.create_index("record_reference_key", ["feed", "resource", "key"], unique=False)

    op.create_table(
        "removal",
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("resource", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=False, comment="the inventory that released them"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="the MLS's clock, else the store's"),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "resource", "by", name=op.f("pk_removal")),
        comment="how many rows each inventory removed: what the daily share is counted from",
    )
    op.create_table(
        "removal_candidate",
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("resource", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=False, comment="the inventory that last lacked the key"),
        sa.Column("since", sa.BigInteger(), nullable=False, comment="the inventory that first lacked it"),
        sa.Column("state", sa.Text(), nullable=False, comment="seen, held, approved or released"),
        sa.PrimaryKeyConstraint("feed", "resource", "key", name=op.f("pk_removal_candidate")),
        comment="stored keys that an inventory lacks",
    )
    op.create_table(
        "run",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="sync, limited, ingest or audit"),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True, comment="in_step, unfinished or failed"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "feed", name=op.f("pk_run")),
        comment="one line per sync of a feed",
    )
    op.create_table(
        "run_count",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("resource", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "feed", "resource", "name", name=op.f("pk_run_count")),
        comment="what a run did, counted in the transactions that did it",
    )
    op.create_table(
        "source_record",
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("resource", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="msgpack of the record as sent, zstd"),
        sa.PrimaryKeyConstraint("feed", "resource", "key", name=op.f("pk_source_record")),
        comment="the record as the MLS sent it, so that a changed mapping can be applied without fetching",
    )
    if op.get_bind().dialect.name == "postgresql":  # room on each page for the line's next form: no index is touched
        op.execute("ALTER TABLE ledger SET (fillfactor = 70)")
    op.execute(PROPERTY_VIEW)
