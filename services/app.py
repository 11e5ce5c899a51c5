"""The one place that names concrete backends and puts services together."""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from services.drain import Drain
from services.fetcher.service import Fetcher
from services.fetcher.settings import FetcherSettings
from services.geocoder.service import Geocoder
from services.geocoder.settings import GeocoderSettings
from services.media.service import FeedMedia, Media
from services.media.settings import MediaFeedSettings
from services.once import PhotosOnce
from services.polite import Manners, Polite
from services.reconciler.service import Reconciler
from services.reconciler.settings import ReconcilerSettings
from services.writer.service import Writer
from services.writer.settings import WriterSettings
from shared.blobs.base import Blobs, BlobsUnavailableError
from shared.blobs.local import LocalBlobs
from shared.consumer import Consumer, ConsumerSettings, Handler
from shared.messages import Envelope, Message, PhotosPending
from shared.photos.download import Downloader, DownloadSettings
from shared.photos.hosts import HostPauses
from shared.photos.verify import PhotoLimits
from shared.rets.session import RetsSession
from shared.rets.settings import RetsSettings
from shared.settings import FeedSettings, MediaSettings, Settings, SettingsError, secrets_of
from shared.sources.base import Source, SourcePausedError
from shared.sources.ddf import DDF_PRODUCTION_LOGIN_URL, DDF_SAMPLE_LOGIN_URL, DdfSettings, DdfSource
from shared.sources.pool import SessionPool
from shared.store.base import Store
from shared.store.sqlite.store import SqliteStore
from shared.telemetry import register_secret
from shared.transport.base import Delivery
from shared.transport.memory import MemoryTransport

log = structlog.get_logger()

SERVICES = ("fetcher", "reconciler", "writer", "media", "geocoder")
LOGIN_URLS = {"production": DDF_PRODUCTION_LOGIN_URL, "sample": DDF_SAMPLE_LOGIN_URL}
PHOTO_SIZES = {"LargePhoto": "large", "Photo": "photo", "ThumbnailPhoto": "thumbnail"}
RETRY_ATTEMPTS = 4
PAGES_AHEAD_BYTES = 32 * 1024 * 1024
"""How far the fetcher may run ahead of the writer within one process."""
POLL_SECONDS = 0.1
"""How soon a worker with nothing to do sees that the process is to end: what every command waits for at its end."""


class LocalSlots:
    """Session slots of a process that has the database to itself: all are its own."""

    def acquire(self, _slot: int) -> bool:
        return True

    def renew(self, _slot: int) -> bool:
        return True

    def release(self, _slot: int) -> None:
        return None


def open_store(settings: Settings, clock: Callable[[], float] | None = None) -> Store:
    """The store that ``database_url`` names, on ``clock`` or its own. Opens nothing. Raises SettingsError."""
    path = database_file(settings)
    if path is not None:
        return SqliteStore(path, clock or time.time)
    from shared.store.postgres.store import PostgresStore  # psycopg is slow to import, and most have a file

    try:
        return PostgresStore(settings.database_url, clock)
    except ValueError as error:
        raise SettingsError(f"database_url (MLSYNC_DATABASE_URL): {error}") from None


def database_file(settings: Settings) -> Path | None:
    """The file that ``database_url`` names, None for a server. Raises SettingsError."""
    scheme, _, rest = settings.database_url.partition("://")
    if scheme in ("postgresql", "postgres") and rest:
        return None
    if scheme != "sqlite" or not rest.startswith("/") or len(rest) < 2:
        raise SettingsError(
            f"database_url (MLSYNC_DATABASE_URL): {scheme[:20]}: is no store this version has; "
            "give sqlite:///path or postgresql://user:password@host/database"
        )
    return Path(rest[1:])


def database_name(settings: Settings) -> str:
    """The database's address without its secrets."""
    parts = urlsplit(settings.database_url)
    if parts.scheme == "sqlite":
        return settings.database_url
    login, at, place = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{login.partition(':')[0]}{at}{place}{parts.path}"


def media_folder(settings: Settings) -> Path | None:
    """The folder that ``media_url`` names, None for a bucket. Raises SettingsError."""
    scheme, _, path = settings.media_url.partition(":")
    if scheme == "s3":
        return None
    if scheme != "file" or not path:
        raise SettingsError(
            f"media_url (MLSYNC_MEDIA_URL): {scheme}: is no photo store this version has; "
            "give file:folder or s3://bucket"
        )
    return Path(path.removeprefix("//"))


def open_blobs(settings: Settings) -> Blobs:
    """The photo store that ``media_url`` names. Opens nothing. Raises SettingsError."""
    folder = media_folder(settings)
    if folder is not None:
        if database_file(settings) is None:
            return LocalBlobs(folder)  # other processes may be putting objects there now
        return LocalBlobs(folder, stale_seconds=0)  # the database's owner is the only writer
    from shared.blobs.s3 import S3Blobs, parse_url  # its client is slow to import, and most have a folder

    access, secret = settings.media_access_key, settings.media_secret_key
    if (access is None) != (secret is None):
        raise SettingsError(
            "media_access_key, media_secret_key (MLSYNC_MEDIA_ACCESS_KEY, MLSYNC_MEDIA_SECRET_KEY): "
            "give both, or neither for a bucket that needs none"
        )
    try:
        bucket = parse_url(settings.media_url)
    except ValueError as error:
        raise SettingsError(f"media_url (MLSYNC_MEDIA_URL): {error}") from None
    return S3Blobs(
        replace(
            bucket,
            access_key=access.get_secret_value() if access else None,
            secret_key=secret.get_secret_value() if secret else None,
            connections=settings.media.workers,
        )
    )


def _refuse_database_among_photos(settings: Settings) -> None:
    """The photo folder is mlsync's alone: the audit deletes what no row needs."""
    folder, file = media_folder(settings), database_file(settings)
    if folder is not None and file is not None and file.resolve().is_relative_to(folder.resolve()):
        raise SettingsError(
            f"media_url (MLSYNC_MEDIA_URL): {settings.media_url} holds the database; give photos a folder of their own"
        )


def open_transport(settings: Settings) -> MemoryTransport:
    """The transport that ``broker_url`` names. Opens nothing. Raises SettingsError."""
    if settings.broker_url != "memory:":
        scheme = settings.broker_url.partition(":")[0]
        raise SettingsError(f"broker_url (MLSYNC_BROKER_URL): {scheme}: is no transport this version has; give memory:")
    return MemoryTransport()


def login_url(feed: FeedSettings) -> str:
    """The feed's login URL, CREA's own by name."""
    return LOGIN_URLS.get(feed.login_url, feed.login_url)


def make_source(
    feed: FeedSettings,
    manners: Manners | None = None,
    sleep: Callable[[float], None] = time.sleep,
    *,
    retry_attempts: int = RETRY_ATTEMPTS,
    photo_bytes: int = MediaSettings().max_bytes,
) -> Source:
    """The source a feed's protocol names, held to ``manners``, which reads no larger photo. Opens nothing."""
    session = functools.partial(
        RetsSession,
        RetsSettings(
            login_url=login_url(feed),
            username=feed.username,
            password=feed.password,
            user_agent=feed.user_agent,
            rets_version=feed.rets_version,
            connect_seconds=feed.connect_timeout,
            read_seconds=feed.read_timeout,
            answer_seconds=feed.answer_timeout,
            proxies=dict.fromkeys(("http", "https"), feed.proxy.get_secret_value()) if feed.proxy else {},
            auth_hosts=tuple(feed.auth_hosts),
            ca_bundle=str(feed.ca_bundle) if feed.ca_bundle else None,
            basic_over_cleartext=feed.basic_over_cleartext,
            encoding=feed.encoding,
            retry_attempts=retry_attempts,
            max_object_bytes=photo_bytes,
        ),
        sleep=sleep,
    )
    if manners is not None:
        session = functools.partial(
            session,
            before_request=manners.before_request,
            after_response=manners.after_response,
            told_to_wait=manners.told_to_wait,
        )
    return DdfSource(session(), DdfSettings(culture=feed.culture, photo_size=feed.photo_size))


class App:
    """All services in this process, over in-memory queues."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] | None = None) -> None:
        """Puts everything together, the store on ``clock`` or its own; opens nothing. Raises SettingsError."""
        for secret in secrets_of(settings):
            register_secret(secret)
        self.settings = settings
        self.store = open_store(settings, clock)
        self.blobs: Blobs = open_blobs(settings)
        _refuse_database_among_photos(settings)
        self.transport = open_transport(settings)
        self.runs: dict[str, str] = {}
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        outbox = self.outbox = PhotosOnce(self.transport)
        feeds = settings.feeds
        self.polite = {
            name: Polite(name, feed, self.store, self._pause, functools.partial(self._requested, name))
            for name, feed in feeds.items()
        }
        self.photo_hosts = HostPauses()
        self.geocoder = self._geocoder()
        tell = {"tell": self.geocoder.tell} if self.geocoder else {}
        self.pools = {name: self._pool(name, feed) for name, feed in feeds.items()}
        self.fetcher = Fetcher(self.pools, self.store, outbox, FetcherSettings(), self._pace, self._paused)
        self.reconciler = Reconciler(
            {
                name: ReconcilerSettings(
                    feed.remove_at_least,
                    feed.remove_share,
                    int(feed.reread * 1_000_000),
                    feed.page_size,
                    None if feed.confirm_after is None else int(feed.confirm_after * 1_000_000),
                )
                for name, feed in feeds.items()
            },
            self.store,
            outbox,
            **tell,
        )
        self.writer = Writer(
            {
                name: WriterSettings(
                    feed.protocol,
                    feed.media,
                    PHOTO_SIZES[feed.photo_size],  # type: ignore[arg-type]
                    tuple(feed.resources),
                    feed.unescape,
                    frozenset(feed.history_exclude),
                )
                for name, feed in feeds.items()
            },
            self.store,
            outbox,
            **tell,
        )
        self._fetch_queues = {name: f"fetcher.{name}" for name in feeds}
        self._drain = Drain(self.transport, self.store, [*self._fetch_queues.values(), *SERVICES])
        self.media = Media(
            {name: self._media(name, feed) for name, feed in feeds.items()},
            self.store,
            self.blobs,
            PhotoLimits(max_bytes=settings.media.max_bytes, max_pixels=settings.media.max_pixels),
        )

    def _pool(self, name: str, feed: FeedSettings) -> SessionPool:
        return SessionPool(
            lambda: make_source(
                feed, self.polite[name].manners(), self._pause, photo_bytes=self.settings.media.max_bytes
            ),
            LocalSlots(),
            feed.sessions,
            idle_seconds=5.0,
        )

    def _requested(self, name: str) -> None:
        run_id = self.runs.get(name)
        if run_id is not None:
            self.store.feeds.count(name, run_id, "", {"requests": 1})

    def _pause(self, seconds: float) -> None:
        """Wait before a request, but not past the end of the process. Raises SourcePausedError."""
        if self._stop.wait(seconds):
            raise SourcePausedError("the process is stopping", 0.0)

    def _paused(self, name: str) -> float:
        return self.polite[name].paused()

    def _geocoder(self) -> Geocoder | None:
        """None when no geocoder is set, or no feed uses it."""
        chosen = self.settings.geocoder
        feeds = tuple(name for name, feed in self.settings.feeds.items() if feed.geocode)
        if chosen.url is None or not feeds:
            return None
        settings = GeocoderSettings(
            chosen.url, feeds, chosen.requests_per_second, chosen.user_agent, chosen.email, chosen.countrycodes,
            chosen.timeout, chosen.query.get_secret_value() if chosen.query else "",
        )  # fmt: skip
        return Geocoder(settings, self.store, self.outbox)

    def _media(self, name: str, feed: FeedSettings) -> FeedMedia:
        home = urlsplit(login_url(feed))
        own = home.netloc.rpartition("@")[2]
        downloads = DownloadSettings(
            threads=self.settings.media.workers,
            max_bytes=self.settings.media.max_bytes,
            total_seconds=self.settings.media.timeout,
            user_agent=feed.user_agent,
            ca_file=str(feed.ca_bundle) if feed.ca_bundle else None,
            allowed_private_hosts=frozenset({*feed.private_hosts, home.hostname or "", own}),
            proxy=feed.proxy.get_secret_value() if feed.proxy else None,
        )
        placeholders = frozenset(feed.placeholders)
        return FeedMedia(
            MediaFeedSettings(feed.media, placeholders=placeholders),
            Downloader(downloads, self.photo_hosts),
            self.pools[name],
        )

    def _pace(self) -> None:
        while self.transport.pressure("writer") > PAGES_AHEAD_BYTES and not self._stop.is_set():
            self._stop.wait(0.02)

    def open(self) -> None:
        """Take the database, where only one process may have it; migrate it, and clear up after one that died."""
        self.store.claim()
        self.store.migrate()
        self.store.recover()
        try:
            self.blobs.prepare()
        except BlobsUnavailableError as error:
            raise SettingsError(f"media_url (MLSYNC_MEDIA_URL): {error}") from error
        except OSError as error:
            raise SettingsError(f"media_url (MLSYNC_MEDIA_URL): {self.settings.media_url}: {error.strerror}") from error

    def start(self, services: Sequence[str] = SERVICES) -> None:
        """Start the threads of ``services``."""
        loops: list[tuple[str, str, Handler, int]] = [
            *(
                ("fetcher", queue, self.fetcher.handle, self.settings.feeds[feed].sessions)
                for feed, queue in self._fetch_queues.items()
            ),
            ("reconciler", "reconciler", self.reconciler.handle, 1),
            ("writer", "writer", self.writer.handle, 1),
            ("media", "media", self._photos, self.settings.media.workers),
        ]
        if self.geocoder is not None and "geocoder" in services:
            self.geocoder.begin()
            loops.append(("geocoder", "geocoder", self.geocoder.handle, 1))
        for service, queue, handler, threads in loops:
            if service in services:
                consumer = Consumer(self.transport, [queue], handler, ConsumerSettings(poll_seconds=0.2), name=queue)
                self._threads += consumer.run_in_threads(threads, self._stop)
        for target, name in ((self._drain.run, "drain"), (self._reap, "reaper")):
            thread = threading.Thread(target=target, args=(self._stop,), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def _photos(self, envelope: Envelope, message: Message, delivery: Delivery) -> str:
        if not isinstance(message, PhotosPending):
            return self.media.handle(envelope, message, delivery)
        with self.outbox.taking(message):
            return self.media.handle(envelope, message, delivery)

    def addresses_due(self) -> bool:
        """Whether there are addresses to look up, and a geocoder that answers."""
        return self.geocoder is not None and self.geocoder.due()

    def located(self, feed: str) -> dict[str, int]:
        """See ``Geocoding.located``; nothing when the feed's addresses are not looked up."""
        if self.geocoder is None or not self.settings.feeds[feed].geocode:
            return {}
        return self.store.geocoding.located(feed)

    def drain_dead(self) -> None:
        """Move what is parked now into quarantine."""
        while self._drain.run_once(0):
            pass

    def log_out(self, feed: str) -> None:
        """End the feed's sessions that nobody uses; the next request logs in again."""
        self.pools[feed].reap(math.inf)

    def _reap(self, stop: threading.Event) -> None:
        """Log out sessions nobody uses."""
        while not stop.wait(1.0):
            for pool in self.pools.values():
                pool.reap(time.monotonic())

    @property
    def stopping(self) -> threading.Event:
        """Set when the process is to end."""
        return self._stop

    def close(self) -> None:
        """Finish what is in hand, log out everywhere, give everything back. May be called twice."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self.transport.close()
        for pool in self.pools.values():
            pool.close()
        if self.geocoder is not None:
            self.geocoder.close()
        self.store.close()

    @contextmanager
    def running(self, services: Sequence[str] = SERVICES) -> Iterator[App]:
        """Open, start ``services``, and close at the end."""
        try:
            self.open()
            self.start(services)
            yield self
        finally:
            self.close()
