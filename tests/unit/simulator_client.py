"""A plain client and a simulator without faults, for the tests of single faults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from requests.auth import AuthBase, HTTPDigestAuth

from services.simulator.faults import SWITCHES
from services.simulator.main import Simulator

FIRST = 20_000_001


@contextmanager
def faultless(running: Simulator) -> Iterator[Simulator]:
    """The simulator, which afterwards has no fault any more."""
    try:
        yield running
    finally:
        for name in SWITCHES:
            running.control.fault(name, "off")


def login(sim: Simulator, auth: AuthBase | None = None) -> requests.Session:
    """A session that is logged in."""
    session = requests.Session()
    session.auth = auth or HTTPDigestAuth("demo", "demo")
    session.headers["RETS-Version"] = "RETS/1.7.2"
    session.get(sim.login_url, timeout=10).raise_for_status()
    return session


def search(sim: Simulator, session: requests.Session, query: str = "(ID=*)", **more: str) -> requests.Response:
    """A search for properties, as a post."""
    arguments = {"SearchType": "Property", "Class": "Property", "QueryType": "DMQL2", "Query": query} | more
    return session.post(f"{sim.base}/Search.svc/Search", data=arguments, timeout=10)


def get_object(sim: Simulator, session: requests.Session, key: str, **more: str) -> requests.Response:
    """Large photos by GetObject."""
    arguments = {"Resource": "Property", "Type": "LargePhoto", "ID": key} | more
    return session.get(f"{sim.base}/Object.svc/GetObject", params=arguments, timeout=10)


def by_key(count: int = 100) -> str:
    """A query for the first so many listings."""
    return f"(ID={','.join(str(FIRST + number) for number in range(count))})"


def code(answer: requests.Response) -> int:
    """The first reply code of an answer."""
    found = re.search(r'ReplyCode="(\d+)"', answer.text)
    assert found
    return int(found[1])


def delivered(answer: requests.Response) -> set[str]:
    """The keys of the listings in an answer."""
    return set(re.findall(r'<Property(?:Details)? (?:Origin="board" )?ID="(\d+)"', answer.text))
