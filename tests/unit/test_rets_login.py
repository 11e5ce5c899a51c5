"""Login replies of every shape become addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.rets.login import Capabilities, User, parse_lines, read_login
from shared.rets.mend import Mender
from shared.rets.settings import RetsSettings

SAMPLES = Path(__file__).parents[1] / "samples" / "rets"


def login(name: str, url: str = "https://rets.example.test:6103/x/login") -> Capabilities:
    reply, capabilities = read_login([(SAMPLES / name).read_bytes()], Mender(), url)
    assert reply.code == "0"
    return capabilities


def test_ddf_shape() -> None:
    capabilities = login("login_ddf_reply_text_first.xml")
    assert capabilities.url("Search") == "https://sample.data.example/Search.svc/Search"
    assert capabilities.url("GetObject") == "https://sample.data.example/Object.svc/GetObject"
    assert capabilities.url("Update") is None
    assert capabilities.values["user"] == "5012345,,,5012345"


def test_lines_straight_in_rets_split_at_the_first_equals_sign() -> None:
    capabilities = login("login_rets15_without_wrapper.xml")
    assert capabilities.url("Search") == "https://rets.example.test:6103/rets/search?a=1&b=2"
    assert capabilities.url("GetMetadata") == "https://rets.example.test:6103/x/getmetadata"
    assert capabilities.url("Logout") == "https://rets.example.test:12109/rets/logout"
    assert capabilities.values["timeoutseconds"] == "1800"


def test_tokens_of_rets_18() -> None:
    capabilities = login("login_18_info_tokens.xml")
    assert capabilities.values["userid"] == "dana01"
    assert capabilities.values["timeoutseconds"] == "1800"
    assert capabilities.url("Search") == "https://rets.example.test:6103/search"


def test_clear_text_address_of_the_own_host_is_lifted_to_https() -> None:
    home = "https://mls.example:6103/login"
    capabilities = Capabilities(home, {"search": "http://mls.example/search", "getobject": "http://other.example/o"})
    assert capabilities.url("Search") == "https://mls.example:6103/search"
    assert capabilities.url("GetObject") == "http://other.example/o"


@pytest.mark.parametrize("value", ["http://[broken", "http://x:99999999/"])
def test_unusable_addresses_are_none_or_kept_as_data(value: str) -> None:
    found = Capabilities("https://mls.example/login", {"search": value}).url("Search")
    assert found in {None, value}


def test_the_last_of_equal_keys_wins_and_lines_without_equals_are_ignored() -> None:
    assert parse_lines("a=1\r\nnonsense\rA = 2=3\n\n", "https://x/login").values == {"a": "2=3"}


LINES = """
MemberName = Dana Example
User = dana01,AGENT,4,A-77
Broker = EXB,2
Broker = EXC
TimeoutSeconds = 1800
Search = /rets/search?a=1
X-SupportSite = https://rets.example.test/help
X-Note = no address
X-DDB = ddb
"""


def told(lines: str) -> Capabilities:
    return parse_lines(lines, "https://rets.example.test/x/login")


def test_quirk_13_of_level_and_class_the_number_is_the_level() -> None:
    assert told("User = dana01, AGENT ,4,A-77").user == User("dana01", "4", "AGENT", "A-77")
    assert told("User=dana01,4,AGENT,A-77").user == User("dana01", "4", "AGENT", "A-77")
    assert told("User=dana01,NULL,NULL,null").user == User("dana01")
    assert told("User=dana01").user == User("dana01")
    assert told("").user == User()


def test_what_a_server_offers_by_any_name() -> None:
    assert told(LINES).offered() == {
        "Search": "https://rets.example.test/rets/search?a=1",
        "DDB": "https://rets.example.test/x/ddb",
        "x-supportsite": "https://rets.example.test/help",
    }
    assert told(LINES).timeout_seconds == 1800
    assert told(LINES).brokers == ("EXB,2", "EXC")


TYPED = """
Info=USERID;Character;dana01
Info=UserLevel;Int;4
Info=USERCLASS;Character;AGENT
Info=AgentCode;A;77
Info=Balance;Money;12.50
Info=Blocked;Boolean;0
Info=MetadataTimestamp;DateTime;Tue, 05 Mar 2024 14:00:00 GMT
Info=VendorName;Example; Inc
Info=TimeoutSeconds;1800
Info=Odd;Int;many
Info=Odder;DateTime;2024-13-45
Info=Alone
User=other,1,X,Y
MetadataTimestamp=2020-01-01T00:00:00Z
"""


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("UserID", "dana01"), ("userlevel", 4), ("BALANCE", Decimal("12.50")), ("Blocked", False),
        ("MetadataTimestamp", datetime(2024, 3, 5, 14, tzinfo=UTC)), ("VendorName", "Inc"), ("TimeoutSeconds", "1800"),
        ("Odd", "many"), ("Odder", "2024-13-45"), ("Alone", ""), ("Nothing", None),
    ],
)  # fmt: skip
def test_typed_lines_of_rets_18(token: str, value: object) -> None:
    found = told(TYPED).told(token)
    assert found == value
    assert type(found) is type(value)


def test_tokens_win_over_the_plain_user_line() -> None:
    assert told(TYPED).user == User("dana01", "4", "AGENT", "77")


@pytest.mark.parametrize("url", ["ftp://x/login", "mls.example/login", "https://", "https://u:p@mls.example/login"])
def test_unusable_login_urls_are_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError) as caught:
        RetsSettings(url, "u", SecretStr("p"))
    assert "u:p" not in str(caught.value)


def test_settings_hide_the_password() -> None:
    assert "hunter2" not in repr(RetsSettings("https://x/login", "u", SecretStr("hunter2")))
