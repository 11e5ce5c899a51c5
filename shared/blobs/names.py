"""Which names an object may have: the same on a disk and in S3, so that a store can be moved from one to the other."""

from __future__ import annotations

import re

MAX_SEGMENT_BYTES = 200
MAX_NAME_BYTES = 1_000

_SEGMENT = re.compile(r"[A-Za-z0-9._%-]+")


def is_segment(text: str) -> bool:
    """Whether ``text`` may stand between two ``/`` of a name."""
    return len(text) <= MAX_SEGMENT_BYTES and text not in (".", "..") and _SEGMENT.fullmatch(text) is not None


def check_name(name: str) -> str:
    """``name`` unchanged. Raises ValueError when it is no object name."""
    if len(name) > MAX_NAME_BYTES:
        raise ValueError(f"an object name has at most {MAX_NAME_BYTES} bytes, this one {len(name)} characters")
    if not all(map(is_segment, name.split("/"))):
        raise ValueError(f"an object name is segments of [A-Za-z0-9._%-], not {name[:80]!a}")
    return name
