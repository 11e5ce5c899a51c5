"""Columns that US boards fill"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COLUMNS: dict[str, dict[str, tuple[sa.types.TypeEngine[Any], str]]] = {
    "property_record": {
        "property_type": (sa.Text(), "Kind of property, by which boards divide their listings"),
        "standard_status": (sa.Text(), "Status in the words of the Data Dictionary"),
        "mls_status": (sa.Text(), "Status in the board's own words"),
        "original_list_price": (sa.Numeric(14, 2), "First asking price"),
        "close_price": (sa.Numeric(14, 2), "Price of the sale"),
        "close_date": (sa.Date(), "Date of the sale"),
        "on_market_date": (sa.Date(), "When the listing came on the market"),
        "county_or_parish": (sa.Text(), "County, parish or the like"),
        "bathrooms_full": (sa.Integer(), "Number of full bathrooms"),
        "garage_spaces": (sa.Numeric(14, 4), "Number of spaces in garages"),
    },
    "member": {
        "member_mls_id": (sa.Text(), "The board's number of the agent"),
        "member_preferred_phone": (sa.Text(), "Telephone number"),
        "member_email": (sa.Text(), "E-mail address"),
    },
    "office": {
        "office_mls_id": (sa.Text(), "The board's number of the office"),
        "office_phone": (sa.Text(), "Telephone number"),
        "office_email": (sa.Text(), "E-mail address"),
    },
}


def upgrade() -> None:
    op.execute("DROP VIEW property")
    for table, columns in COLUMNS.items():
        for name, (kind, about) in columns.items():
            op.add_column(table, sa.Column(name, kind, nullable=True, comment=about))
    op.execute(_property_view())


def _property_view() -> str:
    """The view as it is from this revision on, over the columns the wide table has by now."""
    geocoded = "(r.latitude IS NULL OR r.longitude IS NULL) AND g.latitude IS NOT NULL"
    columns = ", ".join(
        f"CASE WHEN {geocoded} THEN g.{name} ELSE r.{name} END AS {name}"
        if name in ("latitude", "longitude")
        else f'r."{name}"'
        for name in (column["name"] for column in sa.inspect(op.get_bind()).get_columns("property_record"))
    )
    return (
        f'CREATE VIEW property AS SELECT {columns}, l.modification_timestamp, v1.lookup_value AS "list_aor", '
        "CASE WHEN r.latitude IS NOT NULL AND r.longitude IS NOT NULL THEN 'mls' ELSE g.source END "
        f"AS coordinates_source, CASE WHEN {geocoded} THEN g.precision END AS coordinates_precision "
        "FROM property_record r "
        "JOIN ledger l ON l.feed = r.feed AND l.resource = 'property' AND l.key = r.listing_key "
        "LEFT JOIN listing_address a ON a.feed = r.feed AND a.listing_key = r.listing_key "
        "LEFT JOIN geocode g ON g.address = a.address AND g.latitude IS NOT NULL "
        "LEFT JOIN lookup v1 ON v1.feed = r.feed AND v1.resource_name = 'property' AND v1.lookup_name = 'Boards' "
        'AND v1.code = r."list_aor_key"'
    )
