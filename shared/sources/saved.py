"""A Search answer of the DDF saved in a file, read as if it had come over the network."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

from shared.messages import BrokenRecord, SourceRecord
from shared.rets.mend import Mender
from shared.rets.records import RecordReader
from shared.sources.base import SourceError

HEAD = 1 << 18
_ELEMENT = re.compile(rb"<(?:[\w.-]+:)?(PropertyDetails|AgentDetails|OfficeDetails|Property|Agent|Office)[\s/>]")
_RESOURCES = {"PropertyDetails": "property", "AgentDetails": "member", "OfficeDetails": "office"}


def read_saved(chunks: Iterable[bytes]) -> tuple[str, list[SourceRecord], list[BrokenRecord]]:
    """The resource and every record of a whole answer, those that cannot be read apart.

    Raises SourceError when the answer is cut, broken, refused by the server, or holds no records.
    """
    it = iter(chunks)
    head = b""
    while len(head) < HEAD and (chunk := next(it, b"")):
        head += chunk
        if _ELEMENT.search(head):
            break
    found = _ELEMENT.search(head)
    element = found[1].decode() if found else "PropertyDetails"
    if element not in _RESOURCES:
        raise SourceError("this is a master list, which has no records; give an answer with full details")
    reader = RecordReader(element)
    records = list(reader.read(itertools.chain([head], it), Mender()))
    reply = reader.reply
    if reply is None:
        raise SourceError("this is no RETS answer: it has no RETS element")
    if reply.code not in ("0", "20201", "20208"):
        raise SourceError(f"the saved answer is an error: {reply.code} {reply.text}")
    return _RESOURCES[element], records, reader.broken
