"""A class that the server does not know any more, though its metadata named it when the session began."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.simulator.main import Options, Simulator
from shared.rets.codes import BUSY_SECONDS
from shared.rets.errors import RetsReplyError
from shared.rets.schema.types import Field, Resource, ResourceClass, System
from shared.sources.rets.source import RetsSource
from shared.sources.rets.state import RetsState
from tests.unit.mls_metadata import serving
from tests.unit.rets_server import Asked, Say, ScriptedServer
from tests.unit.test_rets_source import NOTHING, all_keys, keys, session_at

FIELDS = (Field(system_name="SYSID", data_type="Int"), Field(system_name="CHANGED_AT", data_type="DateTime"))
SAID = ["Invalid Class", "The class B is not available", "Unknown resource or class: B", "SearchType/Class B not found"]
UNTOLD = ["Miscellaneous Search Error", "Timed out"]


def described(*names: str) -> System:
    classes = tuple(ResourceClass(class_name=name, class_time_stamp="CHANGED_AT", fields=FIELDS) for name in names)
    return System(resources=(Resource(resource_id="Property", key_field="SYSID", classes=classes),))


def row(key: int) -> Say:
    return Say(
        '<RETS ReplyCode="0"><COUNT Records="1"/><COLUMNS>\tSYSID\tCHANGED_AT\t</COLUMNS>'
        f"<DATA>\t{key}\t2024-03-05T14:00:00\t</DATA></RETS>"
    )


@pytest.fixture
def drifting() -> Iterator[Simulator]:
    with Simulator(Options(personality="mls", listings=45, photos=0)) as running:
        yield running


@pytest.mark.parametrize("cap", ["", "9:maxrows", "9:count"])
def test_whenever_it_goes_the_list_of_the_others_is_whole(drifting: Simulator, cap: str) -> None:
    """Also in the midst of ranges, where a refusal may be of ranges."""
    if cap:
        drifting.control.fault("row-cap", cap)
    source = RetsSource(session_at(drifting), RetsState(NOTHING))
    everything = all_keys(drifting)
    assert keys(source.inventory("property")) == everything
    searches = drifting.control.stats()["requests"]["Search"]
    whole = 0
    for after in range(1, searches, 1 if searches < 20 else 7):
        drifting.control.fault("metadata-drift", f"class:{after}")
        found = source.inventory("property")
        if found.untold:
            assert list(found.untold) == ["LND"]
            assert (found.proven, found.doubt) == (True, "")
            assert keys(found) == all_keys(drifting)
            assert len(keys(found)) < len(everything)
        whole += not found.untold
        drifting.control.fault("metadata-drift", "off")
        drifting.control.drift("restored")
        source.close()
    assert whole <= 1  # its last search may have been answered
    assert keys(source.inventory("property")) == everything
    source.close()


@pytest.mark.parametrize("text", [*SAID, *UNTOLD])
def test_the_metadata_are_read_again_at_once_where_the_class_is_spoken_of_else_after_a_while(text: str) -> None:
    metadata = serving(described("A"))

    def answer(asked: Asked) -> Say | None:
        if asked.path != "/search":
            return metadata(asked)
        return row(7) if asked.arguments["Class"] == "A" else Say(f'<RETS ReplyCode="20203" ReplyText="{text}"/>')

    slept: list[float] = []
    with ScriptedServer(answer) as server:
        state = RetsState(NOTHING, described("A", "B"))
        found = RetsSource(server.session(slept=slept), state).inventory("property")
        assert (keys(found), list(found.untold), found.proven) == (["7"], ["B"], True)
        assert slept == ([] if text in SAID else [BUSY_SECONDS])


def test_one_that_the_metadata_keep_naming_stops_alone_where_the_server_says_that_it_is_the_class() -> None:
    metadata = serving(described("A", "B"))
    gone: list[str] = []

    def answer(asked: Asked) -> Say | None:
        if asked.path != "/search":
            return metadata(asked)
        name = asked.arguments["Class"]
        return Say('<RETS ReplyCode="20203" ReplyText="Invalid Class"/>') if name in gone else row(ord(name))

    with ScriptedServer(answer) as server:
        source = RetsSource(server.session(), RetsState(NOTHING))
        assert keys(source.inventory("property")) == ["65", "66"]
        gone.append("B")
        found = source.inventory("property")
        assert (keys(found), list(found.untold)) == (["65"], ["B"])
        assert "the server refuses it" in found.untold["B"]


def test_an_error_that_says_nothing_of_a_class_has_the_metadata_read_again_once_and_stays_an_error() -> None:
    metadata = serving(described("A"))

    def answer(asked: Asked) -> Say | None:
        return Say('<RETS ReplyCode="20203" ReplyText="Error"/>') if asked.path == "/search" else metadata(asked)

    with ScriptedServer(answer) as server:
        source = RetsSource(server.session(), RetsState(NOTHING))
        for _ in range(3):
            with pytest.raises(RetsReplyError, match="miscellaneous search error"):
                source.inventory("property")
        whole = [each for each in server.asked if each.arguments.get("Type") == "METADATA-RESOURCE"]
        assert server.paths().count("/login") == 1
        assert len(whole) <= 2
