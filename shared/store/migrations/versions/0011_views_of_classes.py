"""Views of the classes of generic feeds, and what they read values by"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

DAY = "([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{6})?"

# PostgreSQL's own casts raise errors, and one odd value would make a whole view unreadable. Each test stands in a CASE
# of its own, since the order within AND is PostgreSQL's to choose. No function calls another: whoever reads a view may
# have another search path.
NUMBER = r"length(value) <= 64 AND value ~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$'"
LEAST, MOST = -(1 << 63), (1 << 63) - 1
IN_MONTH = (
    "substr(value, 1, 4) <> '0000' THEN CASE WHEN substr(value, 9, 2)::int <= extract(day FROM make_date("
    "substr(value, 1, 4)::int, substr(value, 6, 2)::int, 1) + interval '1 month' - interval '1 day')"
)
FUNCTIONS = {
    "mlsync_number(value text) RETURNS numeric LANGUAGE sql IMMUTABLE": (
        f"SELECT CASE WHEN {NUMBER} THEN value::numeric END"
    ),
    "mlsync_integer(value text) RETURNS bigint LANGUAGE sql IMMUTABLE": (
        f"SELECT CASE WHEN {NUMBER} THEN CASE WHEN value::numeric BETWEEN {LEAST} AND {MOST} "
        "AND value::numeric = trunc(value::numeric) THEN value::numeric::bigint END END"
    ),
    "mlsync_boolean(value text) RETURNS boolean LANGUAGE sql IMMUTABLE": (
        "SELECT CASE WHEN lower(value) IN ('1', 'true', 'y', 'yes', 't') THEN true "
        "WHEN lower(value) IN ('0', 'false', 'n', 'no', 'f') THEN false END"
    ),
    "mlsync_date(value text) RETURNS date LANGUAGE sql IMMUTABLE": (
        f"SELECT CASE WHEN value ~ '^{DAY}$' THEN CASE WHEN {IN_MONTH} THEN make_date(substr(value, 1, 4)::int, "
        "substr(value, 6, 2)::int, substr(value, 9, 2)::int) END END END"
    ),
    "mlsync_instant(value text) RETURNS timestamptz LANGUAGE sql STABLE": (
        f"SELECT CASE WHEN value ~ '^{DAY}T{CLOCK}Z$' THEN CASE WHEN {IN_MONTH} THEN value::timestamptz END END END"
    ),
    "mlsync_time(value text) RETURNS time LANGUAGE sql STABLE": (
        f"SELECT CASE WHEN value ~ '^{CLOCK}$' THEN value::time END"
    ),
}


def upgrade() -> None:
    op.create_table(
        "metadata_view",
        sa.Column("name", KEY, nullable=False),
        sa.Column("feed", KEY, nullable=False),
        sa.Column("resource", sa.Text(), nullable=False, comment="as the MLS calls it"),
        sa.Column("class_name", sa.Text(), nullable=False, comment="likewise"),
        sa.Column("digest", sa.Text(), nullable=False, comment="of the statement that made it"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_metadata_view")),
        comment="views of the classes of feeds",
    )
    if op.get_bind().dialect.name == "postgresql":
        for head, body in FUNCTIONS.items():
            op.execute(sa.text(f"CREATE FUNCTION {head} AS $body$ {body} $body$".replace(":", r"\:")))
