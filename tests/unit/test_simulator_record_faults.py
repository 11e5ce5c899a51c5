"""Faults of inventories and records do what their line says, and leave everything else as it was."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from lxml import etree

from services.simulator.disturbing import HOSTILE_KEYS, allowed, hostile_text
from services.simulator.main import Options, Simulator
from tests.unit.simulator_client import by_key, code, delivered, faultless, login, search

SINCE = "(LastUpdated=2023-01-01)"


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator(Options(listings=120)) as simulator:
        yield simulator


@pytest.fixture
def sim(running: Simulator) -> Iterator[Simulator]:
    with faultless(running) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def honest(running: Simulator) -> dict[str, bytes]:
    """The first hundred listings as they are, each by its key."""
    return records(search(running, login(running), by_key()))


def records(answer: requests.Response) -> dict[str, bytes]:
    found = re.findall(rb'(?s)<PropertyDetails [^>]*ID="(\d+)".*?</PropertyDetails>\n', answer.content)
    whole = re.findall(rb"(?s)<PropertyDetails [^>]*ID=.*?</PropertyDetails>\n", answer.content)
    return {key.decode(): text for key, text in zip(found, whole, strict=True)}


def truth(sim: Simulator) -> dict[str, dict[str, Any]]:
    return {record["key"]: record for record in sim.control.truth(size="")}


def withheld(sim: Simulator, reason: str) -> set[str]:
    found = {key for key, record in truth(sim).items() if record.get("withheld")}
    assert all(truth(sim)[key]["withheld_reason"] == reason for key in found)
    return found


def test_a_short_inventory_agrees_with_itself(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("short-inventory", "0.2")
    answer = search(sim, session)
    keys = delivered(answer)
    assert 80 <= len(keys) <= 110
    assert f'<COUNT Records="{len(keys)}">' in answer.text
    assert f"<RecordsReturned>{len(keys)}</RecordsReturned>" in answer.text
    assert delivered(search(sim, session)) == keys
    assert set(truth(sim)) - keys == withheld(sim, "short-inventory")
    assert len(delivered(search(sim, session, by_key()))) == 100


def test_an_ignored_offset_gives_the_first_page_again(sim: Simulator) -> None:
    session = login(sim)
    pages = {offset: delivered(search(sim, session, SINCE, Limit="50", Offset=offset)) for offset in ("1", "51")}
    assert not pages["1"] & pages["51"]
    sim.control.fault("offset-ignored")
    answer = search(sim, session, SINCE, Limit="50", Offset="51")
    assert delivered(answer) == pages["1"]
    assert '<COUNT Records="120">' in answer.text


def test_double_escaping_is_undone_by_unescaping_twice(sim: Simulator, honest: dict[str, bytes]) -> None:
    sim.control.fault("double-escaping", "0.5")
    changed = records(search(sim, login(sim), by_key()))
    same = [key for key in honest if changed[key] == honest[key]]
    assert 20 < len(same) < 80
    assert all(changed[key].replace(b"&amp;", b"&") in (text, text.replace(b"&amp;", b"&"))
               for key, text in honest.items())  # fmt: skip
    assert any(b"&amp;amp;" in text for text in changed.values())


def test_unknown_elements_come_on_top_of_the_known(sim: Simulator, honest: dict[str, bytes]) -> None:
    sim.control.fault("unknown-elements")
    changed = records(search(sim, login(sim), by_key()))
    facts = truth(sim)
    for key, text in changed.items():
        tree = etree.fromstring(text)
        assert facts[key]["unknown"] == ["@Origin", "Beacon", "Building/@Style", "Building/SolarPanels", "Climate"]
        assert [len(tree.findall(path)) for path in ("Beacon", "Building/SolarPanels", "Climate")] == [2, 1, 1]
        assert tree.attrib.pop("Origin") == "board"
        for tag in ("Beacon", "Climate", "SolarPanels"):
            for element in tree.iter(tag):
                parent = element.getparent()
                assert parent is not None
                parent.remove(element)
        for building in tree.iter("Building"):
            del building.attrib["Style"]
        assert etree.tostring(tree, method="c14n") == etree.tostring(etree.fromstring(honest[key]), method="c14n")


def test_duplicate_records_are_counted_once(sim: Simulator) -> None:
    sim.control.fault("duplicate-records", "ids:20000002")
    answer = search(sim, login(sim), by_key(3))
    assert re.findall(r'<PropertyDetails ID="(\d+)"', answer.text) == ["20000001", "20000002", "20000002", "20000003"]
    assert '<COUNT Records="3">' in answer.text


def test_a_missing_key_is_the_only_thing_missing(sim: Simulator, honest: dict[str, bytes]) -> None:
    sim.control.fault("missing-key", "ids:20000002")
    answer = search(sim, login(sim), by_key(3))
    assert honest["20000002"].replace(b' ID="20000002"', b"", 1) in answer.content
    assert delivered(answer) == {"20000001", "20000003"}
    assert withheld(sim, "missing-key") == {"20000002"}
    assert len(delivered(search(sim, login(sim)))) == 120


def test_values_that_do_not_fit_are_what_the_truth_says_is_sent(sim: Simulator, honest: dict[str, bytes]) -> None:
    sim.control.fault("unfit-values", "0.3")
    changed = records(search(sim, login(sim), by_key()))
    facts = truth(sim)
    sent = {key: facts[key]["sent"]["fields"] for key in honest if "sent" in facts[key]}
    assert 15 < len(sent) < 45
    for key, text in honest.items():
        assert (changed[key] != text) == (key in sent)
        for wrong in sent.get(key, {}).values():
            assert f">{wrong}<".encode() in changed[key]
    assert {"bedrooms_total", "list_price", "listing_contract_date", "latitude"} <= {
        c for f in sent.values() for c in f
    }


def test_hostile_keys_are_in_the_master_list_alone(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("hostile-keys")
    answer = search(sim, session)
    rows = etree.fromstring(answer.content).iter("{*}Property")
    keys = [row.get("ID") for row in rows]
    assert keys[120:] == list(HOSTILE_KEYS)
    assert f'<COUNT Records="{120 + len(HOSTILE_KEYS)}">' in answer.text
    assert len(truth(sim)) == 120
    assert len(delivered(search(sim, session, by_key()))) == 100


def test_terminal_escapes_are_true_as_far_as_xml_allows_them(sim: Simulator, honest: dict[str, bytes]) -> None:
    before = truth(sim)
    sim.control.fault("terminal-escapes")
    changed = records(search(sim, login(sim), by_key(10)))
    after = truth(sim)
    for key, text in changed.items():
        said = before[key]["fields"].get("public_remarks")
        if said is None:
            assert text == honest[key]
            continue
        assert "\x9b" in after[key]["fields"]["public_remarks"]
        assert after[key]["fields"]["public_remarks"] == allowed(hostile_text(said))
        tree = etree.fromstring(allowed(text.decode()))
        assert after[key]["fields"]["public_remarks"] in (tree.findtext("PublicRemarks") or "")
        assert b"\x1b[" in text


def test_deep_nesting_is_in_the_listings_it_lies_on(sim: Simulator, honest: dict[str, bytes]) -> None:
    sim.control.fault("deep-nesting", "ids:20000002")
    changed = records(search(sim, login(sim), by_key(3)))
    assert changed["20000002"].count(b"<Deep>") == changed["20000002"].count(b"</Deep>") == 5000
    assert re.sub(b"</?Deep>", b"", changed["20000002"]) == honest["20000002"]
    assert changed["20000001"] == honest["20000001"]
    assert withheld(sim, "deep-nesting") == {"20000002"}


@pytest.mark.parametrize("query", ["(ID=*)", by_key(3)])
def test_an_entity_bomb_declares_what_it_refers_to(sim: Simulator, query: str) -> None:
    session = login(sim)
    without = search(sim, session, query)
    sim.control.fault("entity-bomb", "first:1")
    answer = search(sim, session, query)
    assert "<!DOCTYPE RETS [" in answer.text
    assert answer.text.count("&l8;") == 10
    assert 'SYSTEM "file:///etc/passwd"' in answer.text
    assert "&l9;&file;</RETS-RESPONSE>" in answer.text
    assert delivered(answer) == delivered(without)
    assert search(sim, session, query).content == without.content


def test_a_late_status_ends_half_of_the_records(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("late-status", "20203:2")
    assert len(delivered(search(sim, session))) == 120
    for query, half in ((by_key(10), 5), (by_key(10), 10), ("(ID=*)", 60)):
        answer = search(sim, session, query)
        etree.fromstring(answer.content)
        assert code(answer) == 0
        assert len(delivered(answer)) == half
        assert ('<RETS-STATUS ReplyCode="20203"' in answer.text) == (half != 10)
    sim.control.fault("late-status", "20201")
    answer = search(sim, session)
    assert not delivered(answer)
    assert '<RETS-STATUS ReplyCode="20201"' in answer.text


def test_rows_without_end_are_more_than_were_announced(sim: Simulator) -> None:
    session = login(sim)
    sim.control.fault("endless", "rows")
    session.headers["Accept-Encoding"] = "identity"
    arguments = {"SearchType": "Property", "Class": "Property", "QueryType": "DMQL2", "Query": "(ID=*)"}
    with session.post(f"{sim.base}/Search.svc/Search", data=arguments, timeout=10, stream=True) as answer:
        text = b"".join(piece for piece, _ in zip(answer.iter_content(65536), range(20), strict=False))
    assert b'<COUNT Records="120">' in text
    assert text.count(b"<Property ID=") > 1000
    assert len(delivered(search(sim, session, by_key()))) == 100


def test_a_mass_touch_moves_every_stamp_and_nothing_else() -> None:
    with Simulator(Options(listings=120)) as touched, Simulator(Options(listings=120)) as quiet:
        touched.control.fault("mass-touch")
        for _ in range(2):
            assert touched.control.advance()["changed"] == quiet.control.advance()["changed"]
        before, after = truth(quiet), truth(touched)
        assert before.keys() == after.keys()
        day = {record["modified"][:10] for record in after.values()}
        assert len(day) <= 2
        assert sum(before[key]["stamp"] != after[key]["stamp"] for key in before) > 90
        for key in before:
            assert nothing_but(before[key]) == nothing_but(after[key])


def test_reverting_timestamps_go_back_and_nothing_else() -> None:
    with Simulator(Options(listings=120)) as reverting, Simulator(Options(listings=120)) as quiet:
        reverting.control.fault("reverting-timestamp", "0.2")
        reverting.control.advance()
        quiet.control.advance()
        before, after = truth(quiet), truth(reverting)
        back = {key for key in before if after[key]["modified"] < before[key]["modified"]}
        assert 10 < len(back) < 45
        assert all(after[key]["modified"] == before[key]["modified"] for key in before.keys() - back)
        for key in before:
            assert nothing_but(before[key]) == nothing_but(after[key])
        row = next(iter(back))
        session = login(reverting)
        assert f'ID="{row}" LastUpdated="{after[row]["stamp"]}"' in search(reverting, session).text


def nothing_but(record: dict[str, Any]) -> dict[str, Any]:
    """A record without its own timestamp, and without the host of its photos."""
    record = {name: value for name, value in record.items() if name not in ("stamp", "modified", "photos")}
    return {**record, "open": html.unescape(str(record["open_houses"]))}


def test_a_stale_copy_is_yesterdays_under_todays_master_list() -> None:
    with Simulator(Options(listings=120)) as sim:
        session = login(sim)
        yesterday = truth(sim)
        sim.control.advance()
        today = truth(sim)
        sim.control.fault("stale-copy")
        stamps = dict(re.findall(r'<Property ID="(\d+)" LastUpdated="([^"]+)"', search(sim, session).text))
        assert stamps == {key: record["stamp"] for key, record in today.items()}
        facts = truth(sim)
        changed = {key for key in today if key not in yesterday or today[key]["stamp"] != yesterday[key]["stamp"]}
        assert changed
        assert {key for key in facts if facts[key].get("withheld_reason") == "stale-copy"} == changed
        for key in changed & yesterday.keys():
            photos = facts[key]["sent"].pop("photos")
            assert facts[key]["sent"] | {"photos": yesterday[key]["photos"]} == yesterday[key]
            for photo, before in zip(photos, yesterday[key]["photos"], strict=True):
                gone = photo.pop("withheld", False)
                assert gone == (photo.pop("withheld_reason", None) == "stale-copy")
                assert photo == before
                assert requests.get(photo["url"], timeout=10).status_code == (404 if gone else 200)
        answer = search(sim, session, f"(ID={','.join(sorted(changed)[-50:])})")
        sent = dict(re.findall(r'<PropertyDetails ID="(\d+)" LastUpdated="([^"]+)"', answer.text))
        assert sent == {key: yesterday[key]["stamp"] for key in sorted(changed)[-50:] if key in yesterday}
        sim.control.advance()
        assert {key for key, record in truth(sim).items() if record.get("withheld")} != changed
