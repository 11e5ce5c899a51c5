"""Whatever bytes a server sends, parsers end soon, in little memory, with a result or a documented error.

Inputs are honest answers, broken: bytes changed, pieces cut out, doubled, moved, spliced with what breaks parsers.
`make test` looks at some thousands, `make soak` at a million of what a feed of any RETS server meets (``GENERIC``, a
share each), and at as many of each other kind.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import random
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from urllib3 import HTTPResponse

from shared.mapping.mapping import load
from shared.mapping.record import UnmappableError
from shared.messages import SourceRecord
from shared.photos.errors import PhotoRejectedError
from shared.photos.verify import PhotoLimits, verify
from shared.rets.answer import Answer
from shared.rets.compact import CompactReader, Row
from shared.rets.dmql.binding import Field, Kind, bind
from shared.rets.dmql.errors import DmqlError
from shared.rets.dmql.evaluate import predicate
from shared.rets.dmql.grammar import Dialect
from shared.rets.dmql.grammar import parse as parse_query
from shared.rets.dmql.printing import text_of
from shared.rets.errors import RetsParseError, RetsTruncatedError
from shared.rets.inventory import InventoryReader
from shared.rets.login import TRANSACTIONS, read_login
from shared.rets.mend import Mender
from shared.rets.metadata import MetadataReader
from shared.rets.multipart import boundary_of, split_parts
from shared.rets.objects import holds_one, read_all
from shared.rets.records import RecordReader
from shared.rets.schema.assemble import Assembler
from shared.rets.schema.tables import KINDS as TABLES
from shared.rets.schema.values import ValueReader
from shared.rets.standard import StandardReader
from shared.sources.base import SourceRefusedError
from shared.sources.rets.plan import make_plan
from shared.sources.rets.rows import RowReader
from shared.sources.rets.settings import RetsSourceSettings
from tests.conftest import SCALE
from tests.unit.mls_metadata import MLS, compact, rets, standard

GENERIC = ("login", "metadata", "metadata as XML", "table", "records as XML", "query", "objects")
AT_ONCE = 10
EXAMPLES = 450 if SCALE == 1 else -(-1_000_000 // len(GENERIC) // AT_ONCE)
"""Inputs of one example: drawing costs more than parsing."""
SECONDS = 2.0
"""No input of these sizes may take more of a processor."""
MEBIBYTE = 1024 * 1024
LIMIT = 4 * MEBIBYTE

OPENING = b'<?xml version="1.0" encoding="utf-8"?>\n<RETS ReplyCode="0" ReplyText="Operation successful">\n'
PAGINATION = (
    b"<Pagination><TotalRecords>2</TotalRecords><Limit>100</Limit><Offset>1</Offset><TotalPages>1</TotalPages>"
    b"<RecordsReturned>2</RecordsReturned></Pagination>"
)
LISTING = (
    '<PropertyDetails ID="20000001" LastUpdated="Tue, 05 Mar 2024 14:00:00 GMT"><ListingID>X1</ListingID>'
    '<AgentDetails ID="1500001"><Name>DANA EXAMPLE</Name><Phones><Phone ContactType="Business" PhoneType="Fax">'
    '(905) 555-0100</Phone></Phones><Office ID="50001"><Name>Example &amp; Co</Name></Office></AgentDetails>'
    "<Building><BedroomsTotal>3</BedroomsTotal><Rooms><Room><Type>Kitchen</Type><Width>3.2 m</Width></Room></Rooms>"
    "</Building><Address><City>Montr\u00e9al</City><Latitude>45.5</Latitude></Address><Price>649900.00</Price>"
    "<Photo><PropertyPhoto><SequenceId>1</SequenceId><LastUpdated>05/03/2024 09:00:00 AM</LastUpdated>"
    "<LargePhotoURL>https://cdn.example/1.jpg</LargePhotoURL></PropertyPhoto></Photo>"
    "<PublicRemarks>Bright \U0001f3e0 &#128512; (id:1234)</PublicRemarks></PropertyDetails>"
).encode()
PAGE = (
    OPENING + b'<COUNT Records="2"></COUNT>\n<RETS-RESPONSE xmlns="urn:CREA.Search.Property">' + PAGINATION + LISTING
    + LISTING.replace(b"20000001", b"20000002") + b"</RETS-RESPONSE></RETS>"
)  # fmt: skip
MASTER = (
    OPENING + b'<COUNT Records="3"></COUNT>\n<RETS-RESPONSE xmlns="urn:CREA.Search.Property">'
    + b"".join(b'<Property ID="%d" LastUpdated="Tue, 05 Mar 2024 14:00:00 GMT"/>' % key for key in (1, 22, 333))
    + b'</RETS-RESPONSE><RETS-STATUS ReplyCode="0" ReplyText="ok"/></RETS>'
)  # fmt: skip
LOGIN_DDF = (
    b'<RETS ReplyText="Operation Successful" ReplyCode="0"><RETS-RESPONSE>\nBroker=5012345\nInfo=USERID;Character;d\n'
    b"MetadataVersion = 1.0.12\nUser=5012345,,,5012345\nSearch=https://mls.example/Search.svc/Search\nLogout=/Logout\n"
    b"GetObject=../Object.svc/GetObject\n</RETS-RESPONSE></RETS>"
)
LOGIN_10 = (
    b'<RETS ReplyCode="0" ReplyText="OK">\r\n  MemberName = Dana Example\r\n  User = dana01,4,AGENT,NULL\r\n'
    b"  Expr = 2024-12-31T00:00:00Z,14\r\n  Login = /login\r\n  Action = get?command=Message&amp;n=1\r\n"
    b"  Search = http://mls.example:6103/search\r\n  GetMetadata = metadata\r\n</RETS>"
)
LOGIN_18 = (
    b'<?xml version="1.0"?>\n<RETS ReplyCode="0" ReplyText="OK"><RETS-RESPONSE>\nInfo=USERLEVEL;Int;4\n'
    b"Info=METADATATIMESTAMP;DateTime;2024-03-05T14:00:00Z\nInfo=Balance;Money;12.50\nInfo=VendorName;Acme\n"
    b"Info=MINMETADATATIMESTAMP;DateTime;Tue, 05 Mar 2024 14:00:00 GMT\nInfo=X;Boolean;1\nTimeoutSeconds=1800\n"
    b'Search=/search\nX-DDB=/ddb\nPostObject=/post\n</RETS-RESPONSE><RETS-STATUS ReplyCode="0"/></RETS>'
)
LOGIN_BROKERS = (
    b'<RETS ReplyCode="20012" ReplyText="Broker Code Required"><RETS-RESPONSE>\nBroker = EXB,1\nBroker = EXB,2\n'
    b"</RETS-RESPONSE></RETS>"
)
PARTS = (
    b"--creaboundary\r\nContent-Type: image/jpeg\r\nContent-ID: 1\r\nObject-ID: 1\r\nContent-Length: 9\r\n\r\n"
    b"\xff\xd8\r\n--x\xff\xd9\r\n--creaboundary\r\nContent-Type: text/xml\r\nContent-ID: 1\r\nObject-ID: 2\r\n\r\n"
    b'<RETS ReplyCode="20403" ReplyText="No Object Found"/>\r\n--creaboundary--\r\n'
)
TABLE = (
    OPENING + b'<COUNT Records="2"/>\n<DELIMITER value="09"/>\n<COLUMNS>\tListingKey\tModTime\tListPrice'
    b'\tStatus\tExtras\t</COLUMNS>\n<DATA>\t9001\t2024-03-05T14:00:00\t250000.00\tA\tPL,"G,R"\t</DATA>\n'
    b'<DATA>\t9002\t\t****\tP\t\t</DATA>\n<MAXROWS/>\n</RETS>'
)  # fmt: skip
NESTED = (
    b'<?xml version="1.0"?>\n<!DOCTYPE RETS SYSTEM "RETS-20041001.dtd">\n<RETS ReplyCode="0" ReplyText="OK">'
    b'<COUNT Records="3"/><REData><REProperties><ResidentialProperty><Listing><ListingID>9001</ListingID></Listing>'
    b"<ModTime>2024-03-05T14:00:00</ModTime><ListPrice>250000.00</ListPrice><Status>Active</Status><Extras><Value>Pool"
    b'</Value><Value>"G, R"</Value></Extras></ResidentialProperty><ResidentialProperty ModTime="x"><Listing>'
    b"<ListingID>9002</ListingID></Listing><ListPrice>****</ListPrice></ResidentialProperty></REProperties></REData>"
    b"<MAXROWS/></RETS>"
)
OBJECTS = (
    b"\r\n--creaboundary\r\nContent-Type:image/jpeg\r\nContent-ID:9001\r\nObject-ID:1\r\nPreferred:1\r\n"
    b"Description: In\r\nMay\r\nObjectData: FileSize=9\r\nObjectData: OrderHint=1\r\n\r\n"
    b"\xff\xd8\r\n--x\xff\xd9\r\n--creaboundary\r\n"
    b"Content-Type: text/xml\r\nContent-ID: 9001\r\nObject-ID: 2\r\nLocation: http://cdn.example/2.jpg\r\n\r\n"
    b'<RETS ReplyCode="0" ReplyText="OK"/>\r\n--creaboundary\r\nContent-ID: null\r\nObject-ID: null\r\n\r\n\r\n'
    b"--creaboundary\r\nContent-Type: text/xml\r\nContent-ID: 9002\r\nObject-ID: *\r\n\r\n"
    b'<RETS ReplyCode="20403" ReplyText="No Object Found"/>\r\n--creaboundary--\r\n'
)
ADDRESSES = (
    b'<RETS ReplyCode="0"><DELIMITER value="7C"/><COLUMNS>|ResourceRecordID|Order|MediaUrl|</COLUMNS>'
    b"<DATA>|9001|1|http://cdn.example/1.jpg|</DATA><DATA>|9001|2||</DATA></RETS>"
)
PIPES = (
    b'<RETS ReplyCode="0" ReplyText="OK">\r\n<COUNT Records="12"/>\r\n<DELIMITER value="7c"/>\r\n'
    b"<COLUMNS>ListingKey|ModTime|ListPrice|Status|Extras</COLUMNS>\r\n"
    b"<DATA>9001|2024-03-05 14:00:00.123|-.5|A|</DATA>\r\n"
    b'<DATA>9002||1e3||"PL","a ""b"" c"</DATA><RETS-STATUS ReplyCode="20208" ReplyText="Maximum"/></RETS>'
)
OLD_QUERY = b"(Zone=|N,E)|(City=*ar?),(Beds=3-5),(Modified=1999-01-01+)"
QUERY = b'((Zone=|N,E)|(City="St. ""J""")),NOT (Beds=3+),(Modified=2024-03-05T00:00:00Z-NOW),(Extras=.EMPTY.)'
BREAKERS = [
    b"<", b">", b"&", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?", b"?>", b"<!DOCTYPE x [", b'<!ENTITY a "b">',
    b"&a;", b"&#0;", b"&#xD800;", b"&#55357;&#56832;", b"&#99999999999;", b"&amp;amp;", b"\x00", b"\x0b", b"\xff\xfe",
    b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\xbd", b'"', b"'", b"=", b" xmlns=", b" xmlns:a='b'", b"a:", b"</RETS>",
    b"<RETS>", b"\r\n", b"\n\n", b"--creaboundary", b"--", b"Content-Length: -1\r\n",
    b"Content-Length: 99999999999999999999\r\n", b"ReplyCode=", b"20201", b"<RETS-STATUS ReplyCode=\"20208\"/>",
    b'encoding="utf-16"', b'encoding="nowhere"', b"-" * 300, b"A" * 5_000, b"<a>" * 600, b"</a>" * 600,
    b" a='1'" * 200, b"9" * 400, b"1e999", b"NaN", b"0000-00-00", b"32/13/9999 99:99:99 PM",
    b"Tue, 99 Mar 20245 14:00:00 GMT", b"<Property ID=", b"<PropertyDetails>", b"<PropertyDetails/>", b"ID=''",
]  # fmt: skip


def broken(rng: random.Random, whole: bytes) -> bytes:
    """An honest answer after up to eight accidents."""
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8))):
        at, upto = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
        upto = min(upto, at + rng.choice((1, 4, 30, 400)))
        match rng.randrange(8):
            case 0:
                del data[at:upto]
            case 1:
                data[at:at] = data[at:upto]
            case 2 | 3:
                data[at:at] = rng.choice(BREAKERS)
            case 4:
                data[at:upto] = rng.choice(BREAKERS)
            case 5 if at < len(data):
                data[at] = rng.randrange(256)
            case 6:
                del data[at:]
            case _:
                piece = data[at:upto]
                del data[at:upto]
                place = rng.randrange(len(data) + 1)
                data[place:place] = piece
        if len(data) > 64 * 1024:
            break
    return bytes(data)


def chunks(rng: random.Random, data: bytes) -> Iterator[bytes]:
    """As it may come from the network."""
    at = 0
    while at < len(data):
        size = rng.choice((1, 7, 100, 4096, 65536))
        yield data[at : at + size]
        at += size


def _consume(items: Iterable[object]) -> None:
    for _ in items:
        pass


def page(rng: random.Random, data: bytes) -> None:
    """A page of records."""
    for record in RecordReader("PropertyDetails").read(chunks(rng, data), Mender(max_bytes=LIMIT)):
        _map(record)


def master(rng: random.Random, data: bytes) -> None:
    """A master list."""
    reader = InventoryReader("Property")
    reader.read(chunks(rng, data), Mender(max_bytes=LIMIT))
    assert all(item.count(b"\0") == 1 for item in reader.packed)


def login(rng: random.Random, data: bytes) -> None:
    """A login reply; its addresses are resolved too."""
    _, capabilities = read_login(chunks(rng, data), Mender(max_bytes=LIMIT), "https://mls.example/Login.svc/Login")
    for name in ("Search", "Logout", "GetObject"):
        url = capabilities.url(name)
        assert url is None or "\n" not in url
    for name in capabilities.values:
        capabilities.told(name)
    assert capabilities.offered().keys() <= {*TRANSACTIONS, *capabilities.values}
    assert len(capabilities.user.user_id) <= len(data)


def multipart(rng: random.Random, data: bytes) -> None:
    """A multipart answer under the boundary that its header states, or another."""
    header = broken(rng, b'multipart/parallel; boundary="creaboundary"; charset=utf-8') if rng.random() < 0.3 else b""
    boundary = boundary_of(header.decode("latin-1")) if header else b"creaboundary"
    _consume(split_parts(chunks(rng, data), boundary, max_part_bytes=MEBIBYTE, is_whole=lambda: rng.random() < 0.5))


DDF, RETS = load("ddf"), load("rets")
NO_SETTINGS = RetsSourceSettings()
PLAN = make_plan(MLS, NO_SETTINGS)
ROWS = RowReader(PLAN.resource("property").classes[0], MLS.resources[0].lookups, PLAN.zone)
NOW = datetime(2024, 3, 5, 14, tzinfo=UTC)
ASKABLE = {
    "Zone": Field(Kind.LOOKUP), "City": Field(Kind.CHARACTER), "Beds": Field(Kind.NUMBER),
    "Modified": Field(Kind.DATETIME), "Extras": Field(Kind.LOOKUP_MULTI),
}  # fmt: skip
RECORD = {"Zone": "N", "City": "Marble", "Beds": Decimal(3), "Modified": NOW, "Extras": ("POOL",)}
MULTIPART = "multipart/parallel; boundary=creaboundary"
VALUES = ValueReader(MLS.resources[0].classes[0], MLS.resources[0].lookups, indicator="****")
STANDARD = StandardReader("ListingKey", MLS.resources[0].classes[0].fields)
SINCE = datetime(1, 1, 1, tzinfo=UTC)


def _map(record: SourceRecord) -> None:
    with contextlib.suppress(UnmappableError):
        assert DDF.map("ddf", "property", record).key


def mapping(rng: random.Random, data: bytes) -> None:
    """A record with a tree of its own: what no XML would give is mapped all the same."""
    text = data.decode("utf-8", "replace")
    names = ["Price", "Photo", "PropertyPhoto", "Building", "Rooms", "Room", "Address", "AgentDetails", "@ID", "#text"]

    def tree(depth: int) -> Any:
        match rng.randrange(6 if depth else 3):
            case 0 | 1 | 2:
                at = rng.randrange(len(text) + 1)
                return text[at : at + rng.choice((0, 1, 10, 80))]
            case 3:
                return [tree(depth - 1) for _ in range(rng.randrange(4))]
            case _:
                return {rng.choice(names): tree(depth - 1) for _ in range(rng.randrange(5))}

    fields = {rng.choice(names): tree(4) for _ in range(rng.randrange(6))}
    _map(SourceRecord(rng.choice(("1", "", "\0", "x" * 3000)), text[:40], fields))


def table(rng: random.Random, data: bytes) -> None:
    """A table of records, its values typed, as the records of a feed."""
    _read(CompactReader().stream(chunks(rng, data), Mender(max_bytes=LIMIT)))


def nested(rng: random.Random, data: bytes) -> None:
    """The same in STANDARD-XML."""
    _read(STANDARD.stream(chunks(rng, data), lambda: Mender(max_bytes=LIMIT)))


def _read(rows: Iterable[Row]) -> None:
    for row in rows:
        typed = VALUES.read(row)
        assert len(typed.values) + len(typed.restricted) + len(typed.misfits) <= len(row)
        with contextlib.suppress(UnmappableError):
            assert RETS.map("board", "property", ROWS.record(row)).key


def metadata(rng: random.Random, data: bytes) -> None:
    """Metadata of every type, and what would be asked for by them."""
    assembler = Assembler()
    assembler.add(MetadataReader(TABLES).read(chunks(rng, data), Mender(max_bytes=LIMIT)), ("Property", "RES"))
    _consume(make_plan(assembler.system(), NO_SETTINGS).in_words())


def query(rng: random.Random, data: bytes) -> None:
    """A query in either language; what is one can be said again, and asked of a record."""
    text = data.decode(rng.choice(("utf-8", "latin-1")), "replace")
    found = parse_query(text, rng.choice(list(Dialect)))
    assert parse_query(text_of(found)) == found
    predicate(bind(found, ASKABLE, now=NOW))(RECORD)


def objects(rng: random.Random, data: bytes) -> None:
    """An answer to GetObject under the Content-Type that it should have, or another."""
    kind = rng.choice((MULTIPART, MULTIPART, "multipart/mixed", "text/xml", "image/jpeg", ""))
    headers = {"Content-Type": kind, "Location": "http://cdn.example/1.jpg" if rng.random() < 0.1 else ""}
    response = requests.Response()
    response.status_code = 200
    response.headers.update(headers)
    response.raw = HTTPResponse(io.BytesIO(data), headers=headers, preload_content=False)
    with Answer(response, max_bytes=LIMIT, seconds=60.0) as answer:
        holds_one(answer)
        for item in read_all(answer, ["9001"], images=rng.random() < 0.5, max_object_bytes=MEBIBYTE):
            assert [item.data, item.url, item.error].count(None) == 2


def photo(rng: random.Random, data: bytes) -> None:
    """What should have been a photo."""
    verify(data, PhotoLimits(max_bytes=MEBIBYTE, max_pixels=1_000_000))


def _jpeg(kind: str) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((40, 30)).convert("RGB").save(out, kind)
    return out.getvalue()


PARSERS: dict[str, tuple[Callable[[random.Random, bytes], None], list[bytes]]] = {
    "page": (page, [PAGE]),
    "master": (master, [MASTER]),
    "login": (login, [LOGIN_DDF, LOGIN_10, LOGIN_18, LOGIN_BROKERS]),
    "multipart": (multipart, [PARTS]),
    "mapping": (mapping, [PAGE]),
    "table": (table, [TABLE, PIPES]),
    "records as XML": (nested, [NESTED]),
    "metadata": (metadata, [rets(compact(MLS)).encode()]),
    "metadata as XML": (metadata, [rets(standard(MLS)).encode(), rets(standard(MLS, old=True)).encode()]),
    "query": (query, [QUERY, OLD_QUERY]),
    "objects": (objects, [OBJECTS, PARTS, ADDRESSES]),
    "photo": (photo, [_jpeg(kind) for kind in ("JPEG", "PNG", "GIF", "WEBP")]),
}


@pytest.mark.parametrize("name", PARSERS)
def test_broken_answers_give_results_or_documented_errors(name: str) -> None:
    parse, honest = PARSERS[name]
    outcomes = {"parsed": 0, "refused": 0}

    @settings(max_examples=EXAMPLES)
    @given(seed=st.integers(0, 2**64 - 1))
    def some(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(AT_ONCE):
            data = broken(rng, rng.choice(honest))
            started = time.thread_time()  # of this thread: a busy machine proves nothing
            try:
                parse(rng, data)
                outcomes["parsed"] += 1
            except (RetsParseError, RetsTruncatedError, SourceRefusedError, PhotoRejectedError, DmqlError):
                outcomes["refused"] += 1
            assert time.thread_time() - started < SECONDS, data

    some()
    assert sum(outcomes.values()) >= EXAMPLES * AT_ONCE
    assert all(outcomes.values()) or name == "mapping", f"only one outcome: the inputs prove little: {outcomes}"


def _nested(depth: int) -> bytes:
    return PAGE.replace(b"<Building>", b"<Building>" + b"<Deep>" * depth + b"</Deep>" * depth)


BOMB = b"<!DOCTYPE RETS [" + b"".join(
    b'<!ENTITY l%d "%s">' % (level, (b"&l%d;" % (level - 1)) * 10 if level else b"lol") for level in range(12)
) + b"]>"  # fmt: skip
ENDLESS = 24 * MEBIBYTE
BOMBS: dict[str, Callable[[], Iterator[bytes]]] = {
    "billion laughs": lambda: iter([PAGE.replace(b"<RETS ", BOMB + b"<RETS ", 1).replace(b"X1", b"&l11;")]),
    "a file as entity": lambda: iter(
        [PAGE.replace(b"<RETS ", b'<!DOCTYPE R [<!ENTITY f SYSTEM "file:///etc/passwd">]><RETS ')
            .replace(b"X1", b"&f;")]
    ),
    "nested deeply": lambda: iter([_nested(200_000)]),
    "an endless line": lambda: itertools.chain([OPENING], itertools.repeat(b"x" * 65536, ENDLESS // 65536)),
    "an endless attribute": lambda: itertools.chain([b'<RETS ReplyCode="'],
                                                    itertools.repeat(b"0" * 65536, ENDLESS // 65536)),
    "an endless element": lambda: itertools.chain(
        [PAGE[: PAGE.index(b"<ListingID>")], b"<PublicRemarks>"], itertools.repeat(b"x" * 65536, ENDLESS // 65536)
    ),
    "endless attributes": lambda: itertools.chain(
        [OPENING, b"<RETS-RESPONSE><PropertyDetails "],
        (b"a%d='1' " % number for number in range(ENDLESS // 12)),
    ),
    "endless comments": lambda: itertools.chain([OPENING], itertools.repeat(b"<!-- x -->" * 6_000, ENDLESS // 60_000)),
    "endless white space": lambda: itertools.repeat(b" " * 65536, ENDLESS // 65536),
}  # fmt: skip


MENDED = {"endless comments", "endless white space"}
"""What no reader sees, for the mender leaves it out; it takes seconds each time."""


@pytest.mark.parametrize(
    ("reader", "name"),
    [
        *itertools.product(("page", "master", "login"), BOMBS),
        *itertools.product(("table", "records as XML", "metadata"), sorted(BOMBS.keys() - MENDED)),
    ],
)
def test_bombs_are_refused_in_little_memory(reader: str, name: str) -> None:
    def read() -> None:
        mender = Mender(max_bytes=LIMIT)
        match reader:
            case "page":
                _consume(RecordReader("PropertyDetails").read(BOMBS[name](), mender))
            case "master":
                InventoryReader("Property").read(BOMBS[name](), mender)
            case "table":
                _consume(CompactReader().stream(BOMBS[name](), mender))
            case "records as XML":
                _consume(STANDARD.stream(BOMBS[name](), lambda: mender))
            case "metadata":
                Assembler().add(MetadataReader(TABLES).read(BOMBS[name](), mender), ())
            case _:
                read_login(BOMBS[name](), mender, "https://mls.example/Login")

    tracemalloc.start()
    try:
        with pytest.raises((RetsParseError, RetsTruncatedError)):
            read()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * LIMIT, f"{peak / MEBIBYTE:.0f} MiB"
