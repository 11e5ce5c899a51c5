"""The tables of reply codes and statuses: a code means what it means for its transaction."""

from __future__ import annotations

import pytest

from shared.rets.codes import ANY, BY_STATUS, BY_TRANSACTION, Reaction, known_code, rule_for_code, rule_for_status

CODES = [
    ("Login", "0", Reaction.OK),
    ("Search", "000", Reaction.OK),
    ("Search", "400", Reaction.RELOGIN),
    ("Search", "10000", Reaction.BACKOFF),
    ("Login", "20003", Reaction.STOP),
    ("Login", "20004", Reaction.BACKOFF),
    ("Login", "20012", Reaction.FALLBACK),
    ("Login", "20013", Reaction.STOP),
    ("Login", "20022", Reaction.BACKOFF),
    ("Login", "20036", Reaction.FALLBACK),
    ("Login", "20037", Reaction.STOP),
    ("Search", "20037", Reaction.RELOGIN),
    ("Search", "20041", Reaction.STOP),
    ("Login", "20050", Reaction.BACKOFF),
    ("Search", "20050", Reaction.BACKOFF),
    ("ChangePassword", "20140", Reaction.STOP),
    ("ChangePassword", "20141", Reaction.STOP),
    ("ChangePassword", "20142", Reaction.STOP),
    ("Search", "20200", Reaction.FALLBACK),
    ("Search", "20201", Reaction.EMPTY),
    ("Search", "20202", Reaction.FALLBACK),
    ("Search", "20203", Reaction.BACKOFF),
    ("Search", "20206", Reaction.STOP),
    ("Search", "20207", Reaction.STOP),
    ("Search", "20208", Reaction.OK),
    ("Search", "20209", Reaction.BACKOFF),
    ("Search", "20210", Reaction.BACKOFF),
    ("Search", "20211", Reaction.FALLBACK),
    ("Search", "20212", Reaction.FALLBACK),
    ("Search", "20213", Reaction.FALLBACK),
    ("Search", "20215", Reaction.STOP),
    ("Search", "20216", Reaction.STOP),
    ("Search", "20217", Reaction.STOP),
    ("Update", "20301", Reaction.STOP),
    ("Update", "20302", Reaction.STOP),
    ("Update", "20303", Reaction.STOP),
    ("Update", "20311", Reaction.FALLBACK),
    ("Update", "20312", Reaction.FALLBACK),
    ("GetObject", "20400", Reaction.STOP),
    ("GetObject", "20401", Reaction.STOP),
    ("GetObject", "20402", Reaction.SKIP),
    ("GetObject", "20403", Reaction.EMPTY),
    ("GetObject", "20406", Reaction.FALLBACK),
    ("GetObject", "20407", Reaction.SKIP),
    ("GetObject", "20408", Reaction.BACKOFF),
    ("GetObject", "20409", Reaction.BACKOFF),
    ("GetObject", "20410", Reaction.FALLBACK),
    ("GetObject", "20411", Reaction.BACKOFF),
    ("GetObject", "20412", Reaction.BACKOFF),
    ("GetObject", "20413", Reaction.BACKOFF),
    ("GetObject", "20414", Reaction.FALLBACK),
    ("GetMetadata", "20500", Reaction.FALLBACK),
    ("GetMetadata", "20501", Reaction.EMPTY),
    ("GetMetadata", "20502", Reaction.FALLBACK),
    ("GetMetadata", "20503", Reaction.EMPTY),
    ("GetMetadata", "20506", Reaction.FALLBACK),
    ("GetMetadata", "20507", Reaction.EMPTY),
    ("GetMetadata", "20508", Reaction.BACKOFF),
    ("GetMetadata", "20509", Reaction.BACKOFF),
    ("GetMetadata", "20510", Reaction.FALLBACK),
    ("GetMetadata", "20511", Reaction.BACKOFF),
    ("GetMetadata", "20512", Reaction.BACKOFF),
    ("GetMetadata", "20513", Reaction.FALLBACK),
    ("Search", "20513", Reaction.BACKOFF),
    ("GetMetadata", "20514", Reaction.FALLBACK),
    ("Search", "20514", Reaction.FALLBACK),
    ("ServerInformation", "20601", Reaction.EMPTY),
    ("ServerInformation", "20602", Reaction.STOP),
    ("Login", "20701", Reaction.STOP),
    ("Logout", "20701", Reaction.OK),
    ("Search", "20701", Reaction.RELOGIN),
    ("GetObject", "20702", Reaction.BACKOFF),
    ("Logout", "20702", Reaction.OK),
    ("PostObject", "20800", Reaction.STOP),
    ("DDB", "20801", Reaction.FALLBACK),
    ("PostObject", "20801", Reaction.STOP),
    ("DDB", "20802", Reaction.BACKOFF),
    ("PostObject", "20802", Reaction.STOP),
    ("DDB", "20803", Reaction.FALLBACK),
    ("PostObject", "20803", Reaction.STOP),
    ("DDB", "20804", Reaction.FALLBACK),
    ("PostObject", "20804", Reaction.STOP),
    ("DDB", "20805", Reaction.EMPTY),
    ("PostObject", "20805", Reaction.STOP),
    ("PostObject", "20806", Reaction.STOP),
    ("PostObject", "20807", Reaction.STOP),
    ("PostObject", "20808", Reaction.STOP),
    ("PostObject", "20809", Reaction.STOP),
    ("PostObject", "20810", Reaction.STOP),
    ("PostObject", "20811", Reaction.STOP),
    ("PostObject", "20812", Reaction.BACKOFF),
    ("PostObject", "20813", Reaction.STOP),
    ("Search", "29999", Reaction.STOP),
]


@pytest.mark.parametrize(("transaction", "code", "reaction"), CODES)
def test_code(transaction: str, code: str, reaction: Reaction) -> None:
    assert rule_for_code(transaction, code).reaction is reaction


def test_no_code_of_the_tables_is_left_out() -> None:
    tested = {(transaction, code) for transaction, code, _ in CODES}
    assert {(transaction, code) for transaction, rules in BY_TRANSACTION.items() for code in rules} <= tested
    assert set(ANY) <= {code for _, code in tested}


@pytest.mark.parametrize(
    ("text", "reaction"),
    [("Invalid Class", Reaction.FALLBACK), ("Resource Tax is not known", Reaction.FALLBACK),
     ("No information, try later", Reaction.BACKOFF), ("a first class error", Reaction.BACKOFF)],
)  # fmt: skip
def test_a_search_refused_for_its_class_is_not_waited_for(text: str, reaction: Reaction) -> None:
    assert rule_for_code("Search", "20203", text).reaction is reaction
    assert rule_for_code("Search", "20209", text).reaction is Reaction.BACKOFF


def test_unknown_code_whose_text_says_success_is_one() -> None:
    assert rule_for_code("Search", "1", "Operation Successful").reaction is Reaction.OK
    assert rule_for_code("Search", "1", "Operation unsuccessful").reaction is Reaction.STOP


def test_codes_that_say_not_now_wait_half_a_minute() -> None:
    for transaction, code in (("Login", "20022"), ("Login", "20050"), ("Search", "20209"), ("GetObject", "20408")):
        assert rule_for_code(transaction, code).wait >= 30
        assert not rule_for_code(transaction, code).throttle


def test_codes_and_statuses_of_those_who_are_asked_too_much_are_throttling() -> None:
    for transaction, code in (("Search", "20210"), ("GetObject", "20412"), ("GetMetadata", "20512"), ("DDB", "20802")):
        assert rule_for_code(transaction, code).throttle
    assert rule_for_status("Search", 429).throttle
    assert not rule_for_status("Search", 503).throttle


@pytest.mark.parametrize(
    ("code", "text", "throttle"),
    [
        ("20203", "Too many requests, slow down", True),
        ("20203", "Too many concurrent queries", True),
        ("20702", "Request throttled", True),
        ("20513", "Rate limit reached", True),
        ("29999", "Daily quota exceeded", True),
        ("20203", "Miscellaneous search error", False),
        ("20203", "Too many rows match", False),
        ("20206", "Too many requests for comfort", False),
        ("0", "Too many requests, but here you are", False),
    ],
)
def test_a_code_for_any_error_is_throttling_when_its_text_says_so(code: str, text: str, throttle: bool) -> None:
    assert rule_for_code("Search", code, text).throttle is throttle


def test_metrics_know_the_codes_of_the_tables_and_no_others() -> None:
    known = ("0", "20210", "20701", "http-429", "http-401", "failed")
    assert [known_code("Search", code) for code in known] == list(known)
    assert {known_code("Search", code) for code in ("20412", "4711", "http-418", "http-x", "", "²")} == {"other"}


@pytest.mark.parametrize(
    ("transaction", "status", "reaction"),
    [
        ("Search", 200, Reaction.OK),
        ("Login", 401, Reaction.STOP),
        ("Search", 401, Reaction.RELOGIN),
        ("Search", 412, Reaction.RELOGIN),
        ("Search", 403, Reaction.STOP),
        ("Search", 404, Reaction.STOP),
        ("GetObject", 404, Reaction.EMPTY),
        ("Search", 408, Reaction.BACKOFF),
        ("Search", 429, Reaction.BACKOFF),
        ("Search", 500, Reaction.BACKOFF),
        ("Search", 503, Reaction.BACKOFF),
        ("Search", 599, Reaction.BACKOFF),
        ("Search", 505, Reaction.STOP),
        ("Search", 418, Reaction.STOP),
        ("Logout", 401, Reaction.OK),
        ("Logout", 500, Reaction.OK),
    ],
)
def test_status(transaction: str, status: int, reaction: Reaction) -> None:
    assert rule_for_status(transaction, status).reaction is reaction


def test_every_stop_that_an_operator_can_act_on_says_how() -> None:
    for status in (402, 403, 404, 405, 413, 414):
        assert BY_STATUS[status].remedy
