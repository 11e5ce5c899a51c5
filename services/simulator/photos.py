"""Which photos a listing has: its first set, and what every re-photographing did to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .draws import PHOTO, PHOTO_COUNT, PHOTO_EDIT, Draw, mix
from .timeline import REPHOTOGRAPHED, Event
from .vocabulary import TEXTS

MOST = 50
_FULL, _NONE, _ONE = 0.005, 0.05, 0.10  # shares of listings with 50 photos, none and one


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo of a listing. ``serial`` and ``version`` say which picture it is, ``order`` where it is shown.

    ``stamp`` moves whenever what is seen at this place changes: a new picture, or another one moved here.
    """

    order: int
    serial: int
    version: int
    stamp: int
    description: str = ""


def first_count(draw: Draw, mean: int) -> int:
    """How many photos a listing is born with: 0 to 50, about ``mean`` on average, and the rare extremes."""
    if mean == 0:
        return 0
    kind = draw.random()
    if kind < _FULL:
        return MOST
    if kind < _FULL + _NONE:
        return 0
    if kind < _FULL + _NONE + _ONE:
        return 1
    usual = max(1.0, (mean - _FULL * MOST - _ONE) / (1 - _FULL - _NONE - _ONE))
    spread = min(usual * 0.7, MOST - usual) if usual < MOST else 0.0
    return max(1, min(MOST, round(draw.uniform(usual - spread, usual + spread))))


def photos_of(seed: int, number: int, mean: int, born: int, events: Sequence[Event]) -> list[Photo]:
    """The photos of a listing in display order, after all of its events."""
    if mean == 0:
        return []
    draw = Draw(seed, PHOTO_COUNT, number)
    count = first_count(draw, mean)
    photos: list[Photo] = []
    order = 0
    for serial in range(1, count + 1):
        order += 2 if count < MOST // 2 and draw.random() < 0.02 else 1  # a photo was deleted before we came
        photos.append(_new(seed, number, order, serial, born - draw.between(0, 7200)))
    serials = count
    for event in events:
        if event.kinds & REPHOTOGRAPHED:
            photos, serials = _edit(seed, number, photos, serials, event)
    return photos


def _new(seed: int, number: int, order: int, serial: int, stamp: int) -> Photo:
    described = mix(seed, PHOTO, number, serial) % 5 == 0
    samples = TEXTS["PhotoDescription"]
    return Photo(order, serial, 0, stamp, samples[serial % len(samples)] if described else "")


def _edit(seed: int, number: int, photos: list[Photo], serials: int, event: Event) -> tuple[list[Photo], int]:
    draw = Draw(seed, PHOTO_EDIT, number, event.ordinal)
    photos = list(photos)
    for _ in range(draw.between(1, 3)):
        what = draw.random()
        last = photos[-1].order if photos else 0
        if not photos or (what < 0.3 and last < MOST):
            serials += 1
            photos.append(_new(seed, number, last + 1, serials, event.stamp))
            break  # the next edit might undo this one, and the day must show
        at = draw.between(0, len(photos) - 1)
        if what < 0.6:
            photos[at] = replace(photos[at], version=event.ordinal, stamp=event.stamp)
        elif what < 0.8 or len(photos) == 1:
            del photos[at if len(photos) == 1 else max(1, at)]
            break
        else:
            other = (at + 1) % len(photos)
            photos[at], photos[other] = (
                replace(photos[other], order=photos[at].order, stamp=event.stamp),
                replace(photos[at], order=photos[other].order, stamp=event.stamp),
            )
    return photos, serials
