"""A session at a feed's MLS for a command that somebody types, beside whatever else runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from services.app import database_file, is_embedded, make_session, open_store
from services.polite import Polite
from shared.rets.session import RetsSession
from shared.settings import Settings
from shared.sources.base import SourceUnavailableError
from shared.store.base import Store

ATTEMPTS = 1
"""Somebody is watching."""


class BusyError(SourceUnavailableError):
    """The feed's sessions are in use by processes that run."""


@contextmanager
def visiting(settings: Settings, name: str, seconds: float) -> Iterator[tuple[RetsSession, Polite | None]]:
    """A session, not logged in yet and logged out at the end. See ``calling``."""
    with calling(settings, name, seconds) as (make, polite):
        session = make(settings.feeds[name])
        try:
            yield session, polite
        finally:
            session.logout()


@contextmanager
def calling(
    settings: Settings, name: str, seconds: float
) -> Iterator[tuple[Callable[..., RetsSession], Polite | None]]:
    """A maker of sessions, of which one may be open at a time, held to the feed's budget where there is a database to
    count in. Where several processes share the feed it is one that none of them has now, for ``seconds`` at most.

    Raises BusyError when there is none, and StoreError.
    """
    store = open_store(settings)
    file = database_file(settings)
    try:
        if file is not None and not file.exists():
            yield partial(make_session, retry_attempts=ATTEMPTS), None
            return
        store.check()
        polite = Polite(name, settings.feeds[name], store, time.sleep)
        with _slot(settings, name, store, seconds):
            yield partial(make_session, manners=polite.manners(), retry_attempts=ATTEMPTS), polite
    finally:
        store.close()


@contextmanager
def _slot(settings: Settings, name: str, store: Store, seconds: float) -> Iterator[None]:
    if is_embedded(settings):
        yield
        return
    sessions = settings.feeds[name].sessions
    holder = f"mlsync, process {os.getpid()}"
    slots = (f"session:{name}:{slot}" for slot in range(sessions))
    mine = next((slot for slot in slots if store.leases.take(slot, holder, seconds)), None)
    if mine is None:
        raise BusyError(f"feed {name}: its {sessions} sessions are in use by processes that run")
    try:
        yield
    finally:
        store.leases.release(mine, holder)
