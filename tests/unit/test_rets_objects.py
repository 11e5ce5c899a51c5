"""GetObject answers of every kind, over a real socket."""

from __future__ import annotations

import pytest

from shared.rets.errors import RetsTruncatedError
from shared.rets.objects import read_objects
from shared.sources.base import PhotoObject
from tests.unit.rets_server import Asked, Say, ScriptedServer

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 3
MULTIPART = 'multipart/parallel; boundary="creaboundary"'
ERROR = b'<RETS ReplyCode="%d" ReplyText="%s"/>'


def objects(said: Say, key: str = "9001", limit: int = 1 << 20) -> list[PhotoObject]:
    def answer(asked: Asked) -> Say | None:
        return said if asked.path == "/object" else None

    with ScriptedServer(answer) as server, server.session().get_object({"ID": f"{key}:*"}) as opened:
        return list(read_objects(opened, key, max_object_bytes=limit))


def multipart(*parts: tuple[bytes, bytes]) -> Say:
    body = b"".join(b"\r\n--creaboundary\r\n" + headers + b"\r\n\r\n" + data for headers, data in parts)
    return Say(body + b"\r\n--creaboundary--\r\n", content_type=MULTIPART)


def test_parts_with_bytes() -> None:
    said = multipart(
        (b"Content-Type: image/jpeg\r\nContent-ID: 9001\r\nObject-ID: 3", JPEG),
        (b"Content-Type: image/png; q=1\r\nContent-ID: <9001>\r\nObject-ID: 5", JPEG + b"\r\n"),
    )
    assert objects(said) == [
        PhotoObject(3, "image/jpeg", data=JPEG),
        PhotoObject(5, "image/png", data=JPEG + b"\r\n"),
    ]


def test_parts_without_a_number_take_no_other_photos_place() -> None:
    said = multipart((b"Content-Type: image/jpeg", JPEG), (b"Content-Type: image/jpeg", JPEG))
    assert [photo.order for photo in objects(said)] == [0, 0]


def test_error_parts_null_parts_and_parts_of_others() -> None:
    said = multipart(
        (b"Content-Type: text/xml\r\nContent-ID: 9001\r\nObject-ID: 1", ERROR % (20403, b"No Object Found")),
        (b"Content-Type: text/xml\r\nContent-ID: 9001\r\nObject-ID: *", ERROR % (20403, b"No Object Found")),
        (b"Content-Type: text/xml\r\nContent-ID: 9001\r\nObject-ID: 2", ERROR % (20407, b"Not yours")),
        (b"Content-Type: image/jpeg\r\nContent-ID: null\r\nObject-ID: null", JPEG),
        (b"Content-Type: image/jpeg\r\nContent-ID: 9002\r\nObject-ID: 1", JPEG),
        (b"Content-Type: image/jpeg\r\nContent-ID: 9001\r\nObject-ID: 6", b""),
        (b"Content-Type: image/jpeg\r\nContent-ID: 9001\r\nObject-ID: 7", b"could not be processed"),
    )
    found = objects(said)
    assert [photo.order for photo in found] == [1, 2, 6, 7]
    assert all(photo.error and photo.data is None and photo.url is None for photo in found)


def test_addresses_in_parts_with_and_without_a_success_body() -> None:
    said = multipart(
        (b"Content-Type: text/xml\r\nContent-ID: 9001\r\nObject-ID: 1\r\nLocation: http://c/1.jpg", ERROR % (0, b"OK")),
        (
            b"Content-Type: application/octet-stream\r\nContent-ID: 9001\r\nObject-ID: 2\r\nLocation: http://c/2.jpg",
            b"",
        ),
        (b"Content-Type: text/xml\r\nContent-ID: 9001\r\nObject-ID: 3\r\nLocation:", ERROR % (0, b"OK")),
    )
    first, second, third = objects(said)
    assert (first.order, first.url) == (1, "http://c/1.jpg")
    assert (second.order, second.url) == (2, "http://c/2.jpg")
    assert third.error


def test_table_of_addresses() -> None:
    body = (
        '<RETS ReplyCode="0" ReplyText="OK"><COUNT Records="2"/><DELIMITER value="09"/>'
        "<COLUMNS>\tResourceRecordID\tOrder\tMediaUrl\tMediaModificationTimestamp\t</COLUMNS>"
        "<DATA>\t9001\t1\thttps://c/1.jpg?a=1&amp;b=2\t2024-03-05T14:00:00Z\t</DATA>"
        "<DATA>\t9001\t4\thttps://c/4.jpg\t2024-03-05T14:00:00Z\t</DATA></RETS>"
    )
    assert objects(Say(body)) == [
        PhotoObject(1, url="https://c/1.jpg?a=1&b=2"),
        PhotoObject(4, url="https://c/4.jpg"),
    ]


def test_single_object_its_address_and_its_error() -> None:
    assert objects(Say(JPEG, content_type="image/jpeg")) == [PhotoObject(0, "image/jpeg", data=JPEG)]
    assert objects(Say(JPEG, content_type="image/jpeg", headers=[("Object-ID", "4")]))[0].order == 4
    located = Say(ERROR % (0, b"OK"), headers=[("Location", "http://c/1.jpg")])
    assert objects(located) == [PhotoObject(0, url="http://c/1.jpg")]
    bare = Say(b"", content_type="application/octet-stream", headers=[("Location", "http://c/1.jpg")])
    assert objects(bare) == [PhotoObject(0, "application/octet-stream", url="http://c/1.jpg")]


@pytest.mark.parametrize(
    ("said", "count"),
    [
        (Say(ERROR % (20403, b"No Object Found")), 0),
        (Say("gone", status=404, content_type="text/plain"), 0),
        (Say(ERROR % (20402, b"Invalid Identifier")), 1),
        (Say(ERROR % (20402, b"Invalid Identifier"), content_type="image/jpeg"), 1),
        (Say(b"", content_type="image/jpeg"), 1),
        (Say(b"The requested photo could not be processed.", content_type="image/jpeg"), 1),
        (Say(JPEG * 3000, content_type="image/jpeg"), 1),
    ],
)
def test_no_object_is_nothing_and_the_rest_are_errors(said: Say, count: int) -> None:
    found = objects(said)
    assert len(found) == count
    assert all(photo.error and photo.data is None for photo in found)


def test_whole_parts_of_a_cut_answer_come_before_the_error() -> None:
    said = multipart((b"Content-ID: 9001\r\nObject-ID: 1", JPEG), (b"Content-ID: 9001\r\nObject-ID: 2", JPEG))
    assert isinstance(said.body, bytes)
    cut = Say(said.body[:-300], content_type=MULTIPART, headers=[("Content-Length", str(len(said.body)))])
    with (
        ScriptedServer(lambda asked: cut if asked.path == "/object" else None) as server,
        server.session().get_object({"ID": "9001:*"}) as opened,
    ):
        photos = read_objects(opened, "9001")
        assert next(photos) == PhotoObject(1, data=JPEG)
        with pytest.raises(RetsTruncatedError):
            next(photos)
