"""The media service as shipped, whole: photos from a server that answers after 50 ms, verified, stored, written down.

To a folder and to a bucket, 16 at once in one process; and one, two and four processes beside each other.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.figures import Figure
from bench.photo_server import PhotoServer, against_wrk, photo_server
from bench.rounds import middle, say
from bench.servers import folder, servers, store_of
from shared.messages import PageFetched, SourceRecord
from shared.outbox import Outbox
from shared.store.base import Store
from shared.transport.rabbitmq import RabbitTransport
from tests.pipeline.forms import Servers
from tests.pipeline.simulated import MLSYNC, bare_env, command, process, until

AT_ONCE = 16
OF_A_LISTING = 20
SECONDS = 120.0
_STAMP = "Tue, 05 Mar 2024 14:00:00 GMT"


@dataclass
class Installation:
    """A writer that runs, and how to give it listings; media workers are started beside it."""

    here: Path
    env: dict[str, str]
    photos: PhotoServer
    store: Store
    outbox: Outbox
    database: psycopg.Connection

    @contextmanager
    def workers(self, count: int) -> Iterator[None]:
        """So many media processes that are at work: each has stored photos."""
        with ExitStack() as stack:
            for number in range(count):
                log = stack.enter_context((self.here / f"media-{number}").open("w"))
                stack.enter_context(process([str(MLSYNC), "run", "media"], self.env, self.here, log.fileno()))
            self.store_photos(count * 4)
            time.sleep(0.5 * count)
            self.store_photos(count * 4)
            yield

    def store_photos(self, listings: int) -> float:
        """Publish new listings; photos stored a second, from the publication to the last row."""
        before = self.stored()
        photos = listings * OF_A_LISTING
        started = time.perf_counter()
        self.publish(listings)
        until(lambda: self.stored() >= before + photos, SECONDS)
        return photos / (time.perf_counter() - started)

    def publish(self, listings: int) -> None:
        """So many new ones, for the writer."""
        for at in range(0, listings, 100):
            records = [self._record() for _ in range(min(100, listings - at))]
            self.outbox.publish(
                PageFetched(
                    feed="ddf", resource="property", observed_at=self.store.feeds.observe("ddf"), server_date=None,
                    asked=[record.key for record in records], records=records,
                ),
                "bench",
            )  # fmt: skip

    def stored(self) -> int:
        """Photos that are there."""
        row = self.database.execute("SELECT count(*) FROM media_object WHERE state = 'live'").fetchone()
        assert row is not None
        return int(row[0])

    def _record(self) -> SourceRecord:
        key = str(next(_KEYS))
        photos = [
            {
                "SequenceId": str(order),
                "PhotoLastUpdated": _STAMP,
                "LargePhotoURL": self.photos.url(int(key) * 7 + order),
            }
            for order in range(1, OF_A_LISTING + 1)
        ]
        return SourceRecord(key, _STAMP, {"@ID": key, "@LastUpdated": _STAMP, "Photo": {"PropertyPhoto": photos}})


_KEYS = itertools.count(10_000_000)


@contextmanager
def installed(at: Servers, here: Path, photos: PhotoServer, at_once: int, **settings: str) -> Iterator[Installation]:
    """An installation of its own on these servers, with a writer that runs."""
    here.mkdir()
    place = at.place(here)
    env = bare_env() | place.settings | {
        "MLSYNC_FEEDS__DDF__PROTOCOL": "ddf",
        "MLSYNC_FEEDS__DDF__LOGIN_URL": f"{photos.base}/login",  # photos of the login's own host may be private
        "MLSYNC_FEEDS__DDF__USERNAME": "nobody",
        "MLSYNC_FEEDS__DDF__PASSWORD": "nothing",
        "MLSYNC_MEDIA__WORKERS": str(at_once),
    } | settings  # fmt: skip
    done = command("migrate", env=env, cwd=here)
    assert done.code == 0, done.err
    with ExitStack() as stack:
        log = stack.enter_context((here / "writer").open("w"))
        stack.enter_context(process([str(MLSYNC), "run", "writer"], env, here, log.fileno()))
        store = stack.enter_context(closing(store_of(env)))
        transport = stack.enter_context(closing(RabbitTransport(env["MLSYNC_BROKER_URL"])))
        database = stack.enter_context(psycopg.connect(env["MLSYNC_DATABASE_URL"], autocommit=True))
        yield Installation(here, env, photos, store, Outbox(transport), database)


def measure(rounds: int) -> list[Figure]:
    """See the module."""
    with folder() as here, servers(here) as at, photo_server(here) as photos:
        to_folder = {"MLSYNC_MEDIA_URL": f"file:{here / 'stored'}"}
        figures = [
            _against_wrk(rounds, at, here / "folder", photos, "a folder", **to_folder),
            _against_wrk(rounds, at, here / "bucket", photos, "S3"),
        ]
        return figures + _side_by_side(rounds, at, here, photos, **to_folder)


def _against_wrk(rounds: int, at: Servers, here: Path, photos: PhotoServer, where: str, **settings: str) -> Figure:
    with installed(at, here, photos, AT_ONCE, **settings) as installation, installation.workers(1):
        name = f"media worker, whole, 50 ms, 16 at once, to {where}"
        return against_wrk(name, 0.70, rounds, AT_ONCE, photos, lambda: installation.store_photos(40))


def _side_by_side(rounds: int, at: Servers, here: Path, photos: PhotoServer, **settings: str) -> list[Figure]:
    """One, two and four processes, each with the shipped number of threads."""
    rates: dict[int, list[float]] = {}
    for count in (1, 2, 4):
        with (
            installed(at, here / f"processes-{count}", photos, 8, **settings) as installation,
            installation.workers(count),
        ):
            rates[count] = [installation.store_photos(20 * count) for _ in range(rounds)]
            say(f"{count} processes: {middle(rates[count]):.0f} photos/s")
    return [
        Figure(f"media workers: {count} processes of 8 threads", middle(ratios), 0.0, True, "x", "one process", ratios,
               {"photos/s": middle(rates[count])})
        for count in (2, 4)
        for ratios in ([rate / one for rate, one in zip(rates[count], rates[1], strict=True)],)
    ]  # fmt: skip
