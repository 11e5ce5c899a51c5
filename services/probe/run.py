"""The probe from login to proposal. Every try that goes wrong is a line of the report; nothing ends it half-way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from services.app import rets_state
from services.probe import tries
from services.probe.report import Line, Report, Verdict
from services.probe.tries import Came, Outcome, Rows
from services.probe.wirelog import WireLog
from services.visit import calling
from shared.rets.dmql.build import at_least
from shared.rets.errors import RetsReplyError
from shared.rets.schema.fetch import fetch_metadata
from shared.rets.schema.types import System
from shared.rets.search import FORMATS, SearchFormat
from shared.rets.server_information import server_information
from shared.rets.session import RetsSession
from shared.rets.settings import VERSIONS, RetsSettings
from shared.settings import FeedSettings, Settings, SettingsError
from shared.sources.base import SourceError, SourcePausedError, SourceUnavailableError
from shared.sources.rets.plan import ClassPlan, Plan, ResourcePlan

SECONDS: Final = 900.0
"""How long a probe may keep others from the session."""
PATIENCE: Final = 10.0
"""Seconds within which a request that failed is sent once more; one that should wait for longer is not."""
MOST_CLASSES: Final = 10
"""Classes of a resource that are counted; more are taken on trust."""
_OTHER_TYPES: Final = 3
_FORMAT_CLASSES: Final = 3
_HOPELESS: Final = frozenset({"http-401", "http-412", "http-403", "20003", "20013", "20022", "20041"})
"""Logins refused for a reason that no other version heals; repeating them locks accounts."""
_PROOF_REFUSED: Final = "20037"
_IN_CLEAR: Final = (
    "not tried: anyone on the way to this address could read the password; it is with an https login_url, or where "
    "basic_over_cleartext is set"
)


def probe(settings: Settings, feed: str, log: WireLog) -> Report:
    """Try what the feed's server can do. Raises BusyError and StoreError before anything was asked, SettingsError for a
    feed that speaks another protocol; never for what the server does."""
    chosen = settings.feeds[feed]
    if chosen.protocol != "rets":
        raise SettingsError(f"feed {feed}: probe is for the protocol rets; what the DDF can do is known")
    with calling(settings, feed, SECONDS) as (make, _):
        careful = partial(make, exactly=True, retry_seconds=PATIENCE, observe=log.observe)
        return _Probe(chosen, careful, log).run()


class _StoppedError(Exception):
    """The server wants to be left alone, or is gone: no further try makes sense."""


class _Probe:
    def __init__(self, feed: FeedSettings, make: Callable[..., RetsSession], log: WireLog) -> None:
        self._feed, self._make, self._log = feed, make, log
        self._report = Report()
        self._form: SearchFormat = feed.search_format
        self._unreachable = 0
        self._proved = self._refusal = ""

    def run(self) -> Report:
        """All tries in turn."""
        report = self._report
        try:
            with self._logged_in() as session:
                if session is not None:
                    self._of_session(session)
            if session is not None:
                self._other_versions(session.settings.rets_version)
                self._basic(session.settings)
        except _StoppedError as stopped:
            self._line("probe", "the rest", Verdict.skipped, str(stopped))
        report.requests = self._log.requests
        return report

    @contextmanager
    def _logged_in(self) -> Iterator[RetsSession | None]:
        """A session in the feed's version, or in another that works; None when none does."""
        opened = self._login(self._feed)
        if opened is None and self._refusal == _PROOF_REFUSED:
            opened = self._other_scheme()
        elif opened is None and not self._is_hopeless():
            for version in VERSIONS:
                if version != self._feed.rets_version:
                    opened = self._login(self._feed.model_copy(update={"rets_version": version}))
                    if opened is not None or self._is_hopeless():
                        break
            if opened is not None:
                self._report.settings["rets_version"] = opened.settings.rets_version
        try:
            yield opened
        finally:
            if opened is not None:
                opened.logout()

    def _other_scheme(self) -> RetsSession | None:
        if self._feed.user_agent_password is None:
            return None
        other = "interealty" if self._feed.user_agent_scheme == "standard" else "standard"
        opened = self._login(self._feed.model_copy(update={"user_agent_scheme": other}), f", proof {other}")
        if opened is not None:
            self._report.settings["user_agent_scheme"] = other
        return opened

    def _is_hopeless(self) -> bool:
        return self._refusal in _HOPELESS

    def _login(self, feed: FeedSettings, more: str = "") -> RetsSession | None:
        """A session that is logged in; None, and a line that says why, when that cannot be done."""
        session = self._make(feed)

        def attempt() -> Outcome:
            session.login()
            self._proved = self._proved or session.scheme
            asked = " and ".join(self._log.offered) or "no proof of identity"
            answered = "" if session.version == feed.rets_version else f"; the server speaks {session.version}"
            return Outcome(Verdict.works, f"the server asks for {asked}{answered}")

        if self._try("login", f"{feed.rets_version}{more}", attempt) is not None:
            self._digest(session)
            return session
        self._refusal = self._report.lines[-1].said.partition(" ")[0]
        if self._refusal == "http-401":
            self._digest(session)
        session.logout()
        return None

    def _has_both(self) -> bool:
        """Whether the server asks for a digest or Basic, whichever one prefers."""
        return {"digest", "basic"} <= {each.partition(" ")[0].lower() for each in self._log.offered}

    def _digest(self, session: RetsSession) -> None:
        """Of a server that offers both ways, once: what came of the first. A line for each that was tried."""
        if not self._has_both() or any(each.what == "Digest" for each in self._report.lines):
            return
        if self._proved == "digest":
            self._line("login", "Digest", Verdict.works, "used, since it does not tell the password")
            return
        said = "refused" if session.digest_refused else "it asks for one that mlsync does not know"
        self._line("login", "Digest", Verdict.no, said)
        if self._proved == "basic":
            self._line("login", "Basic", Verdict.works, "used, after each session tried a digest")
        elif session.settings.basic_is_safe:
            self._line("login", "Basic", Verdict.no, "refused")
        else:
            self._line("login", "Basic", Verdict.skipped, _IN_CLEAR)

    def _basic(self, settings: RetsSettings) -> None:
        """Of a server that offers both ways: whether the other one serves too."""
        if not self._has_both() or self._proved != "digest":
            return
        if not settings.basic_is_safe:
            self._line("login", "Basic", Verdict.skipped, _IN_CLEAR)
            return
        feed = self._feed.model_copy(update={"rets_version": settings.rets_version} | self._scheme())
        session = self._make(feed, schemes=("basic",))

        def attempt() -> Outcome:
            session.login()
            return Outcome(Verdict.works, "not needed")

        self._try("login", "Basic", attempt)
        session.logout()

    def _of_session(self, session: RetsSession) -> None:
        capabilities = session.capabilities
        assert capabilities is not None
        self._line("login", "transactions", Verdict.works, ", ".join(capabilities.offered()))
        if session.action:
            self._line("login", "notice", Verdict.works, f"{len(session.action)} characters; mlsync info shows it")
        self._try("server", "information", lambda: _information(session))
        self._report.obstacle = "its metadata cannot be read"
        system = self._metadata(session)
        plan = self._plan(session, system) if system is not None else None
        if plan is None:
            return
        self._formats(session, plan.resources["property"].classes)
        self._report.obstacle = "it has no class of listings that can be searched"
        listings = self._classes(session, plan)
        if listings is None:
            return
        each, rows = self._searches(session, listings)
        if rows is not None and not self._report.obstacle:
            self._photos(session, plan.resources["property"], each, system)

    def _metadata(self, session: RetsSession) -> System | None:
        found: list[System] = []

        def attempt() -> Outcome:
            fetched = fetch_metadata(session)
            found.append(fetched.system)
            classes = sum(len(resource.classes) for resource in fetched.system.resources)
            return Outcome(
                Verdict.works,
                f"{len(fetched.system.resources)} resources, {classes} classes, by {fetched.requests} requests in "
                f"{fetched.format}",
            )

        self._try("metadata", "whole", attempt)

        def standard() -> Outcome:
            arguments = {"Type": "METADATA-RESOURCE", "ID": "0", "Format": "STANDARD-XML"}
            with session.get_metadata(arguments) as answer:
                return Outcome(Verdict.works if b"<Resource>" in answer.peek(65_536) else Verdict.unclear)

        self._try("metadata", "STANDARD-XML", standard)
        return found[0] if found else None

    def _plan(self, session: RetsSession, system: System) -> Plan | None:
        found: list[Plan] = []

        def attempt() -> Outcome:
            found.append(rets_state(self._feed).plan(session.capabilities, lambda: system))
            return Outcome(Verdict.works, ", ".join(found[0].resources))

        self._try("metadata", "plan", attempt)
        for line in found[0].in_words() if found else ():
            self._line("metadata", "", Verdict.works, line)
        if found and "property" in found[0].resources:
            return found[0]
        if found:
            self._report.obstacle = "its metadata name no resource of listings: set overrides.property.resource"
        return None

    def _classes(self, session: RetsSession, plan: Plan) -> ClassPlan | None:
        """The class of listings with the most records. What may not be searched is left out of the settings."""
        resources = ["property"]
        largest: tuple[int, ClassPlan] | None = None
        for kind, resource in plan.resources.items():
            open_to_us = []
            for each in resource.classes[:MOST_CLASSES]:
                total = self._count(session, each)
                if total is None:
                    continue
                open_to_us.append(each.name)
                if kind == "property" and (largest is None or total > largest[0]):
                    largest = total, each
            refused = len(resource.classes[:MOST_CLASSES]) - len(open_to_us)
            if kind in ("member", "office") and open_to_us:
                resources.append(kind)
            if refused and open_to_us and kind in ("property", *resources):
                open_to_us += [each.name for each in resource.classes[MOST_CLASSES:]]
                self._override(kind, "classes", open_to_us)
        self._report.settings["resources"] = resources
        return largest[1] if largest is not None else None

    def _count(self, session: RetsSession, each: ClassPlan) -> int | None:
        """-1 for a class that can be searched and not counted; None for one that cannot be searched."""
        found: list[int] = []

        def attempt() -> Outcome:
            total = tries.count(session, self._form, each)
            found.append(-1 if total is None else total)
            if total is None:
                return Outcome(Verdict.unclear, "the server does not count")
            return Outcome(Verdict.works, f"{total} records")

        self._try("count", f"{each.resource} {each.name}", attempt)
        return found[0] if found else None

    def _searches(self, session: RetsSession, each: ClassPlan) -> tuple[ClassPlan, Rows | None]:
        """What a search can do, tried on one class; None when even the list of its keys cannot be had."""
        self._report.obstacle = "a search for all keys of a class is refused"
        found: list[Rows] = []

        def attempt() -> Outcome:
            found.append(tries.search(session, self._form, each, tries.everything(each)))
            return _cap(found[0])

        self._try("search", f"all keys of {each.name}", attempt)
        if not found:
            return each, None
        self._report.obstacle = ""
        rows = found[0]
        keys = [row[each.key] for row in rows.rows if row.get(each.key)]
        self._try("search", "Offset", lambda: tries.offsets(session, self._form, each, keys[:4]))
        ranged = self._try("search", "ranges of keys", lambda: tries.ranges(session, self._form, each, keys[:5]))
        if len(keys) >= 2:
            self._try("search", "several keys", lambda: tries.several(session, self._form, each, keys))
        if rows.ended.more:
            self._report.settings["page_size"] = max(1, min(100, len(rows.rows)))
            if ranged is None or ranged.verdict is not Verdict.works:
                self._line("search", "removals", Verdict.no, "lists are capped and take no ranges of keys: nothing is "
                           "ever removed")  # fmt: skip
        if rows.ended.total is None:
            self._line("search", "removals", Verdict.no, "lists are not counted: nothing is ever removed")
        return each, rows

    def _formats(self, session: RetsSession, classes: Sequence[ClassPlan]) -> None:
        """Which formats searches are answered in, tried until a class has records: the best is used, and proposed."""
        taken: dict[Verdict, list[SearchFormat]] = {Verdict.works: [], Verdict.unclear: []}
        for each in classes[:_FORMAT_CLASSES]:
            for which in FORMATS:
                came = self._try("search", which, partial(tries.records, session, which, each))
                if came is not None and came.verdict in taken:
                    taken[came.verdict].append(which)
            if taken[Verdict.works]:
                break
        best = [*taken[Verdict.works], *taken[Verdict.unclear]][:1]
        if best:
            self._form = self._report.settings["search_format"] = best[0]

    def _photos(self, session: RetsSession, plan: ResourcePlan, each: ClassPlan, system: System | None) -> None:
        if not plan.photo_type or not each.photo_count:
            self._line("photos", "metadata", Verdict.no, "no type of picture, or no field that counts them; see "
                       "overrides.property.photo_type and photo_count_field")  # fmt: skip
            self._report.settings["media"] = "none"
            return
        keys: dict[str, int] = {}

        def attempt() -> Outcome:
            query, select = at_least(each.photo_count, 1), (each.key, each.photo_count)
            found = tries.search(session, self._form, each, query, select, limit=20)
            counts = {row[each.key]: _number(row.get(each.photo_count, "")) for row in found.rows if row.get(each.key)}
            keys.update(sorted(counts.items(), key=lambda item: -min(item[1], 3))[:2])
            return Outcome(Verdict.works if keys else Verdict.unclear, "" if keys else "no record has photos")

        self._try("photos", "records with photos", attempt)
        if not keys:
            return
        key, total = next(iter(keys.items()))
        kind = self._type_with_bytes(session, plan, key, total, system)
        asked = kind or plan.photo_type
        located = self._objects(session, "addresses", plan, asked, {key: ()}, location=True)
        has_addresses = located is not None and bool(located.urls)
        if kind is None:
            self._report.settings["media"] = "location" if has_addresses else "none"
        if len(keys) == 2:
            self._objects(session, "several records", plan, asked, dict.fromkeys(keys, (1,)), location=kind is None)

    def _type_with_bytes(
        self, session: RetsSession, plan: ResourcePlan, key: str, total: int, system: System | None
    ) -> str | None:
        """The type of object to take, which the settings must name if it is not the expected one."""
        resource = system.resource(plan.name) if system is not None else None
        pictures = (
            [each.object_type for each in resource.objects if each.mime_type.startswith("image/")] if resource else []
        )
        others = [name for name in pictures if name != plan.photo_type][:_OTHER_TYPES]
        for kind in (plan.photo_type, *others):
            came = self._objects(session, f"{kind} of a record with {total}", plan, kind, {key: ()})
            if came is not None and came.bytes:
                if kind != plan.photo_type:
                    self._override("property", "photo_type", kind)
                return kind
        return None

    def _objects(
        self, session: RetsSession, what: str, plan: ResourcePlan, kind: str, keys: Mapping[str, tuple[int, ...]], *,
        location: bool = False,
    ) -> Came | None:  # fmt: skip
        found: list[Came] = []

        def attempt() -> Outcome:
            came = tries.objects(session, plan, kind, keys, location=location)
            found.append(came)
            good = came.urls if location else came.bytes
            whole = len({item.key for item in good} & keys.keys()) == len(keys)
            hosts = sorted({urlsplit(item.url or "").hostname or "?" for item in came.urls})
            said = came.in_words() + (f", at {', '.join(hosts[:3])}" if hosts else "")
            return Outcome(Verdict.works if whole else Verdict.no, said)

        self._try("photos", what, attempt)
        return found[0] if found else None

    def _other_versions(self, used: str) -> None:
        """Whether one could log in by other versions: a line for each."""
        tried = {each.what for each in self._report.lines if each.topic == "login"} | {used}
        for version in VERSIONS:
            if version not in tried:
                opened = self._login(self._feed.model_copy(update={"rets_version": version} | self._scheme()))
                if opened is not None:
                    opened.logout()

    def _scheme(self) -> dict[str, Any]:
        scheme = self._report.settings.get("user_agent_scheme")
        return {"user_agent_scheme": scheme} if scheme else {}

    def _override(self, kind: str, name: str, value: object) -> None:
        now = {resource: each.model_dump(exclude_defaults=True) for resource, each in self._feed.overrides.items()}
        overrides = self._report.settings.setdefault("overrides", now)
        overrides.setdefault(kind, {})[name] = value

    def _try(self, topic: str, what: str, attempt: Callable[[], Outcome]) -> Outcome | None:
        """Its outcome, which is a line of the report; None when it went wrong, which is one too. Raises _StoppedError
        when nothing more may be asked."""
        try:
            outcome = attempt()
        except SourcePausedError as error:
            self._line(topic, what, Verdict.failed, str(error))
            raise _StoppedError("the server, or the feed's budget, wants it to be left alone") from None
        except RetsReplyError as error:
            self._line(topic, what, Verdict.no, f"{error.code} {error}")
        except SourceError as error:
            self._line(topic, what, Verdict.failed, str(error))
            self._unreachable += isinstance(error, SourceUnavailableError)
            if self._unreachable >= 3:
                raise _StoppedError("three tries failed for want of an answer") from None
        except Exception as error:  # whatever a server makes us stumble over, the report goes on
            self._line(topic, what, Verdict.failed, f"{type(error).__name__}: {error}")
        else:
            self._line(topic, what, outcome.verdict, outcome.said)
            return outcome
        return None

    def _line(self, topic: str, what: str, verdict: Verdict, said: str = "") -> None:
        self._report.lines.append(Line(topic, what, verdict, said[:500]))


def _information(session: RetsSession) -> Outcome:
    found = server_information(session)
    limits = sorted({each.value for each in found if each.name.lower() == "minimumlimit"})
    said = f"{len(found)} parameters" + (f", limits {', '.join(limits)}" if limits else "")
    return Outcome(Verdict.works, said) if found else Outcome(Verdict.no, "not offered")


def _cap(found: Rows) -> Outcome:
    """What the list of all keys tells of a cap."""
    rows, ended = len(found.rows), found.ended
    if found.unread:
        return Outcome(Verdict.works, f"{rows} rows and more, not all of them read")
    if ended.total is not None and rows < ended.total:
        return Outcome(Verdict.works, f"capped: {rows} rows of {ended.total}")
    if ended.total is None:
        return Outcome(Verdict.works, f"{rows} rows, uncounted" + (", and there are more" if ended.more else ""))
    doubt = f"; {ended.doubt}" if ended.doubt else ""
    return Outcome(Verdict.works, f"{rows} rows of {ended.total}{doubt}")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
