"""Explain the settings, and try what they name."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, SecretStr
from rich.console import Console

from services.app import (
    database_file,
    database_name,
    is_embedded,
    login_url,
    media_folder,
    open_blobs,
    open_store,
    open_transport,
    refuse_database_of_one_process,
    rets_state,
)
from services.visit import BusyError, visiting
from shared.geocoding.nominatim import GeocoderError, Nominatim
from shared.settings import FeedSettings, Settings
from shared.sources.base import SourceError
from shared.sources.rets.source import RetsSource
from shared.store.base import StoreError
from shared.telemetry import escape, redact
from shared.transport.base import TransportUnavailableError

LOGIN_SECONDS = 60.0
"""How long trying a login may keep others from the session."""


def run_check(settings: Settings, console: Console) -> bool:
    """Print every setting with its meaning, then try database, photo folder and logins; True if all is well."""
    for name, field in Settings.model_fields.items():
        if name not in ("feeds", "media", "geocoder"):
            _explain(console, f"MLSYNC_{name.upper()}", getattr(settings, name), field.description)
    _explain_all(console, "MLSYNC_MEDIA__", settings.media)
    _explain_all(console, "MLSYNC_GEOCODER__", settings.geocoder)
    for feed, chosen in settings.feeds.items():
        _explain_all(console, f"MLSYNC_FEEDS__{feed.upper()}__", chosen)
    console.print()
    well = [
        _try(console, "database", lambda: _database(settings)),
        _try(console, "photo store", lambda: _photos(settings)),
        _try(console, "broker", lambda: _broker(settings)),
    ]
    if settings.geocoder.url is not None:
        well.append(_try(console, "geocoder", lambda: _geocoder(settings)))
    if not settings.feeds:
        console.print("feeds: none configured; `mlsync demo` needs none", markup=False)
    for feed, chosen in settings.feeds.items():
        well.append(_try(console, f"feed {feed}", functools.partial(_feed, settings, feed, chosen)))
    return all(well)


def _explain_all(console: Console, prefix: str, group: BaseModel) -> None:
    for name, field in type(group).model_fields.items():
        _explain(console, prefix + name.upper(), getattr(group, name), field.description)


def _explain(console: Console, variable: str, value: object, description: str | None) -> None:
    shown = "(set)" if isinstance(value, SecretStr) else value if value not in (None, []) else "(unset)"
    shown = ",".join(shown) if isinstance(shown, list) else shown
    if isinstance(shown, dict):
        said = {key: item.model_dump(exclude_defaults=True) for key, item in shown.items()}
        shown = json.dumps(said) if said else "(unset)"
    console.print(f"{variable}={escape(redact(str(shown)))}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"    {description}", markup=False, highlight=False, soft_wrap=True, style="dim")


def _try(console: Console, what: str, attempt: Callable[[], str]) -> bool:
    try:
        answer = attempt()
    except (SourceError, StoreError, GeocoderError, TransportUnavailableError, OSError, ValueError) as error:
        console.print(f"{what}: {escape(redact(str(error)))}", markup=False, style="red", soft_wrap=True)
        return False
    for number, line in enumerate(answer.split("\n")):
        text = f"{what}: {escape(line)}" if number == 0 else f"    {escape(line)}"
        console.print(text, markup=False, style="green", soft_wrap=True)
    return True


def _database(settings: Settings) -> str:
    file = database_file(settings)
    if file is not None and not file.exists():
        return f"{database_name(settings)} {_writable(file.parent)}"
    store = open_store(settings)
    try:
        store.check()
    finally:
        store.close()
    return f"{database_name(settings)} is there, its tables are of this version"


def _broker(settings: Settings) -> str:
    if is_embedded(settings):
        return f"{settings.broker_url} needs none"
    refuse_database_of_one_process(settings)
    transport = open_transport(settings)
    try:
        transport.open()
    finally:
        transport.close()
    return f"{settings.broker_url} answers"


def _photos(settings: Settings) -> str:
    folder = media_folder(settings)
    if folder is not None:
        return f"{settings.media_url} {_writable(folder)}"
    open_blobs(settings).exists("check")
    return f"{settings.media_url} answers"


def _geocoder(settings: Settings) -> str:
    chosen = settings.geocoder
    query = chosen.query.get_secret_value() if chosen.query else ""
    client = Nominatim(chosen.url or "", user_agent=chosen.user_agent, query=query, timeout=chosen.timeout)
    try:
        client.check()
    finally:
        client.close()
    return f"{client.host} says that it works; nothing was looked up"


def _writable(path: Path) -> str:
    """Whether files can be made at ``path``, without making any. Raises OSError."""
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise OSError(f"{there} cannot be written to; give another place, or rights on it")
    return "can be written to" if there == path else f"will be made in {there}"


def _feed(settings: Settings, name: str, feed: FeedSettings) -> str:
    """Log in, on a session that no process has now."""
    try:
        with visiting(settings, name, LOGIN_SECONDS) as (session, polite):
            session.login()
            found = RetsSource(session, rets_state(feed)).explain() if feed.protocol == "rets" else []
            session.logout()
            used = [f"; {line}" for line in polite.standing().lines()] if polite is not None else []
    except BusyError as error:
        return f"not tried: {error}"
    said = f"logged in at {login_url(feed)} as {feed.username}, and out again{''.join(used)}"
    return "\n".join([said, *found])
