"""CREA's DDF as a Source: strategy *preferred* over RETS (DDF guide, Search, Update strategy, Photos)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shared.lookups import LookupValue, Metadata, MetadataVersion
from shared.rets.answer import Answer
from shared.rets.errors import RetsParseError, RetsReplyError
from shared.rets.inventory import InventoryReader
from shared.rets.lookups import KINDS, lookups_of
from shared.rets.mend import Mender
from shared.rets.metadata import MAX_BYTES, MetadataReader
from shared.rets.objects import read_objects
from shared.rets.records import RecordReader
from shared.rets.session import RetsSession
from shared.sources.base import Inventory, Page, PhotoObject, SourceRefusedError

DDF_PRODUCTION_LOGIN_URL: Final = "https://data.crea.ca/Login.svc/Login"
DDF_SAMPLE_LOGIN_URL: Final = "https://sample.data.crea.ca/Login.svc/Login"

MAX_KEYS: Final = 100
"""Full records per request; beyond it the server refuses (20208)."""

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
    query safely are not asked for, so they come back absent.
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

        def read(answer: Answer) -> Inventory:
            reader = InventoryReader(kind.search_type)
            reader.read(answer.chunks(), self._session.mender())
            answer.reply = reader.reply
            doubt = _doubt(reader)
            return Inventory(reader.packed, answer.server_date, proven=not doubt, doubt=doubt)

        return self._session.ask("Search", self._search(kind, "(ID=*)"), read)

    def records(self, resource: str, keys: Sequence[str]) -> Page:
        """Full details by key, one request. Raises ValueError for more than 100 keys."""
        if len(keys) > MAX_KEYS:
            raise ValueError(f"{len(keys)} keys asked for; a request takes {MAX_KEYS}")
        kind = _kind(resource)
        askable = [key for key in keys if _KEY.fullmatch(key)]
        if not askable:
            return Page([], None)

        def read(answer: Answer) -> Page:
            reader = RecordReader(kind.element)
            records = list(reader.read(answer.chunks(), self._session.mender()))
            answer.reply = reader.reply
            if reader.reply is not None and reader.reply.code == "20208" and not records:
                raise RetsReplyError("Search", "20208", f"the server refuses {len(askable)} keys in one request")
            return Page(records, answer.server_date)

        return self._session.ask("Search", self._search(kind, f"(ID={','.join(askable)})"), read)

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

    def photos(self, resource: str, key: str, *, location: bool) -> Iterator[PhotoObject]:
        """Every photo of a record by GetObject. Where the server does not offer addresses, the bytes."""
        kind = _kind(resource)
        if not _KEY.fullmatch(key):
            yield PhotoObject(0, error="the key cannot be asked for")
            return
        size = self._settings.photo_size
        arguments = {
            "Resource": kind.search_type,
            "Type": size if size in kind.photo_sizes else kind.photo_sizes[-1],
            "ID": f"{key}:*" if kind.many_photos else key,
            "Location": "1" if location else "0",
        }
        try:
            answer = self._session.get_object(arguments)
        except RetsReplyError as error:
            if error.code != "20414" or not location:
                raise
            answer = self._session.get_object(arguments | {"Location": "0"})
        with answer as opened:
            yield from read_objects(opened, key, max_object_bytes=self._session.settings.max_object_bytes)

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
