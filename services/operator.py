"""What an operator decides: removals held, and things set aside."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from services.app import SERVICES, App, open_store
from services.sync import settle
from shared.instants import instant
from shared.messages import TYPES, Envelope, PageFetched, SourceRecord, UndecodableError, decode
from shared.outbox import new_id
from shared.settings import Settings
from shared.sources.base import SourceError
from shared.sources.saved import read_saved
from shared.store.base import Hold, Parked, Store, StoreError
from shared.telemetry import escape


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """The store, checked, for a look or a decision beside a process that may be working. Raises StoreError."""
    store = open_store(settings)
    try:
        store.check()
        yield store
    finally:
        store.close()


def print_holds(console: Console, holds: Sequence[Hold]) -> None:
    """One line a feed, resource and state, with what to do next."""
    groups: dict[tuple[str, str, str, int], int] = {}
    for hold in holds:
        group = (hold.feed, hold.resource, hold.state, hold.by)
        groups[group] = groups.get(group, 0) + 1
    if not groups:
        console.print("no removal is held")
    for (feed, resource, state, by), count in groups.items():
        what = "wait for the next inventory" if state == "approved" else "are held"
        console.print(
            f"{feed}: {count:,} of {resource} {what}; the inventory of {instant(by)} lacked them",
            markup=False,
            soft_wrap=True,
        )
    if any(hold.state == "held" for hold in holds):
        console.print(
            "look: mlsync removals show FEED; decide: mlsync removals approve FEED, or discard FEED", soft_wrap=True
        )


def holds_json(holds: Sequence[Hold]) -> str:
    """Every hold, as JSON."""
    return json.dumps(
        [
            {"feed": hold.feed, "resource": hold.resource, "key": hold.key, "state": hold.state,
             "since": instant(hold.since), "by": instant(hold.by)}
            for hold in holds
        ]
    )  # fmt: skip


def print_parked(console: Console, parked: Sequence[Parked]) -> None:
    """One line for each thing in quarantine."""
    if not parked:
        console.print("quarantine is empty")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "feed", "what", "since", "reason"):
        table.add_column(name, overflow="fold")
    for item in parked:
        what = item.key if item.kind == "message" else f"{item.resource} {item.key}"
        table.add_row(item.id, item.feed, escape(what), instant(item.at), escape(item.reason))
    console.print(table)


def parked_json(item: Parked) -> dict[str, Any]:
    """One thing in quarantine with what it holds, readable where it is msgpack."""
    try:
        body: Any = msgspec.msgpack.decode(item.body)
    except msgspec.MsgspecError:
        body = item.body.decode(errors="replace") if item.kind == "xml" else {"base64": item.body}
    return {
        "id": item.id, "feed": item.feed, "resource": item.resource, "key": item.key, "kind": item.kind,
        "reason": item.reason, "observed_at": instant(item.observed_at), "at": instant(item.at), "body": body,
    }  # fmt: skip


def chosen(parked: Sequence[Parked], ids: Sequence[str]) -> list[Parked]:
    """The things with these ids (all of them for none). Raises StoreError for an id that is not there."""
    by_id = {item.id: item for item in parked}
    for wanted in ids:
        if wanted not in by_id:
            raise StoreError(f"{wanted} is not in quarantine; see mlsync quarantine list")
    return [by_id[wanted] for wanted in ids] if ids else list(parked)


def replay(settings: Settings, ids: Sequence[str]) -> tuple[int, int]:
    """Handle things again, as they were observed then; ``(replayed, still in quarantine)``.

    With a broker the processes that run do it; what they have not done within ten seconds counts as still there.
    """
    app = App(settings)
    run_id = new_id()
    with app.running(SERVICES if app.form.alone else ()):
        wanted = chosen(app.store.quarantine.list(), ids)
        for item in wanted:
            publish = _again(item)
            if publish is None:
                continue
            if item.kind == "message":
                app.store.quarantine.drop([item.id])  # parked anew if it fails again
            publish(app, run_id)
        asked = {item.id for item in wanted}
        settle(app, run_id, 60.0 if app.form.alone else 10.0, lambda _: None, lambda: not asked & _parked(app))
        app.drain_dead()
        left = _parked(app)
    return len(wanted), sum(item.id in left for item in wanted)


def _parked(app: App) -> set[str]:
    return {item.id for item in app.store.quarantine.list()}


def _record(item: Parked) -> SourceRecord | None:
    """The record set aside; None when it is XML that this version cannot read either."""
    if item.kind == "record":
        return msgspec.msgpack.decode(item.body, type=SourceRecord)
    try:
        _, records, _ = read_saved([b'<RETS ReplyCode="0">', item.body, b"</RETS>"])
    except SourceError:
        return None
    return records[0] if len(records) == 1 else None


def _again(item: Parked) -> Callable[[App, str], None] | None:
    """How to publish it again; None for bytes that are neither a message nor a record."""
    if item.kind in ("record", "xml"):
        record = _record(item)
        if record is None:
            return None
        page = PageFetched(
            feed=item.feed, resource=item.resource, observed_at=item.observed_at, server_date=None, asked=[],
            records=[record],
        )  # fmt: skip
        return lambda app, run_id: app.outbox.publish(page, run_id)
    name = item.key.split(" ")[0]
    if name not in TYPES:
        return None
    envelope = Envelope(new_id(), name, new_id(), item.at, msgspec.Raw(item.body))
    body = msgspec.msgpack.encode(envelope)
    try:
        queue = decode(body)[1].queue
    except UndecodableError:
        return None
    return lambda app, _: app.transport.publish(queue, body)
