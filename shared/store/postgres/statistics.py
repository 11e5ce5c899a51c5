"""What PostgreSQL's planner knows of the tables, kept up by whoever makes them grow.

Every key begins with the feed, of which there are few. A planner that was never told so takes it that a feed has one
row in two hundred, and reads by whatever index begins with it: all rows of a feed, for those of a page. The server's
own statistics come minutes late, and a first load is over, or slow, by then; so do they in a database restored.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from shared.store.metadata import metadata

EVERY = 10
"""Transactions that insert after which somebody looks."""
LEAST = 32
"""Pages of a table below which any plan will do."""
SAMPLE = 10
"""Of PostgreSQL's hundred: 3,000 rows tell how often a feed occurs."""
GROWN = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = to_regnamespace(current_schema()) AND relname = ANY(%s)
AND pg_relation_size(oid) / 8192 > greatest(%s, CASE WHEN EXISTS (
    SELECT 1 FROM pg_stats WHERE schemaname = current_schema() AND tablename = relname
) THEN 2 * relpages ELSE 0 END)
"""


def refresh(session: psycopg.Connection[Any]) -> None:
    """Have the keys of tables counted that have doubled since they were; outside any transaction.

    Of another who counts at the same time it is not in the way.
    """
    grown = session.execute(GROWN, (list(metadata.tables), LEAST)).fetchall()
    if not grown:
        return
    tables = [
        sql.SQL("{} ({})").format(sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, _keys(name))))
        for (name,) in sorted(grown)
    ]
    with session.transaction():
        session.execute("SELECT set_config('lock_timeout', '100ms', true)")
        session.execute(sql.SQL("SET LOCAL default_statistics_target = {}").format(SAMPLE))
        session.execute(sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(tables)))


def _keys(table: str) -> list[str]:
    """The columns that are in any index."""
    found = metadata.tables[table]
    columns = {column.name for index in found.indexes for column in index.columns}
    return sorted(columns | {column.name for column in found.primary_key.columns})
