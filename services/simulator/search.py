"""The Search transaction: master lists, records by key, records changed since (DDF guide, Search)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from .answers import Answer, Call, RefusedError
from .faults import Faults
from .making import number_of
from .pages import PAGE, Writer, copy_of
from .people import FIRST_AGENT, FIRST_OFFICE
from .vocabulary import CULTURES
from .world import View, World

RESOURCES = ("Property", "Agent", "Office")
_MASTER = re.compile(r"\(\s*ID\s*=\s*(?:\*|0\+)\s*\)", re.IGNORECASE)
_KEYS = re.compile(r"\(\s*ID\s*=([0-9]+(?:,[0-9]+)*)\)", re.IGNORECASE)
_SINCE = re.compile(r"\(\s*LastUpdated\s*=\s*([0-9T:.Z+-]+)\s*\)", re.IGNORECASE)


def search(world: World, call: Call, faults: Faults) -> Answer:
    """Answer a Search. Raises RefusedError with 20201, 20203, 20206, 20207, 20208 or 20210."""
    if faults.strikes("throttle-20210"):
        raise RefusedError(20210, "Too Many Outstanding Queries")
    resource = call.get("searchtype")
    if resource not in RESOURCES or call.get("class") != resource:
        raise RefusedError(20203, f"SearchType and Class must be equal and one of {', '.join(RESOURCES)}")
    if faults.on("refused-resource") == resource:
        raise RefusedError(20207, "Unauthorized Query")
    if call.get("querytype") != "DMQL2":
        raise RefusedError(20203, "QueryType must be DMQL2")
    if call.get("format", "STANDARD-XML").upper() != "STANDARD-XML":
        raise RefusedError(20203, "Format is not supported: use STANDARD-XML")
    count = call.get("count", "1") or "1"
    if count not in ("0", "1", "2"):
        raise RefusedError(20203, "Count must be 0, 1 or 2")
    culture = call.get("culture", CULTURES[0]) or CULTURES[0]
    if culture not in CULTURES:
        raise RefusedError(20203, f"Culture must be one of {', '.join(CULTURES)}")
    view, query = world.view(), call.get("query")
    writer = Writer(view, resource, call.base, CULTURES.index(culture), faults)
    if _MASTER.fullmatch(query):
        return writer.master(count)
    if keys := _KEYS.fullmatch(query):
        return writer.details(count, _by_key(view, resource, keys[1], faults))
    if since := _SINCE.fullmatch(query):
        numbers = world.changed_since(resource, view, _instant(since[1]))
        limit, offset = _paging(call, len(numbers))
        first = 0 if faults.on("offset-ignored") else offset - 1
        return writer.details(count, numbers[first : first + limit], len(numbers), limit, offset)
    raise RefusedError(20206, "Query must be (ID=*), (ID=key,…) or (LastUpdated=…), URL-encoded")


def number_in(resource: str, key: str) -> int | None:
    """The number behind a key of a resource, living or not; None when it can be none."""
    if resource == "Property":
        return number_of(key)
    first = FIRST_AGENT if resource == "Agent" else FIRST_OFFICE
    return int(key) - first if key.isascii() and key.isdigit() and len(key) <= 9 and int(key) >= first else None


def _by_key(view: View, resource: str, text: str, faults: Faults) -> list[int]:
    keys = dict.fromkeys(text.split(","))
    if len(keys) > PAGE:
        raise RefusedError(20208, f"Maximum Records Exceeded: at most {PAGE} IDs")
    numbers = (number_in(resource, key) for key in keys)
    if resource == "Property":
        return [n for n in numbers if n is not None and copy_of(view, n, faults).listings.has(n)]
    snapshot = view.snapshot(resource)
    return [number for number in numbers if number is not None and snapshot.has(number)]


def _paging(call: Call, total: int) -> tuple[int, int]:
    limit, offset = call.get("limit", "None") or "None", call.get("offset", "1") or "1"
    if not re.fullmatch(r"\d{1,9}|none", limit, re.IGNORECASE) or not re.fullmatch(r"\d{1,9}", offset):
        raise RefusedError(20203, "Limit and Offset must be numbers")
    wanted = max(total, 1) if limit.lower() == "none" else int(limit)
    if wanted > PAGE:
        raise RefusedError(20208, f"Maximum Records Exceeded: Limit is at most {PAGE}")
    if not wanted or not int(offset):
        raise RefusedError(20203, "Limit and Offset start at 1")
    return wanted, int(offset)


def _instant(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(20206, "LastUpdated must be a date or an instant such as 2024-03-05T14:00:00Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
