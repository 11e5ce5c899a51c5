"""A record's photos as the feed's media policy sees them. Pure."""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from services.writer.settings import WriterSettings
from shared.effects import Photo
from shared.mapping.record import Mapped


def under_policy(mapped: Mapped, settings: WriterSettings) -> tuple[Mapped, list[Photo]]:
    """The record, its hash mixed with the policy, and its photos: a changed policy makes every record a changed one."""
    media = _media(mapped.resource, settings)
    if media == "none":
        photos = []
    else:
        stored = media != "link"
        photos = [
            Photo(item, item.url(settings.photo_size), f"{settings.photo_size} {item.version}" if stored else None)
            for item in mapped.media
        ]
    digest = hashlib.blake2b(mapped.hash + policy(mapped.resource, settings), digest_size=16).digest()
    return replace(mapped, hash=digest), photos


def policy(resource: str, settings: WriterSettings) -> bytes:
    """What of the settings a record's rows depend on."""
    return f"{_media(resource, settings)} {settings.photo_size}".encode()


def _media(resource: str, settings: WriterSettings) -> str:
    """Photos of members and offices have no address to keep, and are had only where the feed lists their records."""
    if resource != "property" and (resource not in settings.resources or settings.media == "link"):
        return "none"
    return settings.media
