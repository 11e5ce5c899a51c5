"""Every fault does what its line says, only when it is on, and ends when it is turned off."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Iterator

import pytest
import requests
from lxml import etree
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth

from services.simulator.faults import MLS_SWITCHES, SWITCHES, FaultError, Faults, describe
from services.simulator.main import Options, Simulator
from tests.unit.simulator_client import by_key, code, delivered, faultless, login, search


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator(Options(listings=120, control=True)) as simulator:
        yield simulator


@pytest.fixture
def sim(running: Simulator) -> Iterator[Simulator]:
    with faultless(running) as simulator:
        yield simulator


def test_every_fault_is_described_on_one_line() -> None:
    lines = describe().splitlines()
    known = SWITCHES | MLS_SWITCHES
    assert [line.split()[0] for line in lines] == list(known)
    assert all(switch.about and re.fullmatch(switch.form, switch.default) for switch in known.values())


@pytest.mark.parametrize("wrong", ["no-such-fault", "cut=often", "count-mismatch=x", "auth=none", "slow=-1"])
def test_a_fault_that_makes_no_sense_is_named(wrong: str) -> None:
    with pytest.raises(FaultError, match=wrong.partition("=")[0]):
        Faults(1, [wrong])


def test_how_often_can_be_said_in_three_ways() -> None:
    def strikes(value: str, times: int) -> list[bool]:
        faults = Faults(1, [f"cut={value}"])
        return [faults.strikes("cut") for _ in range(times)]

    assert strikes("3", 7) == [False, False, True, False, False, True, False]
    assert strikes("first:2", 4) == [True, True, False, False]
    assert 200 < sum(strikes("0.25", 1000)) < 300
    assert strikes("0.25", 50) == strikes("0.25", 50)
    assert Faults(1, []).strikes("cut") is False


def test_a_fault_of_records_lies_on_the_same_ones_every_time() -> None:
    faults = Faults(1, ["missing-record=0.1", "ghost-photo=ids:20000007"])
    hit = [key for key in map(str, range(1000)) if faults.hits("missing-record", key)]
    assert 60 < len(hit) < 140
    assert hit == [key for key in map(str, range(1000)) if faults.hits("missing-record", key)]
    assert faults.hits("ghost-photo", "20000007")
    assert not faults.hits("ghost-photo", "20000008")


@pytest.mark.parametrize(
    ("way", "auth"),
    [
        ("basic", HTTPBasicAuth("demo", "demo")),
        ("digest-noqop", HTTPDigestAuth("demo", "demo")),
        ("sha-256", HTTPDigestAuth("demo", "demo")),
    ],
)
def test_other_proofs_of_identity_can_be_asked_for(sim: Simulator, way: str, auth: AuthBase) -> None:
    sim.control.fault("auth", way)
    assert code(search(sim, login(sim, auth))) == 0
    with pytest.raises(requests.HTTPError, match="401"):
        login(sim, type(auth)("demo", "wrong"))  # type: ignore[call-arg]


def test_md5_sess_is_computed_as_the_rfc_says(sim: Simulator) -> None:
    from hashlib import md5

    sim.control.fault("auth", "md5-sess")
    challenge = requests.get(sim.login_url, timeout=10).headers["WWW-Authenticate"]
    assert "algorithm=MD5-sess" in challenge
    given = dict(re.findall(r'(\w+)="([^"]*)"', challenge))

    def hashed(*parts: str) -> str:
        return md5(":".join(parts).encode()).hexdigest()

    first = hashed(hashed("demo", given["realm"], "demo"), given["nonce"], "abc")
    response = hashed(first, given["nonce"], "00000001", "abc", "auth", hashed("GET", "/Login.svc/Login"))
    header = (
        f'Digest username="demo", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="/Login.svc/Login", '
        f'response="{response}", qop=auth, nc=00000001, cnonce="abc", opaque="{given["opaque"]}", algorithm=MD5-sess'
    )
    assert requests.get(sim.login_url, headers={"Authorization": header}, timeout=10).status_code == 200


def test_session_lost_forgets_every_nth(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("session-lost", "3")
    assert [code(search(sim, session)) for _ in range(4)] == [0, 0, 20701, 20701]


def test_stale_nonce_is_said_to_be_stale(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("stale-nonce", "first:1")
    answer = search(sim, session)
    assert code(answer) == 0
    assert "stale=true" in answer.history[-1].headers["WWW-Authenticate"]


def test_a_nonce_per_request_costs_a_round_trip_unless_the_next_is_handed_out(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("nonce-per-request")
    search(sim, session)
    assert len(search(sim, session).history) == 1
    sim.control.fault("nonce-per-request", "nextnonce")
    assert 'nextnonce="' in search(sim, session).headers["Authentication-Info"]


def test_503_says_when_to_come_back(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("http-503", "first:1")
    answer = search(sim, session)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert search(sim, session).status_code == 200


def test_slow_is_slow(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("slow", "150")
    began = time.monotonic()
    search(sim, session)
    assert time.monotonic() - began > 0.15


@pytest.mark.parametrize("query", ["(ID=*)", by_key()])
def test_cut_breaks_the_connection_in_the_middle(sim: Simulator, query: str) -> None:
    session = login(sim)
    sim.control.fault("cut")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        search(sim, session, query)


@pytest.mark.parametrize("query", ["(ID=*)", by_key()])
def test_truncated_is_well_framed_and_not_well_formed(sim: Simulator, query: str) -> None:
    session = login(sim)
    sim.control.fault("truncated")
    answer = search(sim, session, query)
    assert answer.status_code == 200
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(answer.content)


def test_truncated_photos_are_shorter_than_the_truth(sim: Simulator) -> None:
    photo = next(record for record in sim.control.truth() if record["photos"])["photos"][0]
    sim.control.fault("truncated")
    assert len(requests.get(photo["url"], timeout=10).content) == photo["bytes"] // 2


def test_an_empty_inventory_can_be_zero_or_none_found(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("empty-inventory")
    answer = search(sim, session)
    assert code(answer) == 0
    assert '<COUNT Records="0">' in answer.text
    assert not delivered(answer)
    sim.control.fault("empty-inventory", "20201")
    assert code(search(sim, session)) == 20201


def test_count_mismatch_announces_more_than_it_sends(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("count-mismatch", "3")
    answer = search(sim, session)
    assert '<COUNT Records="123">' in answer.text
    assert "<TotalRecords>123</TotalRecords>" in answer.text
    assert len(delivered(answer)) == 120


def test_ghost_photos_are_named_and_not_there(sim: Simulator) -> None:
    sim.control.fault("ghost-photo", "0.3")
    photos = [photo for record in sim.control.truth(size="") for photo in record["photos"]][:60]
    withheld = [photo["url"] for photo in photos if photo.get("withheld")]
    assert 5 < len(withheld) < 40
    for photo in photos:
        status = requests.get(photo["url"], timeout=10).status_code
        assert status == (404 if photo.get("withheld") else 200)
    record = next(r for r in sim.control.truth(size="") if any(p.get("withheld") for p in r["photos"]))
    arguments = {"Resource": "Property", "Type": "Photo", "ID": f"{record['key']}:*"}
    answer = login(sim).get(f"{sim.base}/Object.svc/GetObject", params=arguments, timeout=10)
    assert answer.content.count(b'ReplyCode="20403"') == sum(bool(p.get("withheld")) for p in record["photos"])


def test_not_an_image_is_a_short_text_under_the_name_of_one(sim: Simulator) -> None:
    sim.control.fault("not-an-image", "1")
    photo = next(record for record in sim.control.truth(size="") if record["photos"])["photos"][0]
    answer = requests.get(photo["url"], timeout=10)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.content.isascii()
    assert len(answer.content) < 500


def test_one_session_refuses_a_second_until_the_first_ends(sim: Simulator) -> None:
    sim.control.fault("one-session", "0")
    time.sleep(0.01)
    sim.control.stats()  # what was left open by others has idled for longer than this
    sim.control.fault("one-session")
    first, second = login(sim), requests.Session()
    second.auth = HTTPDigestAuth("demo", "demo")
    assert code(second.get(sim.login_url, timeout=10)) == 20022
    assert code(first.get(f"{sim.base}/Logout.svc/Logout", timeout=10)) == 0
    assert code(second.get(sim.login_url, timeout=10)) == 0
    second.get(f"{sim.base}/Logout.svc/Logout", timeout=10)


def test_missing_records_are_listed_and_never_delivered(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("missing-record", "ids:20000003,20000009")
    assert len(delivered(search(sim, session))) == 120
    gone = {str(20_000_001 + number) for number in range(100)} - delivered(search(sim, session, by_key()))
    assert gone == {"20000003", "20000009"}
    assert {record["key"] for record in sim.control.truth(size="") if record.get("withheld")} == gone


def test_illegal_characters_are_none_that_xml_allows(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("illegal-characters", "0.5")
    answer = search(sim, session, by_key())
    assert b"\x0b\x00" in answer.content
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(answer.content)
    etree.fromstring(re.sub(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", b"", answer.content))


def test_surrogate_references_are_halves_of_what_stood_there(sim: Simulator) -> None:
    session = login(sim)
    honest = search(sim, session, by_key()).content
    sim.control.fault("surrogate-references")
    answer = search(sim, session, by_key()).content
    assert "🏡".encode() in honest
    assert answer == honest.replace("🏡".encode(), b"&#55356;&#57313;")


def test_wrong_encoding_is_windows_text_under_the_name_of_utf_8(sim: Simulator) -> None:
    session = login(sim)
    honest = search(sim, session, by_key())
    sim.control.fault("wrong-encoding")
    answer = search(sim, session, by_key())
    assert "charset=utf-8" in answer.headers["Content-Type"]
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()
    texts = [
        etree.fromstring(text).xpath("string()")
        for text in (answer.content.replace(b'"utf-8"', b'"cp1252"', 1), honest.content)
    ]
    assert texts[0] == texts[1]


def test_the_login_reply_can_take_its_other_forms(sim: Simulator) -> None:
    sim.control.fault("relative-capabilities")
    sim.control.fault("reply-order")
    session = login(sim)
    text = session.get(sim.login_url, timeout=10).text
    assert "Search=/Search.svc/Search" in text
    assert '<RETS ReplyCode="0" ReplyText="Operation Successful">' in text


def test_faults_are_thrown_over_http_and_start_with_the_simulator() -> None:
    with Simulator(Options(listings=5, control=True, faults=["http-503"])) as own:
        assert requests.get(own.login_url, timeout=10).status_code == 503
        state = requests.post(f"{own.base}/control/fault?name=http-503&value=off", timeout=10).json()
        assert state == {}
        assert requests.get(own.login_url, timeout=10).status_code == 401


def test_a_stopped_simulator_does_not_wait_for_slow_answers() -> None:
    simulator = Simulator(Options(listings=1, faults=["slow=30000"]))
    with simulator:
        host = simulator.base.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.request("GET", "/Login.svc/Login")
        began = time.monotonic()
    assert time.monotonic() - began < 5
    connection.close()
