"""Objects of several records in as few requests as the server lets one (RETS 1.7.2 §5.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import structlog

from shared.rets.errors import RetsReplyError
from shared.rets.mend import MEBIBYTE
from shared.rets.objects import ObjectRequest, RetsObject, holds_one, read_all
from shared.rets.session import RetsSession

_REFUSED: Final = frozenset({"20402", "20410", "20413"})
"""What servers answer that take one record at a time. 20402 says as well that an identifier is none."""
_CAPPED: Final = "20410"

_log = structlog.get_logger()


def objects_of(
    session: RetsSession, request: ObjectRequest, *, images: bool = True, max_object_bytes: int = 64 * MEBIBYTE
) -> Iterator[RetsObject]:
    """The objects asked for as they come. Where the server refuses several records at once, gives a single object in
    place of all, or stops at its own limit, the records that are left are asked for one by one. Raises as
    ``RetsSession.get_object`` and ``read_all`` do."""
    if len(request.objects) == 1:
        yield from _asked(session, request, images, max_object_bytes)
        return
    keys = list(request.objects)
    came: set[tuple[str, int]] = set()
    left: list[str] = []
    try:
        with session.get_object(request.arguments()) as answer:
            if holds_one(answer):
                left = keys
            for item in read_all(answer, keys, images=images, max_object_bytes=max_object_bytes):
                if item.code == _CAPPED or (item.code in _REFUSED and not item.key):
                    left = keys[keys.index(item.key) :] if item.key else keys
                    continue
                came.add((item.key, item.order))
                yield item
    except RetsReplyError as error:
        if error.code not in _REFUSED:
            raise
        _log.info("rets.one_record_at_a_time", code=error.code)
        left = keys
    for key in left:
        for item in _asked(session, replace(request, objects={key: request.objects[key]}), images, max_object_bytes):
            if (item.key, item.order) not in came:
                yield item


def _asked(session: RetsSession, request: ObjectRequest, images: bool, limit: int) -> Iterator[RetsObject]:
    with session.get_object(request.arguments()) as answer:
        yield from read_all(answer, request.objects.keys(), images=images, max_object_bytes=limit)
