"""What faults do to a body on its way: compression, truncation, bodies without end."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Iterator

_LEVEL = 1
_NONSENSE = b"and so on " * 6400


def packed(pieces: Iterable[bytes], defect: str = "") -> Iterator[bytes]:
    """Pieces as gzip. ``defect``: ``plain`` leaves them as they are, ``corrupt`` and ``cut`` spoil the end."""
    if defect == "plain":
        yield from pieces
        return
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    for piece in pieces:
        if some := packer.compress(piece):
            yield some
    tail = packer.flush()
    if defect == "cut":
        tail = tail[: len(tail) // 2]
    elif defect == "corrupt":
        tail = tail[:-8] + bytes(byte ^ 0xFF for byte in tail[-8:-4]) + tail[-4:]
    yield tail


def halved(body: bytes | Iterator[bytes]) -> bytes | Iterator[bytes]:
    """Half of a body; of a stream, half of its first piece."""
    return body[: len(body) // 2] if isinstance(body, bytes) else _half(body)


def endless(body: bytes | Iterator[bytes]) -> Iterator[bytes]:
    """Half of a body, then nonsense for ever; not as fast as it could be, so that nobody else starves."""
    half = halved(body)
    if isinstance(half, bytes):
        yield half
    else:
        yield from half
    while True:
        yield _NONSENSE
        time.sleep(0.005)


def _half(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[: len(piece) // 2]
        return
