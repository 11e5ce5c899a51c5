"""The mender: what servers send becomes what a parser takes, whatever the chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from shared.rets.errors import RetsParseError
from shared.rets.mend import Mender, mended


def mend(data: bytes, **options: object) -> bytes:
    return b"".join(mended([data], Mender(**options)))  # type: ignore[arg-type]


def text_of(inner: bytes, **options: object) -> str:
    """What a parser reads in an element that was sent as ``inner``."""
    return etree.fromstring(mend(b"<a>" + inner + b"</a>", **options)).text or ""


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b"caf\xc3\xa9", "café"),
        (b"caf\xe9 na\xefve", "café naïve"),
        (b"caf\xe9 and caf\xc3\xa9", "café and café"),
        (b"\x93quoted\x94 \x80 5", "“quoted” € 5"),
        (b"cut \xe2\x82", "cut â‚"),
        (b"a\x0bb\x00c\x1f", "abc"),
        (b"tab\tnew\nline", "tab\tnew\nline"),
        (b"a&#x1F;b&#0;c&#11;", "abc"),
        (b"&#xFFFE;&#65535;\xef\xbf\xbe\xef\xbf\xbfx", "x"),
        (b"&#99999999999999999999;x", "x"),
        (b"&#55357;&#56842;", "😊"),
        (b"&#xD83D;&#xDE0A;!", "😊!"),
        (b"&#xd83d; &#xDE0A;", "\ufffd \ufffd"),
        (b"&#55357;", "\ufffd"),
        (b"&#55357;&#55357;&#56842;", "\ufffd😊"),
        (b"\xed\xa0\xbd\xed\xb8\x8a", "😊"),
        (b"\xed\xa0\xbdx", "\ufffdx"),
        (b"&nbsp;&eacute;&hellip;&mdash;", "\xa0é…—"),
        (b"&LT;&AMP;", "<&"),
        (b"Tom & Jerry &co; &; &#; &#x; &#xZZ; &amp", "Tom & Jerry &co; &; &#; &#x; &#xZZ; &amp"),
        (b"&amp;&lt;&gt;&quot;&apos;&#65;&#x42;&#X43;", "&<>\"'ABC"),
        (b"&#233;&amp;nbsp;", "é&nbsp;"),
        (b"<![CDATA[a & b &nbsp; <i> ]] > ]]>&amp;c", "a & b &nbsp; <i> ]] > &c"),
        (b"x<!-- & <!ENTITY a 'b'> --><?php & ?>y", "xy"),
    ],
)
def test_mended(sent: bytes, read: str) -> None:
    assert text_of(sent) == read


def test_another_code_page_by_setting() -> None:
    assert text_of(b"\xea\xf2\xee", encoding="cp1251") == "кто"


def test_unknown_code_page_is_an_error_at_once() -> None:
    with pytest.raises(LookupError):
        Mender(encoding="klingon")


@pytest.mark.parametrize("name", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_with_and_without_mark(name: str) -> None:
    text = '<?xml version="1.0" encoding="utf-16"?><a>é😊&amp;</a>'
    assert etree.fromstring(mend(text.encode(name))).text == "é😊&"


def test_declared_encoding_is_overridden_and_blank_lines_before_it_are_tolerated() -> None:
    data = b'\xef\xbb\xbf\r\n <?xml version="1.0" encoding="iso-8859-1"?>\n<a>\xc3\xa9</a>'
    assert etree.fromstring(mend(data)).text == "é"


@pytest.mark.parametrize(
    "declaration",
    [
        b"<!DOCTYPE RETS>",
        b'<!DOCTYPE RETS SYSTEM "http://example.test/a>b.dtd">',
        b"<!doctype RETS PUBLIC 'x[' \"y\" >",
    ],
)
def test_plain_doctype_is_dropped(declaration: bytes) -> None:
    assert mend(b'<?xml version="1.0"?>' + declaration + b"<a/>") == b"<a/>"


@pytest.mark.parametrize(
    "declaration",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]>',
        b"<!DOCTYPE a []>",
        b'<!DOCTYPE a SYSTEM "x" [ <!ELEMENT a ANY> ]>',
        b'<!ENTITY b "c">',
        b"<!ELEMENT a ANY>",
        b"<!DOCTYPE " + b"a" * 5000 + b">",
        b"<!DOCTYPE a <b>",
    ],
)
def test_declarations_that_could_define_entities_are_refused(declaration: bytes) -> None:
    for size in (1, 7, 10_000):
        data = declaration + b"<a/>"
        with pytest.raises(RetsParseError):
            list(mended([data[i : i + size] for i in range(0, len(data), size)], Mender()))


def test_bounds() -> None:
    with pytest.raises(RetsParseError, match="larger than 10 bytes"):
        mend(b"<a>12345678</a>", max_bytes=10)
    with pytest.raises(RetsParseError, match="longer than 100 bytes"):
        list(mended([b"x" * 60, b"x" * 60], Mender(max_text=100)))


PIECES = st.sampled_from(
    [
        b"<a>", b"</a>", b"<b c='1>2'>", b"x", b" ", b"&", b"&amp;", b"&nbsp;", b"&#55357;", b"&#56842;", b"&#x1F;",
        b"\xe9", b"\xc3\xa9", b"\xed\xa0\xbd", b"\xed\xb8\x8a", b"\xf0\x9f\x98\x8a", b"\xef\xbf\xbe", b"\x0b", b"\n",
        b"<!-- & > -->", b"<![CDATA[ & ]]>", b"]]>", b"<?pi > ?>", b"<!DOCTYPE RETS SYSTEM 'a>b'>", b";", b"#", b"\xe2",
        b"<!", b"-->", b"\xff\xfe", b"<\0",
    ]
)  # fmt: skip


def outcome(chunks: list[bytes]) -> bytes | str:
    try:
        return b"".join(mended(chunks, Mender()))
    except RetsParseError as error:
        return str(error)


@given(st.lists(PIECES, max_size=30).map(b"".join), st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_any_chunking_gives_the_same(data: bytes, sizes: list[int]) -> None:
    chunks: list[bytes] = []
    place = 0
    while place < len(data):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(data[place : place + size])
        place += size
    assert outcome(chunks) == outcome([data])


@given(st.binary(max_size=200))
def test_output_is_utf_8_and_mending_it_again_changes_nothing(data: bytes) -> None:
    try:
        clean = mend(b"<a>" + data)
    except RetsParseError:
        return
    clean.decode()
    try:
        assert mend(clean) == clean
    except RetsParseError:
        assert b"<!" in clean


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=50))
def test_legal_text_is_left_alone(text: str) -> None:
    from xml.sax.saxutils import escape

    legal = "".join(c for c in text if c in "\t\n" or (ord(c) >= 0x20 and c not in "\ufffe\uffff"))
    assert text_of(escape(legal).encode()) == legal
