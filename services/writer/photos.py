"""A record's photos and other objects as the feed's settings see them. Pure."""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from services.writer.settings import WriterSettings
from shared.effects import ObjectsWanted, Photo
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
    objects = "".join(f" {kind}:{'link' if linked else 'bytes'}" for kind, linked in _objects(resource, settings))
    return f"{_media(resource, settings)} {settings.photo_size}{objects}".encode()


def objects_wanted(resource: str, stamp: str, settings: WriterSettings) -> list[ObjectsWanted]:
    """What a record of this source timestamp is to have of other objects. Nothing tells which of them a change was of,
    so every change has all of them looked at."""
    return [
        ObjectsWanted(kind, linked, f"{'link' if linked else 'bytes'} {stamp}")
        for kind, linked in _objects(resource, settings)
    ]


def _objects(resource: str, settings: WriterSettings) -> tuple[tuple[str, bool], ...]:
    return settings.objects.get(resource, ()) if resource in settings.resources else ()


def _media(resource: str, settings: WriterSettings) -> str:
    """Photos of members and offices have no address to keep, and are had only where the feed lists their records."""
    if resource != "property" and (resource not in settings.resources or settings.media == "link"):
        return "none"
    return settings.media
