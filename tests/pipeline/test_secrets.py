"""Whatever an MLS says and whatever goes wrong, nothing mlsync prints or keeps holds a secret of its settings."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from services.simulator.main import Options, Simulator
from tests.pipeline.simulated import MLSYNC as MLSYNC_COMMAND
from tests.pipeline.simulated import Finished, Installation, Mls, command, process

USERNAME = "feed-77-Qx"
PASSWORD = 'Gr3p-me/&+ %2e"<zz'
PROXY_PASSWORD = "pr0xy-Wh1sper"
SENT = re.compile(rb'response="[0-9a-f]{32}|X-SESSIONID=[0-9a-f]{32}', re.IGNORECASE)
"""Proofs of identity that a server may quote back."""


def written(secret: str) -> set[bytes]:
    """Every way in which a secret is commonly written."""
    texts = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret), repr(secret)[1:-1]}
    texts |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], secret.replace("&", "&amp;")}
    forms = {text.encode() for text in texts} | {secret.encode("latin-1")}
    for who in (USERNAME, "proxyuser"):
        forms |= {base64.b64encode(f"{who}:{secret}".encode(coding)) for coding in ("utf-8", "latin-1")}
    return forms | {base64.b64encode(secret.encode())}


SECRETS = written(PASSWORD) | written(PROXY_PASSWORD)


def leaks(data: bytes) -> set[bytes]:
    """The secrets in what was printed or kept."""
    return {secret for secret in SECRETS if secret in data} | set(SENT.findall(data))


class Witness:
    """Runs commands, and looks at all they print."""

    def __init__(self, here: Installation) -> None:
        self.here = here
        self.printed = 0

    def run(self, *arguments: str, codes: tuple[int, ...] = (0, 1, 2, 3), **env: str) -> Finished:
        """A command to its end, which may not have revealed anything."""
        done = command(*arguments, env=self.here.env | env, cwd=self.here.folder)
        text = (done.out + done.err).encode("utf-8", "surrogateescape")
        assert leaks(text) == set(), f"mlsync {' '.join(arguments)} revealed a secret"
        assert done.code in codes, f"mlsync {' '.join(arguments)} exits {done.code}: {done.err[-2000:]}"
        self.printed += len(text)
        return done

    def kept(self) -> None:
        """Nothing in any file either."""
        for path in self.here.folder.rglob("*"):
            if path.is_file():
                assert leaks(path.read_bytes()) == set(), f"{path.name} holds a secret"


@contextmanager
def watched(folder: Path, *faults: str, **settings: str) -> Iterator[tuple[Mls, Witness]]:
    """A simulator with faults, and a witness of the commands that talk to it."""
    options = Options(
        listings=20, photos=1, username=USERNAME, password=PASSWORD, faults=list(faults), control=True
    )  # fmt: skip
    with Simulator(options) as running:
        feed = {"USERNAME": USERNAME, "PASSWORD": PASSWORD, "PAGE_SIZE": "5"} | settings
        here = Installation(folder, running.login_url, {f"MLSYNC_FEEDS__DDF__{k}": v for k, v in feed.items()})
        here.settings["MLSYNC_LOG_LEVEL"] = "debug"
        yield Mls(running.login_url), Witness(here)


@pytest.mark.parametrize("auth", ["digest", "basic"])
@pytest.mark.parametrize("kind", ["reply", "page"])
def test_a_server_that_quotes_credentials_gets_them_into_no_output(tmp_path: Path, auth: str, kind: str) -> None:
    with watched(tmp_path, f"auth={auth}", f"echo={kind}:3") as (mls, witness):
        witness.run("sync", "--json", "--wait", "2")
        mls.fault("echo", f"{kind}:1")
        mls.advance()
        done = witness.run("sync", "--wait", "2", codes=(1, 3))
        assert kind == "page" or "***" in done.out, done.out  # it did reach the output, without the secrets
        for show in (["status"], ["status", "--json"], ["check"], ["quarantine", "list"], ["removals", "list"]):
            witness.run(*show)
        witness.kept()
        assert witness.printed > 1_000


def test_credentials_that_are_refused_are_not_printed(tmp_path: Path) -> None:
    with watched(tmp_path, PASSWORD=PASSWORD[::-1]) as (_, witness):
        SECRETS.update(written(PASSWORD[::-1]))
        done = witness.run("sync", codes=(1,))
        assert "user name and password" in done.out + done.err
        witness.run("check", codes=(1,))
        witness.run("status", "--json")
        witness.kept()


def test_a_proxy_that_fails_is_named_without_its_password(tmp_path: Path) -> None:
    with watched(tmp_path, PROXY=f"http://proxyuser:{PROXY_PASSWORD}@127.0.0.1:9/") as (_, witness):
        assert "proxy" in witness.run("sync", "--json", "--wait", "0", codes=(1,)).out
        witness.kept()


@pytest.mark.parametrize(
    "wrong",
    [
        {"MLSYNC_FEEDS__DDF__PASSWROD": PASSWORD},
        {"MLSYNC_FEEDS": f'{{"ddf": {{"password": "{PROXY_PASSWORD}"'},
        {"MLSYNC_FEEDS__DDF__LOGIN_URL": f"https://u:{PROXY_PASSWORD}@mls.example/login"},
        {"MLSYNC_FEEDS__DDF__EVERY": PROXY_PASSWORD},
        {"MLSYNC_DATABASE_URL": f"postgresql://u:{PROXY_PASSWORD}@db.example:port/x"},
        {"MLSYNC_BROKER_URL": f"amqp://u:{PROXY_PASSWORD}@broker.example/"},
        {"MLSYNC_MEDIA_URL": f"s3://u:{PROXY_PASSWORD}@photos"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_settings_that_are_wrong_are_named_and_not_quoted(tmp_path: Path, wrong: dict[str, str]) -> None:
    with watched(tmp_path) as (_, witness):
        done = witness.run("sync", codes=(2,), **wrong)
        assert done.err.strip()


def test_a_database_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    with watched(tmp_path) as (_, witness):
        url = f"postgresql://u:{quote(PROXY_PASSWORD, safe='')}@127.0.0.1:1/listings"
        done = witness.run("status", codes=(1,), MLSYNC_DATABASE_URL=url)
        assert "listings at 127.0.0.1:1 does not answer" in done.err


def test_a_settings_file_that_is_no_yaml_is_not_quoted(tmp_path: Path) -> None:
    with watched(tmp_path) as (_, witness):
        (tmp_path / "broken.yaml").write_text(f"feeds:\n  ddf:\n    password: {{{PROXY_PASSWORD}: [\n")
        del witness.here.settings["MLSYNC_FEEDS__DDF__PASSWORD"]
        witness.run("sync", "--config", "broken.yaml", codes=(2,))


def test_what_fails_unforeseen_shows_no_secret(tmp_path: Path) -> None:
    """A traceback is printed with what its exceptions say; here the exception itself holds the password."""
    script = (
        "import services.cli as cli\n"
        "def boom(app, *_, **__):\n"
        "    feed = app.settings.feeds['ddf']\n"
        "    raise RuntimeError('lost with ' + feed.password.get_secret_value())\n"
        "cli.sync_or_ask = boom\n"
        "cli.main()\n"
    )
    with watched(tmp_path) as (_, witness):
        python = MLSYNC_COMMAND.with_name("python")
        with process([str(python), "-c", script, "sync"], witness.here.env, tmp_path) as running:
            out, err = running.communicate(timeout=60)
        assert running.returncode not in (0, 3)
        assert "lost with" in out + err
        assert leaks((out + err).encode()) == set()


def test_the_process_list_shows_no_secret(tmp_path: Path) -> None:
    with watched(tmp_path, "slow=200") as (_, witness), witness.here.start("sync") as running:
        seen = 0
        deadline = time.monotonic() + 20
        while running.poll() is None and time.monotonic() < deadline:
            for entry in Path("/proc").glob("[0-9]*"):
                try:
                    line = (entry / "cmdline").read_bytes() + (entry / "comm").read_bytes()
                    for thread in (entry / "task").iterdir() if int(entry.name) == running.pid else ():
                        line += (thread / "comm").read_bytes()
                except OSError:
                    continue
                seen += int(entry.name) == running.pid
                assert leaks(line) == set()
            time.sleep(0.1)
        assert seen > 2
        assert running.wait(20) == 0
