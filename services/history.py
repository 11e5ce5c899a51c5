"""What changed of a record, for people and scripts."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from shared.instants import instant
from shared.settings import SettingsError
from shared.store.base import HistoryEntry, Store, StoreError
from shared.store.tables import TABLES_OF
from shared.telemetry import escape

SHOWN = 160
"""Characters of a value that people are shown; scripts get it whole."""


def check_field(field: str | None) -> None:
    """Raise SettingsError when no record has such a field."""
    known = {"media"}
    for own, parts in TABLES_OF.values():
        known |= {column.name for column in own.columns} | {part.name for part in parts}
    if field is not None and field not in known:
        near = difflib.get_close_matches(field, known, 1)
        hint = f"; did you mean {near[0]}?" if near else "; see the data dictionary"
        raise SettingsError(f"--field {escape(field)}: no column or table of parts has this name{hint}")


def feeds_with(store: Store, resource: str, key: str, feed: str | None) -> list[str]:
    """The feeds that know the record, or ``feed`` if it is one of them. Raises StoreError when there is none."""
    found = store.history.feeds(resource, key)
    if feed is not None and feed not in found:
        elsewhere = f"; {', '.join(found)} does" if found else ""
        raise StoreError(f"{feed} has no {resource} {key} and no history of one{elsewhere}")
    if not found:
        raise StoreError(f"no feed has a {resource} {key} or a history of one; a key is the MLS's, as in listing_key")
    return found if feed is None else [feed]


def as_lines(store: Store, feeds: Sequence[str], resource: str, key: str, field: str | None) -> Iterator[str]:
    """Every entry as a line of JSON, oldest first; names are those of the table ``history_transactional``."""
    for feed in feeds:
        for entry in store.history.entries(feed, resource, key, field):
            yield json.dumps({**asdict(entry), "observed_at": instant(entry.observed_at)}, ensure_ascii=True)


def print_history(
    console: Console, store: Store, feeds: Sequence[str], resource: str, key: str, field: str | None
) -> None:
    """A table for each feed, newest last."""
    for feed in feeds:
        record = f"{feed}: {resource} {escape(key)}"
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("when", "field", "from", "to"):
            table.add_column(name, overflow="fold", no_wrap=name in ("when", "field"))
        for entry in store.history.entries(feed, resource, key, field):
            table.add_row(
                entry.modification_timestamp, _what(entry), _short(entry.previous_value), _short(entry.new_value)
            )
        if table.row_count:
            console.print(record, markup=False, highlight=False, soft_wrap=True)
            console.print(table, markup=False, highlight=False)
        else:
            what = f"change of {field}" if field else "change"
            console.print(f"{record}: no {what} seen since it was first read", markup=False, soft_wrap=True)


def _what(entry: HistoryEntry) -> str:
    return " ".join(word for word in (entry.field_name, entry.change_type and f"({entry.change_type})") if word)


def _short(value: str | None) -> str:
    if value is None:
        return ""
    text = escape(value[:SHOWN])
    return f"{text}… ({len(value):,} characters)" if len(value) > SHOWN else text
