"""CREA's DDF as a Source over RETS (DDF guide, Search, Update strategy, Photos)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Final, Literal

from shared.lookups import LookupValue, Metadata, MetadataDocument, MetadataVersion
from shared.messages import SourceRecord
from shared.rets.answer import Answer
from shared.rets.errors import RetsParseError, RetsReplyError
from shared.rets.frame import Frame
from shared.rets.inventory import InventoryReader
from shared.rets.lookups import KINDS, lookups_of
from shared.rets.mend import Mender
from shared.rets.metadata import MAX_BYTES, MetadataReader
from shared.rets.objects import holds_one, read_objects
from shared.rets.records import RecordReader
from shared.rets.session import RetsSession
from shared.sources.base import Inventory, Page, PhotoObject, SourceRefusedError
from shared.sources.paging import Paging

DDF_PRODUCTION_LOGIN_URL: Final = "https://data.crea.ca/Login.svc/Login"
DDF_SAMPLE_LOGIN_URL: Final = "https://sample.data.crea.ca/Login.svc/Login"

MAX_KEYS: Final = 100
"""Full records per request; beyond it the server refuses (20208)."""

_ROWS: Final = 10 * MAX_KEYS
"""A page of changes with so many records is no answer to what was asked."""
MAX_SINGLES: Final = 100
"""Photos of one record that are asked for one by one; the others wait for the next time."""

PhotoSize = Literal["ThumbnailPhoto", "Photo", "LargePhoto"]

_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")

_LOOKUPS_OF: Final = "property"
"""The one resource that has lookups (DDF guide, GetMetadata)."""
_Lookups = dict[str, list[LookupValue] | None]
_MAX_ASKED: Final = 500
"""Lookups asked for one by one; there are about 75."""
_METADATA_SECONDS: Final = 2.0
"""So long a request for metadata is repeated after a fault: records wait meanwhile, and the next sync asks anew."""
_SAID_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class DdfSettings:
    """``culture`` is the language of lookup texts; ``photo_size`` the GetObject type of listing photos."""

    culture: Literal["en-CA", "fr-CA"] = "en-CA"
    photo_size: PhotoSize = "LargePhoto"


@dataclass(frozen=True, slots=True)
class _Resource:
    search_type: str
    element: str
    photo_sizes: tuple[PhotoSize, ...]
    many_photos: bool


_RESOURCES: Final = {
    "property": _Resource("Property", "PropertyDetails", ("ThumbnailPhoto", "Photo", "LargePhoto"), many_photos=True),
    "member": _Resource("Agent", "AgentDetails", ("ThumbnailPhoto", "LargePhoto"), many_photos=False),
    "office": _Resource("Office", "OfficeDetails", ("ThumbnailPhoto",), many_photos=False),
}


class DdfSource:
    """One destination (data feed) of the DDF. Implements ``shared.sources.base.Source``.

    Records that the server sends unasked are kept: they are true observations. Keys that could not be written into a
    query safely are not asked for; the page names them.
    """

    def __init__(self, session: RetsSession, settings: DdfSettings | None = None) -> None:
        self._session = session
        self._settings = settings or DdfSettings()
        self._parent = _RESOURCES[_LOOKUPS_OF].search_type

    def login(self) -> None:
        """Open a session if none is open."""
        self._session.login()

    def inventory(self, resource: str) -> Inventory:
        """The master list ``(ID=*)``: every accessible key with LastUpdated as written, in one answer."""
        kind = _kind(resource)
        again = _Again()

        def read(answer: Answer) -> Inventory:
            reader = InventoryReader(kind.search_type)
            reader.read(answer.chunks(), self._session.mender())
            answer.reply = reader.reply
            again.once_if_contradictory(reader, reader.rows)
            doubt = _doubt(reader)
            return Inventory(reader.packed, answer.server_date, proven=not doubt, doubt=doubt)

        return self._session.ask("Search", self._search(kind, "(ID=*)"), read)

    def records(self, resource: str, keys: Sequence[str]) -> Page:
        """Full details by key, one request. Raises ValueError for more than 100 keys."""
        if len(keys) > MAX_KEYS:
            raise ValueError(f"{len(keys)} keys asked for; a request takes {MAX_KEYS}")
        kind = _kind(resource)
        askable = [key for key in keys if _KEY.fullmatch(key)]
        unaskable = [key for key in keys if not _KEY.fullmatch(key)]
        if not askable:
            return Page([], None, unaskable=unaskable)
        again = _Again()

        def read(answer: Answer) -> Page:
            reader = RecordReader(kind.element)
            records = list(reader.read(answer.chunks(), self._session.mender()))
            answer.reply = reader.reply
            again.once_if_contradictory(reader, len(records))
            partial = reader.reply is not None and reader.reply.code == "20208"
            if partial and not records:
                raise RetsReplyError("Search", "20208", f"the server refuses {len(askable)} keys in one request")
            return Page(records, answer.server_date, broken=reader.broken, unaskable=unaskable, partial=partial)

        return self._session.ask("Search", self._search(kind, f"(ID={','.join(askable)})"), read)

    def changes(self, resource: str, since: int, limit: int) -> Iterator[Page]:
        """Full details by ``(LastUpdated=since)``, paged by Offset until past the announced total (DDF guide, Search).

        The guide does not say whether *since* is inclusive. A server that refuses the query gives one page with a
        doubt. Raises ValueError for a limit that no request takes.
        """
        if not 1 <= limit <= MAX_KEYS:
            raise ValueError(f"{limit} records asked for; a request takes 1 to {MAX_KEYS}")
        kind = _kind(resource)
        moment = datetime.fromtimestamp(since // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = self._search(kind, f"(LastUpdated={moment})")
        return self._paged(kind, query, limit)

    def _paged(self, kind: _Resource, query: dict[str, str], limit: int) -> Iterator[Page]:
        paging = Paging()

        def read(answer: Answer) -> tuple[RecordReader, list[SourceRecord], int | None]:
            reader = RecordReader(kind.element)
            records = list(islice(reader.read(answer.chunks(), self._session.mender()), _ROWS))
            if len(records) == _ROWS:
                raise RetsParseError(f"the page goes on far beyond the {limit} records asked for")
            answer.reply = reader.reply
            return reader, records, answer.server_date

        while paging.offset is not None:
            place = {"Limit": str(limit), "Offset": str(paging.offset)}
            try:
                reader, records, date = self._session.ask("Search", query | place, read)
            except RetsReplyError as error:
                if error.transaction != "Search":
                    raise
                yield Page([], None, f"the server does not say what changed: {error}")
                return
            announced = [n for n in (reader.count, reader.pagination.get("TotalRecords")) if n is not None]
            if reader.reply is not None and reader.reply.code == "20208":
                paging.suspect("the server says that its maximum was exceeded (20208)")
            paging.took([record.key for record in records], max(announced, default=None))
            yield Page([] if paging.repeated else records, date, paging.doubt, reader.broken)

    def metadata_version(self) -> MetadataVersion | None:
        """What the login said (DDF guide, Login); None while not logged in."""
        capabilities = self._session.capabilities
        if capabilities is None:
            return None
        version, timestamp, least = (
            capabilities.values.get(name, "")[:_SAID_LENGTH]
            for name in ("metadataversion", "metadatatimestamp", "minmetadataversion")
        )
        return MetadataVersion(version, timestamp, least, self._settings.culture)

    def metadata(self) -> Metadata:
        """The lookups of Property: in one request with all that is below (RETS 1.7.2 §12.1), or, where the server does
        not know that form, their names and then each by its name, which are the forms that DDF's guide shows."""
        found = self._lookups(f"{self._parent}:*", must=False) or self._lookups(self._parent)
        alone = [name for name, values in found.items() if values is None]
        if len(alone) > _MAX_ASKED:
            raise RetsParseError(f"the metadata name {len(alone)} lookups without their values")
        values = {name: given or [] for name, given in found.items()}
        for name in alone:
            if ":" in name:
                raise RetsParseError(f"the lookup {name!r} cannot be asked for")
            values[name] = self._values(name)
        return Metadata({(_LOOKUPS_OF, name): given for name, given in values.items()})

    def described(self) -> MetadataDocument | None:
        """None: the names of the DDF are fixed."""
        return None

    def objects(self, resource: str, key: str, kind: str, *, location: bool) -> Generator[PhotoObject, None, None]:  # noqa: ARG002
        """None: the DDF has photos alone."""
        yield from ()

    def photos(self, resource: str, key: str, *, location: bool, orders: Collection[int] = ()) -> Iterator[PhotoObject]:
        """Every photo of a record by GetObject. Where the server does not offer addresses, the bytes.

        ``orders`` are the numbers wanted. Servers exist that answer a request for all with one image, a text or
        objects without numbers: those are then asked for each number wanted and not had, at most ``MAX_SINGLES``.
        """
        kind = _kind(resource)
        if not _KEY.fullmatch(key):
            yield PhotoObject(0, error="the key cannot be asked for")
            return
        if not kind.many_photos:
            with self._get_object(kind, key, location) as answer:
                yield from read_objects(answer, key, max_object_bytes=self._session.settings.max_object_bytes)
            return
        wanted = sorted(order for order in orders if order > 0)
        if len(wanted) == 1:  # the others need not travel
            yield from self._single(kind, key, wanted[0], location)
            return
        had: set[int] = set()
        refusal: PhotoObject | None = None
        with self._get_object(kind, f"{key}:*", location) as answer:
            one_by_one = bool(wanted) and holds_one(answer)
            for item in read_objects(answer, key, max_object_bytes=self._session.settings.max_object_bytes):
                if wanted and item.order == 0 and (one_by_one or item.error is None):
                    # Without a number it is nobody's, and those after it will be no better: leave them unread.
                    one_by_one = True
                    refusal = item if item.error is not None else None
                    break
                had.add(item.order)
                yield item
        if one_by_one:
            lacking = [order for order in wanted if order not in had]
            yield from self._one_by_one(kind, key, lacking[:MAX_SINGLES], location, refusal)

    def _one_by_one(
        self, kind: _Resource, key: str, orders: Sequence[int], location: bool, refusal: PhotoObject | None
    ) -> Iterator[PhotoObject]:
        """Photos by their numbers. Where the request for all was refused, the first of them tells whether there are
        any at all."""
        for order in orders:
            found = list(self._single(kind, key, order, location))
            yield from found
            if refusal is not None and all(item.error is not None for item in found):
                yield refusal
                return
            refusal = None

    def _single(self, kind: _Resource, key: str, order: int, location: bool) -> Iterator[PhotoObject]:
        """One photo by its number; an answer with one object that does not say its number is the one asked for."""
        with self._get_object(kind, f"{key}:{order}", location) as answer:
            found = read_objects(answer, key, max_object_bytes=self._session.settings.max_object_bytes)
            first, second = next(found, None), next(found, None)
            if first is None:
                return
            if second is None:
                yield replace(first, order=first.order or order)
            elif first.order == 0 or second.order == 0:
                yield PhotoObject(order, error="asked for one object, the server gave several without their numbers")
            else:
                yield first
                yield second
                yield from found

    def _get_object(self, kind: _Resource, objects: str, location: bool) -> AbstractContextManager[Answer]:
        size = self._settings.photo_size
        arguments = {
            "Resource": kind.search_type,
            "Type": size if size in kind.photo_sizes else kind.photo_sizes[-1],
            "ID": objects,
            "Location": "1" if location else "0",
        }
        return self._session.get_object(arguments)

    def close(self) -> None:
        """Log out; never raises."""
        self._session.logout()

    def _lookups(self, below: str, *, must: bool = True) -> _Lookups:
        """The lookups that one request names. With ``must`` there has to be one; without, a refusal is none."""
        try:
            return self._metadata("METADATA-LOOKUP", below, lambda found, _code: bool(found) or not must)
        except RetsReplyError as error:
            if must or not error.code.startswith("205"):
                raise
            return {}

    def _values(self, lookup: str) -> list[LookupValue]:
        """The values of one lookup, none only if the answer says so in as many words: an empty list, or 20503."""

        def good(found: _Lookups, code: str) -> bool:
            return lookup in found or (not found and code == "20503")

        found = self._metadata("METADATA-LOOKUP_TYPE", f"{self._parent}:{lookup}", good, asked=lookup)
        return found.get(lookup) or []

    def _metadata(self, kind: str, below: str, good: Callable[[_Lookups, str], bool], asked: str = "") -> _Lookups:
        """What one request for metadata brings. Raises RetsParseError unless what came, with its code, is ``good``."""

        def read(answer: Answer) -> _Lookups:
            reader = MetadataReader(KINDS)
            mender = Mender(encoding=self._session.settings.encoding, max_bytes=MAX_BYTES)
            segments = reader.read(answer.chunks(), mender)
            answer.reply = reader.reply
            found = lookups_of(segments, self._parent, asked)
            if not good(found, reader.reply.code if reader.reply else ""):
                raise RetsParseError(f"the answer has nothing of {kind} {below!r}")
            return found

        arguments = {"Type": kind, "ID": below, "Format": "STANDARD-XML", "Culture": self._settings.culture}
        return self._session.ask("GetMetadata", arguments, read, seconds=_METADATA_SECONDS)

    def _search(self, kind: _Resource, query: str) -> dict[str, str]:
        return {
            "SearchType": kind.search_type,
            "Class": kind.search_type,
            "QueryType": "DMQL2",
            "Query": query,
            "Format": "STANDARD-XML",
            "Count": "1",
            "Culture": self._settings.culture,
        }


class _Again:
    """Has a request repeated once when its end contradicts what it announced: there are none, or too many (20208).

    Seen of servers whose search fails half way; the second answer is taken as it is.
    """

    def __init__(self) -> None:
        self._asked = False

    def once_if_contradictory(self, frame: Frame, rows: int) -> None:
        """Raises RetsParseError, which makes the session ask again, the first time only."""
        code = frame.reply.code if frame.reply else ""
        none = code == "20201" and (rows or frame.count)
        fewer = code == "20208" and rows < (frame.count or 0)
        if (none or fewer) and not self._asked:
            self._asked = True
            raise RetsParseError(f"it announces {frame.count} records and ends after {rows} with {code}")


def _kind(resource: str) -> _Resource:
    try:
        return _RESOURCES[resource]
    except KeyError:
        raise SourceRefusedError(f"the DDF has no resource {resource!r}; it has {', '.join(_RESOURCES)}") from None


def _doubt(reader: InventoryReader) -> str:
    """Why the list may not be the whole truth, "" when it is: the distinct keys are exactly what was announced."""
    code = reader.reply.code if reader.reply else ""
    distinct = len(reader.packed)
    announced = {
        name: number
        for name, number in (("COUNT", reader.count), ("TotalRecords", reader.pagination.get("TotalRecords")))
        if number is not None
    }
    if code == "20201":
        announced["reply 20201"] = 0
    if code == "20208":
        return "the server says that its maximum was exceeded (20208)"
    if reader.maxrows:
        return "the server says that there are more rows (MAXROWS)"
    if reader.keyless:
        return f"{reader.keyless} rows have no key"
    if not announced:
        return f"{distinct} keys came and no count was announced"
    for name, number in announced.items():
        if number != distinct:
            rows = "" if reader.rows == distinct else f" in {reader.rows} rows"
            return f"{distinct} distinct keys{rows} came, {name} announced {number}"
    return ""
