"""mlsync as separate processes: each service in its own, killed, doubled, told to stop; the same rows and photos."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pika
import pytest

from shared.messages import PageFetched
from shared.outbox import Outbox
from shared.transport.rabbitmq import RabbitTransport
from tests.contract.stores import Listing
from tests.pipeline import forms
from tests.pipeline.forms import Servers
from tests.pipeline.processes import Processes, distributed
from tests.pipeline.simulated import until
from tests.servers.process import free_ports

FOUR = ("fetcher", "reconciler", "writer", "media")
TWO = ("fetcher", "reconciler writer media")


def reported(running: subprocess.Popen[str], seconds: float = 90) -> dict[str, Any]:
    """What a ``sync --json`` under way says of the feed in the end."""
    out, _ = running.communicate(timeout=seconds)
    found: dict[str, Any] = json.loads(out)["feeds"]["ddf"]
    return found


def ended(running: subprocess.Popen[str], seconds: float = 20) -> int:
    running.send_signal(signal.SIGTERM)
    return running.wait(seconds)


def second_feed(here: Processes) -> dict[str, str]:
    """Settings of another feed at the same MLS."""
    names = ("PROTOCOL", "LOGIN_URL", "USERNAME", "PASSWORD")
    return {f"MLSYNC_FEEDS__OTHER__{name}": here.env[f"MLSYNC_FEEDS__DDF__{name}"] for name in names}


def test_migrate_makes_queues_before_the_tables_that_others_wait_for(servers: Servers, tmp_path: Path) -> None:
    with forms.distributed(servers):
        here = Processes(tmp_path, "http://127.0.0.1:1/Login.svc/Login")
        url = here.settings["MLSYNC_BROKER_URL"]
        here.settings["MLSYNC_BROKER_URL"] = f"amqp://127.0.0.1:{free_ports(1)[0]}/"
        early = here.run("migrate")
        assert early.code == 1
        assert "RabbitMQ at 127.0.0.1" in early.err
        assert here.run("migrate", "--wait", "0").code == 1
        here.settings["MLSYNC_BROKER_URL"] = url
        assert here.run("migrate").code == 0
        assert here.run("migrate", "--wait", "0").code == 0
        with contextlib.closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
            for queue in ("fetcher.ddf", "reconciler", "writer.backlog", "media"):
                connection.channel().queue_declare(queue, passive=True)


def test_a_sync_asked_of_four_processes_ends_equal_to_the_mls(servers: Servers, tmp_path: Path) -> None:
    with distributed(servers, tmp_path) as (mls, here), here.running(*FOUR) as processes:
        until(lambda: here.fetcher() == processes[0].pid)
        first = here.sync()  # whether the one it began by itself or a second one: afterwards all is there
        assert here.differences(mls) == []
        assert first["inventory"] == len(mls.keys())
        mls.advance(3)
        again = here.sync()
        assert here.differences(mls) == []
        assert again["inventory"] == len(mls.keys())
        assert again["fetched"] > 0
        assert here.fetcher() == processes[0].pid
        limited = here.sync("--limit", "3", code=0)
        assert limited["removed"] == 0


def test_told_to_stop_a_process_logs_out_gives_back_and_exits_well(servers: Servers, tmp_path: Path) -> None:
    with distributed(servers, tmp_path, 60, page_size="5") as (mls, here):
        mls.fault("slow", "150")
        with here.running(*TWO) as (fetcher, others):
            until(lambda: here.count("property_record") >= 10)
            started = time.monotonic()
            assert ended(fetcher) == 0
            assert ended(others) == 0
            assert time.monotonic() - started < 20
            assert here.rows("SELECT name FROM lease") == []
            stats = mls.stats()
            assert stats["sessions_open"] == 0
            assert stats["sessions_open_max"] == 1
            assert here.count("property_record") < 60
        mls.fault("slow", "off")
        with here.running(*TWO):
            here.sync()
        assert here.differences(mls) == []
        assert here.count("quarantine") == 0


def test_drained_one_after_another_under_load_the_services_lose_nothing(servers: Servers, tmp_path: Path) -> None:
    with distributed(servers, tmp_path, 60, page_size="5") as (mls, here):
        mls.fault("slow", "100")
        with here.running(*FOUR) as processes, contextlib.ExitStack() as stack:
            until(lambda: here.count("property_record") >= 5)
            for service, process in zip(FOUR, processes, strict=True):
                started = time.monotonic()
                assert ended(process) == 0, service
                assert time.monotonic() - started < 20
                stack.enter_context(here.running(service))
            mls.fault("slow", "off")
            here.sync()
            assert mls.stats()["sessions_open_max"] == 1
        assert here.differences(mls) == []
        assert here.count("quarantine") == 0


def test_a_second_signal_ends_at_once(servers: Servers, tmp_path: Path) -> None:
    with distributed(servers, tmp_path, 10) as (mls, here):
        mls.fault("slow", "8000")
        with here.running("fetcher") as (fetcher,):
            until(lambda: here.fetcher() == fetcher.pid)
            time.sleep(1)
            fetcher.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            started = time.monotonic()
            fetcher.send_signal(signal.SIGTERM)
            assert fetcher.wait(10) == -signal.SIGTERM
            assert time.monotonic() - started < 2


@pytest.mark.parametrize("service", FOUR)
def test_a_service_killed_in_the_midst_of_a_sync_loses_nothing(servers: Servers, tmp_path: Path, service: str) -> None:
    with distributed(servers, tmp_path, 60, 2, page_size="5") as (mls, here):
        mls.fault("slow", "60")
        rest = " ".join(name for name in FOUR if name != service)
        with here.running(service, rest) as (victim, _), here.start("sync", "--json") as asking:
            until(lambda: here.count("property_record") >= 10)
            victim.kill()
            victim.wait()
            with here.running(service):
                assert reported(asking).get("error") is None
                here.sync()
        here.give_up_objects()
        assert here.differences(mls) == []
        assert here.count("quarantine") == 0
        assert mls.stats()["sessions_open_max"] <= 2  # the dead one's, until the MLS forgets it


def test_of_two_fetchers_one_works_and_the_other_takes_over(servers: Servers, tmp_path: Path) -> None:
    with distributed(servers, tmp_path, 20, every="3s") as (mls, here), here.running("reconciler writer media"):
        with here.running("fetcher") as (first,):
            until(lambda: here.fetcher() == first.pid)
            with here.running("fetcher") as (second,):
                until(lambda: here.count("run", "outcome = 'in_step'") >= 2)
                assert here.fetcher() == first.pid
                assert mls.stats()["sessions_open_max"] == 1
                first.kill()
                first.wait()
                mls.advance()
                until(lambda: here.fetcher() == second.pid, 15)
                until(lambda: here.differences(mls) == [], 20)
                assert ended(second) == 0
        assert mls.stats()["sessions_open_max"] <= 2


def test_many_of_each_at_once_end_equal_to_the_mls(servers: Servers, tmp_path: Path) -> None:
    with (
        distributed(servers, tmp_path, 120, 3, page_size="10", sessions="2", requests_per_second="20") as (mls, here),
        here.running("fetcher", "fetcher media", "reconciler writer", "reconciler writer", "media"),
    ):
        until(lambda: here.fetcher() is not None)
        for _ in range(2):
            here.sync()
            assert here.differences(mls) == []
            mls.advance(2)
        assert here.count("quarantine") == 0
        stats = mls.stats()
        assert stats["sessions_open_max"] <= 2
        assert stats["requests_per_second_max"] <= 20


def test_without_a_fetcher_a_sync_does_it_all_itself(servers: Servers, tmp_path: Path) -> None:
    with distributed(servers, tmp_path, 20) as (mls, here):
        assert here.sync()["inserted"] == 20
        assert here.differences(mls) == []
        assert here.rows("SELECT name FROM lease") == []
        assert mls.stats()["sessions_open"] == 0


def test_feeds_are_asked_of_who_fetches_for_them_and_done_here_where_nobody_does(
    servers: Servers, tmp_path: Path
) -> None:
    with distributed(servers, tmp_path, 15, 1) as (_, here), here.running("fetcher") as (fetcher,):
        until(lambda: here.fetcher() == fetcher.pid)
        here.settings |= second_feed(here)  # which that process does not know
        with here.running("reconciler writer media"):
            feeds = here.run("sync", "--json").json()["feeds"]
            assert list(feeds) == ["ddf", "other"]
            assert [feed["inventory"] for feed in feeds.values()] == [15, 15]
            assert here.count("property_record", "feed = 'other'") == 15
            assert here.fetcher() == fetcher.pid
        assert here.rows("SELECT outcome FROM run WHERE feed = 'other'") == [("in_step",)]


def test_a_sync_nobody_waits_for_any_more_leaves_the_fetcher_alone(servers: Servers, tmp_path: Path) -> None:
    with distributed(servers, tmp_path, 40, page_size="5") as (mls, here):
        mls.fault("slow", "300")
        with here.running(*TWO) as (fetcher, _), contextlib.ExitStack() as stack:
            until(lambda: here.fetcher() == fetcher.pid)
            asking = stack.enter_context(here.start("sync", "--json"))
            until(lambda: here.count("sync_request", "run_id IS NOT NULL") == 1)
            asking.send_signal(signal.SIGINT)
            assert "not waited for" in reported(asking, 20)["error"]
            assert asking.returncode == 1
            mls.fault("slow", "off")
            until(lambda: here.count("run", "outcome = 'in_step'") >= 1)
            assert fetcher.poll() is None
        assert here.differences(mls) == []


def test_what_needs_a_feed_for_itself_names_who_has_it(servers: Servers, tmp_path: Path) -> None:
    with distributed(servers, tmp_path, 10, 1) as (mls, here):
        with here.running(*TWO) as (fetcher, _):
            here.sync()
            until(lambda: here.fetcher() == fetcher.pid)
            refused = here.run("forget", "ddf", "--yes")
            assert refused.code == 1
            assert f":{fetcher.pid}:" in refused.err
            for beside in (["check"], ["remap"], ["audit", "media"]):
                done = here.run(*beside)
                assert done.code == 0, (beside, done.out, done.err)
            assert here.differences(mls) == []
        until(lambda: here.fetcher() is None)  # killed, it keeps its lease for a while
        assert here.run("forget", "ddf", "--yes").code == 0
        assert here.count("property_record") == 0
        assert here.copy.photos.names() == set()


def test_what_is_in_quarantine_is_replayed_by_who_runs(servers: Servers, tmp_path: Path) -> None:
    """A page of a feed that the writer was not told of, until it is: by a process that runs all five services."""
    later = int(time.time() + 3_600) * 1_000_000  # than any inventory of that feed
    page = PageFetched(
        feed="other", resource="property", observed_at=later, server_date=None, asked=[],
        records=[Listing("1").source()],
    )  # fmt: skip
    with distributed(servers, tmp_path, 5, 1) as (_, here):
        with here.running(""), contextlib.closing(RabbitTransport(here.settings["MLSYNC_BROKER_URL"])) as transport:
            Outbox(transport).publish(page, "run")
            until(lambda: here.count("quarantine") == 1)
        here.settings |= second_feed(here)
        with here.running("") as (everything,):
            until(lambda: here.fetcher() == everything.pid, 20)
            parked = json.loads(here.run("quarantine", "list", "--json").out)
            done = here.run("quarantine", "replay", parked[0]["id"])
            assert done.code == 0, done.err
            until(lambda: here.count("property_record", "feed = 'other' AND listing_key = '1'") == 1, 20)
            assert here.count("quarantine") == 0
            assert ended(everything, 40) == 0


def test_several_processes_on_one_sqlite_file_are_refused(servers: Servers, tmp_path: Path) -> None:
    with distributed(servers, tmp_path, 1) as (_, here):
        here.settings["MLSYNC_DATABASE_URL"] = f"sqlite:///{tmp_path}/mlsync.db"
        done = here.run("run", "writer")
        assert done.code == 2
        assert "PostgreSQL" in done.err
