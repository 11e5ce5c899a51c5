"""What objects that are no photos are taken for, without decoding them."""

from __future__ import annotations

import pytest

from shared.photos.names import object_name
from shared.photos.others import ENDINGS, UNKNOWN, is_link, link_in, type_of

FTYP = b"\0\0\0\x18ftypmp42"


@pytest.mark.parametrize(
    ("data", "said", "found"),
    [
        (b"%PDF-1.7 and so on", "application/octet-stream", "application/pdf"),
        (b"%PDF-1.7 and so on", "image/jpeg", "application/pdf"),
        (b"\xff\xd8\xff\xe0", "", "image/jpeg"),
        (b"RIFF....WAVEfmt ", "", "audio/wav"),
        (b"RIFF....AVI LIST", "video/x-msvideo", "video/x-msvideo"),
        (b"ID3\x03", "", "audio/mpeg"),
        (FTYP, "", "video/mp4"),
        (FTYP, "video/quicktime", "video/quicktime"),
        (FTYP, "audio/mp4", "audio/mp4"),
        (b"whatever", "text/html", "text/html"),
        (b"whatever", "", UNKNOWN),
        (b"whatever", "../../etc/passwd", UNKNOWN),
        (b"whatever", "a/b\r\nx: y", UNKNOWN),
        (b"whatever", "x/" + "y" * 200, UNKNOWN),
    ],
)
def test_types_are_told_by_how_bytes_begin_then_by_what_the_server_says(data: bytes, said: str, found: str) -> None:
    assert type_of(data, said) == found


def test_nothing_that_a_browser_runs_has_an_ending() -> None:
    assert not {"text/html", "image/svg+xml", "application/xhtml+xml", UNKNOWN} & ENDINGS.keys()


@pytest.mark.parametrize(
    ("data", "said", "link"),
    [
        (b" https://films.example/1?a=b\r\n", "text/plain", "https://films.example/1?a=b"),
        (b"HTTP://films.example/1", "", "HTTP://films.example/1"),
        (b"https://films.example/1", "video/mp4", ""),
        (b"https://films.example/1 and more", "text/plain", ""),
        (b"javascript:alert(1)", "text/plain", ""),
        (b"films.example/1", "text/plain", ""),
        (b"https://" + b"x" * 9_000, "text/plain", ""),
        (b"", "text/plain", ""),
    ],
)
def test_a_text_that_is_an_address_and_nothing_else(data: bytes, said: str, link: str) -> None:
    assert link_in(data, said) == link


@pytest.mark.parametrize(
    ("url", "well"),
    [
        ("https://films.example/a", True),
        ("http://films.example:8080", True),
        ("//films.example/a", False),
        ("ftp://films.example/a", False),
        ("file:///etc/passwd", False),
        ("javascript:alert(1)", False),
        ("https://user:secret@films.example/a", False),
        ("https://films.example/a b", False),
        ("https://films.example/a\nb", False),
        ("https:///a", False),
        ("", False),
    ],
)
def test_addresses_worth_keeping(url: str, well: bool) -> None:
    assert is_link(url) is well


def test_names_tell_the_type_and_can_be_no_path() -> None:
    sha256 = "ab" * 32
    assert object_name("board", "1", 2, sha256, 7, "pdf", kind="Plat") == "board/1/plat-002-abababababab-7.pdf"
    assert object_name("board", "1", 2, sha256, 7, "bin", kind="../x") == "board/1/%2e%2e%2fx-002-abababababab-7.bin"
