"""Faults of sessions, of what stands in front of the MLS, and of replies do what their line says."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Iterator

import pytest
import requests
from lxml import etree
from requests.auth import HTTPDigestAuth

from services.simulator.main import Options, Simulator
from tests.unit.simulator_client import by_key, code, faultless, get_object, login, search


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator(Options(listings=40)) as simulator:
        yield simulator


@pytest.fixture
def sim(running: Simulator) -> Iterator[Simulator]:
    with faultless(running) as simulator:
        yield simulator


def logout(sim: Simulator, session: requests.Session) -> requests.Response:
    return session.get(f"{sim.base}/Logout.svc/Logout", timeout=10)


def metadata(sim: Simulator, session: requests.Session, kind: str = "METADATA-SYSTEM") -> requests.Response:
    arguments = {"Type": kind, "ID": "*", "Format": "STANDARD-XML"}
    return session.get(f"{sim.base}/Metadata.svc/GetMetadata", params=arguments, timeout=10)


def test_20701_out_of_nowhere_leaves_the_session_as_it_is(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("not-logged-in", "2")
    assert [code(search(sim, session)) for _ in range(4)] == [0, 20701, 0, 20701]


def test_a_lost_session_can_be_a_412_until_the_next_login(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("status-412", "3")
    assert [search(sim, session).status_code for _ in range(4)] == [200, 200, 412, 412]
    session.get(sim.login_url, timeout=10)
    assert search(sim, session).status_code == 200


def test_success_can_come_under_status_400(sim: Simulator) -> None:
    session = login(sim)
    honest = search(sim, session, by_key(3)).content
    sim.control.fault("success-with-400", "2")
    answers = [search(sim, session, by_key(3)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 400]
    assert answers[1].content == honest


def test_a_lost_node_wants_its_cookie_cleared(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("lost-node", "first:1")
    for _ in range(2):
        answer = search(sim, session)
        assert (answer.status_code, code(answer)) == (401, 400)
        assert "RETS-Session-ID is invalid" in answer.text
    assert session.get(sim.login_url, timeout=10).status_code == 401
    session.cookies.clear()
    assert session.get(sim.login_url, timeout=10).status_code == 200
    assert code(search(sim, session)) == 0


def test_another_version_can_be_the_only_one(sim: Simulator) -> None:
    sim.control.fault("version-refused", "1.5")
    answer = requests.get(sim.login_url, headers={"RETS-Version": "RETS/1.7.2"}, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"], code(answer)) == (400, "text/plain", 20036)
    session = requests.Session()
    session.auth = HTTPDigestAuth("demo", "demo")
    session.headers["RETS-Version"] = "RETS/1.5"
    assert code(session.get(sim.login_url, timeout=10)) == 0


@pytest.mark.parametrize(("value", "statuses"), [("post", [411, 401]), ("any", [411, 411])])
def test_411_wants_a_content_length(sim: Simulator, value: str, statuses: list[int]) -> None:
    def status(method: str, **headers: str) -> int:
        connection = http.client.HTTPConnection(sim.base.removeprefix("http://"), timeout=10)
        connection.putrequest(method, "/Login.svc/Login")
        for name, text in {"User-Agent": "Stranger/1.0", **headers}.items():
            connection.putheader(name.replace("_", "-"), text)
        connection.endheaders()
        found = connection.getresponse().status
        connection.close()
        return found

    assert status("POST") == 401
    sim.control.fault("length-required", value)
    assert [status("POST"), status("GET")] == statuses
    assert [status(method, Content_Length="0") for method in ("POST", "GET")] == [401, 401]


def test_a_throttle_says_when_to_come_back_and_means_it(sim: Simulator) -> None:
    session = login(sim)
    photo = next(record for record in sim.control.truth(size="") if record["photos"])["photos"][0]["url"]
    sim.control.fault("throttle-429", "first:1")
    answer = search(sim, session)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert requests.get(photo, timeout=10).status_code == 429
    time.sleep(1.1)
    assert requests.get(photo, timeout=10).status_code == 200
    assert search(sim, session).status_code == 200


def test_20210_is_for_searches(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("throttle-20210", "2")
    assert [code(search(sim, session)) for _ in range(4)] == [0, 20210, 0, 20210]
    assert code(metadata(sim, session)) == 0


def test_photos_can_need_an_accept_header(sim: Simulator) -> None:
    session = login(sim)
    record = next(record for record in sim.control.truth(size="") if record["photos"])
    url, key = record["photos"][0]["url"], record["key"]
    sim.control.fault("needs-accept")
    for accept, status in (("text/html", 406), ("image/jpeg, */*", 200)):
        session.headers["Accept"] = accept
        assert requests.get(url, headers={"Accept": accept}, timeout=10).status_code == status
        assert get_object(sim, session, key).status_code == status
        assert search(sim, session).status_code == 200


def test_the_session_cookie_can_have_another_name(sim: Simulator) -> None:
    sim.control.fault("cookie-name")
    session = login(sim)
    assert session.cookies.keys() == ["RETS-Session-ID"]
    assert code(search(sim, session)) == 0


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("spaces", r"<RETS-RESPONSE>\s+Broker = 5012345\n"),
        ("bare", r'<RETS ReplyText="Operation Successful" ReplyCode="0">\s+Broker=5012345\n'),
        ("null", r"User=5012345,NULL,NULL,5012345\n"),
    ],
)
def test_the_login_reply_has_its_forms(sim: Simulator, form: str, expected: str) -> None:
    session = login(sim)
    honest = session.get(sim.login_url, timeout=10).text
    sim.control.fault("login-form", form)
    text = session.get(sim.login_url, timeout=10).text
    etree.fromstring(text.encode())
    assert re.search(expected, text)
    plain = re.sub(r"</?RETS-RESPONSE>|NULL|\s", "", text)
    assert plain == re.sub(r"</?RETS-RESPONSE>|\s", "", honest)


@pytest.mark.parametrize(("how", "status", "text"), [("401", 401, ""), ("text", 200, "Goodbye"), ("empty", 200, "")])
def test_logout_ends_the_session_whatever_it_answers(sim: Simulator, how: str, status: int, text: str) -> None:
    session = login(sim)
    sim.control.fault("odd-logout", how)
    before = sim.control.stats()["sessions_open"]
    answer = logout(sim, session)
    answer = answer.history[0] if answer.history else answer  # requests tries again after the 401
    assert (answer.status_code, answer.text) == (status, text)
    assert sim.control.stats()["sessions_open"] == before - 1


def test_metadata_can_be_odd(sim: Simulator) -> None:
    session = login(sim)
    honest = metadata(sim, session).text
    found = {}
    for how in ("empty", "blank", "gaps", "unknown", "cut", "failed"):
        sim.control.fault("odd-metadata", how)
        answer = metadata(sim, session)
        found[how] = answer.text
        assert answer.status_code == (500 if how == "failed" else 200)
    assert "<METADATA></METADATA>" in found["empty"]
    assert "<ResourceID></ResourceID>" in found["blank"]
    assert found["blank"] == re.sub(r"(<\w+>)[^<\n]+<", r"\1<", honest)
    values = re.findall("<LookupType>.*?</LookupType>", found["gaps"])
    blank = [item for item in values if "<Value></Value>" in item]
    assert len(blank) == len(values) // 5 > 0
    assert len(values) == honest.count("<LookupType>")
    assert "<METADATA-UPDATE_HELP " in found["unknown"]
    assert re.sub("(?s)<METADATA-UPDATE_HELP.*</METADATA-UPDATE_HELP>\n", "", found["unknown"]) == honest
    assert honest.startswith(found["cut"])
    assert len(found["cut"]) < 0.6 * len(honest)
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(found["cut"].encode())
    for how in ("empty", "blank", "unknown"):
        etree.fromstring(found[how].encode())
