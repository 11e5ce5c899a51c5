"""Login replies of every shape become addresses."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.rets.login import Capabilities, parse_lines, read_login
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
    assert parse_lines("a=1\r\nnonsense\rA = 2=3\n\n") == {"a": "2=3"}


@pytest.mark.parametrize("url", ["ftp://x/login", "mls.example/login", "https://", "https://u:p@mls.example/login"])
def test_unusable_login_urls_are_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError) as caught:
        RetsSettings(url, "u", SecretStr("p"))
    assert "u:p" not in str(caught.value)


def test_settings_hide_the_password() -> None:
    assert "hunter2" not in repr(RetsSettings("https://x/login", "u", SecretStr("hunter2")))
