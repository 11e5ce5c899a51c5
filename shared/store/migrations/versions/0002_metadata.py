"""Lookups and the state of metadata; codes decoded in the view; elements found in extra"""

import sqlalchemy as sa
from alembic import op

revision = "0002_metadata"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

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
    'r."co_list_office_key3", r."extra", l.modification_timestamp, v1.lookup_value AS "list_aor" FROM '
    "property_record r JOIN ledger l ON l.feed = r.feed AND l.resource = 'property' AND l.key = "
    "r.listing_key LEFT JOIN lookup v1 ON v1.feed = r.feed AND v1.resource_name = 'property' AND "
    "v1.lookup_name = 'Boards' AND v1.code = r.\"list_aor_key\""
)


def upgrade() -> None:
    op.create_table(
        "lookup",
        sa.Column("feed", KEY, nullable=False, comment="Name of the feed"),
        sa.Column("resource_name", KEY, nullable=False, comment="Resource whose records have the codes: property"),
        sa.Column("lookup_name", KEY, nullable=False, comment="Name of the lookup, as the MLS has it (LookupName)"),
        sa.Column("code", KEY, nullable=False, comment="The value as coded (Value)"),
        sa.Column("lookup_value", sa.Text(), nullable=False, comment="What it stands for, in words (LongValue)"),
        sa.Column(
            "short_value", sa.Text(), nullable=True, comment="The same in short, where the MLS has that (ShortValue)"
        ),
        sa.Column(
            "lookup_key",
            sa.Text(),
            nullable=True,
            comment="The MLS's own key of the line, where it has one (MetadataEntryID)",
        ),
        sa.Column("language", sa.Text(), nullable=False, comment="Language of the texts"),
        sa.Column(
            "metadata_version",
            sa.Text(),
            nullable=False,
            comment="The newest version of the metadata that has the value",
        ),
        sa.Column(
            "modification_timestamp",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was first read as it is",
        ),
        sa.Column(
            "removed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the metadata were first read without it; NULL: in use",
        ),
        sa.PrimaryKeyConstraint("feed", "resource_name", "lookup_name", "code", name=op.f("pk_lookup")),
        comment=(
            "Values of lookups: what the codes of the MLS stand for. Those it has no more are marked, never deleted."
        ),
    )
    op.create_table(
        "metadata_state",
        sa.Column("feed", KEY, nullable=False),
        sa.Column(
            "version",
            sa.Text(),
            nullable=True,
            comment="of the metadata stored, as the login named it; null before the first reading",
        ),
        sa.Column("timestamp", sa.Text(), nullable=True, comment="their timestamp, likewise"),
        sa.Column(
            "min_version", sa.Text(), nullable=True, comment="the oldest version a client may work with, likewise"
        ),
        sa.Column("language", sa.Text(), nullable=True, comment="the language they were asked for in"),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "failed_version",
            sa.Text(),
            nullable=True,
            comment="of the metadata that could not be read; null when the last reading went well",
        ),
        sa.Column("failed_timestamp", sa.Text(), nullable=True),
        sa.Column("failed_language", sa.Text(), nullable=True),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True, comment="why"),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="times they were tried in vain"),
        sa.Column(
            "next_attempt_at", sa.BigInteger(), nullable=True, comment="end of the back-off; null: at the next sync"
        ),
        sa.PrimaryKeyConstraint("feed", name=op.f("pk_metadata_state")),
        comment="which metadata of each feed are stored, and the last failure to read others",
    )
    op.create_table(
        "extra_element",
        sa.Column("feed", KEY, nullable=False),
        sa.Column("resource", KEY, nullable=False),
        sa.Column("element", KEY, nullable=False, comment="path without places among siblings, of bounded length"),
        sa.Column("reason", KEY, nullable=False, comment="why its value fits no column; empty: no mapping knows it"),
        sa.Column(
            "first_seen", sa.BigInteger(), nullable=False, comment="observed_at of the first record read with it"
        ),
        sa.Column("last_seen", sa.BigInteger(), nullable=False, comment="observed_at of the last"),
        sa.PrimaryKeyConstraint("feed", "resource", "element", "reason", name=op.f("pk_extra_element")),
        comment="elements ever found in extra; how many records hold them now is counted there",
    )
    op.create_index(
        "property_record_extra",
        "property_record",
        ["feed"],
        unique=False,
        sqlite_where=sa.text("extra IS NOT NULL"),
        postgresql_where=sa.text("extra IS NOT NULL"),
    )
    op.execute("DROP VIEW property")
    op.execute(PROPERTY_VIEW)
