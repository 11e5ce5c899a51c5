"""What `status` says of metadata and odd elements: short, and safe whatever an MLS calls things."""

from __future__ import annotations

import io
import json
from dataclasses import replace

from rich.console import Console

from services.oddities import SHOWN, with_columns
from services.report import NEVER, print_status, status_json
from shared.lookups import MetadataVersion
from shared.mapping.extra import Oddity, Tally
from shared.store.base import FeedStatus, MetadataState

VERSION = MetadataVersion("1.0.12", "2024-01-15T00:00:00Z", "1.0.2", "en-CA")
AT = 1_800_000_000_000_000


def printed(status: FeedStatus) -> list[str]:
    out = io.StringIO()
    print_status(Console(file=out, width=100), {"ddf": status})
    return out.getvalue().splitlines()


def test_a_feed_without_oddities_says_nothing_of_them() -> None:
    lines = printed(NEVER)
    assert lines[-1].split() == ["metadata", "never", "read"]
    found = status_json(NEVER)
    assert (found["unknown"], found["unfit"], found["unlisted"]) == ([], [], 0)
    assert found["metadata"]["version"] is found["metadata"]["failure"] is None


def test_metadata_are_shown_with_their_version_and_age() -> None:
    state = MetadataState(VERSION, AT, 7200.0, values=420, removed=3)
    assert printed(replace(NEVER, metadata=state))[-1].split() == ["metadata", "1.0.12,", "2", "h", "ago"]
    assert status_json(replace(NEVER, metadata=state))["metadata"] == {
        "version": "1.0.12", "timestamp": "2024-01-15T00:00:00Z", "language": "en-CA",
        "read_at": "2027-01-15T08:00:00Z", "values": 420, "removed": 3, "failure": None,
        "changed_at": None, "changes": [], "removed_fields": [], "untold": [],
    }  # fmt: skip


def test_the_last_failure_of_metadata_is_shown_with_its_reason_and_when_they_are_tried_again() -> None:
    failed = replace(VERSION, version="1.0.13")
    state = MetadataState(VERSION, AT, 7200.0, failed, AT, "it is \x1b[31mempty", 4, AT + 3_600_000_000)
    assert printed(replace(NEVER, metadata=state))[-1] == (
        "ddf: metadata 1.0.13 could not be read (4 times): it is \\x1b[31mempty; next tried 2027-01-15T09:00:00Z"
    )
    assert status_json(replace(NEVER, metadata=state))["metadata"]["failure"] == {
        "version": "1.0.13", "reason": "it is \x1b[31mempty", "attempts": 4, "failed_at": "2027-01-15T08:00:00Z",
        "next_attempt_at": "2027-01-15T09:00:00Z",
    }  # fmt: skip


def test_unknown_elements_and_values_that_do_not_fit_are_named_and_counted() -> None:
    extra = Tally(
        (
            Oddity("property", "NewThing", "", 412, AT, AT),
            Oddity("property", "Price", "number", 17, AT, AT),
            Oddity("member", "Mood", "", 1),
        )
    )
    status = replace(NEVER, extra=with_columns(extra, "ddf"))
    assert printed(status)[-2:] == [
        "ddf: unknown elements: NewThing (412 listings), Mood (1 member)",
        "ddf: values that do not fit: Price for list_price (number, 17 listings)",
    ]
    found = status_json(status)
    at = "2027-01-15T08:00:00Z"
    assert found["unknown"] == [
        {"resource": "property", "element": "NewThing", "records": 412, "first_seen_at": at, "last_seen_at": at},
        {"resource": "member", "element": "Mood", "records": 1, "first_seen_at": None, "last_seen_at": None},
    ]
    assert found["unfit"] == [
        {"resource": "property", "element": "Price", "records": 17, "first_seen_at": at, "last_seen_at": at,
         "column": "property_record.list_price", "reason": "number"},
    ]  # fmt: skip


def test_hostile_names_are_cut_escaped_and_never_markup() -> None:
    names = ["\x1b]0;owned\x07", "\u202egnp.exe", "[bold red]x[/]", "a\nb", "x" * 200]
    extra = Tally(tuple(Oddity("property", name, "", 5) for name in names) + (Oddity("office", "y", "", 1),) * 50, 7)
    *_, line, more = printed(replace(NEVER, extra=extra))
    assert line == (
        "ddf: unknown elements: \\x1b]0;owned\\x07 (5 listings), \\u202egnp.exe (5 listings), "
        f"[bold red]x[/] (5 listings), a\\nb (5 listings), {'x' * 59}… (5 listings), "
        + "y (1 office), " * (SHOWN - 5)
        + f"{55 - SHOWN} more, see --json"
    )
    assert more == "ddf: and 7 more unknown elements or values that do not fit"
    assert "\x1b" not in json.dumps(status_json(replace(NEVER, extra=extra)))
