"""GetObject answers of every kind, over a real socket."""

from __future__ import annotations

import pytest

from shared.rets.errors import RetsTruncatedError
from shared.rets.objects import ObjectRequest, RetsObject, read_all, read_objects
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


# --- what servers know of objects, and objects of several records


def everything(said: Say, *keys: str, images: bool = True) -> list[RetsObject]:
    with (
        ScriptedServer(lambda asked: said if asked.path == "/object" else None) as server,
        server.session().get_object({"ID": "x"}) as opened,
    ):
        return list(read_all(opened, keys, images=images))


def test_objects_of_several_records_in_one_answer() -> None:
    said = multipart(
        (b"Content-Type: image/jpeg\r\nContent-ID: 9001\r\nObject-ID: 1\r\nPreferred: 1", JPEG),
        (b"Content-Type: text/xml\r\nContent-ID: 9002\r\nObject-ID: *", ERROR % (20407, b"Not yours")),
        (b"Content-Type: image/jpeg\r\nContent-ID: 9003\r\nObject-ID: 1", JPEG),
        (b"Content-Type: image/jpeg\r\nObject-ID: 2", JPEG),
    )
    found = everything(said, "9001", "9002")
    assert [(item.key, item.order, item.code, item.preferred) for item in found] == [
        ("9001", 1, "", True), ("9002", 0, "20407", False), ("", 2, "", False),
    ]  # fmt: skip


def test_what_a_server_of_rets_18_knows_of_an_object() -> None:
    headers = (
        b"Content-Type: image/jpeg\r\nContent-ID: 9001\r\nObject-ID: 2\r\nUID: U7\r\nContent-Description: Front\r\n"
        b"Content-Sub-Description: In May\r\nObjectData: FileSize=4711\r\nObjectData:OrderHint = 3\r\n"
        b"ObjectData: odd\r\nLocation: http://c/2.jpg"
    )
    (item,) = everything(multipart((headers, b"")), "9001")
    assert (item.uid, item.description, item.sub_description) == ("U7", "Front", "In May")
    assert item.tags == {"FileSize": "4711", "OrderHint": "3"}
    assert item.size == 4711
    single = Say(
        JPEG, content_type="image/jpeg", headers=[("ObjectData", "A=1"), ("ObjectData", "B=2"), ("Preferred", "1")]
    )
    (item,) = everything(single, "9001")
    assert (item.key, item.tags, item.preferred, item.size) == ("9001", {"A": "1", "B": "2"}, True, len(JPEG))


@pytest.mark.parametrize(
    ("kind", "data"), [("application/pdf", b"%PDF-1.4\n..."), ("text/plain", b"a short note"), ("audio/mpeg", JPEG)]
)
def test_objects_that_are_no_images_are_taken_by_type_and_size(kind: str, data: bytes) -> None:
    (item,) = everything(Say(data, content_type=kind), "9001", images=False)
    assert (item.content_type, item.data, item.size) == (kind, data, len(data))
    parts = multipart((f"Content-Type: {kind}\r\nContent-ID: 9001\r\nObject-ID: 1".encode(), data))
    assert [each.data for each in everything(parts, "9001", images=False)] == [data]


def test_a_page_in_the_place_of_a_document_is_an_error() -> None:
    headers = b"Content-Type: application/pdf\r\nContent-ID: 9001\r\nObject-ID: 1"
    said = multipart((headers, b"<html><title>Oops</title>"))
    assert [each.error for each in everything(said, "9001", images=False)] == ["the server gave an HTML page: Oops"]


def test_quirk_28_one_part_where_several_were_asked() -> None:
    for said in (
        Say(JPEG, content_type="image/jpeg"),
        Say(JPEG, content_type="image/jpeg", headers=[("Content-ID", "of its own")]),
        Say(ERROR % (0, b"OK"), headers=[("Location", "http://c/1.jpg")]),
    ):
        (item,) = everything(said, "9001")
        assert item.key == "9001"
        assert item.data or item.url
    assert everything(Say(b"", content_type="multipart/mixed; boundary=x", status=204), "9001") == []


def test_quirk_29_without_an_id_an_object_is_of_the_only_record_asked_for() -> None:
    part = multipart((b"Content-Type: image/jpeg\r\nObject-ID: 4", JPEG))
    assert [(item.key, item.order) for item in everything(part, "9001")] == [("9001", 4)]
    assert [(item.key, item.order) for item in everything(part, "9001", "9002")] == [("", 4)]


def test_quirk_30_a_table_of_addresses_of_several_records() -> None:
    body = (
        '<RETS ReplyCode="0"><COLUMNS>\tResourceRecordID\tOrder\tMediaUrl\t</COLUMNS>'
        "<DATA>\t9001\t1\thttps://c/1.jpg\t</DATA><DATA>\t9002\t1\t\t</DATA></RETS>"
    )
    first, second = everything(Say(body), "9001", "9002")
    assert (first.key, first.order, first.url) == ("9001", 1, "https://c/1.jpg")
    assert (second.key, second.error) == ("9002", "the server gave no address")


def test_what_is_wrong_with_objects_that_nobody_decodes() -> None:
    plat = b"%PDF-1.4 " + bytes(1_000)
    page = b"<!DOCTYPE html><html><head><title>Sorry</title></head></html>"
    head = b"Content-Type: application/pdf\r\nContent-ID: 9001\r\nObject-ID: %d"
    said = multipart(
        (head % 1 + b"\r\nContent-Length: 1009", plat),
        (head % 2 + b"\r\nContent-Length: 1010", plat),
        (head % 3, b""),
        (head % 4, page),
        (head % 5 + b"\r\nContent-Length: many", plat),
        (head % 6, plat + bytes(5_000)),
    )

    def answer(asked: Asked) -> Say | None:
        return said if asked.path == "/object" else None

    with ScriptedServer(answer) as server, server.session().get_object({"ID": "9001:*"}) as opened:
        found = list(read_all(opened, ["9001"], images=False, max_object_bytes=5_000))
    assert [(item.order, item.data is not None, item.fault) for item in found] == [
        (1, True, ""), (2, False, "truncated"), (3, False, "empty"), (4, False, "text"), (5, True, ""),
        (6, False, "too_large"),
    ]  # fmt: skip
    assert found[1].error == "1009 of 1010 bytes came"
    assert found[3].error == "the server gave an HTML page: Sorry"


@pytest.mark.parametrize(
    ("request_", "ids"),
    [
        (ObjectRequest("Property", "Photo", {"9001": ()}), "9001:*"),
        (ObjectRequest("Property", "Photo", {"9001": (3, 1), "9002": ()}), "9001:1:3,9002:*"),
        (ObjectRequest("Property", "Photo", {"9001": (), "A-2": (1,)}, preferred=True), "9001:0,A-2:0"),
    ],
)
def test_objects_as_they_are_asked_for(request_: ObjectRequest, ids: str) -> None:
    assert request_.arguments() == {"Resource": "Property", "Type": "Photo", "ID": ids, "Location": "0"}


def test_addresses_and_data_are_asked_for() -> None:
    asked = ObjectRequest("Property", "Plat", {"1": ()}, location=True, object_data=True).arguments()
    assert (asked["Location"], asked["ObjectData"]) == ("1", "*")


@pytest.mark.parametrize("keys", [[], [""], ["1:2"], ["1,2"], ["*"], ["1 2"], ["1\n"]])
def test_keys_that_would_ask_for_others_are_refused(keys: list[str]) -> None:
    with pytest.raises(ValueError):
        ObjectRequest("Property", "Photo", dict.fromkeys(keys, ()))
