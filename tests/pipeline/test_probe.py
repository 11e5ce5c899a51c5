"""``mlsync probe``: whatever a server does, there is a report, and the settings it proposes make a feed that syncs.

What is pasted is what is printed; what is synced is compared with what the simulated MLS says of itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from services.probe import command as probing
from services.probe import run
from services.probe.report import Report
from services.probe.wirelog import WireLog
from services.simulator.main import Options, Simulator
from shared.settings import FeedSettings, Settings, SettingsError
from tests.pipeline.board import Board
from tests.pipeline.simulated import bare_env, command

LISTINGS, PHOTOS = 24, 1
FEED = "board"
PASSWORD, PROOF, USERNAME = "s3cret-Passw0rd", "agreed-On-this", "dana-the-user"
MOST_REQUESTS = 50


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for."""
    monkeypatch.setattr(run, "PATIENCE", 0.0)


@contextmanager
def mls(*faults: str, **more: Any) -> Iterator[Simulator]:
    options = Options(personality="mls", listings=LISTINGS, photos=PHOTOS, faults=list(faults), **more)
    with Simulator(options) as running:
        yield running


def settings(sim: Simulator, folder: Path, **more: Any) -> Settings:
    """Address and credentials alone."""
    given = {"protocol": "rets", "login_url": sim.login_url, "username": "demo", "password": "demo"} | more
    secret = {name: SecretStr(given.pop(name)) for name in ("password", "user_agent_password") if name in given}
    return Settings(database_url=f"sqlite:///{folder / 'none.db'}", feeds={FEED: FeedSettings(**given, **secret)})


def report(sim: Simulator, folder: Path, **more: Any) -> Report:
    found = run.probe(settings(sim, folder, **more), FEED, WireLog())
    assert found.requests == sum(sim.control.stats()["requests"].values())
    return found


def results(found: Report) -> dict[str, str]:
    return {each.what: each.verdict.value for each in found.lines if each.what}


EVERYBODY = ["property", "member", "office"]
WAYS: list[tuple[tuple[str, ...], dict[str, Any], dict[str, str]]] = [
    ((), {"resources": EVERYBODY}, {"Offset": "works", "addresses": "works", "RETS/1.5": "works", "RETS/1.8": "works"}),
    (
        ("auth=basic", "version-refused=1.5", "multipart-defects=no-first-crlf", "login-form=spaces"),
        {"rets_version": "RETS/1.5", "resources": EVERYBODY},
        {"RETS/1.7.2": "no", "RETS/1.5": "works"},
    ),
    (
        ("row-cap=7:count", "offset-refused", "no-location", "single-key", "one-format=COMPACT"),
        {"resources": EVERYBODY, "page_size": 7},
        {"Offset": "no", "addresses": "no", "several records": "no", "STANDARD-XML": "no", "ranges of keys": "works"},
    ),
    (
        ("auth=sha-256", "refused-resource=Agent", "offset-from-zero", "relative-capabilities", "delimiter=7C"),
        {"resources": ["property", "office"]},
        {"Offset": "no", "Agent AGT": "no", "Office OFF": "works"},
    ),
    (
        ("row-cap=5:20208", "offset-ignored", "location-ignored", "maxrows-always", "edge-delimiters=both"),
        {"resources": EVERYBODY, "page_size": 5},
        {"Offset": "no", "addresses": "no"},
    ),
    (
        ("one-format=STANDARD-XML", "xml-shape=groups", "row-cap=7:maxrows"),
        {"resources": EVERYBODY, "page_size": 7, "search_format": "STANDARD-XML"},
        {"COMPACT": "no", "COMPACT-DECODED": "no", "STANDARD-XML": "works", "ranges of keys": "works"},
    ),
    (
        ("format-ignored", "xml-shape=names"),
        {"resources": EVERYBODY, "search_format": "STANDARD-XML"},
        {"COMPACT": "no", "COMPACT-DECODED": "no", "STANDARD-XML": "works", "Offset": "works"},
    ),
]


@pytest.mark.parametrize(("faults", "proposed", "lines"), WAYS, ids=[way[0][0] if way[0] else "plain" for way in WAYS])
def test_what_is_proposed_syncs(
    tmp_path: Path, faults: tuple[str, ...], proposed: dict[str, Any], lines: dict[str, str]
) -> None:
    with mls(*faults) as sim:
        chosen = settings(sim, tmp_path)
        found = report(sim, tmp_path)
        assert results(found).items() >= lines.items()
        assert found.requests <= MOST_REQUESTS
        stats = sim.control.stats()
        assert (stats["sessions_open"], stats["sessions_open_max"]) == (0, 1)
        _, _, pasted = "\n".join(found.in_words(FEED, chosen.feeds[FEED])).partition("stay where they are:")
        feed = yaml.safe_load(pasted)["feeds"][FEED]
        assert feed == {"protocol": "rets", "login_url": sim.login_url} | proposed
        here = Board(tmp_path, sim, {name: feed[name] for name in proposed})
        assert here.sync()["inserted"] == LISTINGS
        unread = () if "member" in feed["resources"] else ("agent", "photo ('member'")
        assert [line for line in here.differences() if not line.startswith(unread)] == []


def test_a_server_that_cannot_be_synced_is_told_apart(tmp_path: Path) -> None:
    with mls("odd-metadata=failed") as sim:
        found = report(sim, tmp_path)
        assert found.obstacle == "its metadata cannot be read"
        text, well = probing.run(settings(sim, tmp_path), FEED, None, as_json=True)
        assert not well
        assert json.loads(text)["settings"] is None


@pytest.mark.parametrize(
    ("way", "digest", "basic"),
    [("both", "works", "works"), ("both-but-digest", "no", "works"), ("both-but-basic", "works", "no")],
)
def test_quirk_7_each_way_to_prove_who_one_is_is_tried_where_several_are_offered(
    tmp_path: Path, way: str, digest: str, basic: str
) -> None:
    with mls(f"auth={way}") as sim:
        found = report(sim, tmp_path)
        assert (results(found)["Digest"], results(found)["Basic"]) == (digest, basic)
        assert "Digest (auth) and Basic" in found.lines[0].said
        assert not found.obstacle
        stats = sim.control.stats()
        assert (stats["sessions_open"], stats["sessions_open_max"]) == (0, 1)
        here = Board(tmp_path, sim, {"resources": ["property"], "media": "none"})
        assert here.sync()["inserted"] == LISTINGS
    with mls(f"auth={way}") as sim:
        refused = report(sim, tmp_path, password="wrong")
        assert results(refused) == {"RETS/1.7.2": "no", "Digest": "no", "Basic": "no"}


@pytest.mark.parametrize("allowed", [False, True])
def test_quirk_7_basic_goes_over_clear_text_to_another_machine_only_if_the_settings_say_so(
    tmp_path: Path, allowed: bool
) -> None:
    """The simulator stands in for the way to an address that is none of this machine."""
    for way in ("both", "both-but-digest"):
        with mls(f"auth={way}", username=USERNAME, password=PASSWORD) as sim:
            far = {
                "login_url": "http://rets.example/Login.svc/Login", "proxy": SecretStr(sim.login_url),
                "username": USERNAME, "password": PASSWORD, "basic_over_cleartext": allowed,
            }  # fmt: skip
            log = WireLog()
            found = run.probe(settings(sim, tmp_path, **far), FEED, log)
            (line,) = [each for each in found.lines if each.what == "Basic"]
            assert ("> Authorization: Basic" in log.text()) is allowed
            assert line.verdict.value == ("works" if allowed else "skipped")
            assert ("basic_over_cleartext" in line.said) is not allowed
            assert bool(found.obstacle) is (way == "both-but-digest" and not allowed)


@pytest.mark.parametrize("fault", ["login-refused=20003", "auth=basic"])
def test_a_login_that_is_refused_is_not_repeated(tmp_path: Path, fault: str) -> None:
    with mls(fault) as sim:
        found = report(sim, tmp_path, password="wrong" if fault == "auth=basic" else "demo")
        assert [each.topic for each in found.lines] == ["login"]
        assert found.obstacle == "nobody could log in"
        assert sim.control.stats()["requests"] == {"Login": 2}


@pytest.mark.parametrize(
    "fault",
    ["http-503=4", "odd-metadata=cut", "odd-metadata=empty", "truncated=2", "not-logged-in=4", "single-part=text",
     "no-object=20403:1", "throttle-20210=2", "throttle-429=6", "row-cap=2:20208", "nothing-found=count",
     "success-with-400=2", "cut=3", "no-ranges=ignored", "no-count", "not-an-image"],
)  # fmt: skip
def test_there_is_always_a_report(tmp_path: Path, fault: str) -> None:
    with mls(fault) as sim:
        found = report(sim, tmp_path)
        assert found.lines
        assert found.requests <= 2 * MOST_REQUESTS
        assert all(each.said for each in found.lines if each.verdict.value in {"failed", "skipped"})
        assert list(found.in_words(FEED, settings(sim, tmp_path).feeds[FEED]))


def test_photos_that_are_not_given_are_not_asked_for(tmp_path: Path) -> None:
    with mls("no-object=20403:1") as sim:
        assert report(sim, tmp_path).settings["media"] == "none"


def test_the_type_of_photo_that_is_given(tmp_path: Path) -> None:
    with mls("not-an-image=1") as sim:
        found = report(sim, tmp_path)
        assert "ThumbnailPhoto of a record with" in " ".join(results(found))
        assert found.settings["media"] == "location"


@pytest.mark.parametrize("way", [["echo=reply:3"], ["echo=page:7"], ["auth=basic"], ["auth=md5-sess", "stale-nonce=3"]])
def test_no_secret_is_in_the_log(tmp_path: Path, way: list[str]) -> None:
    """Not even where the server itself says all that it was told."""
    more = {"user_agents": ["Agreed"], "user_agent_password": PROOF, "username": USERNAME, "password": PASSWORD}
    with mls("cookie-name=RETS-Session-ID", *way, **more) as sim:
        chosen = settings(
            sim, tmp_path, username=USERNAME, password=PASSWORD, user_agent="Agreed/1", user_agent_password=PROOF
        )
        log = tmp_path / "wire.txt"
        shown, _ = probing.run(chosen, FEED, log, as_json=False)
        text = log.read_text()
        assert "Login: GET" in text
        assert "RETS-UA-Authorization: Digest [redacted]" in text
        for secret in (PASSWORD, PROOF, USERNAME, "ZGFuYS10aGUtdXNlcj"):  # the last: how Basic would begin
            assert secret not in text + shown
        words = "".join(letter if letter.isalnum() else " " for letter in text).split()
        assert not [word for word in words if len(word) >= 16 and set(word) <= set("0123456789abcdef")]
        assert log.stat().st_mode & 0o077 == 0
        with pytest.raises(SettingsError, match="not there yet"):
            probing.run(chosen, FEED, log, as_json=False)
        assert log.read_text() == text


def test_the_proof_of_the_user_agent(tmp_path: Path) -> None:
    with mls(user_agents=["Agreed"], user_agent_password=PROOF) as sim:
        refused = report(sim, tmp_path, user_agent="Agreed/1")
        assert len(refused.lines) == 1
        assert "20041" in refused.lines[0].said
    with mls(user_agents=["Agreed"], user_agent_password=PROOF) as sim:
        given = {"user_agent": "Agreed/1", "user_agent_password": PROOF}
        found = report(sim, tmp_path, **given).as_json(FEED, settings(sim, tmp_path, **given).feeds[FEED])
        assert found["settings"]["feeds"][FEED]["user_agent"] == "Agreed/1"
        assert PROOF not in json.dumps(found)


def test_the_command(tmp_path: Path) -> None:
    with mls(username=USERNAME, password=PASSWORD) as sim:
        names = {"PROTOCOL": "rets", "LOGIN_URL": sim.login_url, "USERNAME": USERNAME, "PASSWORD": PASSWORD}
        env = bare_env() | {f"MLSYNC_FEEDS__BOARD__{name}": value for name, value in names.items()}
        done = command("probe", "board", "--log", "wire.txt", env=env, cwd=tmp_path)
        assert done.code == 0, done.err
        assert f"{sum(sim.control.stats()['requests'].values())} requests" in done.out
        assert PASSWORD not in done.out + done.err
        assert [path.name for path in tmp_path.iterdir()] == ["wire.txt"]


def test_the_ddf_is_known(tmp_path: Path) -> None:
    with Simulator(Options(listings=1, photos=0)) as ddf, pytest.raises(SettingsError, match="DDF"):
        run.probe(settings(ddf, tmp_path, protocol="ddf"), FEED, WireLog())
