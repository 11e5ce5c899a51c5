"""The one place that names concrete backends and puts services together."""

from __future__ import annotations

import functools
import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import structlog

from services.distributed import Distributed
from services.drain import Drain
from services.embedded import Embedded
from services.fetcher.service import Fetcher
from services.fetcher.settings import FetcherSettings
from services.form import AWAY, Form
from services.geocoder.service import Geocoder
from services.geocoder.settings import GeocoderSettings
from services.media.service import FeedMedia, Media
from services.media.settings import MediaFeedSettings
from services.polite import SESSIONS, Manners, Polite
from services.reconciler.service import Reconciler
from services.reconciler.settings import ReconcilerSettings
from services.tenure import Tenure
from services.views import ViewKeeper, ViewSettings
from services.writer.service import Writer
from services.writer.settings import WriterSettings
from shared.blobs.base import Blobs, BlobsUnavailableError
from shared.blobs.local import LocalBlobs
from shared.consumer import Consumer, ConsumerSettings, Handler
from shared.known import Known
from shared.messages import Envelope, InventoryTaken, Message, PhotosPending, RecordsRequested, backlog_of
from shared.photos.download import Downloader, DownloadSettings
from shared.photos.hosts import HostPauses
from shared.photos.verify import PhotoLimits
from shared.rets.exchange import Exchange
from shared.rets.session import RetsSession
from shared.rets.settings import RETRY_SECONDS, VERSIONS, RetsSettings
from shared.settings import FeedSettings, MediaSettings, Settings, SettingsError, secrets_of
from shared.sources.base import Source, SourcePausedError
from shared.sources.ddf import DDF_PRODUCTION_LOGIN_URL, DDF_SAMPLE_LOGIN_URL, DdfSettings, DdfSource
from shared.sources.pool import SessionPool
from shared.sources.rets.settings import Override as RetsOverride
from shared.sources.rets.settings import RetsSourceSettings
from shared.sources.rets.source import RetsSource
from shared.sources.rets.state import Follow, RetsState, Stored
from shared.store.base import Store
from shared.store.sqlite.store import SqliteStore
from shared.telemetry import register_secret
from shared.transport.base import Delivery

if TYPE_CHECKING:
    from shared.transport.rabbitmq import RabbitTransport

log = structlog.get_logger()

SERVICES = ("fetcher", "reconciler", "writer", "media", "geocoder")
LOGIN_URLS = {"production": DDF_PRODUCTION_LOGIN_URL, "sample": DDF_SAMPLE_LOGIN_URL}
PHOTO_SIZES = {"LargePhoto": "large", "Photo": "photo", "ThumbnailPhoto": "thumbnail"}
RETRY_ATTEMPTS = 4
MEMORY = "memory:"
STALE_SECONDS = 3_600.0
"""How old a half-written file in a photo folder is when no process can be at it any more."""
FOR_WORK = 0.8
"""Share of the grace time for what is in hand; the rest is for logging out and giving back."""
PACE_SECONDS = 60.0
"""How long a fetcher waits in its place for the writer to catch up."""
POLL_SECONDS = 0.1
"""How soon a worker with nothing to do sees that the process is to end: what every command waits for at its end."""


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
        # who has the database is the only writer, unless there are several processes
        alone = is_embedded(settings) and database_file(settings) is not None
        return LocalBlobs(folder, stale_seconds=0 if alone else STALE_SECONDS)
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


def is_embedded(settings: Settings) -> bool:
    """Whether one process does everything, its queues in its memory."""
    return settings.broker_url == MEMORY


def open_transport(settings: Settings) -> RabbitTransport:
    """The broker that ``broker_url`` names. Opens nothing. Raises SettingsError."""
    scheme = settings.broker_url.partition(":")[0]
    if scheme not in ("amqp", "amqps"):
        raise SettingsError(
            f"broker_url (MLSYNC_BROKER_URL): {scheme}: is no transport this version has; "
            "give memory: or amqp://user:password@host:5672/vhost"
        )
    from shared.transport.rabbitmq import RabbitTransport  # its client is slow to import, and most have no broker

    workers = settings.media.workers
    sessions = {f"{RecordsRequested.QUEUE}.{name}": feed.sessions for name, feed in settings.feeds.items()}
    threads = {PhotosPending.QUEUE: workers, InventoryTaken.QUEUE: 1, **sessions}
    prefetch = threads | {backlog_of(queue): count for queue, count in threads.items()}
    try:
        return RabbitTransport(settings.broker_url, name=f"mlsync {os.getpid()}", prefetch=prefetch)
    except ValueError as error:
        raise SettingsError(f"broker_url (MLSYNC_BROKER_URL): {error}") from None


def refuse_database_of_one_process(settings: Settings) -> None:
    """Several processes need a database that several processes may write. Raises SettingsError."""
    if settings.database_url.startswith("sqlite:"):
        raise SettingsError(
            "database_url (MLSYNC_DATABASE_URL): SQLite is for one process, and broker_url (MLSYNC_BROKER_URL) is for "
            "several; give a PostgreSQL database, postgresql://…, or broker_url memory:"
        )


def login_url(feed: FeedSettings) -> str:
    """The feed's login URL, CREA's own by name."""
    return LOGIN_URLS.get(feed.login_url, feed.login_url)


def download_settings(settings: Settings, feed: FeedSettings) -> DownloadSettings:
    """How photos of the feed are fetched by their addresses."""
    home = urlsplit(login_url(feed))
    own = home.netloc.rpartition("@")[2]
    return DownloadSettings(
        threads=settings.media.workers,
        max_bytes=settings.media.max_bytes,
        total_seconds=settings.media.timeout,
        user_agent=feed.user_agent,
        ca_file=str(feed.ca_bundle) if feed.ca_bundle else None,
        allowed_private_hosts=frozenset({*feed.private_hosts, home.hostname or "", own}),
        proxy=feed.proxy.get_secret_value() if feed.proxy else None,
    )


def make_session(
    feed: FeedSettings,
    manners: Manners | None = None,
    sleep: Callable[[float], None] = time.sleep,
    *,
    retry_attempts: int = RETRY_ATTEMPTS,
    photo_bytes: int = MediaSettings().max_bytes,
    retry_seconds: float = RETRY_SECONDS,
    exactly: bool = False,
    schemes: tuple[Literal["digest", "basic"], ...] = ("digest", "basic"),
    observe: Callable[[Exchange], None] | None = None,
) -> RetsSession:
    """A session at the feed's MLS, held to ``manners``, which reads no larger photo; ``exactly``: in no version but the
    feed's. ``schemes`` are ways to prove who one is that may be used. Opens nothing."""
    session = functools.partial(
        RetsSession,
        RetsSettings(
            login_url=login_url(feed),
            username=feed.username,
            password=feed.password,
            user_agent=feed.user_agent,
            user_agent_password=feed.user_agent_password,
            user_agent_scheme=feed.user_agent_scheme,
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
            retry_seconds=retry_seconds,
            max_object_bytes=photo_bytes,
            fallback_versions=() if exactly else VERSIONS,
            schemes=schemes,
        ),
        observe=observe,
        sleep=sleep,
    )
    if manners is not None:
        session = functools.partial(
            session,
            before_request=manners.before_request,
            after_response=manners.after_response,
            told_to_wait=manners.told_to_wait,
            after_login=manners.after_login,
        )
    return session()


def make_source(
    feed: FeedSettings,
    manners: Manners | None = None,
    sleep: Callable[[float], None] = time.sleep,
    *,
    retry_attempts: int = RETRY_ATTEMPTS,
    photo_bytes: int = MediaSettings().max_bytes,
    state: RetsState | None = None,
) -> Source:
    """The source a feed's protocol names, held to ``manners``, which reads no larger photo. Opens nothing.

    ``state`` is what the sources of a RETS feed share.
    """
    session = make_session(feed, manners, sleep, retry_attempts=retry_attempts, photo_bytes=photo_bytes)
    if feed.protocol == "rets":
        return RetsSource(session, state or rets_state(feed))
    return DdfSource(session, DdfSettings(culture=feed.culture, photo_size=feed.photo_size))


def rets_state(feed: FeedSettings, follow: Follow | None = None, stored: Stored = lambda: None) -> RetsState:
    """What the sources of a RETS feed share in one process, nothing known yet but what is remembered by ``follow`` and
    ``stored``."""
    overrides = {
        kind: RetsOverride(
            **{
                **chosen.model_dump(),
                "classes": tuple(chosen.classes),
                "objects": tuple(chosen.objects),
                "object_links": tuple(chosen.object_links),
            }
        )
        for kind, chosen in feed.overrides.items()
    }
    login = (login_url(feed), feed.username, feed.user_agent, feed.rets_version, feed.encoding)
    asked_by = blake2b("\0".join(login).encode(errors="replace"), digest_size=8).hexdigest()
    return RetsState(RetsSourceSettings(overrides, feed.search_format), follow=follow, stored=stored, asked_by=asked_by)


Consuming = tuple[Consumer, list[threading.Thread]]


class PhotoStoreError(RuntimeError):
    """The photo store cannot be used at the start; the text names it."""


class App:
    """The services, or some of them, in this process: in the form that ``broker_url`` names."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] | None = None, beside: bool = False) -> None:
        """Puts everything together, the store on ``clock`` or its own; opens nothing. Raises SettingsError.

        ``beside`` other processes that are at work: what it publishes stays in its own memory.
        """
        for secret in secrets_of(settings):
            register_secret(secret)
        self.settings = settings
        self.store = open_store(settings, clock)
        self.blobs: Blobs = open_blobs(settings)
        _refuse_database_among_photos(settings)
        self.runs: dict[str, str] = {}
        self.tenures: dict[str, Tenure] = {}
        self._stop = threading.Event()
        self._stopped_at: float | None = None
        self._threads: list[threading.Thread] = []
        self.consumers: list[Consumer] = []
        self.helpers: list[threading.Thread] = []
        """Threads beside those of consumers, from the start to the end of the process."""
        self.form: Form = self._form(beside)
        self.transport = self.form.transport
        outbox = self.outbox = self.form.outbox
        feeds = settings.feeds
        self.polite = {
            name: Polite(name, feed, self.store, self._pause, functools.partial(self._requested, name))
            for name, feed in feeds.items()
        }
        self.photo_hosts = HostPauses()
        self.geocoder = self._geocoder()
        tell = {"tell": self.geocoder.tell} if self.geocoder else {}
        self.pools = {name: self._pool(name, feed) for name, feed in feeds.items()}
        self.views = ViewKeeper(
            self.store,
            {
                name: ViewSettings(rets_state(feed).settings, feed.mapping)
                for name, feed in feeds.items()
                if feed.protocol == "rets"
            },
        )
        self.fetcher = Fetcher(
            self.pools, self.store, outbox, FetcherSettings(), self._pace, self._paused, self.may_fetch,
            self.views.bring,
        )  # fmt: skip
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
            handled=self.store.syncs.handled,
        )
        self.writer = Writer(
            {
                name: WriterSettings(
                    feed.mapping,
                    feed.media,
                    PHOTO_SIZES[feed.photo_size],  # type: ignore[arg-type]
                    tuple(feed.resources),
                    feed.unescape,
                    frozenset(feed.history_exclude),
                    {
                        resource: tuple((kind, kind in chosen.object_links) for kind in chosen.all_objects)
                        for resource, chosen in feed.overrides.items()
                    },
                )
                for name, feed in feeds.items()
            },
            self.store,
            outbox,
            **tell,
        )
        queues = [*(f"{RecordsRequested.QUEUE}.{name}" for name in feeds), *SERVICES]
        self.queues = [*queues, *map(backlog_of, queues)]
        """All that services publish to and receive of."""
        self._drain = Drain(self.transport, self.store, self.queues)
        self.media = Media(
            {name: self._media(name, feed) for name, feed in feeds.items()},
            self.store,
            self.blobs,
            PhotoLimits(max_bytes=settings.media.max_bytes, max_pixels=settings.media.max_pixels),
            settings.media.workers,
        )

    def _form(self, beside: bool) -> Form:
        if is_embedded(self.settings) or beside:
            return Embedded(self.store, self._stop, alone=not beside or is_embedded(self.settings))
        transport = open_transport(self.settings)
        refuse_database_of_one_process(self.settings)
        return Distributed(transport, self.store, self._stop, self.settings.takeover)

    def _pool(self, name: str, feed: FeedSettings) -> SessionPool:
        state = rets_state(
            feed, functools.partial(self._remember, name), functools.partial(self.store.metadata.newest, name)
        )
        pool = SessionPool(
            lambda: make_source(
                feed, self.polite[name].manners(), self._pause, photo_bytes=self.settings.media.max_bytes, state=state
            ),
            self.form.slots(name),
            feed.sessions,
            idle_seconds=5.0,
        )
        SESSIONS.labels(name).set_function(lambda: pool.held)
        return pool

    def _remember(self, name: str, decide: Callable[[Known, int], Known]) -> None:
        """What is remembered of the feed's metadata is written by who fetches for it; others may have older ones."""
        tenure = self.tenures.get(name)
        if self.form.alone or (tenure is not None and tenure.held):
            self.store.drift.follow(name, decide)
        else:
            decide(self.store.drift.known(name), self.store.feeds.now())

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
        placeholders = frozenset(feed.placeholders)
        return FeedMedia(
            MediaFeedSettings(feed.media, placeholders=placeholders),
            Downloader(download_settings(self.settings, feed), self.photo_hosts),
            self.pools[name],
        )

    def _pace(self, backlog: bool) -> bool:
        until = time.monotonic() + PACE_SECONDS
        while self.form.behind(backlog=backlog):
            if time.monotonic() > until or self._stop.wait(0.02 if self.form.alone else 0.5):
                return False
        return True

    def may_fetch(self, feed: str) -> bool:
        """Whether this process may take the feed's inventories: it is not to end, and no other has taken over."""
        tenure = self.tenures.get(feed)
        return not self._stop.is_set() and (tenure is None or tenure.held)

    def open(self, *, photos: bool = True) -> None:
        """Make the database ready, and the photo store if ``photos``. Raises StoreError and PhotoStoreError."""
        self.form.open()
        if photos:
            self.prepare_photos()

    def prepare_photos(self) -> None:
        """Make the photo store ready. Raises PhotoStoreError."""
        try:
            self.blobs.prepare()
        except BlobsUnavailableError as error:
            raise PhotoStoreError(f"media_url (MLSYNC_MEDIA_URL): {error}") from error
        except OSError as error:
            where = self.settings.media_url
            raise PhotoStoreError(f"media_url (MLSYNC_MEDIA_URL): {where}: {error.strerror}") from error

    def start(self, services: Sequence[str] = SERVICES) -> None:
        """Start the threads of ``services``. Raises TransportUnavailableError.

        What a feed's fetcher does waits for ``fetching`` where several processes may want to do it.
        """
        self.form.connect()
        loops: list[tuple[str, Handler, int]] = [
            ("reconciler", self.reconciler.handle, 1),
            ("writer", self.writer.handle, 1),
            ("media", self._photos, self.settings.media.workers),
        ]
        if self.geocoder is not None and "geocoder" in services:
            self.geocoder.begin()
            loops.append(("geocoder", self.geocoder.handle, 1))
        for service, handler, threads in loops:
            if service in services:
                self._threads += self._consume(service, handler, threads, self._stop)[1]
        if "fetcher" in services and self.form.alone:
            for feed in self.settings.feeds:
                self._threads += self._fetch(feed, self._stop)[1]
        for target, name in ((self._drain.run, "drain"), (self._reap, "reaper")):
            thread = threading.Thread(target=target, args=(self._stop,), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)
            self.helpers.append(thread)

    @contextmanager
    def fetching(self, feed: str, tenure: Tenure) -> Iterator[None]:
        """Serve requests for the feed's records as long as this lasts, which is as long as the tenure does."""
        stop = threading.Event()
        self.tenures[feed] = tenure
        consumer, threads = self._fetch(feed, stop)
        try:
            yield
        finally:
            stop.set()
            self._join(threads)
            self.consumers.remove(consumer)
            queue = f"{RecordsRequested.QUEUE}.{feed}"
            self.transport.leave([queue, backlog_of(queue)])
            self.log_out(feed)

    def _fetch(self, feed: str, stop: threading.Event) -> Consuming:
        sessions = self.settings.feeds[feed].sessions
        return self._consume(f"{RecordsRequested.QUEUE}.{feed}", self.fetcher.handle, sessions, stop)

    def _consume(self, queue: str, handler: Handler, threads: int, stop: threading.Event) -> Consuming:
        """Threads that handle a queue, and what may wait behind it."""
        settings = ConsumerSettings(poll_seconds=0.2)
        consumer = Consumer(self.transport, [queue, backlog_of(queue)], handler, settings, name=queue, away=AWAY)
        self.consumers.append(consumer)
        return consumer, consumer.run_in_threads(threads, stop)

    def _photos(self, envelope: Envelope, message: Message, delivery: Delivery) -> str:
        if not isinstance(message, PhotosPending):
            return self.media.handle(envelope, message, delivery)
        with self.form.taking(message):
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
            for feed, pool in self.pools.items():
                try:
                    pool.reap(time.monotonic())
                except Exception:
                    log.exception("idle sessions could not be ended", feed=feed)

    def checks(self, services: Sequence[str]) -> dict[str, Callable[[], object]]:
        """What ``services`` need, by name; each raises when that is of no use now."""
        found: dict[str, Callable[[], object]] = {"database": self._database_answers}
        if not self.form.alone:
            found["broker"] = self.form.check
        if {"media", "fetcher"} & {*services}:  # the fetcher's process audits the photo store
            found["photo_store"] = self._photo_store_answers
        return found

    def _database_answers(self) -> None:
        with self.store.write() as tx:
            tx.ledger.horizon("", "")

    def _photo_store_answers(self) -> None:
        folder = media_folder(self.settings)
        if folder is None:
            self.blobs.exists("check")
        elif not os.access(folder, os.W_OK | os.X_OK):
            raise BlobsUnavailableError(f"{folder} is not there, or cannot be written to")

    @property
    def stopping(self) -> threading.Event:
        """Set when the process is to end."""
        return self._stop

    def stop(self) -> None:
        """The process is to end, within the grace time from now."""
        self._stopped_at = self._stopped_at or time.monotonic()
        self._stop.set()

    def grace_left(self) -> float:
        """Seconds that what is in hand may still take."""
        passed = 0.0 if self._stopped_at is None else time.monotonic() - self._stopped_at
        return max(0.0, FOR_WORK * self.settings.grace - passed)

    def _join(self, threads: Sequence[threading.Thread]) -> None:
        """Wait for them; those that outlast the grace time are left to end with the process."""
        for thread in threads:
            while thread.is_alive() and self.grace_left() > 0:
                thread.join(0.2 if self._stopped_at is None else self.grace_left())

    def close(self) -> None:
        """Finish what is in hand, log out everywhere, give everything back. May be called twice."""
        self.stop()
        self._join(self._threads)
        self._threads.clear()
        self.media.close()
        self.transport.close()
        for pool in self.pools.values():
            pool.close()
        if self.geocoder is not None:
            self.geocoder.close()
        self.form.close()
        self.store.close()

    @contextmanager
    def running(self, services: Sequence[str] = SERVICES) -> Iterator[App]:
        """Open, start ``services``, and close at the end."""
        try:
            self.open(photos="media" in services or "fetcher" in services)
            self.start(services)
            yield self
        finally:
            self.close()
