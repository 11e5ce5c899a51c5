"""CREA's DDF as a Source: strategy *preferred* over RETS (DDF guide, Search, Update strategy, Photos)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shared.rets.answer import Answer
from shared.rets.errors import RetsReplyError
from shared.rets.inventory import InventoryReader
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
        unaskable = [key for key in keys if not _KEY.fullmatch(key)]
        if not askable:
            return Page([], None, unaskable)

        def read(answer: Answer) -> Page:
            reader = RecordReader(kind.element)
            records = list(reader.read(answer.chunks(), self._session.mender()))
            answer.reply = reader.reply
            partial = reader.reply is not None and reader.reply.code == "20208"
            if partial and not records:
                raise RetsReplyError("Search", "20208", f"the server refuses {len(askable)} keys in one request")
            return Page(records, answer.server_date, unaskable, partial)

        return self._session.ask("Search", self._search(kind, f"(ID={','.join(askable)})"), read)

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
