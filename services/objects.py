"""Objects of an MLS as it gives them: what came, and on request the exact bytes as files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.app import download_settings
from services.tabular import Form, rendered
from services.visit import visiting
from shared.photos.download import Download, Downloader
from shared.photos.errors import DownloadError
from shared.photos.others import ENDINGS
from shared.rets.objects import ObjectRequest, RetsObject
from shared.rets.several import objects_of
from shared.settings import Settings, SettingsError

COLUMNS: Final = ("key", "number", "type", "size", "preferred", "description", "location", "file", "error")
SECONDS: Final = 600.0
MAX_KEYS: Final = 100
_SET = re.compile(r"[^:,\s]{1,64}(:(\*|[0-9]{1,5}(:[0-9]{1,5})*))?")


@dataclass(frozen=True, slots=True)
class Shown:
    """The list as text, and whether everything that was there could be had and, if wanted, kept."""

    text: str
    well: bool


def objects(
    settings: Settings, feed: str, resource: str, kind: str, ids: str, folder: Path | None, form: Form
) -> Shown:  # fmt: skip
    """What the server has by ``ids``, which is as RETS writes it: ``KEY:*``, ``KEY:1:2``, several joined by commas.

    With ``folder`` the bytes go there, into files that were not there before. Addresses are asked for only where the
    feed's media are ``location``, and are then fetched for ``folder`` as the feed's photos would be. Raises
    SourceError, and SettingsError for ids that are none and a folder that cannot be written to.
    """
    chosen = settings.feeds[feed]
    request = ObjectRequest(
        resource, kind, parsed(ids), location=chosen.media == "location",
        object_data=chosen.rets_version.startswith("RETS/1.8"),
    )  # fmt: skip
    keep = _Folder(folder, f"{resource}-{kind}") if folder is not None else None
    with (
        visiting(settings, feed, SECONDS) as (session, _),
        closing(Downloader(download_settings(settings, chosen))) as downloader,
    ):
        session.login()
        fetch = downloader.fetch if chosen.media == "location" else None
        limit = settings.media.max_bytes
        rows = [_row(item, keep, fetch) for item in objects_of(session, request, images=False, max_object_bytes=limit)]
    text = json.dumps(rows, indent=1) if form is Form.json else rendered(COLUMNS, [_texts(row) for row in rows], form)
    return Shown(text, not any(row["error"] for row in rows))


def parsed(ids: str) -> dict[str, tuple[int, ...]]:
    """By key the numbers wanted: none stands for all, 0 for the preferred one. Raises SettingsError."""
    found: dict[str, tuple[int, ...]] = {}
    for item in ids.split(","):
        if not _SET.fullmatch(item.strip()) or len(found) >= MAX_KEYS:
            raise SettingsError(
                f"ID {item.strip()[:80]!r}: give KEY, KEY:* or KEY:1:2, at most {MAX_KEYS} of them joined by commas"
            )
        key, *numbers = item.strip().split(":")
        if key in found:
            raise SettingsError(f"ID: {key[:80]!r} is there twice; give all its numbers at once, as KEY:1:2")
        found[key] = () if numbers == ["*"] else tuple(int(number) for number in numbers or ["0"])
    return found


class _Folder:
    """Where bytes are kept. Nothing that is there already is touched."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder, self._prefix = folder, prefix
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"-o {folder}: {error.strerror or error}") from None

    def put(self, item: RetsObject, data: bytes, content_type: str) -> tuple[str, str]:
        """The file's name, and why there is none."""
        parts = (self._prefix, item.key, str(item.order))
        name = f"{'-'.join(_plain(part) for part in parts)}.{ENDINGS.get(content_type, 'bin')}"
        try:
            with (self._folder / name).open("xb") as file:
                file.write(data)
        except FileExistsError:
            return "", f"{name} is there already and was left as it is"
        except OSError as error:
            return "", f"{name} cannot be written: {error.strerror or error}"
        return name, ""


def _plain(part: str) -> str:
    """A word of a server as a part of a file's name. Two that differ stay different."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", part)[:64]
    return plain if plain == part else f"{plain}-{hashlib.sha256(part.encode()).hexdigest()[:8]}"


def _row(item: RetsObject, keep: _Folder | None, fetch: Callable[[str], Download] | None) -> dict[str, object]:
    name, error = "", item.error or ""
    data, content_type = item.data, item.content_type
    if keep is not None and item.url is not None and fetch is not None:
        try:
            came = fetch(item.url)
            data, content_type = came.data, came.content_type.partition(";")[0].strip().lower()
        except DownloadError as failed:
            error = f"not fetched: {failed}"
    if keep is not None and data is not None:
        name, error = keep.put(item, data, content_type)
    return {
        "key": item.key, "number": item.order, "type": content_type,
        "size": len(data) if data is not None else item.size, "preferred": item.preferred,
        "description": item.description, "location": item.url or "", "file": name, "error": error,
        **({"tags": dict(item.tags)} if item.tags else {}),
    }  # fmt: skip


def _texts(row: dict[str, object]) -> dict[str, str]:
    shown = row | {"preferred": "yes" if row["preferred"] else "", "size": "" if row["size"] is None else row["size"]}
    return {name: str(shown[name]) for name in COLUMNS}
