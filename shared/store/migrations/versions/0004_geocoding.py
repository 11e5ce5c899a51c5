"""Coordinates of addresses"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "derived",
        sa.Column("name", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_derived")),
        comment="the rules by which rows that follow from others were made; of an older version they are made anew",
    )
    op.create_table(
        "geocode",
        sa.Column("address", KEY, nullable=False, comment="street|locality|city|province|postal code|country"),
        sa.Column("latitude", sa.Numeric(18, 15), nullable=True, comment="degrees north; null: not located so far"),
        sa.Column("longitude", sa.Numeric(18, 15), nullable=True, comment="degrees east"),
        sa.Column(
            "precision",
            sa.Text(),
            nullable=True,
            comment="rooftop, interpolated, street, neighbourhood, postcode or city",
        ),
        sa.Column("source", sa.Text(), nullable=True, comment="host of the geocoder that was asked last"),
        sa.Column("found_at", sa.BigInteger(), nullable=True),
        sa.Column("asked", sa.Integer(), nullable=False, comment="questions of this round that brought nothing"),
        sa.Column("misses", sa.Integer(), nullable=False, comment="rounds that brought nothing"),
        sa.Column("failures", sa.Integer(), nullable=False, comment="times in a row that no answer came"),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False, comment="not to be asked for before"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it is not located"),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_geocode")),
        comment="what a geocoder said of each address, in vain too",
    )
    op.create_index(
        "geocode_due",
        "geocode",
        ["next_attempt_at", "address"],
        unique=False,
        sqlite_where=sa.text("latitude IS NULL"),
        postgresql_where=sa.text("latitude IS NULL"),
    )
    op.create_table(
        "geocoder",
        sa.Column("source", KEY, nullable=False, comment="its host"),
        sa.Column(
            "not_before", sa.BigInteger(), nullable=False, comment="when it may be asked again, by whichever process"
        ),
        sa.Column("failures", sa.Integer(), nullable=False, comment="in a row, the last included"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it failed last"),
        sa.Column(
            "told_until",
            sa.BigInteger(),
            nullable=False,
            comment="until when a message about it is known to be on its way",
        ),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_geocoder")),
        comment="how each geocoder is doing",
    )
    op.create_table(
        "listing_address",
        sa.Column("feed", KEY, nullable=False),
        sa.Column("listing_key", KEY, nullable=False),
        sa.Column(
            "address", KEY, nullable=True, comment="normalised; null: the listing says too little of where it is"
        ),
        sa.PrimaryKeyConstraint("feed", "listing_key", name=op.f("pk_listing_address")),
        comment="stored listings for which the MLS has no coordinates, with their addresses",
    )
    op.create_index("listing_address_address", "listing_address", ["address"], unique=False)
    op.execute("DROP VIEW property")
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
        f"CREATE VIEW property AS SELECT {columns}, l.modification_timestamp, "
        "CASE WHEN r.latitude IS NOT NULL AND r.longitude IS NOT NULL THEN 'mls' ELSE g.source END "
        f"AS coordinates_source, CASE WHEN {geocoded} THEN g.precision END AS coordinates_precision "
        "FROM property_record r "
        "JOIN ledger l ON l.feed = r.feed AND l.resource = 'property' AND l.key = r.listing_key "
        "LEFT JOIN listing_address a ON a.feed = r.feed AND a.listing_key = r.listing_key "
        "LEFT JOIN geocode g ON g.address = a.address AND g.latitude IS NOT NULL"
    )
