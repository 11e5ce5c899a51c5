"""The tables of geocoding: which listings lack coordinates, where their addresses are, how a geocoder is doing.

No row of a listing is touched by geocoding: the view ``property`` puts both together.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Numeric, Table, Text

from shared.store.listing_tables import KEY
from shared.store.metadata import metadata

listing_address = Table(
    "listing_address",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("listing_key", KEY, primary_key=True),
    Column("address", KEY, comment="normalised; null: the listing says too little of where it is"),
    comment="stored listings for which the MLS has no coordinates, with their addresses",
)
Index("listing_address_address", listing_address.c.address)

geocode = Table(
    "geocode",
    metadata,
    Column("address", KEY, primary_key=True, comment="street|locality|city|province|postal code|country"),
    Column("latitude", Numeric(18, 15), comment="degrees north; null: not located so far"),
    Column("longitude", Numeric(18, 15), comment="degrees east"),
    Column("precision", Text, comment="rooftop, interpolated, street, neighbourhood, postcode or city"),
    Column("source", Text, comment="host of the geocoder that was asked last"),
    Column("found_at", BigInteger),
    Column("asked", Integer, nullable=False, comment="questions of this round that brought nothing"),
    Column("misses", Integer, nullable=False, comment="rounds that brought nothing"),
    Column("failures", Integer, nullable=False, comment="times in a row that no answer came"),
    Column("next_attempt_at", BigInteger, nullable=False, comment="not to be asked for before"),
    Column("reason", Text, comment="why it is not located"),
    comment="what a geocoder said of each address, in vain too",
)
Index(
    "geocode_due",
    geocode.c.next_attempt_at,
    geocode.c.address,
    sqlite_where=geocode.c.latitude.is_(None),
    postgresql_where=geocode.c.latitude.is_(None),
)

geocoder = Table(
    "geocoder",
    metadata,
    Column("source", KEY, primary_key=True, comment="its host"),
    Column("not_before", BigInteger, nullable=False, comment="when it may be asked again, by whichever process"),
    Column("failures", Integer, nullable=False, comment="in a row, the last included"),
    Column("reason", Text, comment="why it failed last"),
    Column("told_until", BigInteger, nullable=False, comment="until when a message about it is known to be on its way"),
    comment="how each geocoder is doing",
)

derived = Table(
    "derived",
    metadata,
    Column("name", KEY, primary_key=True),
    Column("version", Integer, nullable=False),
    comment="the rules by which rows that follow from others were made; of an older version they are made anew",
)
