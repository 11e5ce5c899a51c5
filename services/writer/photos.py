"""A record's photos as the feed's media policy sees them. Pure."""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from services.writer.settings import WriterSettings
from shared.effects import Photo
from shared.mapping.record import Mapped


def under_policy(mapped: Mapped, settings: WriterSettings) -> tuple[Mapped, list[Photo]]:
    """The record, its hash mixed with the policy, and its photos: a changed policy makes every record a changed one."""
    if settings.media == "none":
        photos = []
    else:
        stored = settings.media != "link"
        photos = [
            Photo(item, item.url(settings.photo_size), f"{settings.photo_size} {item.version}" if stored else None)
            for item in mapped.media
        ]
    digest = hashlib.blake2b(mapped.hash + policy(settings), digest_size=16).digest()
    return replace(mapped, hash=digest), photos


def policy(settings: WriterSettings) -> bytes:
    """What of the settings a record's rows depend on."""
    return f"{settings.media} {settings.photo_size}".encode()
