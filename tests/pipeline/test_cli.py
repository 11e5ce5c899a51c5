"""The command line as scripts and people meet it: shapes, exit codes, words, signals."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from tests.pipeline.simulated import PASSWORD, Finished, Installation, Mls, bare_env, command, simulated, synced, until

LISTINGS, PHOTOS = 30, 2
COUNTS = ("inventory", "fetched", "inserted", "updated", "unchanged", "removed")


@pytest.fixture(scope="module")
def mls() -> Iterator[Mls]:
    """One simulator in which no day passes."""
    with simulated(LISTINGS, PHOTOS) as running:
        yield running


@pytest.fixture
def here(tmp_path: Path, mls: Mls) -> Installation:
    """An empty installation."""
    return Installation(tmp_path, mls.login_url)


def no_feed(folder: Path, *arguments: str, **variables: str) -> Finished:
    """Run a command where nothing is configured but ``variables``."""
    return command(*arguments, env=bare_env() | variables, cwd=folder)


def commands(*group: str) -> Iterator[tuple[str, str]]:
    """Every command with its help, those of groups included."""
    out = CliRunner().invoke(app, [*group, "--help"]).output
    if "Commands:" not in out:
        yield " ".join(group), out
        return
    for name in re.findall(r"^  ([a-z]+)(?:  |$)", out[out.index("Commands:") :], re.MULTILINE):
        yield from commands(*group, name)


def test_every_commands_help_has_an_example_that_names_it() -> None:
    found = dict(commands())
    assert {"demo", "sync", "run", "status", "check", "migrate", "ingest", "audit media", "simulator"} <= found.keys()
    assert {name: out for name, out in found.items() if f"Example: mlsync {name}" not in out} == {}


def test_the_installed_command_is_this_one(tmp_path: Path) -> None:
    done = no_feed(tmp_path, "sync", "--help")
    assert (done.code, "Example: mlsync sync" in done.out) == (0, True)


def test_sync_json_has_exactly_the_documented_shape_and_stdout_nothing_else(here: Installation) -> None:
    done = here.run("sync", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert found.keys() == {"feeds"}
    assert found["feeds"].keys() == {"ddf"}
    report = found["feeds"]["ddf"]
    assert list(report) == [*COUNTS, "held", "quarantined", "unavailable", "photos", "requests", "seconds", "resources"]
    assert list(report["photos"]) == ["stored", "deleted", "failed"]
    numbers = [value for name, value in report.items() if name not in ("photos", "resources", "seconds")]
    assert all(type(number) is int for number in [*numbers, *report["photos"].values()])
    assert isinstance(report["seconds"], float)
    assert all(set(COUNTS) == set(counts) for counts in report["resources"].values())
    assert all(json.loads(line) for line in done.err.splitlines())  # structured where there is no terminal


def test_sync_in_words_ends_in_step(here: Installation) -> None:
    done = here.run("sync")
    assert done.code == 0
    assert "ddf: in step" in done.out


def test_status_json_has_the_documented_shape_before_and_after_a_sync(here: Installation) -> None:
    documented = {"last_run", "freshness_seconds", "at_mls", "stored", "photos", "held", "quarantined", "unavailable"}
    before = here.status()
    assert documented <= before.keys()
    assert (before["last_run"], before["freshness_seconds"], before["at_mls"], before["stored"]) == (
        None,
        None,
        None,
        0,
    )
    here.sync()
    after = here.status()
    assert after.keys() == before.keys()
    assert (after["at_mls"], after["stored"]) == (LISTINGS, LISTINGS)
    assert after["photos"] == {"stored": here.count("media"), "pending": 0, "failed": 0}
    assert 0 <= after["freshness_seconds"] < 60
    assert after["last_run"]["outcome"] == "in_step"
    assert here.run("status").code == 0


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("MLSYNC_FEEDS__DDF__EVERY", "often", "give a duration"),
        ("MLSYNC_FEEDS__DDF__MEDIA", "all", "'none', 'link', 'url', 'location' or 'bytes'"),
        ("MLSYNC_FEEDS__DDF__PAGE_SIZE", "101", "less than or equal to 100"),
        ("MLSYNC_FEEDS__DDF__PASWORD", "x", "did you mean password?"),
        ("MLSYNC_FEEDS__DDF__PASSWORD", "", "must not be empty"),
        ("MLSYNC_DATABASE_URL", "mysql://localhost/x", "sqlite:///"),
        ("MLSYNC_MEDIA_URL", "ftp://localhost/x", "file:"),
        ("MLSYNC_BROKER_URL", "amqp://localhost", "memory:"),
        ("MLSYNC_DATABSE_URL", "sqlite:///x", "did you mean MLSYNC_DATABASE_URL?"),
        ("MLSYNC_CONFIG", "missing.yaml", "no settings file"),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(here: Installation, variable: str, value: str, words: str) -> None:
    here.settings[variable] = value
    done = here.run("sync")
    assert done.code == 2
    assert variable in done.err
    assert words in done.err
    assert "Traceback" not in done.err
    assert not here.database.exists()


@pytest.mark.parametrize("name", ["sync", "run"])
def test_without_a_feed_nothing_is_done(tmp_path: Path, name: str) -> None:
    done = no_feed(tmp_path, name)
    assert done.code == 2
    assert "no feed is configured" in done.err
    assert "MLSYNC_FEEDS__DDF__PROTOCOL=ddf" in done.err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_feed_is_a_usage_error(here: Installation) -> None:
    done = here.run("sync", "--feed", "other")
    assert done.code == 2
    assert "other" in done.err
    assert "ddf" in done.err


def test_a_feed_of_the_file_merges_with_the_environment_which_wins(tmp_path: Path, mls: Mls) -> None:
    (tmp_path / "mlsync.yaml").write_text(
        f"feeds:\n  two:\n    protocol: ddf\n    login_url: {mls.login_url}\n    username: demo\n    media: url\n"
    )
    done = no_feed(
        tmp_path, "sync", "--json", MLSYNC_FEEDS__TWO__PASSWORD=PASSWORD, MLSYNC_FEEDS__TWO__MEDIA="none"
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.json()["feeds"]["two"]["inserted"] == LISTINGS
    assert done.json()["feeds"]["two"]["photos"]["stored"] == 0


def test_a_wrong_password_fails_in_words_and_is_shown_nowhere(here: Installation) -> None:
    secret = "not-the-Passw0rd-4711"
    here.settings |= {"MLSYNC_FEEDS__DDF__PASSWORD": secret, "MLSYNC_LOG_LEVEL": "debug"}
    for arguments in (["sync"], ["sync", "--json"], ["check"]):
        done = here.run(*arguments)
        assert done.code == 1
        assert "ddf" in done.out
        assert "password" in done.out
        assert secret not in done.out + done.err
        assert "Traceback" not in done.err


def test_a_feed_that_refuses_us_leaves_what_is_stored(here: Installation, mls: Mls) -> None:
    here.sync()
    here.settings["MLSYNC_FEEDS__DDF__PASSWORD"] = "wrong"
    report = here.sync(code=1)
    assert report["error"]
    assert report["removed"] == report["held"] == 0
    assert here.status()["last_run"]["outcome"] == "failed"
    assert here.differences(mls) == []


def test_the_right_password_is_shown_nowhere(here: Installation) -> None:
    here.settings["MLSYNC_LOG_LEVEL"] = "debug"
    for arguments in (["sync"], ["check"], ["status"]):
        done = here.run(*arguments)
        assert done.code == 0
        assert PASSWORD not in done.out + done.err


def test_a_limited_sync_fetches_as_many_and_moves_no_mark(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, PHOTOS) as (mls, here):
        report = here.sync("--limit", "7")
        assert (report["fetched"], report["inserted"], report["removed"]) == (7, 7, 0)
        assert here.count("property") == 7
        keys = {key for (key,) in here.rows("SELECT listing_key FROM property")}
        photos = sum(len(record["photos"]) for record in mls.truth(size="") if record["key"] in keys)
        assert report["photos"]["stored"] == photos > 0
        assert here.count("inventory") == 0
        here.sync()
        assert here.differences(mls) == []
        while mls.advance()["removed"] == 0:
            pass
        stored = here.count("property")
        assert here.sync("--limit", "3")["removed"] == 0
        assert here.count("property") >= stored
        here.sync()
        assert here.differences(mls) == []


def test_check_explains_and_tries_everything(here: Installation) -> None:
    done = here.run("check")
    assert done.code == 0, done.out
    for word in ("MLSYNC_DATABASE_URL", "MLSYNC_FEEDS__DDF__EVERY", "logged in", "database", "photo store"):
        assert word in done.out
    assert not here.database.exists()  # it looks and changes nothing


def test_check_says_what_cannot_be_reached(here: Installation) -> None:
    here.login_url = "http://127.0.0.1:1/Login.svc/Login"
    done = here.run("check")
    assert done.code == 1
    assert "feed ddf" in done.out


def test_migrate_may_be_called_twice(here: Installation) -> None:
    for _ in range(2):
        done = here.run("migrate")
        assert done.code == 0, done.err
    assert here.count("property") == 0
    here.sync()


def test_migrate_waits_for_somebody_else_if_asked_to(here: Installation) -> None:
    early = here.run("migrate", "--wait", "1")
    assert early.code == 1
    assert "mlsync migrate" in early.err
    assert not here.database.exists()
    with here.start("migrate", "--wait", "60") as waiting:
        assert here.run("migrate").code == 0
        assert waiting.wait(20) == 0


def test_a_second_process_on_the_same_database_is_refused_in_words(here: Installation) -> None:
    here.settings["MLSYNC_FEEDS__DDF__EVERY"] = "1h"
    with here.start("run") as running:
        until(lambda: here.count("run", "finished_at IS NOT NULL AND kind = 'sync'") > 0)
        done = here.run("sync")
        assert done.code == 1
        assert f"process {running.pid}" in done.err
        assert "Traceback" not in done.err
        assert here.run("status").code == 0  # looking is allowed


def test_the_faults_are_listed(tmp_path: Path) -> None:
    done = no_feed(tmp_path, "simulator", "--list-faults")
    assert done.code == 0
    for name in ("session-lost", "truncated", "ghost-photo", "empty-inventory"):
        assert re.search(rf"^{name} +\S", done.out, re.MULTILINE)


def test_a_wrong_fault_is_a_usage_error(tmp_path: Path) -> None:
    done = no_feed(tmp_path, "simulator", "--fault", "no-such-thing")
    assert done.code == 2
    assert "no-such-thing" in done.err


def test_a_stopped_first_sync_logs_out_and_is_made_good(tmp_path: Path) -> None:
    with synced(tmp_path, 300, 4, faults=("slow=20",)) as (mls, here):
        with here.start("run") as running:
            until(lambda: here.count("media", "object_key IS NOT NULL") > 5)
            stopped = time.monotonic()
            running.send_signal(signal.SIGTERM)
            assert running.wait(timeout=30) == 0
            assert time.monotonic() - stopped < 10
        assert here.count("media", "pending") > 0  # there was more to do
        assert mls.stats()["sessions_open"] == 0
        mls.fault("slow", "off")
        here.sync()
        assert here.differences(mls) == []


def test_run_keeps_in_step_on_its_schedule(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, PHOTOS, every="1s") as (mls, here):
        with here.start("run") as running:
            for _ in range(2):
                ran = here.count("run")
                mls.advance(2)
                until(lambda ran=ran: here.count("run", "finished_at IS NOT NULL") >= ran + 2)  # type: ignore[misc]
                until(lambda: here.differences(mls) == [])
            assert running.poll() is None
            running.send_signal(signal.SIGTERM)
            assert running.wait(timeout=30) == 0
        assert mls.stats()["sessions_open"] == 0


def test_an_interrupted_sync_ends_at_once_and_logs_out(tmp_path: Path) -> None:
    with synced(tmp_path, 300, 4, faults=("slow=20",)) as (mls, here), here.start("sync", "--json") as running:
        until(lambda: here.count("media", "object_key IS NOT NULL") > 5)
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=30)
        assert running.returncode != 0
        assert json.loads(out)["feeds"]["ddf"]["remaining"]
        assert mls.stats()["sessions_open"] == 0


def test_the_demo_leaves_no_settings_behind(tmp_path: Path) -> None:
    done = no_feed(tmp_path, "demo", "--listings", "20", "--photos", "1")
    assert done.code == 0, done.err
    assert "In step" in done.out
    status = no_feed(tmp_path, "status", "--json")
    assert status.json() == {"feeds": {}}
    assert no_feed(tmp_path, "sync").code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["demo"]


def test_the_demo_may_be_run_again_but_deletes_nobody_elses_folder(tmp_path: Path) -> None:
    for _ in range(2):
        assert no_feed(tmp_path, "demo", "--listings", "5", "--photos", "0").code == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    done = no_feed(tmp_path, "demo", "--listings", "5", "--folder", "mine")
    assert done.code == 1
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
