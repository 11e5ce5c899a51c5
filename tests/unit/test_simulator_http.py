"""The simulator as a stranger's client sees it: over HTTP, with Digest, and with a hand on it from this machine."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from lxml import etree
from requests.auth import HTTPDigestAuth

from services.simulator.main import Options, Simulator


class Client:
    """What a stranger would write with ``requests`` after reading the guide."""

    def __init__(self, sim: Simulator, *, login: bool = True, user: str = "demo", agent: str = "Stranger/1.0") -> None:
        self.sim = sim
        self.http = requests.Session()
        self.http.auth = HTTPDigestAuth(user, "demo")
        self.http.headers.update({"RETS-Version": "RETS/1.7.2", "User-Agent": agent})
        self.capabilities: dict[str, str] = {}
        if login:
            self.login()

    def login(self) -> requests.Response:
        answer = self.http.get(self.sim.login_url)
        self.capabilities = dict(re.findall(r"^\s*(\w+)=(\S+)\s*$", answer.text, re.MULTILINE))
        return answer

    def search(self, query: str, resource: str = "Property", method: str = "POST", **more: str) -> requests.Response:
        arguments = {
            "SearchType": resource,
            "Class": resource,
            "QueryType": "DMQL2",
            "Format": "STANDARD-XML",
            "Query": query,
        } | more
        where = "data" if method == "POST" else "params"
        return self.http.request(method, self.capabilities["Search"], **{where: arguments})  # type: ignore[arg-type]

    def object(self, key: str, **more: str) -> requests.Response:
        arguments = {"Resource": "Property", "Type": "LargePhoto", "ID": key} | more
        return self.http.get(self.capabilities["GetObject"], params=arguments)

    def metadata(self, kind: str, key: str, **more: str) -> requests.Response:
        return self.http.get(self.capabilities["GetMetadata"], params={"Type": kind, "ID": key} | more)


def code(answer: requests.Response) -> int:
    assert answer.status_code == 200
    found = re.search(r'ReplyCode="(\d+)"', answer.text)
    assert found
    return int(found[1])


def keys(answer: requests.Response) -> list[str]:
    return re.findall(r'<Property(?:Details)? ID="(\d+)"', answer.text)


def photo_of(record: dict[str, Any]) -> dict[str, Any]:
    photo: dict[str, Any] = record["photos"][0]
    return photo


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(Options(listings=250, control=True)) as running:
        yield running


@pytest.fixture(scope="module")
def client(sim: Simulator) -> Client:
    return Client(sim)


@pytest.fixture(scope="module")
def rich(sim: Simulator) -> dict[str, Any]:
    """A listing with several photos."""
    return next(record for record in sim.control.truth() if len(record["photos"]) > 3)


def test_login_is_answered_in_the_shape_of_ddf(sim: Simulator) -> None:
    answer = Client(sim, login=False).login()
    assert answer.text.splitlines()[1] == '<RETS ReplyText="Operation Successful" ReplyCode="0">'
    assert f"Search={sim.base}/Search.svc/Search" in answer.text
    assert answer.headers["RETS-Version"] == "RETS/1.7.2"
    assert answer.headers["Cache-Control"] == "private"
    assert "X-SESSIONID" in answer.cookies


def test_a_wrong_password_is_refused(sim: Simulator) -> None:
    assert Client(sim, login=False, user="other").login().status_code == 401


def test_every_request_must_prove_who_asks(sim: Simulator) -> None:
    answer = requests.get(f"{sim.base}/Search.svc/Search", timeout=10)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Digest realm=")
    assert 'qop="auth"' in answer.headers["WWW-Authenticate"]


def test_without_a_session_nothing_is_to_be_had(sim: Simulator, client: Client) -> None:
    stranger = Client(sim, login=False)
    stranger.capabilities = client.capabilities
    assert code(stranger.search("(ID=*)")) == 20701
    assert code(stranger.object("20000001:*")) == 20701
    assert code(stranger.metadata("METADATA-SYSTEM", "0")) == 20701
    assert code(stranger.http.get(client.capabilities["Logout"])) == 20701


def test_logout_ends_the_session(sim: Simulator) -> None:
    passing = Client(sim)
    assert code(passing.http.get(passing.capabilities["Logout"])) == 0
    assert code(passing.search("(ID=*)")) == 20701


def test_a_replayed_authorization_is_stale(sim: Simulator) -> None:
    once = Client(sim).http.get(sim.login_url)
    again = requests.get(sim.login_url, headers={**once.request.headers}, timeout=10)
    assert again.status_code == 401
    assert "stale=true" in again.headers["WWW-Authenticate"]


def test_an_authorization_for_another_request_is_refused(sim: Simulator) -> None:
    once = Client(sim).http.get(sim.login_url)
    other = requests.get(f"{sim.base}/Logout.svc/Logout", headers={**once.request.headers}, timeout=10)
    assert other.status_code == 400


@pytest.mark.parametrize("query", ["(ID=*)", "(ID=0+)"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_master_list_has_every_listing(client: Client, query: str, method: str) -> None:
    answer = client.search(query, method=method)
    root = etree.fromstring(answer.content)
    assert root.find("COUNT").get("Records") == "250"  # type: ignore[union-attr]
    assert root.findtext("{*}RETS-RESPONSE/{*}Pagination/{*}TotalRecords") == "250"
    assert root[1].tag == "{urn:CREA.Search.Property}RETS-RESPONSE"
    assert keys(answer) == [str(20_000_001 + number) for number in range(250)]
    assert answer.headers["Content-Encoding"] == "gzip"


def test_agents_and_offices_can_be_listed_and_read(client: Client, sim: Simulator) -> None:
    for resource, name in (("Agent", "member"), ("Office", "office")):
        true = {record["key"]: record["stamp"] for record in sim.control.truth(name)}
        listed = client.search("(ID=*)", resource)
        assert dict(re.findall(rf'<{resource} ID="(\d+)" LastUpdated="([^"]+)"/>', listed.text)) == true
        read = client.search(f"(ID={','.join(true)})", resource)
        assert dict(re.findall(rf'<{resource}Details ID="(\d+)" LastUpdated="([^"]+)"', read.text)) == true


def test_a_raw_plus_is_a_space_and_refused(client: Client) -> None:
    url = client.capabilities["Search"] + "?SearchType=Property&Class=Property&QueryType=DMQL2&Query=(ID=0+)"
    request = requests.Request("GET", url).prepare()
    request.url = url
    client.http.auth(request)  # type: ignore[operator, misc]
    request.headers.update({"User-Agent": "Stranger/1.0", "Cookie": _cookies(client)})
    assert code(client.http.send(request)) == 20206


def _cookies(client: Client) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.http.cookies)


def test_records_come_by_key_at_most_a_hundred(client: Client) -> None:
    hundred = [str(20_000_001 + number) for number in range(100)]
    assert keys(client.search(f"(ID={','.join(hundred)})")) == hundred
    refused = client.search(f"(ID={','.join([*hundred, '20000101'])})")
    assert code(refused) == 20208
    assert keys(refused) == []


def test_unknown_keys_are_silently_missing(client: Client) -> None:
    assert keys(client.search("(ID=20000001,29999999,1)")) == ["20000001"]
    assert code(client.search("(ID=29999999)")) == 20201


def test_changes_since_come_in_pages_and_since_is_exclusive(client: Client, sim: Simulator) -> None:
    stamps = {record["key"]: record["modified"] for record in sim.control.truth(size="")}
    since = sorted(stamps.values())[40]
    wanted = {key for key, stamp in stamps.items() if stamp > since}
    found: list[str] = []
    for offset in (1, 101, 201):
        page = client.search(f"(LastUpdated={since})", Limit="100", Offset=str(offset))
        assert f"<TotalRecords>{len(wanted)}</TotalRecords><Limit>100</Limit><Offset>{offset}</Offset>" in page.text
        found += keys(page)
    assert len(found) == len(set(found))
    assert set(found) == wanted
    assert [stamps[key] for key in found] == sorted(stamps[key] for key in found)
    assert code(client.search(f"(LastUpdated={since})", Limit="101")) == 20208
    assert code(client.search(f"(LastUpdated={since})")) == 20208
    assert code(client.search("(LastUpdated=2024-03-06)")) == 20201
    assert f'<COUNT Records="{len(wanted)}">' in client.search(f"(LastUpdated={since})", Limit="9", Count="2").text


@pytest.mark.parametrize(
    ("query", "arguments", "expected"),
    [
        ("(Price=1+)", {}, 20206),
        ("(ID=20000001", {}, 20206),
        ("(LastUpdated=yesterday)", {}, 20206),
        ("(ID=*)", {"Class": "Agent"}, 20203),
        ("(ID=*)", {"SearchType": "Tax", "Class": "Tax"}, 20203),
        ("(ID=*)", {"QueryType": "DMQL"}, 20203),
        ("(ID=*)", {"Format": "COMPACT"}, 20203),
        ("(ID=*)", {"Culture": "de-DE"}, 20203),
        ("(LastUpdated=2020-01-01)", {"Limit": "ten"}, 20203),
        ("(LastUpdated=2020-01-01)", {"Limit": "10", "Offset": "0"}, 20203),
    ],
)
def test_what_is_not_documented_is_refused(
    client: Client, query: str, arguments: dict[str, str], expected: int
) -> None:
    assert code(client.search(query, **arguments)) == expected


def test_photo_bytes_are_the_true_ones_by_url_and_by_object(client: Client, rich: dict[str, Any]) -> None:
    photos = {photo["order"]: photo for photo in rich["photos"]}
    for photo in photos.values():
        data = requests.get(photo["url"], timeout=10).content
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (photo["sha256"], photo["bytes"])
    answer = client.object(f"{rich['key']}:*")
    assert answer.headers["Content-Type"] == 'multipart/parallel; boundary="creaboundary"'
    parts = answer.content.split(b"\r\n--creaboundary")[1:-1]
    for part, photo in zip(parts, photos.values(), strict=True):
        head, _, data = part.partition(b"\r\n\r\n")
        assert f"Object-ID: {photo['order']}".encode() in head.split(b"\r\n")
        assert hashlib.sha256(data).hexdigest() == photo["sha256"]
    single = client.object(rich["key"])
    assert single.headers["Object-ID"] == str(photo_of(rich)["order"])
    assert hashlib.sha256(single.content).hexdigest() == photo_of(rich)["sha256"]
    two = client.object(f"{rich['key']}:{rich['photos'][1]['order']},{rich['photos'][2]['order']}")
    assert two.content.count(b"Object-ID:") == 2


def test_a_missing_object_among_several_is_an_error_part(client: Client, rich: dict[str, Any]) -> None:
    answer = client.object(f"{rich['key']}:{photo_of(rich)['order']},999")
    assert answer.content.count(b"Content-Type: image/jpeg") == 1
    assert b'Object-ID: 999\r\n\r\n<?xml version="1.0" encoding="utf-8"?>\n<RETS ReplyCode="20403"' in answer.content


def test_locations_come_as_a_table(client: Client, rich: dict[str, Any]) -> None:
    answer = client.object(f"{rich['key']}:*", Location="1")
    rows = re.findall(r"<DATA>\t(\d+)\t(\d+)\t(\S+)\t(\S+)\t</DATA>", answer.text)
    expected = [(rich["key"], str(p["order"]), p["url"], p["modification_timestamp"]) for p in rich["photos"]]
    assert rows == expected
    assert "<COLUMNS>\tResourceRecordID\tOrder\tMediaUrl\tMediaModificationTimestamp\t</COLUMNS>" in answer.text


def test_locations_come_as_headers_when_asked_for(rich: dict[str, Any]) -> None:
    with Simulator(Options(listings=250, location_style="header")) as other:
        client = Client(other)
        many = client.object(f"{rich['key']}:*", Location="1").text
        assert len(re.findall(rf"\r\nLocation: {re.escape(other.base)}/listings/TS\d+", many)) == len(rich["photos"])
        one = client.object(rich["key"], Location="1")
        assert code(one) == 0
        assert one.headers["Location"].startswith(f"{other.base}/listings/TS")


@pytest.mark.parametrize(
    ("key", "arguments", "expected"),
    [
        ("20000001", {"Resource": "Tax"}, 20400),
        ("20000001", {"Type": "Video"}, 20401),
        ("20000001,20000002", {}, 20402),
        ("20000001:*,20000002:*", {}, 20402),
        ("20000001:../1", {}, 20402),
        ("29999999:*", {}, 20403),
    ],
)
def test_objects_that_cannot_be_are_refused(client: Client, key: str, arguments: dict[str, str], expected: int) -> None:
    assert code(client.object(key, **arguments)) == expected


def test_agents_and_offices_have_pictures(client: Client) -> None:
    for resource, kind, first in (("Agent", "LargePhoto", 1_500_001), ("Office", "ThumbnailPhoto", 50_001)):
        answers = [client.object(str(first + number), Resource=resource, Type=kind) for number in range(6)]
        images = [answer.content for answer in answers if answer.headers["Content-Type"] == "image/jpeg"]
        assert images
        assert all(image.startswith(b"\xff\xd8") for image in images)


def test_the_picture_of_an_agent_or_office_is_that_of_the_truth(client: Client, sim: Simulator) -> None:
    for resource, name, kind in (("Agent", "member", "LargePhoto"), ("Office", "office", "ThumbnailPhoto")):
        for record in sim.control.truth(name):
            answer = client.object(record["key"], Resource=resource, Type=kind)
            if "photo" not in record:
                assert code(answer) == 20403
                continue
            assert hashlib.sha256(answer.content).hexdigest() == record["photo"]["sha256"]
            assert len(answer.content) == record["photo"]["bytes"]


def test_an_unchanged_photo_need_not_be_sent_again(rich: dict[str, Any]) -> None:
    url = photo_of(rich)["url"]
    first = requests.get(url, timeout=10)
    for header in (
        {"If-None-Match": first.headers["ETag"]},
        {"If-Modified-Since": first.headers["Last-Modified"]},
        {"If-None-Match": f'"other", W/{first.headers["ETag"]}', "If-Modified-Since": "x"},
    ):
        again = requests.get(url, headers=header, timeout=10)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    other = {"If-None-Match": '"other"', "If-Modified-Since": first.headers["Last-Modified"]}
    assert requests.get(url, headers=other, timeout=10).status_code == 200
    head = requests.head(url, timeout=10)
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(first.content)))


def test_photos_that_are_not_there_are_404(sim: Simulator, rich: dict[str, Any]) -> None:
    url = photo_of(rich)["url"]
    for gone in (re.sub(r"TS\d", "TS5", url), url.replace("_1.jpg", "_77.jpg"), url + "x", sim.base + "/../etc/passwd"):
        assert requests.get(gone, timeout=10).status_code == 404


def test_metadata_names_resources_and_lookups(client: Client) -> None:
    system = etree.fromstring(client.metadata("METADATA-SYSTEM", "*").content)
    assert [node.text for node in system.iter("ResourceID")] == ["Property", "Agent", "Office"]
    names = [node.text for node in system.iter("LookupName")]
    assert {"Amenities", "Boards", "PropertyType"} <= set(names)
    english = client.metadata("METADATA-LOOKUP_TYPE", "Property:Crop").text
    french = client.metadata("METADATA-LOOKUP_TYPE", "Property:Crop", Culture="fr-CA").text
    assert "<LongValue>Hay</LongValue><ShortValue>Hay</ShortValue><Value>Hay</Value>" in english
    assert "<LongValue>Foin</LongValue><ShortValue>Foin</ShortValue><Value>Hay</Value>" in french
    assert code(client.metadata("METADATA-CLASS", "Property")) == 0
    assert code(client.metadata("METADATA-CLASS", "Tax")) == 20500
    assert code(client.metadata("METADATA-X", "0")) == 20501
    assert code(client.metadata("METADATA-LOOKUP_TYPE", "Property:Nothing")) == 20502
    assert code(client.metadata("METADATA-TABLE", "Property:Property")) == 20503
    assert code(client.metadata("METADATA-LOOKUP", "Property", Format="COMPACT")) == 20513


def test_one_connection_serves_many_requests(sim: Simulator, rich: dict[str, Any]) -> None:
    home, path = urlsplit(sim.base), urlsplit(photo_of(rich)["url"]).path
    connection = http.client.HTTPConnection(home.hostname or "", home.port, timeout=10)
    connection.connect()
    first = connection.sock
    for _ in range(5):
        connection.request("GET", path)
        assert connection.getresponse().read()
        assert connection.sock is first
    connection.close()


def test_only_named_user_agents_are_let_in() -> None:
    with Simulator(Options(listings=1, user_agents=["Good/1.0", "Better"])) as picky:
        assert code(Client(picky, login=False, agent="Good/1.0 (x)").login()) == 0
        assert code(Client(picky, login=False, agent="Better/7").login()) == 0
        assert code(Client(picky, login=False, agent="Good/2.0").login()) == 20036


def test_days_pass_when_told_and_the_date_header_says_so() -> None:
    with Simulator(Options(listings=200, control=True, photos=1)) as own:
        client = Client(own)
        assert client.login().headers["Date"].startswith("Tue, 05 Mar 2024 14:0")
        before = set(keys(client.search("(ID=*)")))
        mark = own.control.advance(0)["now"]
        counts = requests.post(f"{own.base}/control/advance?days=2", timeout=10).json()
        assert (counts["days"], counts["day"]) == (2, 2)
        answer = client.search("(ID=*)")
        assert answer.headers["Date"].startswith("Thu, 07 Mar 2024 14:0")
        after = set(keys(answer))
        assert len(after) == counts["listings"] == 200 + counts["new"] - counts["removed"]
        changed = set(keys(client.search(f"(LastUpdated={mark})", Limit="100")))
        assert after - before <= changed
        assert {record["key"] for record in own.control.truth(size="")} == after


def test_a_photo_is_gone_once_it_was_replaced() -> None:
    with Simulator(Options(listings=100)) as own:
        before = {photo["url"] for record in own.control.truth(size="") for photo in record["photos"]}
        own.control.advance(5)
        after = {photo["url"] for record in own.control.truth(size="") for photo in record["photos"]}
        assert before - after
        assert {requests.get(url, timeout=10).status_code for url in before - after} == {404}


def test_truth_and_statistics_come_over_http(sim: Simulator, client: Client) -> None:
    client.search("(ID=*)")
    lines = requests.get(f"{sim.base}/control/truth?size=ThumbnailPhoto", timeout=60).text.splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) == 250
    assert {"key", "stamp", "fields", "rooms", "photos"} <= records[0].keys()
    quick = requests.get(f"{sim.base}/control/truth?size=&resource=property", timeout=60).text.splitlines()
    assert "sha256" not in quick[0]
    stats = requests.get(f"{sim.base}/control/stats", timeout=10).json()
    assert stats["logins"] >= 1
    assert stats["requests"]["Search"] >= 1
    assert requests.get(f"{sim.base}/control/truth?resource=x", timeout=10).status_code == 400
    assert requests.post(f"{sim.base}/control/advance?days=-1", timeout=10).status_code == 400
    assert requests.post(f"{sim.base}/control/fault?name=x", timeout=10).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "127.0.0.1.evil.example:80"}, {"Host": ""}, {"Origin": "http://evil.example"}],
)
def test_control_is_for_this_machine_alone(sim: Simulator, headers: dict[str, str]) -> None:
    assert requests.get(f"{sim.base}/control/stats", headers=headers, timeout=10).status_code == 403


def test_there_is_no_control_unless_asked_for() -> None:
    with Simulator(Options(listings=1)) as closed:
        assert requests.get(f"{closed.base}/control/stats", timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [("Content-Length", "x", 411), ("Transfer-Encoding", "chunked", 411), ("Content-Length", "999999999", 413)],
)
def test_a_body_without_a_bound_is_refused(sim: Simulator, header: str, value: str, status: int) -> None:
    assert _bare_post(sim, "/Search.svc/Search", {header: value}) == status


def test_a_post_without_a_body_needs_no_length(sim: Simulator) -> None:
    assert _bare_post(sim, "/control/advance?days=0", {}) == 200


def _bare_post(sim: Simulator, path: str, headers: dict[str, str]) -> int:
    home = urlsplit(sim.base)
    connection = http.client.HTTPConnection(home.hostname or "", home.port, timeout=10)
    connection.putrequest("POST", path)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_the_command_says_ready_once_and_ends_cleanly_on_sigterm() -> None:
    command = [sys.executable, "-m", "services.simulator", "--listings", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert re.fullmatch(r"ready http://127\.0\.0\.1:\d+/Login\.svc/Login\n", line)
        began = time.monotonic()
        kept = requests.Session()
        assert kept.get(line.split()[1], timeout=10).status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - began < 5
        assert process.stdout.read() == ""
        kept.close()
