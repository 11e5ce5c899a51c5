"""Metadata of the DDF source: what it asks for, in which order, and what it believes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.lookups import LookupValue, MetadataVersion
from shared.rets.errors import RetsReplyError
from shared.sources.base import (
    SourceAwayError,
    SourceError,
    SourceRefusedError,
    SourceUnavailableError,
    SourceUnreadableError,
)
from shared.sources.ddf import DdfSettings, DdfSource
from tests.unit.rets_server import LOGIN, Asked, Say, ScriptedServer
from tests.unit.test_rets_metadata import BOARDS, FOUND, TREE, answer, lookups, named, value, values

Answers = dict[str, Say | bytes]
ALL, NAMES = "METADATA-LOOKUP Property:*", "METADATA-LOOKUP Property"
ONE = "METADATA-LOOKUP_TYPE Property:"


def refused(code: int) -> bytes:
    return f'<RETS ReplyCode="{code}" ReplyText="no"/>'.encode()


def serving(answers: Answers) -> ScriptedServer:
    def say(asked: Asked) -> Say | None:
        if asked.path != "/metadata":
            return None
        said = answers[f"{asked.arguments['Type']} {asked.arguments['ID']}"]
        return said if isinstance(said, Say) else Say(said)

    return ScriptedServer(say)


def asked(server: ScriptedServer) -> list[str]:
    return [f"{item.arguments['Type']} {item.arguments['ID']}" for item in server.asked if item.path == "/metadata"]


FLAT: Answers = {
    NAMES: answer(lookups(named("Boards"), named("Crop"))),
    f"{ONE}Boards": answer(BOARDS),
    f"{ONE}Crop": answer(values("Crop", value("Hay", short="Hay"))),
}


def test_all_lookups_with_their_values_come_in_one_request() -> None:
    with serving({ALL: TREE}) as server:
        found = DdfSource(server.session(), DdfSettings(culture="fr-CA")).metadata()
        assert found.lookups == {("property", name): some for name, some in FOUND.items()}
        assert asked(server) == [ALL]
        assert server.asked[-1].arguments["Culture"] == "fr-CA"
        assert server.asked[-1].arguments["Format"] == "STANDARD-XML"


@pytest.mark.parametrize("whole", [refused(20502), refused(20513), refused(20503), answer(""), FLAT[NAMES]])
def test_a_server_that_gives_no_tree_is_asked_for_names_and_then_for_each(whole: bytes) -> None:
    with serving({ALL: whole, **FLAT}) as server:
        found = DdfSource(server.session()).metadata()
        assert found.lookups == {("property", name): some for name, some in FOUND.items()}
        names = [] if whole == FLAT[NAMES] else [NAMES]
        assert asked(server) == [ALL, *names, f"{ONE}Boards", f"{ONE}Crop"]


@pytest.mark.parametrize("none", [refused(20503), answer(values("Crop"))])
def test_a_lookup_may_be_empty_if_the_server_says_so(none: bytes) -> None:
    with serving({ALL: FLAT[NAMES], **FLAT, f"{ONE}Crop": none}) as server:
        assert DdfSource(server.session()).metadata().lookups["property", "Crop"] == []


UNREADABLE: dict[str, Answers] = {
    "empty": {ALL: answer(""), NAMES: answer("")},
    "not there": {ALL: refused(20503), NAMES: refused(20503)},
    "not allowed": {ALL: refused(20507), NAMES: refused(20507)},
    "blank": {ALL: answer(lookups(named("", values("", value("")))))},
    "in part blank": {ALL: answer(lookups(named("Boards", values("Boards", value("1", "one"), value("")))))},
    "one lookup's answer is empty": {ALL: FLAT[NAMES], **FLAT, f"{ONE}Crop": answer("")},
    "one lookup's answer is another's": {ALL: FLAT[NAMES], **FLAT, f"{ONE}Crop": answer(BOARDS)},
    "a name that cannot be asked for": {ALL: answer(lookups(named("a:b")))},
    "more names than any MLS has": {ALL: answer(lookups(*(named(f"L{n}") for n in range(501))))},
}


@pytest.mark.parametrize("answers", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_whole_is_no_metadata(answers: Answers) -> None:
    naps: list[float] = []
    with serving(answers) as server:
        with pytest.raises(SourceUnreadableError):
            DdfSource(server.session(slept=naps)).metadata()
        assert len(asked(server)) <= 6
    assert sum(naps) <= 1


def test_a_page_for_people_is_no_metadata() -> None:
    naps: list[float] = []
    with serving({ALL: Say("<html>Maintenance</html>", content_type="text/html")}) as server:
        with pytest.raises(SourceAwayError):
            DdfSource(server.session(slept=naps)).metadata()
        assert len(asked(server)) <= 6


@pytest.mark.parametrize(
    "said",
    [
        Say(TREE[: len(TREE) // 2]),
        Say("Internal Server Error", status=500, content_type="text/plain"),
        Say(TREE, headers=[("Content-Length", str(len(TREE) + 10))]),
        Say(refused(20509)),
        Say("slow down", status=429, headers=[("Retry-After", "3600")], content_type="text/plain"),
    ],
    ids=["cut", "failed", "cut connection", "busy", "throttled"],
)
def test_a_fault_that_passes_is_waited_for_a_few_seconds_only(said: Say) -> None:
    naps: list[float] = []
    with serving({ALL: said}) as server:
        with pytest.raises(SourceUnavailableError):
            DdfSource(server.session(slept=naps)).metadata()
        assert 1 <= len(asked(server)) <= 3
    assert max(naps, default=0.0) <= 2


def test_a_refusal_is_one() -> None:
    with serving({ALL: refused(20502), NAMES: refused(20502)}) as server, pytest.raises(RetsReplyError):
        DdfSource(server.session()).metadata()
    with serving({ALL: refused(20041)}) as server, pytest.raises(RetsReplyError):
        DdfSource(server.session()).metadata()


def test_a_server_without_metadata_is_refused_without_a_request() -> None:
    login = LOGIN.replace("GetMetadata=/metadata\n", "")
    with ScriptedServer(lambda said: Say(login) if said.path == "/login" else None) as server:
        with pytest.raises(SourceRefusedError, match="does not offer"):
            DdfSource(server.session()).metadata()
        assert server.paths() == ["/login"]


SAID: dict[str, tuple[str, MetadataVersion]] = {
    "all": (
        "MetadataVersion=1.0.12\nMinMetadataVersion=1.0.2\nMetadataTimestamp=2024-01-15T00:00:00Z",
        MetadataVersion("1.0.12", "2024-01-15T00:00:00Z", "1.0.2", "en-CA"),
    ),
    "nothing": ("", MetadataVersion(language="en-CA")),
    "beyond bounds": (f"MetadataVersion={'9' * 5000}", MetadataVersion("9" * 64, language="en-CA")),
}


@pytest.mark.parametrize(("lines", "version"), SAID.values(), ids=SAID)
def test_the_version_is_what_the_login_said(lines: str, version: MetadataVersion) -> None:
    login = LOGIN.replace("MemberName", f"{lines}\nMemberName")
    with ScriptedServer(lambda said: Say(login) if said.path == "/login" else None) as server:
        source = DdfSource(server.session())
        assert source.metadata_version() is None
        source.login()
        assert source.metadata_version() == version
        source.close()
        assert source.metadata_version() is None
        assert server.paths() == ["/login", "/logout"]


@pytest.mark.parametrize("spoil", [lambda data, at: data[:at], lambda data, at: data[:at] + b"\x00<" + data[at:]])
def test_no_spoilt_answer_is_taken_for_other_metadata(spoil: Callable[[bytes, int], bytes]) -> None:
    """Wherever an answer is cut or broken, all of it comes or none."""
    places = range(1, len(TREE), 37)
    for at in places:
        with serving({ALL: spoil(TREE, at), NAMES: answer("")}) as server:
            try:
                found = DdfSource(server.session()).metadata()
            except SourceError:
                continue
            assert {name: len(some) for (_, name), some in found.lookups.items()} == {"Boards": 2, "Crop": 1}


def test_values_keep_what_the_server_says_of_them() -> None:
    with serving({ALL: TREE}) as server:
        found = DdfSource(server.session()).metadata()
    assert dict(found.values())["property", "Boards", "82"] == LookupValue("82", "Toronto Board", "TOR", "B82")
