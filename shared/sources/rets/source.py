"""Any RETS server as a Source (RETS 1.5 to 1.8): what to ask is what its metadata say, and the feed's settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import structlog

from shared.lookups import LookupValue, Metadata, MetadataDocument, MetadataVersion
from shared.mapping.times import parse_stamp
from shared.messages import BrokenRecord, SourceRecord
from shared.rets.answer import Answer
from shared.rets.codes import speaks_of_class
from shared.rets.dmql.build import at_least, at_most, both, either, equals
from shared.rets.dmql.errors import DmqlError
from shared.rets.dmql.tree import Query
from shared.rets.errors import RetsParseError, RetsReplyError
from shared.rets.inventory import distinct
from shared.rets.objects import ObjectRequest, RetsObject, holds_one, read_all, read_objects
from shared.rets.rows import RowsReader, in_some_format, is_decoded, refuses_format
from shared.rets.schema.fetch import fetch_metadata
from shared.rets.schema.types import System
from shared.rets.search import Ending, Search, SearchFormat
from shared.rets.session import RetsSession
from shared.rets.stranger import html_page
from shared.sources.base import Inventory, Page, PhotoObject, SourceRefusedError, SourceUnreadableError
from shared.sources.rets.plan import ClassPlan, MediaPlan, Plan, ResourcePlan
from shared.sources.rets.rows import INDICATOR, Row, RowReader, stamp_of, with_open_houses
from shared.sources.rets.state import RetsState
from shared.sources.rets.windows import MOST, STALLED, cut, rank

MAX_KEYS: Final = 100
"""Records asked for in one request."""
MAX_SINGLES: Final = 100
"""Photos of one record that are asked for one by one; the others wait for the next time."""
_MOST_ROWS: Final = 20_000_000
_MARGIN: Final = timedelta(minutes=1)
"""What changed so long before the server's clock is looked at twice."""
_NO_OBJECTS: Final = frozenset({"20400", "20401"})
"""What servers say whose photos are not to be had by GetObject at all."""
_FIELDS_UNKNOWN: Final = frozenset({"20200", "20202"})
_CLASS_UNKNOWN: Final = "20203"
"""A miscellaneous error, but also all that servers have to say of a class that they do not have (any more)."""
_RANGE_REFUSED: Final = frozenset({"20200", "20203", "20206", "20211"})
_DROPS: Final = 20
"""Times that fields are left out of one request before it is given up."""
_SAID_LENGTH: Final = 64

T = TypeVar("T")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Answered:
    rows: list[Row]
    ended: Ending
    broken: list[BrokenRecord]
    server_date: int | None
    in_format: bool
    decoded: bool


@dataclass(slots=True)
class _Listed:
    """The keys of a class by their rows; ``requests`` is how many it took, ``doubt`` why they may not be all."""

    rows: list[Row] = field(default_factory=list)
    doubt: str = ""
    requests: int = 0
    server_date: int | None = None

    def suspect(self, doubt: str) -> None:
        self.doubt = self.doubt or doubt


class _NoRangesError(Exception):
    """The server does not take ranges over a field, or takes no notice of them."""


class RetsSource:
    """One login at one RETS server. Implements ``shared.sources.base.Source`` for ``property``, ``member`` and
    ``office``; open houses are parts of their listings, and a change to one changes its listing's stamp.

    Fields are always named; those that the server does not know (any more) are left out after its metadata were read
    again. Offsets are never used.
    """

    def __init__(self, session: RetsSession, state: RetsState) -> None:
        self._session = session
        self._state = state
        self._asked: ClassPlan | None = None

    def login(self) -> None:
        """Open a session if none is open."""
        self._session.login()

    def explain(self) -> list[str]:
        """What is asked for, in words. Logs in, and reads the metadata."""
        return list(self._plan().in_words())

    def inventory(self, resource: str) -> Inventory:
        """Every key of every class, in as few requests as the server lets one.

        It is proven when every answer was whole, by the server's own count. Rows may move between classes while these
        are read one after the other: so what changed meanwhile is looked at again at the end.
        """
        return self._as_planned(lambda plan: self._inventory(plan, plan.resource(resource)))

    def _inventory(self, plan: Plan, resource: ResourcePlan) -> Inventory:
        said: list[str] = []
        shows = self._open_house_stamps(plan) if resource.kind == "property" else {}
        packed: list[bytes] = []
        keyless = 0
        began: int | None = None
        dates: list[int | None] = []
        for again in (False, True) if len(resource.classes) > 1 else (False,):
            for each in resource.classes:
                since = datetime.fromtimestamp(began / 1_000_000, UTC) - _MARGIN if again and began else None
                listed = self._listed(each, plan, since)
                dates.append(listed.server_date)
                if listed.doubt:
                    said.append(f"class {each.name}: {listed.doubt}")
                for row in listed.rows:
                    key = row.get(each.key, "")
                    if not key:
                        keyless += 1
                        continue
                    if len(resource.classes) > 1:
                        self._state.seen(key, each.name)
                    stamp = stamp_of(row, each, plan.zone)
                    if key in shows:
                        stamp = with_open_houses(stamp, shows[key])
                    packed.append(f"{key}\0{stamp}".encode())
            began = dates[0] if dates else None
        if keyless:
            said.append(f"{keyless} rows have no key")
        return Inventory(
            distinct(packed), dates[0] if dates else None, proven=not said, doubt="; ".join(said),
            untold=dict(resource.stopped),
        )  # fmt: skip

    def _open_house_stamps(self, plan: Plan) -> dict[str, list[tuple[str, str]]]:
        """By listing the keys and stamps of its open houses. One overlooked is no reason to doubt the listings: the
        next inventory tells."""
        found: dict[str, dict[str, str]] = {}
        for each in self._open_houses(plan):
            listed = self._listed(each, plan, None)
            if listed.doubt:
                _log.info("open houses may not be all there are", doubt=listed.doubt)
            for row in listed.rows:
                if listing := row.get(each.listing, ""):
                    found.setdefault(listing, {})[row.get(each.key, "")] = stamp_of(row, each, plan.zone)
        return {listing: list(shows.items()) for listing, shows in found.items()}

    def _open_houses(self, plan: Plan) -> Sequence[ClassPlan]:
        found = plan.resources.get("open_house")
        return found.classes if found is not None else ()

    def records(self, resource: str, keys: Sequence[str]) -> Page:
        """Every field by key, with their open houses; a request or more for each class. Raises ValueError for more than
        100 keys."""
        if len(keys) > MAX_KEYS:
            raise ValueError(f"{len(keys)} keys asked for; a request takes {MAX_KEYS}")
        askable = [key for key in keys if key and key.isprintable()]
        unaskable = [key for key in keys if key not in askable]
        if not askable:
            return Page([], None, unaskable=unaskable)
        return self._as_planned(lambda plan: self._records(plan, plan.resource(resource), askable, unaskable))

    def _records(self, plan: Plan, resource: ResourcePlan, keys: list[str], unaskable: list[str]) -> Page:
        found: dict[str, tuple[ClassPlan, Row, bool]] = {}
        broken: list[BrokenRecord] = []
        dates: list[int | None] = []
        for known in (True, False):
            for each in resource.classes:
                wanted = [key for key in keys if key not in found and self._is_known(resource, key, each) is known]
                if wanted:
                    answered = self._by_keys(each, each.key, wanted)
                    broken += answered.broken
                    dates.append(answered.server_date)
                    for row in answered.rows:
                        found[row.get(each.key, "")] = each, row, answered.decoded
        shows = self._shows(plan, list(found)) if resource.kind == "property" and found else {}
        readers: dict[tuple[str, bool], RowReader] = {}
        records: list[SourceRecord] = []
        for key, (each, row, decoded) in found.items():
            self._state.seen(key, each.name)
            reader = readers.get((each.name, decoded))
            if reader is None:
                reader = readers[each.name, decoded] = RowReader(each, resource.lookups, plan.zone, decoded=decoded)
            records.append(reader.record(row, shows.get(key, ())))
        return Page(records, dates[0] if dates else None, broken=broken, unaskable=unaskable)

    def _is_known(self, resource: ResourcePlan, key: str, each: ClassPlan) -> bool:
        return len(resource.classes) == 1 or self._state.class_of(key) == each.name

    def _shows(self, plan: Plan, keys: list[str]) -> dict[str, list[dict[str, Any]]]:
        """By listing its open houses, each in the order of their keys."""
        found: dict[str, list[dict[str, Any]]] = {}
        for each in self._open_houses(plan):
            answered = self._by_keys(each, each.listing, keys)
            reader = RowReader(each, plan.resources["open_house"].lookups, plan.zone, decoded=answered.decoded)
            rows = {row.get(each.key, ""): row for row in answered.rows}
            for _, row in sorted(rows.items()):
                found.setdefault(row.get(each.listing, ""), []).append(reader.open_house(row))
        return found

    def _by_keys(self, each: ClassPlan, name: str, keys: list[str]) -> _Answered:
        """All rows of a class in which a field has one of ``keys``.

        Where the server caps its answer, those that did not come are asked for again; by another field than the key,
        which several rows may share, half of them at a time.

        Raises SourceUnreadableError when there is no end to that.
        """
        answered = self._search(each, equals(name, *keys), each.select)
        if not _capped(answered):
            return answered
        if name == each.key:
            came = {row.get(name, "") for row in answered.rows}
            parts = [[key for key in keys if key not in came]]
        else:
            middle = len(keys) // 2
            parts = [keys[:middle], keys[middle:]]
        if len(parts[-1]) == len(keys):
            raise SourceUnreadableError(f"class {each.name}: the server gives only some of the rows of one {name}")
        found = [self._by_keys(each, name, part) for part in parts if part]
        if name == each.key:
            found.insert(0, answered)
        rows, broken = [row for part in found for row in part.rows], [each for part in found for each in part.broken]
        return replace(answered, rows=rows, broken=broken)

    def changes(self, resource: str, since: int, limit: int) -> Iterator[Page]:
        """First the keys of what changed, its photos and open houses included, then the records by key.

        Raises ValueError for a limit that no request takes.
        """
        if not 1 <= limit <= MAX_KEYS:
            raise ValueError(f"{limit} records asked for; a request takes 1 to {MAX_KEYS}")
        return self._changes(resource, datetime.fromtimestamp(since // 1_000_000, UTC), limit)

    def _changes(self, resource: str, since: datetime, limit: int) -> Iterator[Page]:
        keys, doubt, date = self._as_planned(lambda plan: self._changed(plan, plan.resource(resource), since))
        if not keys:
            yield Page([], date, doubt)
        for start in range(0, len(keys), limit):
            page = self.records(resource, keys[start : start + limit])
            yield Page(page.records, page.server_date, doubt, page.broken)

    def _changed(self, plan: Plan, resource: ResourcePlan, since: datetime) -> tuple[list[str], str, int | None]:
        keys: dict[str, None] = {}
        doubts: list[str] = []
        dates: list[int | None] = []
        asked = [(each, each.key) for each in resource.classes]
        if resource.kind == "property":
            asked += [(each, each.listing) for each in self._open_houses(plan)]
        for each, name in asked:
            if not each.stamp:
                doubts.append(f"class {each.name} has no timestamp to ask for changes by")
                continue
            listed = self._listed(each, plan, since)
            dates.append(listed.server_date)
            if listed.doubt:
                doubts.append(f"class {each.name}: {listed.doubt}")
            keys |= dict.fromkeys(row[name] for row in listed.rows if row.get(name))
        return list(keys), "; ".join(doubts), dates[0] if dates else None

    def metadata_version(self) -> MetadataVersion | None:
        """What the login said (RETS 1.7.2 §4.7.3); None while not logged in."""
        capabilities = self._session.capabilities
        if capabilities is None:
            return None
        version, timestamp, least = (
            capabilities.values.get(name, "")[:_SAID_LENGTH]
            for name in ("metadataversion", "metadatatimestamp", "minmetadataversion")
        )
        return MetadataVersion(version, timestamp, least)

    def metadata(self) -> Metadata:
        """The lookups of every resource that is asked for."""
        found: dict[tuple[str, str], list[LookupValue]] = {}
        for kind, plan in self._plan().resources.items():
            for lookup in plan.lookups:
                found[(kind, lookup.lookup_name)] = [
                    LookupValue(each.value, each.long_value, each.short_value, each.metadata_entry_id)
                    for each in {each.value: each for each in lookup.values if each.value}.values()
                ]
        return Metadata(found)

    def described(self) -> MetadataDocument | None:
        """All that the metadata say, as last read."""
        return self._state.described()

    def photos(self, resource: str, key: str, *, location: bool, orders: Collection[int] = ()) -> Iterator[PhotoObject]:
        """Photos of a record by GetObject, of agents and offices the one to be shown first. Where the server does not
        offer addresses, the bytes.

        Records tell how many there are and not how the server numbers them, which may leave numbers out: so the first
        that comes is number 1. A server that gives one object where all were asked for is asked for each of ``orders``.
        One that does not know such objects, but has records of photos (resource Media), is asked for addresses there.
        """
        whole = self._plan()
        plan = whole.resource(resource)
        if whole.media is not None and (not plan.photo_type or plan.kind in self._state.photos_by_search):
            yield from self._searched(whole.media, key)
            return
        if not plan.photo_type:
            return
        try:
            yield from self._photos(plan, key, location, sorted(order for order in orders if order > 0))
        except RetsReplyError as error:
            if whole.media is None or error.code not in _NO_OBJECTS:
                raise
            self._state.photos_by_search.add(plan.kind)
            yield from self._searched(whole.media, key)

    def _photos(self, plan: ResourcePlan, key: str, location: bool, wanted: list[int]) -> Iterator[PhotoObject]:
        try:
            ObjectRequest(plan.name, plan.photo_type, {key: ()})
        except ValueError:
            yield PhotoObject(0, error="the key cannot be asked for")
            return
        if plan.kind != "property":
            request = ObjectRequest(plan.name, plan.photo_type, {key: ()}, location, preferred=True)
            with self._session.get_object(request.arguments()) as answer:
                yield from self._numbered(answer, key)
            return
        with self._get_object(plan, key, (), location) as answer:
            alone = holds_one(answer) and wanted[-1:] > [1]
            if not alone:
                yield from self._numbered(answer, key)
                return
        for order in wanted[:MAX_SINGLES]:
            with self._get_object(plan, key, (order,), location) as answer:
                found = next(self._numbered(answer, key), None)
            if found is not None:
                yield replace(found, order=order)

    def _searched(self, media: MediaPlan, key: str) -> Iterator[PhotoObject]:
        """Addresses from the server's records of photos, where GetObject gives none."""
        rows = self._by_keys(media.described, media.record, [key]).rows
        urls = [row[media.url] for row in sorted(rows, key=lambda row: rank(row.get(media.order, "")))]
        yield from (PhotoObject(place, url=url) for place, url in enumerate(filter(None, urls), start=1))

    def _numbered(self, answer: Answer, key: str) -> Iterator[PhotoObject]:
        """The objects of an answer by their places in it; an error about none of them stays one about all."""
        found = read_objects(answer, key, max_object_bytes=self._session.settings.max_object_bytes)
        for place, item in enumerate(found, start=1):
            yield item if item.error is not None and item.order == 0 else replace(item, order=place)

    def _get_object(
        self, plan: ResourcePlan, key: str, orders: Collection[int], location: bool
    ) -> AbstractContextManager[Answer]:
        request = ObjectRequest(plan.name, plan.photo_type, {key: orders}, location)
        return self._session.get_object(request.arguments())

    def objects(self, resource: str, key: str, kind: str, *, location: bool) -> Generator[PhotoObject, None, None]:
        """Objects of a type that is no photo's, by GetObject, under the server's numbers where it gives each its own.

        Raises SourceRefusedError for a type that the metadata do not name.
        """
        plan = self._plan().resource(resource)
        if kind not in plan.object_types:
            raise SourceRefusedError(f"the metadata name no type {kind} among the objects of {plan.name}")
        try:
            request = ObjectRequest(plan.name, kind, {key: ()}, location)
        except ValueError:
            yield PhotoObject(0, error="the key cannot be asked for")
            return
        told = plan.object_types[kind]
        last = 0
        numbers: set[int] = set()
        with self._session.get_object(request.arguments()) as answer:
            limit = self._session.settings.max_object_bytes
            for item in read_all(answer, [key], images=False, max_object_bytes=limit):
                found = _object(item, told)
                if found.error is None:
                    order = found.order if found.order and found.order not in numbers else last + 1
                    last = max(last, order)
                    numbers.add(order)
                    found = replace(found, order=order)
                yield found

    def close(self) -> None:
        """Log out; never raises."""
        self._session.logout()

    def _plan(self) -> Plan:
        self._session.login()
        return self._state.plan(self._session.capabilities, self._fetch)

    def _fetch(self) -> System:
        return fetch_metadata(self._session).system

    def _as_planned(self, do: Callable[[Plan], T]) -> T:
        """Do it; where the server does not know what its metadata name, read them again, and do without what it names
        then (RETS 1.7.2 §7.8, 20200 and 20202). So too where it may not know a class: one that is gone stops alone."""
        reloaded = False
        for _ in range(_DROPS):
            plan = self._plan()
            try:
                return do(plan)
            except RetsReplyError as error:
                told = error.transaction == "Search" and error.code in (*_FIELDS_UNKNOWN, _CLASS_UNKNOWN)
                if not told or refuses_format(error):
                    raise
                asked = self._asked
                if asked is None or (error.code == _CLASS_UNKNOWN and not speaks_of_class(error.said) and (
                    reloaded or not self._state.may_be_gone(asked.kind, asked.name)
                )):  # fmt: skip
                    raise
                if not reloaded:
                    reloaded = True
                    try:
                        self._state.reload(plan, self._fetch)
                    except RetsReplyError as other:
                        raise error from other  # of the two refusals this one names what is wrong
                    continue
                names = _named(error.said, plan) if error.code in _FIELDS_UNKNOWN else frozenset()
                if names:
                    self._state.do_without(names)
                    continue
                what = "its fields" if error.code in _FIELDS_UNKNOWN else "it"
                self._state.refused(asked.kind, asked.name, f"the server refuses {what}: {error}")
        raise SourceRefusedError("the server does not know the fields that its metadata name")

    def _listed(self, each: ClassPlan, plan: Plan, since: datetime | None) -> _Listed:
        """Keys and timestamps of a class, of all there is or of what changed since; in parts where the server gives no
        more at once."""
        select = tuple(dict.fromkeys(name for name in (each.key, each.listing, each.stamp, each.photo_stamp) if name))
        listed = _Listed()
        query = _everything(each) if since is None or not each.stamp else _since(each, since)
        first = self._search(each, query, select)
        listed.requests, listed.server_date = 1, first.server_date
        if not _capped(first):
            _take(listed, first, each.key)
            return listed
        try:
            self._in_parts(listed, each, query, select, each.listing or each.key, first)
            return listed
        except (_NoRangesError, DmqlError):
            listed.rows.clear()
            self._search(each, query, select[:1], count=True)  # what is refused may be the class, and no range
        if not each.stamp:
            listed.suspect("the server gives only a part, and takes no ranges of keys")
            _take(listed, first, each.key)
            return listed
        try:
            self._in_parts(listed, each, query, select, each.stamp, first, plan)
        except (_NoRangesError, DmqlError):
            listed.suspect("the server gives only a part, and takes ranges of neither keys nor timestamps")
            _take(listed, first, each.key)
        listed.suspect("it was listed by ranges of timestamps, between which rows may have moved")
        return listed

    def _in_parts(
        self, listed: _Listed, each: ClassPlan, query: Query, select: tuple[str, ...], name: str, first: _Answered,
        plan: Plan | None = None,
    ) -> None:  # fmt: skip
        """The list in parts by the values of a field; as instants where there is a ``plan``.

        Raises _NoRangesError, DmqlError.
        """
        waiting: list[tuple[str | None, str | None, int | None, int]] = [(None, None, None, 0)]
        answered: _Answered | None = first
        while waiting:
            low, high, total, stalled = waiting.pop()
            if answered is None:
                answered = self._part(listed, each, query, select, name, low, high, plan)
            part, answered = answered, None
            if not _capped(part):
                _take(listed, part, each.key)
                continue
            now = part.ended.total
            stalled = stalled + 1 if total is not None and now is not None and now >= total else 0
            values = [_value(row.get(name, ""), plan) for row in part.rows]
            at = cut(values, low, high)
            if stalled >= STALLED:
                raise _NoRangesError
            if at is None or listed.requests > MOST:
                _take(listed, part, each.key)
                listed.suspect(f"the server gives only some of the rows of one {name}, or too few at once")
                continue
            waiting += [(at, high, now, stalled), (low, at, now, stalled)]

    def _part(
        self, listed: _Listed, each: ClassPlan, query: Query, select: tuple[str, ...], name: str,
        low: str | None, high: str | None, plan: Plan | None,
    ) -> _Answered:  # fmt: skip
        listed.requests += 1
        ends: list[Query] = []
        if low is not None:
            ends.append(at_least(name, low if plan is None else datetime.fromisoformat(low)))
        if high is not None:
            ends.append(at_most(name, high if plan is None else datetime.fromisoformat(high)))
        try:
            return self._search(each, both(query, *ends), select)
        except RetsReplyError as error:
            if error.transaction == "Search" and error.code in _RANGE_REFUSED:
                raise _NoRangesError from error
            raise

    def _search(self, each: ClassPlan, query: Query, select: tuple[str, ...], *, count: bool = False) -> _Answered:
        """The rows of a class, in the format that the settings name, or another that the server knows; with ``count``
        none, but how many there are."""
        self._asked = each
        preferred, *others = self._state.formats
        answered, form = in_some_format(
            (preferred, *others),
            lambda form: self._search_in(form, each, query, select, count=count),
            lambda found: found.in_format,
        )
        if form != preferred:
            _log.info("rets.search_format", asked=preferred, answered=form)
            self._state.prefer(form)
        return answered

    def _search_in(
        self, form: SearchFormat, each: ClassPlan, query: Query, select: tuple[str, ...], *, count: bool
    ) -> _Answered:  # fmt: skip
        asked = Search(each.resource, each.name, query, select, form, restricted=INDICATOR, count_only=count)

        def read(answer: Answer) -> _Answered:
            reader = RowsReader(asked, each.key, each.fields)
            rows: list[Row] = []
            for row in reader.stream(answer, self._session.mender):
                if len(rows) >= _MOST_ROWS:
                    raise RetsParseError("the list goes on without end")
                if row.get(each.key) == INDICATOR:
                    row[each.key] = ""
                rows.append(row)
            return _Answered(rows, reader.ended, reader.broken, answer.server_date, reader.in_format, is_decoded(form))

        return self._session.ask("Search", asked.arguments(), read)


def _object(item: RetsObject, told: str) -> PhotoObject:
    """An object of a type of which the metadata say what its bytes are (``told``). A page where that is no text is an
    error, whatever the answer calls it."""
    fault, error, data = item.fault, item.error, item.data
    if data is not None and told and not told.startswith("text/") and (page := html_page(data)):
        fault, error, data = "text", f"the server gave {page}", None
    return PhotoObject(item.order, item.content_type, data, item.url, error, item.description, fault)


def _everything(each: ClassPlan) -> Query:
    """The idiom that servers know for all there is."""
    return at_least(each.key, "0")


def _since(each: ClassPlan, since: datetime) -> Query:
    """What changed, photos included."""
    return either(*(at_least(name, since) for name in (each.stamp, each.photo_stamp) if name))


def _capped(answered: _Answered) -> bool:
    """Whether there are rows that did not come. What the server counts tells more than that it says there are more:
    some say so of every answer."""
    return answered.ended.more and answered.ended.total != len(answered.rows)


def _take(listed: _Listed, part: _Answered, key: str) -> None:
    """Add the rows of a part that came whole, with what speaks against that."""
    listed.rows += part.rows
    if part.broken:
        listed.suspect(f"{len(part.broken)} rows cannot be read: {part.broken[0].reason}")
    if part.ended.doubt:
        listed.suspect(part.ended.doubt)
    if part.ended.total is None:
        listed.suspect(f"{len(part.rows)} rows came and no count was announced")
    else:
        keys = len({row.get(key, "") for row in part.rows})
        if keys != part.ended.total:
            listed.suspect(f"{keys} distinct keys came, {part.ended.total} were announced")


def _value(text: str, plan: Plan | None) -> str:
    """A value to cut at; of instants one that sorts as they do."""
    if plan is None or not text:
        return text
    try:
        return parse_stamp(text, plan.zone).replace(microsecond=0).isoformat()
    except ValueError:
        return ""


def _named(said: str, plan: Plan) -> frozenset[str]:
    """The fields that a refusal names, but for those that nothing can be done without."""
    words = frozenset(re.findall(r"[A-Za-z0-9_]+", said))
    classes = [each for resource in plan.resources.values() for each in resource.classes]
    needed = {name for each in classes for name in (each.key, each.stamp, each.listing)}
    return frozenset(name for each in classes for name in each.select if name in words) - needed
