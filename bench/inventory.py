"""A master list of 1,000,000 opaque keys with their timestamps as written: bytes → sorted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from xml.parsers import expat

from bench.figures import Figure
from bench.peak import grown
from bench.rounds import interleaved, middle
from shared.rets.inventory import InventoryReader
from shared.rets.mend import Mender

KEYS = 1_000_000
BLOCK = 65_536
ROWS_AT_ONCE = 1_000
_HEAD = (
    f'<RETS ReplyCode="0" ReplyText="Operation successful">\n<COUNT Records="{KEYS}"></COUNT>\n'
    '<RETS-RESPONSE xmlns="urn:CREA.Search.Property">\n'
).encode()
_FOOT = b"</RETS-RESPONSE>\n</RETS>\n"


def blocks() -> Iterator[bytes]:
    """The answer in the order of a server that knows none: keys mix letters and digits, stamps are RFC 1123."""
    draw = random.Random(1)
    yield _HEAD
    for first in range(0, KEYS, ROWS_AT_ONCE):
        day = f"{1 + first // 40_000:02d}"
        yield b"".join(
            b'<Property ID="%b%07d" LastUpdated="Tue, %b Mar 2024 %02d:%02d:%02d GMT" />\n'
            % (
                draw.choice((b"A", b"m", b"X-")),
                (first + at) * 7_919 % 10_000_019,
                day.encode(),
                at % 24,
                at % 60,
                at % 59,
            )
            for at in range(ROWS_AT_ONCE)
        )
    yield _FOOT


def read_generated() -> None:
    """Read the list as it is made, so that what it takes in memory is the reader's alone."""
    _read(blocks())


def read_nothing() -> None:
    """What making it takes."""
    for _ in blocks():
        pass


def measure(rounds: int) -> list[Figure]:
    """See the module."""
    answer = b"".join(blocks())
    assert len(_read(_cut(answer)).packed) == KEYS
    times = interleaved(rounds, [lambda: _read(_cut(answer)), lambda: _bare(answer)])
    ratios = [bare / read for read, bare in times]
    memory: list[float] = []
    start = 0.0
    for _ in range(rounds):
        start, peak = grown("bench.inventory", "read_generated")
        memory.append(round(peak - start, 1))
    return [
        Figure("inventory of 1,000,000 text keys, bytes to sorted", middle(ratios), 0.10, True, "%",
               "expat without handlers over the same bytes", ratios,
               {"seconds": middle([read for read, _ in times]), "seconds of the floor": middle([t for _, t in times])}),
        Figure("the same, memory beyond the start", middle(memory), 130, False, "MB", "the process before it", memory,
               {"MB at the start": round(start, 1)}),
    ]  # fmt: skip


def _cut(answer: bytes) -> Iterator[bytes]:
    return (answer[at : at + BLOCK] for at in range(0, len(answer), BLOCK))


def _read(chunks: Iterator[bytes]) -> InventoryReader:
    reader = InventoryReader("Property")
    reader.read(chunks, Mender())
    return reader


def _bare(answer: bytes) -> None:
    parser = expat.ParserCreate("utf-8")
    for block in _cut(answer):
        parser.Parse(block, False)
    parser.Parse(b"", True)
