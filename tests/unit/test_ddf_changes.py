"""What the DDF source asks for changes, and what it makes of the answers (DDF guide, Search and Paging)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from services.simulator.main import Options, Simulator
from shared.rets.errors import RetsReplyError
from shared.rets.session import RetsSession
from shared.rets.settings import RetsSettings
from shared.sources.base import Page, SourceUnreadableError
from shared.sources.ddf import DdfSettings, DdfSource
from tests.unit.rets_server import Asked, Say, ScriptedServer

SINCE = int(datetime(2024, 3, 5, 14, 0, 0, tzinfo=UTC).timestamp()) * 1_000_000
DATED = [("Date", "Tue, 05 Mar 2024 15:00:00 GMT")]


def details(first: int, count: int, *, total: int | None = None, code: str = "0", counted: int | None = None) -> str:
    head = f'<COUNT Records="{counted}"></COUNT>' if counted is not None else ""
    paging = f"<Pagination><TotalRecords>{total}</TotalRecords></Pagination>" if total is not None else ""
    rows = "".join(f'<PropertyDetails ID="{n}" LastUpdated="s"/>' for n in range(first, first + count))
    return (
        f'<RETS ReplyCode="{code}" ReplyText="x">{head}'
        f'<RETS-RESPONSE xmlns="urn:CREA.Search.Property">{paging}{rows}</RETS-RESPONSE></RETS>'
    )


def read(say: Callable[[int], str], limit: int = 100) -> tuple[list[Page], list[dict[str, str]]]:
    """Every page, and the arguments of every Search; ``say`` answers an Offset."""

    def answer(asked: Asked) -> Say | None:
        return Say(say(int(asked.arguments["Offset"])), headers=DATED) if asked.path == "/search" else None

    with ScriptedServer(answer) as server:
        source = DdfSource(server.session(retry_attempts=1), DdfSettings(culture="fr-CA"))
        pages = list(source.changes("property", SINCE + 999_999, limit))
        return pages, [asked.arguments for asked in server.asked if asked.path == "/search"]


def test_what_is_asked_for() -> None:
    _, asked = read(lambda _: details(1, 1, total=1), limit=7)
    assert asked == [
        {
            "SearchType": "Property",
            "Class": "Property",
            "QueryType": "DMQL2",
            "Query": "(LastUpdated=2024-03-05T14:00:00Z)",
            "Format": "STANDARD-XML",
            "Count": "1",
            "Culture": "fr-CA",
            "Limit": "7",
            "Offset": "1",
        }
    ]


@pytest.mark.parametrize("listings", [0, 1, 99, 100, 101, 200, 201])
def test_all_that_changed_comes_once_whatever_the_total(listings: int) -> None:
    with Simulator(Options(listings=listings, photos=0)) as simulator:
        source = DdfSource(RetsSession(RetsSettings(simulator.login_url, "demo", SecretStr("demo"))))
        pages = list(source.changes("property", 0, 100))
        source.close()
        came = [record.key for page in pages for record in page.records]
        assert sorted(came) == sorted(entry["key"] for entry in simulator.control.truth("property", ""))
        assert simulator.control.stats()["requests"]["Search"] == len(pages) == max(1, -(-listings // 100))
        assert {page.doubt for page in pages} == {""}
        assert all(page.server_date for page in pages)


def test_nothing_changed_is_one_page_without_records() -> None:
    pages, asked = read(lambda _: '<RETS ReplyCode="20201" ReplyText="No Records Found"/>')
    assert [(page.records, page.doubt) for page in pages] == [([], "")]
    assert pages[0].server_date is not None
    assert len(asked) == 1


@pytest.mark.parametrize(
    "say",
    [
        lambda first: details(first, min(100, 102 - first), total=101),
        lambda first: details(first, min(100, 102 - first), counted=101),
        lambda first: details(first, min(100, 102 - first), counted=101, total=101),
        lambda first: details(first, min(100, 102 - first), counted=min(100, 102 - first), total=101),
    ],
    ids=["TotalRecords", "COUNT", "both", "COUNT of the page"],
)
def test_the_total_is_taken_from_whichever_is_there(say: Callable[[int], str]) -> None:
    pages, asked = read(say)
    assert [arguments["Offset"] for arguments in asked] == ["1", "101"]
    assert [len(page.records) for page in pages] == [100, 1]
    assert pages[-1].doubt == ""


def test_a_server_that_ignores_offsets_is_asked_once_more_and_then_doubted() -> None:
    pages, asked = read(lambda _: details(1, 100, total=350))
    assert [arguments["Offset"] for arguments in asked] == ["1", "101"]
    assert [len(page.records) for page in pages] == [100, 0]
    assert "offsets are not honoured" in pages[-1].doubt


def test_a_server_whose_pages_never_end_is_left() -> None:
    pages, asked = read(lambda first: details(first, 1, total=10**9), limit=1)
    assert len(asked) == 1_000
    assert "no end" in pages[-1].doubt


def test_a_page_without_end_is_unreadable() -> None:
    with pytest.raises(SourceUnreadableError, match="far beyond"):
        read(lambda _: details(1, 5_000, total=5_000), limit=10)


def test_too_many_is_a_doubt_whatever_came() -> None:
    for count in (0, 3):
        pages, _ = read(lambda _, count=count: details(1, count, code="20208", total=count))  # type: ignore[misc]
        assert len(pages[-1].records) == count
        assert "20208" in pages[-1].doubt


@pytest.mark.parametrize("code", ["20206", "20207", "20203"])
def test_a_refusal_of_the_query_is_a_doubt(code: str) -> None:
    pages, _ = read(lambda _: f'<RETS ReplyCode="{code}" ReplyText="no such query"/>')
    assert [page.records for page in pages] == [[]]
    assert "does not say what changed" in pages[0].doubt


def test_a_refusal_half_way_keeps_what_came() -> None:
    pages, _ = read(
        lambda first: details(1, 100, total=150) if first == 1 else '<RETS ReplyCode="20207" ReplyText="no"/>'
    )
    assert [len(page.records) for page in pages] == [100, 0]
    assert pages[-1].doubt


def test_a_refused_login_is_no_doubt_but_an_error() -> None:
    def answer(asked: Asked) -> Say | None:
        return Say('<RETS ReplyCode="20036" ReplyText="no"/>') if asked.path == "/login" else None

    with ScriptedServer(answer) as server, pytest.raises(RetsReplyError):
        list(DdfSource(server.session(retry_attempts=1)).changes("property", SINCE, 100))


@pytest.mark.parametrize("limit", [0, 101])
def test_a_limit_no_request_takes_is_an_error_before_anything_is_asked(limit: int) -> None:
    with ScriptedServer(lambda _: None) as server:
        with pytest.raises(ValueError, match="1 to 100"):
            DdfSource(server.session()).changes("property", SINCE, limit)
        assert server.asked == []


def test_nothing_is_asked_for_before_a_page_is_taken() -> None:
    answer = Say(details(1, 1, total=1))
    with ScriptedServer(lambda asked: answer if asked.path == "/search" else None) as server:
        pages = DdfSource(server.session()).changes("property", SINCE, 100)
        assert server.asked == []
        next(pages)
        assert server.paths() == ["/login", "/search"]
