"""Every fault of the switchboard alone, from the first sync on and through days of change.

For each stands here, from its definition, what the server cannot deliver while it is on (``Lacks``; by default
nothing). All else must be equal to the truth after every sync, and what is lacking must be exactly what ``status``
lists, with reasons, and exit code 3. When the fault goes, all heals by itself.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from services.simulator.disturbing import HOSTILE_KEYS
from services.simulator.faults import Faults
from services.simulator.making import FIRST_KEY
from services.simulator.spoiling import placeholder
from services.simulator.switches import SWITCHES
from shared.settings import load
from tests.conftest import SCALE
from tests.pipeline.copies import in_files
from tests.pipeline.deliverable import Client, Lacks, unexplained
from tests.pipeline.hasty import Ended, Hasty, configure, paused, quiet, status, sync_apart, sync_here
from tests.pipeline.simulated import Mls, simulated
from tests.pipeline.truth import Json, differences

SEED = 1
LISTINGS, PHOTOS, DAYS, PAGE = (40, 2, 1, 10) if SCALE == 1 else (200, 2, 10, 50)
MOST = 2 if SCALE == 1 else None
"""How many cases of a fault are tried."""
SECONDS = 40 if SCALE == 1 else 120
"""No sync may take longer, whatever the server does."""
MIB = 256
"""No sync may ever have more memory."""
FEED: Mapping[str, object] = {"read_timeout": 20, "answer_timeout": 30, "page_size": PAGE}
MEDIA: Mapping[str, object] = {"timeout": 30, "max_bytes": 1_000_000}
SOON: Mapping[str, object] = {"read_timeout": 2, "answer_timeout": 2}
"""Settings with which what never ends is given up soon."""
BYTES = {"media": "bytes"}
LOCATION = {"media": "location"}
NEVER_REREAD = {"reread": "3650d"}
"""A listing that is read again, in truth or as the fault has it, is held no longer, or has other problems."""
REREAD_DAYS = 8
GUARD_OPEN = {"remove_at_least": 1_000}
ONE_PAGE = {"page_size": 100}
TOLD = {"placeholders": [hashlib.sha256(placeholder()).hexdigest()]}
PEOPLE = {"resources": ["property", "member", "office"]}


@dataclass(frozen=True)
class Case:
    """A fault's value ("" for the usual one) and what it keeps back.

    ``feed`` and ``media`` are settings. ``late``: the fault comes after an honest first sync. ``hostile``: the first
    sync runs in a process whose memory is measured. ``silent``: the fault changes records that keep their timestamp, so
    that only rereading heals them. ``patient``: pauses that the server asks for are kept. ``soak``: only at full size,
    because a like of it is there.
    """

    value: str = ""
    lacks: Lacks = field(default_factory=Lacks)
    feed: Mapping[str, object] = field(default_factory=dict)
    media: Mapping[str, object] = field(default_factory=dict)
    late: bool = False
    hostile: bool = False
    silent: bool = False
    patient: bool = False
    soak: bool = False

    def __str__(self) -> str:
        parts = [self.value, str(self.feed.get("media", "")), "late" if self.late else ""]
        return "-".join(part for part in parts if part) or "usual"


def each(*values: str, feed: Mapping[str, object] | None = None, **more: Any) -> list[Case]:
    """Values under which the server can deliver everything."""
    return [Case(value, feed=feed or {}, **more) for value in values]


def sometimes(*values: str, feed: Mapping[str, object] | None = None, **more: Any) -> list[Case]:
    """The same, but that each answer may fail by chance: a photo may even fail whenever it is asked for in a sync."""
    return each(*values, feed=feed, lacks=Lacks(chance=BAD_LUCK), **more)


def soaked(cases: list[Case]) -> list[Case]:
    """The same, only at full size."""
    return [replace(case, soak=True) for case in cases]


def nothing(value: str, reason: str, *, hostile: bool = False) -> Case:
    """A value under which no sync can come to anything."""
    return Case(value, Lacks(everything=reason), hostile=hostile)


def records(name: str, value: str, reason: str, *, set_aside: bool = False, hostile: bool = False) -> list[Case]:
    """A fault that keeps listings back, from the start and once they are stored."""
    lacks = Lacks(records={name: reason}, set_aside=set_aside)
    return [Case(value, lacks, hostile=hostile), Case("1", lacks, NEVER_REREAD, late=True)]


def pictures(
    name: str, value: str, by_url: str, by_object: str, *, feed: Mapping[str, object] | None = None,
    hostile: bool = False,
) -> list[Case]:  # fmt: skip
    """A fault that keeps photos back, had in each of the three ways."""
    feed = feed or {}
    return [
        Case(value, Lacks(photos={name: by_url}), feed, hostile=hostile),
        Case(value, Lacks(photos={name: by_object}), {**feed, **BYTES}, hostile=hostile),
        Case(value, Lacks(photos={name: f"{by_url}|{by_object}"}), {**feed, **LOCATION}, soak=True),
    ]


def doubled(value: str) -> Lacks:
    """A master list whose rows are as many as it says, but not its keys."""
    faults = Faults(SEED, [f"doubled-keys={value}"])
    return Lacks(doubt="distinct keys", doubled=lambda key: faults.hits("doubled-keys", key))


def metadata(how: str, reason: str) -> Case:
    """Metadata that cannot be read: no reason for a sync to fail, but for status to say so."""
    return Case(how, Lacks(metadata=reason))


KEYLESS = Lacks(records={"missing-key": "without its key|no key"}, keyless=True)
BAD_LUCK = r"^(broken|truncated|endless|timeout|http_5xx|unavailable|missing)$"
NOT_DELIVERED = "lists it but does not deliver it"
FOREIGN = Lacks(unlisted="*", foreign=(lambda key: str(int(key) - FIRST_KEY + 800_000_000), NOT_DELIVERED))
DEEP = "deep|depth"

CASES: dict[str, list[Case]] = {
    "auth": each(
        "basic", "digest", "digest-noqop", "md5-sess", "sha-256", "both", "both-but-digest", "both-but-basic"
    ),
    "broken-gzip": [
        *each("off:1", "unasked:1", "plain:3", "corrupt:3", "cut:3"),
        *each("corrupt:1", hostile=True),
        *soaked(each("plain:1", "cut:1", hostile=True)),
    ],
    "cookie-changes": [*each("renewed:2", "refused:3"), *soaked(each("renewed:1", "refused:5"))],
    "cookie-name": each(""),
    "count-mismatch": [
        Case(value, Lacks(doubt=r"\d+ distinct keys came, COUNT announced \d+"), GUARD_OPEN)
        for value in ("1", "-1", "1000000")
    ],
    "cut": [*sometimes("7"), *sometimes("5", feed=BYTES), *soaked(sometimes("0.2")), nothing("1", "cut short")],
    "deep-nesting": records("deep-nesting", "0.1", DEEP, set_aside=True, hostile=True),
    "double-escaping": [*each("1"), *soaked(each("0.5"))],
    "doubled-keys": [Case("0.1", doubled("0.1"), GUARD_OPEN), Case("0.3", doubled("0.3"), GUARD_OPEN, late=True)],
    "drip": sometimes("64:7", feed=SOON, media={"timeout": 1}),
    "duplicate-records": [*each("0.3"), *soaked(each("1"))],
    "echo": [
        *sometimes("reply:5", "page:5"),
        *sometimes("reply:5", "page:5", feed=BYTES),
        nothing("reply:1", "session is invalid"),
        nothing("page:1", "answers in place of the MLS"),
    ],
    "empty-inventory": [
        case
        for value in ("0", "20201")
        for case in (
            Case(value, Lacks(unlisted="*")),
            Case(value, Lacks(unlisted="*", held=True), NEVER_REREAD, late=True),
        )
    ],
    "endless": [
        *sometimes("text:7", "rows:2", feed=SOON, hostile=True),
        Case("text:5", Lacks(chance=f"{BAD_LUCK}|^object_error: larger than allowed"), {**BYTES, **SOON}, hostile=True),
        nothing("text:1", "unreadable|longer than", hostile=True),
        nothing("rows:1", "far beyond", hostile=True),
    ],
    "entity-bomb": [*each("3", hostile=True), nothing("1", "declares entities", hostile=True)],
    "expired-photo-url": [
        Case("0.3", Lacks(photos={"expired-photo-url": "http_403"})),
        Case("1", Lacks(photos={"expired-photo-url": "http_403"})),
    ],
    "foreign-inventory": [Case("", FOREIGN), Case("", replace(FOREIGN, held=True), NEVER_REREAD, late=True)],
    "ghost-photo": pictures("ghost-photo", "0.2", "http_404", "object_error: 20403|missing"),
    "half-photo": pictures("half-photo", "0.2", "truncated", "truncated"),
    "hostile-keys": [Case("", Lacks(phantoms=dict.fromkeys(HOSTILE_KEYS, "cannot be asked for")))],
    "http-503": [  # hosts of photos are waited for in real time
        *sometimes("25", "first:3"),
        *sometimes("5", feed=BYTES),
        *soaked(sometimes("0.05")),
        nothing("1", "server trouble"),
    ],
    "illegal-characters": [*each("1"), *soaked(each("0.5"))],
    "image-bomb": pictures("image-bomb", "0.2", "too_many_pixels", "too_many_pixels", hostile=True),
    "late-status": each("20203:3", "20201:3", "20208:3", "20209:3", "20210:3", "20701:3", "10000:3"),
    "length-required": each("post", "any"),
    "location-ignored": each("1", feed=LOCATION),
    "location-style": each("table", "header", feed=LOCATION),
    "login-form": each("spaces", "bare", "null"),
    "long-address": each("500"),
    "lost-node": [*each("3"), *soaked(each("7"))],
    "mass-touch": [*each("1"), *soaked(each("0.5"))],
    "missing-key": [
        Case(value, KEYLESS, {**feed, **ONE_PAGE}, late=late)
        for value, feed, late in (
            ("ids:20000003", {}, False),
            ("ids:20000003,20000004,20000005", {}, False),
            ("1", NEVER_REREAD, True),
        )
    ],
    "missing-record": records("missing-record", "0.2", NOT_DELIVERED),
    "moved-login": each("redirect", "sessions"),
    "multipart-defects": [
        case
        for kind in (
            "no-first-crlf", "quoted-boundary", "unquoted-boundary", "charset-boundary", "no-closing",
            "no-space-headers", "header-only", "missing-ids", "description-header", "folded-header",
        )
        for case in each(kind, feed=BYTES)
    ] + each("header-only", feed=LOCATION) + soaked(
        each("missing-ids", "folded-header", feed=LOCATION)
    ),
    "needs-accept": [*each("1"), *each("1", feed=BYTES)],
    "no-post": each("404", "405"),
    "no-object": [
        *each("20403:0.3"),
        Case("20402:0.3", Lacks(objects="missing|unknown identifier"), BYTES),
        Case("20403:0.3", Lacks(objects="missing|unknown identifier"), LOCATION),
        Case("20403:0.3", Lacks(objects="missing|unknown identifier"), BYTES, soak=True),
        Case("20402:0.3", Lacks(objects="missing|unknown identifier"), LOCATION, soak=True),
    ],
    "nonce-per-request": each("401", "nextnonce"),
    "not-an-image": pictures("not-an-image", "0.2", "text", "object_error"),
    "not-logged-in": [*each("2"), *soaked(each("5")), nothing("1", "not logged in")],
    "odd-logout": each("401", "text", "empty"),
    "odd-metadata": [
        metadata("empty", "has nothing of"),
        metadata("blank", "is blank"),
        metadata("gaps", "is blank"),
        metadata("cut", "ended|cut"),
        metadata("failed", "server trouble"),
        *each("unknown"),
    ],
    "offset-ignored": each("1"),
    "one-session": each("1800", "5"),
    "placeholder-photo": [
        *pictures("placeholder-photo", "0.2", "placeholder", "placeholder", feed=TOLD),
        Case("0.5", Lacks(as_sent="placeholder-photo"), silent=True),
    ],
    "refused-resource": [
        Case("Agent", Lacks(resource=("member", "^member: .*not authorised")), PEOPLE),
        Case("Office", Lacks(resource=("office", "^office: .*not authorised")), PEOPLE),
    ],
    "relative-capabilities": each("1"),
    "reply-order": each("1"),
    "reverting-timestamp": [*each("0.3"), *soaked(each("1"))],
    "session-lost": [*each("3"), *soaked(each("4")), nothing("1", "not logged in")],
    "short-inventory": [
        Case("0.2", Lacks(unlisted="short-inventory")),
        Case("0.3", Lacks(unlisted="short-inventory", held=True), NEVER_REREAD, late=True),
        Case("ids:20000003,20000004", Lacks(unlisted="short-inventory"), late=True),
    ],
    "single-part": each("image", "text", "empty", feed=BYTES),
    "slow": each("50"),
    "stale-copy": [  # a listing that left the list today is reread from the copy that still has it, and rightly kept
        Case(
            "1",
            Lacks(records={"stale-copy": f"older copy|{NOT_DELIVERED}"}, photos={"stale-copy": "http_404"}),
            NEVER_REREAD,
        ),
    ],
    "stale-nonce": [*each("2"), *soaked(each("5"))],
    "status-412": [*each("3"), *soaked(each("4")), nothing("1", "not permitted")],
    "success-with-400": [*each("3"), *soaked(each("1"))],
    "surrogate-references": [*each("1"), *soaked(each("0.5"))],
    "terminal-escapes": [*each("1", silent=True), *soaked(each("0.5", silent=True))],
    "throttle-20210": [*each("5", "first:3"), Case("1", Lacks(paused="too many outstanding"))],
    "throttle-429": each("25", "first:1", patient=True),
    "truncated": [
        *sometimes("7"),
        *sometimes("5", feed=BYTES),
        *soaked(sometimes("0.2")),
        nothing("1", "ended|cut short"),
    ],
    "unfit-values": [*each("1", silent=True), *soaked(each("0.3", silent=True))],
    "unknown-elements": [*each("1", silent=True), *soaked(each("0.3", silent=True))],
    "version-refused": each("1.5", "1.7", "1.7.2", "1.8"),
    "wrong-date": each("-86400", "86400", "garbage", "none"),
    "wrong-encoding": [*each("1"), *soaked(each("0.5"))],
}  # fmt: skip
PARAMETERS = [
    pytest.param(name, case, id=f"{name}-{case}")
    for name in SWITCHES
    for case in [case for case in CASES.get(name, [Case("untold")]) if SCALE > 1 or not case.soak][:MOST]
]


def test_every_switch_and_every_kind_of_it_is_in_the_table() -> None:
    assert SWITCHES.keys() <= CASES.keys()
    for name, switch in SWITCHES.items():
        choice = switch.form.removeprefix("(").partition(")")[0]
        if re.fullmatch(r"[\w.-]+(\|[\w.-]+)+", choice):
            told = {case.value.partition(":")[0] for case in CASES[name]}
            assert set(choice.split("|")) <= told, name


class Syncing:
    """A feed synced day after day, and what it should come to."""

    def __init__(self, mls: Mls, folder: Path, case: Case) -> None:
        self.mls, self.folder, self.lacks = mls, folder, case.lacks
        self.client = Client(Lacks())
        self.config = configure(folder, mls.login_url, {**FEED, **case.feed}, {**MEDIA, **case.media})
        self.settings = load(self.config)
        self.patient = case.patient
        self.app = self.fresh()
        self.slowest = 0.0

    def fresh(self) -> Hasty:
        """The feed's app, not yet open."""
        return Hasty(self.settings, self.app.days if hasattr(self, "app") else 0, patient=self.patient)

    def sync(self, *, apart: bool = False) -> Ended:
        """One sync, in time."""
        started = time.monotonic()
        if apart:
            self.app.close()
            ended = sync_apart(self.config, self.app.days)
            assert ended.mib < MIB
            self.app = self.fresh()
        else:
            ended = sync_here(self.app)
        self.slowest = max(self.slowest, time.monotonic() - started)
        assert self.slowest < SECONDS, ended
        return ended

    def check(self, when: str, *, apart: bool = False) -> None:
        """After a sync everything deliverable is there, and the rest is what status lists.

        What mere chance kept back is had by the next sync, or the one after.
        """
        for _ in range(4):
            ended = self.sync(apart=apart)
            found = self.lacking()
            assert found == [], f"{when}: {ended}\n" + "\n".join(found[:20])
            lacks = self.client.lacks
            expected = 1 if lacks.everything or lacks.resource else 3 if self.client.problems or lacks.paused else 0
            assert ended.code == expected, f"{when}: {ended}"
            if not self.client.unlucky:
                return
        raise AssertionError(f"{when}: still lacking: {self.client.unlucky}")

    def lacking(self) -> list[str]:
        """What is not as it should be after the sync that has just ended."""
        client, told, waits = self.client, status(self.settings), paused(self.settings)
        client.synced(self.mls.truth(), told)
        refused = client.lacks.resource[0] if client.lacks.resource else ""
        own: dict[str, list[Json]] = {
            name: [] if name == refused else self.mls.truth(resource=name)
            for name in self.settings.feeds["ddf"].resources[1:]
        }
        stored = differences(
            in_files(self.folder / "mlsync.db", self.folder / "media"),
            client.stored(),
            open_ends=client.open_ends,
            own=own,
        )
        if not re.search(client.lacks.paused, waits):
            stored.append(f"status: the MLS may not be asked for the reason {waits!r}")
        return [*stored, *unexplained(client, told)]


@pytest.fixture
def folder(memory_dir: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    quiet()
    found = memory_dir / request.node.name
    found.mkdir()
    yield found
    for path in sorted(found.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.parametrize(("name", "case"), PARAMETERS)
def test_all_that_can_be_had_is_had_and_the_rest_is_told(name: str, case: Case, folder: Path) -> None:
    fault = f"{name}={case.value}" if case.value else name
    with simulated(LISTINGS, PHOTOS, seed=SEED, faults=() if case.late else (fault,)) as mls:
        here = Syncing(mls, folder, case)
        try:
            _days(mls, here, name, case)
        finally:
            here.app.close()


def _days(mls: Mls, here: Syncing, name: str, case: Case) -> None:
    client = here.client
    if case.late:
        with here.app.running():
            here.check("before the fault")
        here.app = here.fresh()
        mls.fault(name, case.value or None)
    client.lacks = case.lacks
    if case.hostile:
        here.check("the first sync", apart=True)
    with here.app.running():
        if not case.hostile:
            here.check("the first sync")
        for day in range(1, DAYS + 1):
            mls.advance()
            here.app.days += 1
            here.check(f"day {day}")
        if "first:" in SWITCHES[name].form:
            assert mls.stats()["struck"].get(name), "the fault never struck: this proved nothing"
        if case.lacks.as_sent:
            assert client.instead, "no picture stood for another: this proved nothing"
        elif case.lacks.by_definition:
            assert client.struck, "the fault kept nothing back: this proved nothing"
        mls.fault(name, "off")
        client.lacks = Lacks()
        for _ in range(2):
            here.app.days += REREAD_DAYS if case.silent else 1
            ended = here.sync()
            if not (found := here.lacking()):
                break
        assert (found, ended.code) == ([], 0), f"after the fault: {ended}\n" + "\n".join(found[:20])
