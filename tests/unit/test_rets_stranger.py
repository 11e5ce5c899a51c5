"""Something else answers in the MLS's place: it is told apart, named, and never taken for the records' fault."""

from __future__ import annotations

import pytest

from shared.rets.stranger import stranger
from shared.sources.base import SourceAwayError, SourceUnreadableError
from shared.sources.ddf import DdfSource
from tests.unit.rets_server import PASSWORD, Asked, Say, ScriptedServer
from tests.unit.test_ddf_source import ONE, listed

PAGE = "<!DOCTYPE html>\n<html lang=en><head><title>\n Scheduled &amp; short\tmaintenance</title></head></html>"


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (PAGE, "an HTML page: Scheduled & short maintenance"),
        ("\ufeff <!-- x --><HTML><body><h1>We'll be <b>back</b></h1>", "an HTML page: We'll be back"),
        ("<html><body>soon", "an HTML page"),
        ('<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html><title>' + "word " * 60, "an HTML page"),
        ("<html><title>" + "word " * 60 + "</title>", "an HTML page: " + "word " * 15 + "word …"),
        ("Service temporarily\nunavailable", "a text: Service temporarily unavailable"),
        ('{"error": "maintenance"}', 'a text: {"error": "maintenance"}'),
        ("<?xml version='1.0'?><soap:Envelope xmlns:soap='x'>", "another XML document: soap:Envelope"),
    ],
)
def test_what_is_no_rets_answer_is_named_with_its_own_first_words(head: str, words: str) -> None:
    assert stranger(head.encode()) == words


@pytest.mark.parametrize(
    "head",
    [
        "",
        " \r\n",
        "<?xml version='1.0'?>",
        "<RE",
        '<RETS ReplyCode="0">',
        'hello <rets replycode="0"/>',
        '<x:RETS xmlns:x="y" ReplyCode="0">',
        '<!DOCTYPE RETS [<!ENTITY a "b">]>',
    ],
)
def test_what_may_be_a_rets_answer_is_left_to_its_reader(head: str) -> None:
    assert stranger(head.encode()) == ""


def test_a_page_of_millions_of_headings_costs_no_time() -> None:
    assert stranger(b"<html>" + b"<title>" * 1_000_000) == "an HTML page"


def test_a_maintenance_page_in_place_of_records_is_asked_again_twice_and_is_no_records_fault() -> None:
    slept: list[float] = []
    page = PAGE.replace("short", PASSWORD)

    def answer(asked: Asked) -> Say | None:
        if asked.path != "/search":
            return None
        return Say(listed(ONE, count="1")) if asked.arguments["Query"] == "(ID=*)" else Say(page)

    with ScriptedServer(answer) as server:
        source = DdfSource(server.session(slept=slept))
        assert source.inventory("property").proven
        with pytest.raises(SourceAwayError, match=r"in place of the MLS \(an HTML page: Scheduled & \*\*\*") as caught:
            source.records("property", ["1"])
        assert not isinstance(caught.value, SourceUnreadableError)
        assert server.paths().count("/search") == 4
    assert slept == [1.0, 2.0]


def test_a_maintenance_page_that_passes_is_not_noticed() -> None:
    turns = iter([Say(PAGE), Say(listed(ONE, count="1"))])
    with ScriptedServer(lambda asked: next(turns) if asked.path == "/search" else None) as server:
        assert DdfSource(server.session()).inventory("property").proven


@pytest.mark.parametrize("path", ["/login", "/object"])
def test_a_maintenance_page_in_place_of_a_login_or_photos_is_nobodys_answer_either(path: str) -> None:
    with ScriptedServer(lambda asked: Say(PAGE, content_type="text/html") if asked.path == path else None) as server:
        source = DdfSource(server.session())
        with pytest.raises(SourceAwayError, match="an HTML page"):
            list(source.photos("property", "9", location=False))


def test_a_text_in_a_photos_place_is_the_mls_speaking() -> None:
    text = Say("No photos at this time", content_type="text/plain")
    with ScriptedServer(lambda asked: text if asked.path == "/object" else None) as server:
        (photo,) = DdfSource(server.session()).photos("property", "9", location=False)
    assert photo.error == "the server gave a text: No photos at this time"
