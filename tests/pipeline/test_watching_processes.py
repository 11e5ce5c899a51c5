"""Several processes as they are watched: each serves its own deeds, the fetcher what is stored."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections import defaultdict
from pathlib import Path

from tests.pipeline.forms import Servers
from tests.pipeline.processes import Processes, distributed
from tests.pipeline.simulated import until

SERVICES = ("fetcher", "fetcher", "reconciler", "writer", "media")
"""The second fetcher waits for the first to die."""


def events(here: Processes, number: int) -> list[dict[str, object]]:
    """What a process logged so far."""
    text = (here.folder / f"log-{number}").read_text()
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def address(here: Processes, number: int) -> str:
    """Where a process serves its endpoints."""
    until(lambda: any(line["event"] == "endpoints" for line in events(here, number)))
    return next(str(line["address"]) for line in events(here, number) if line["event"] == "endpoints")


def ask(where: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{where}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_each_process_is_watched_by_itself_and_a_run_followed_through_all(servers: Servers, tmp_path: Path) -> None:
    with distributed(servers, tmp_path, every="20s") as (mls, here):
        here.settings["MLSYNC_HTTP_PORT"] = "0"
        with here.running(*SERVICES):
            where = [address(here, number) for number in range(len(SERVICES))]
            for one in where:
                until(lambda one=one: ask(one, "/readyz")[0] == 200)  # type: ignore[misc]
                assert ask(one, "/healthz")[0] == 200
                assert '"broker": "ok"' in ask(one, "/readyz")[1]
            until(lambda: here.count("run", "outcome = 'in_step'") > 0, 120)
            seen = [ask(one, "/metrics")[1] for one in where]
            assert here.differences(mls) == []
        for text in seen:
            assert re.search(r'^mlsync_broker_connected\{broker="[^"]+"\} 1\.0$', text, re.MULTILINE)
        stored = ["mlsync_records_stored{" in text for text in seen]
        assert stored == [service == "fetcher" for service in SERVICES]
        assert [service for service, text in zip(SERVICES, seen, strict=True) if "mlsync_records_total{" in text] == [
            "writer"
        ]
        assert [service for service, text in zip(SERVICES, seen, strict=True) if "mlsync_photos_total{" in text] == [
            "media"
        ]
        handled: dict[str, set[str]] = defaultdict(set)
        for number, service in enumerate(SERVICES):
            for line in events(here, number):
                if line["event"] == "message":
                    handled[str(line["run_id"])].add(service)
        assert set(SERVICES) in handled.values()
