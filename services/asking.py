"""A sync asked of the process that fetches for the feed, through the store; done here where there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

import msgspec

from services.app import SERVICES, App
from services.distributed import Distributed
from services.form import AWAY
from services.outcome import FeedReport
from services.patience import rest
from services.sync import sync
from services.tenure import Tenure
from shared.consumer import Outage
from shared.outbox import new_id
from shared.store.base import MICROSECONDS, Outstanding, SyncRequest

LOOK_SECONDS = 0.5


def sync_or_ask(
    app: App, feeds: Sequence[str], *, limit: int | None, wait: float, watch: Callable[[str], None]
) -> list[FeedReport]:
    """See ``services.sync.sync``. A feed that another process fetches for is asked of it; the report is the same.

    Opens what it needs, and starts the services where it does the work itself: when nobody has a feed's lease, or who
    had it died and no other has taken it up.
    """
    if not isinstance(app.form, Distributed):
        app.open()
        app.start()
        return sync(app, feeds, limit=limit, wait=wait, watch=watch)
    app.open(photos=False)
    asking = _Asking(app, app.form, limit, wait, watch)
    asking.run(feeds)
    return [asking.report(feed) for feed in feeds]


class _Asking:
    def __init__(
        self, app: App, form: Distributed, limit: int | None, wait: float, watch: Callable[[str], None]
    ) -> None:
        self._app = app
        self._form = form
        self._limit = limit
        self._wait = wait
        self._watch = watch
        self._id = new_id()
        self._asked: set[str] = set()
        self._found: dict[str, FeedReport] = {}
        self._started = False

    def run(self, feeds: Sequence[str]) -> None:
        """Until there is a report of every feed, or the process is to end."""
        outage = Outage()
        while (left := [feed for feed in feeds if feed not in self._found]) and not self._app.stopping.is_set():
            try:
                mine = {feed: tenure for feed in left if (tenure := self._form.fetching(feed)).take()}
                for feed in set(left) - mine.keys():
                    self._look(feed)
                if mine:
                    self._here(mine)
                self._watch(self._id)
                outage.over("sync")
            except AWAY as error:
                outage.begun("sync", error)
            if len(self._found) < len(feeds):
                rest(self._app.stopping, max(LOOK_SECONDS, outage.pause()))

    def _look(self, feed: str) -> None:
        """Ask, if that is not done yet; take the report, if there is one."""
        syncs = self._app.store.syncs
        if feed not in self._asked:
            syncs.ask(self._id, feed, self._limit, int(self._wait * MICROSECONDS))
            self._asked.add(feed)
            self._app.runs[feed] = self._id
        asked = syncs.look(self._id, feed)
        if asked is not None and asked.report is not None:
            self._found[feed] = msgspec.json.decode(asked.report, type=FeedReport)
            syncs.withdraw(self._id, feed)
        elif asked is not None and asked.run_id is not None:
            self._app.runs[feed] = asked.run_id

    def _here(self, mine: Mapping[str, Tenure]) -> None:
        with ExitStack() as kept:
            for tenure in mine.values():
                kept.enter_context(self._form.keeping(tenure))
            if not self._started:
                self._app.prepare_photos()
                self._app.start(SERVICES)
                self._started = True
            for feed, tenure in mine.items():
                if feed in self._asked:
                    self._app.store.syncs.withdraw(self._id, feed)
                kept.enter_context(self._app.fetching(feed, tenure))
            reports = sync(self._app, list(mine), limit=self._limit, wait=self._wait, watch=self._watch)
            self._found |= {report.feed: report for report in reports}

    def report(self, feed: str) -> FeedReport:
        """What came of it, or that nobody waited for it."""
        if feed in self._found:
            return self._found[feed]
        syncs = self._app.store.syncs
        asked = syncs.look(self._id, feed) if feed in self._asked else None
        if asked is None or asked.run_id is None:
            syncs.withdraw(self._id, feed)
            return _failed(feed, self._id, "the sync was stopped before it began")
        return _failed(feed, asked.run_id, "not waited for: the process that fetches for the feed goes on with it")


def answer(app: App, asked: SyncRequest) -> None:
    """Serve a request for a sync. One that is cut off, since this process is to end or another has taken over, is left
    to whoever is next."""
    run_id = asked.request_id if asked.run_id is None else new_id()
    if not app.store.syncs.begin(asked.request_id, asked.feed, run_id):
        return
    try:
        wait = asked.patience / MICROSECONDS
        report = sync(app, [asked.feed], limit=asked.most, wait=wait, run_id=run_id)[0]
    except AWAY:
        raise
    except Exception as error:
        _answer(app, asked, _failed(asked.feed, run_id, f"{type(error).__name__}: {error}"))
        raise
    if report.in_step or app.may_fetch(asked.feed):
        _answer(app, asked, report)


def _answer(app: App, asked: SyncRequest, report: FeedReport) -> None:
    app.store.syncs.answer(asked.request_id, asked.feed, msgspec.json.encode(report).decode())


def _failed(feed: str, run_id: str, error: str) -> FeedReport:
    return FeedReport(feed, run_id, {}, Outstanding(), 0.0, error)
