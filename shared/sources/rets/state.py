"""What all sessions of a feed share in one process: the metadata, and where records were last seen.

What must outlive the process is remembered by ``Follow``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from shared.known import Known
from shared.lookups import MetadataDocument
from shared.rets.login import Capabilities
from shared.rets.schema.currency import Currency, currency
from shared.rets.schema.document import as_read_now, document_of
from shared.rets.schema.types import System
from shared.rets.search import FORMATS, SearchFormat
from shared.sources.rets.plan import Plan, make_plan
from shared.sources.rets.settings import Kind, RetsSourceSettings

_LOGINS = 32
"""Logins that are told apart: as many as sessions may be open."""
_REMEMBERED = 200_000
"""Keys whose class is remembered; that of others costs a few requests more."""


Follow = Callable[[Callable[[Known, int], Known]], None]
"""Replaces what a feed remembers of its metadata by what is decided of it at an instant, in one step; what is decided
may be decided more than once. All processes of the feed remember the same."""


Stored = Callable[[], bytes | None]
"""The document of the metadata as last kept, by whatever process; None where there is none."""


class _OwnMemory:
    """What is remembered for as long as the process lives."""

    def __init__(self) -> None:
        self._known = Known()

    def follow(self, decide: Callable[[Known, int], Known]) -> None:
        self._known = decide(self._known, 0)


class RetsState:
    """The metadata as last read, and the plan made of them. Safe for use from several threads."""

    def __init__(
        self, settings: RetsSourceSettings, system: System | None = None, follow: Follow | None = None,
        stored: Stored = lambda: None, asked_by: str = "",
    ) -> None:  # fmt: skip
        """``asked_by`` is another for every login and way of reading: what one is told may not hold for the other."""
        self.settings = settings
        self._asked_by = asked_by
        self._stored = stored
        self._follow = follow or _OwnMemory().follow
        self._lock = threading.Lock()
        self._system = system
        self._plan: Plan | None = None
        self._document: MetadataDocument | None = None
        self._without: frozenset[str] = frozenset()
        self._refused: dict[tuple[Kind, str], str] = {}
        self._doubted: set[tuple[Kind, str]] = set()
        self._logins: list[Capabilities] = []
        self._heard: set[tuple[str, ...]] = set()
        self._classes: dict[str, str] = {}
        self.photos_by_search: set[str] = set()
        """Kinds of record whose photos GetObject does not have."""
        self.formats: tuple[SearchFormat, ...] = ()
        """In which formats to search, the one to ask for first."""
        self.prefer(settings.search_format)

    @property
    def system(self) -> System | None:
        """The metadata, None before they were first read."""
        return self._system

    def described(self) -> MetadataDocument | None:
        """The metadata as a document, the same object as long as they are the same; None before they were read."""
        with self._lock:
            if self._document is None and self._system is not None:
                self._document = document_of(self._system, self._asked_by)
            return self._document

    def plan(self, said: Capabilities | None, fetch: Callable[[], System]) -> Plan:
        """What to ask, after reading the metadata by ``fetch`` if there are none, or a login tells of others. What it
        told (``said``) counts once: a session may have begun before the metadata changed. Those kept by an earlier
        process are as good, if the login names their very version or time.

        Raises what ``fetch`` and ``make_plan`` raise.
        """
        with self._lock:
            told = _told(said) if said is not None else None
            new = told is not None and told not in self._heard
            if self._system is None and said is not None and (kept := self._kept(said)) is not None:
                self._load(kept)
            if self._system is None or (new and said is not None and _changed(self._system, said)):
                self._load(fetch())
            if told is not None:
                self._heard.add(told)
            if said is not None and not any(said is one for one in self._logins):
                self._logins = [*self._logins[1 - _LOGINS :], said]
                self._look_again()
            return self._made()

    def reload(self, before: Plan, fetch: Callable[[], System]) -> None:
        """Read the metadata again, unless another session has done so since ``before`` was made."""
        with self._lock:
            if self._plan is before:
                self._load(fetch())

    def do_without(self, names: frozenset[str]) -> None:
        """Ask no more for these fields, until other metadata are read."""
        with self._lock:
            self._without |= names
            self._plan = None

    def refused(self, kind: Kind, class_name: str, reason: str) -> None:
        """Ask nothing more of this class, until other metadata are read."""
        with self._lock:
            self._refused[kind, class_name] = reason
            self._plan = None

    def may_be_gone(self, kind: Kind, class_name: str) -> bool:
        """Whether the metadata should be read again because a class cannot be searched: they are once, until a session
        begins anew, for servers say the same of what has nothing to do with them."""
        with self._lock:
            new = (kind, class_name) not in self._doubted
            self._doubted.add((kind, class_name))
            return new

    def seen(self, key: str, class_name: str) -> None:
        """Note in which class a record was."""
        if len(self._classes) < _REMEMBERED or key in self._classes:
            self._classes[key] = class_name

    def class_of(self, key: str) -> str | None:
        """In which class a record was last seen, as far as is known."""
        return self._classes.get(key)

    def prefer(self, form: SearchFormat) -> None:
        """Ask for this format first from now on."""
        self.formats = (form, *(other for other in FORMATS if other != form))

    def _kept(self, said: Capabilities) -> System | None:
        """The metadata that were kept, if the login says that they are those of the server."""
        if not any(_told(said)[:2]):
            return None
        document = self._stored()
        kept = as_read_now(document, self._asked_by) if document is not None else None
        return None if kept is None or _changed(kept, said) else kept

    def _look_again(self) -> None:
        """A session begins: what could not be read before may be meanwhile, or somebody has decided about it."""
        self._doubted.clear()
        if self._plan is not None and (self._refused or self._plan.known.troubles()):
            self._refused, self._plan = {}, None

    def _load(self, system: System) -> None:
        self._system, self._without, self._plan, self._document = system, frozenset(), None, None
        self._refused = {}
        self.photos_by_search.clear()

    def _made(self) -> Plan:
        if self._plan is None:
            system = self._system
            assert system is not None
            made: list[Plan] = []

            def decide(known: Known, now: int) -> Known:
                made.append(make_plan(system, self.settings, self._without, known, now, self._refused))
                return made[-1].known

            self._follow(decide)
            self._plan = made[-1]
        return self._plan


def _told(said: Capabilities) -> tuple[str, ...]:
    """Version and time first."""
    names = ("metadataversion", "metadatatimestamp", "minmetadataversion", "minmetadatatimestamp")
    return tuple(said.values.get(name, "") for name in names)


def _changed(kept: System, said: Capabilities) -> bool:
    version, timestamp, least, least_timestamp = _told(said)
    return Currency.CURRENT is not currency(
        kept_version=kept.version, kept_date=kept.date,
        version=version, timestamp=timestamp, min_version=least, min_timestamp=least_timestamp,
    )  # fmt: skip
