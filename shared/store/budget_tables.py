"""What each feed's MLS has been asked of late, and until when it wants to be left alone."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from shared.store.listing_tables import KEY
from shared.store.metadata import metadata

budget_use = Table(
    "budget_use",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("kind", KEY, primary_key=True, comment="second, hour or day"),
    Column("upto", BigInteger, primary_key=True, comment="end of this part of the window"),
    Column("requests", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    comment="requests sent and bytes received, as long as they count in a window of the feed's budget",
)

budget_pause = Table(
    "budget_pause",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("until", BigInteger, nullable=False, comment="no request before"),
    Column("reason", Text, nullable=False),
    Column("refused", Text, nullable=False, comment="the transaction; once it is answered again, the line goes"),
    Column("refusals", Integer, nullable=False, comment="in a row"),
    comment="feeds whose MLS asked to be left alone",
)
