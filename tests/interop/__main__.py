"""Let strangers' clients read the simulator and compare with ours: ``python -m tests.interop``; 0 when all is the same.

Everything is compared: what metadata say, every row of every class, every object by its SHA-256.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.simulator.main import Options, Simulator
from tests.interop import install
from tests.interop.asked import (
    PASSWORD,
    USER_AGENT,
    USER_AGENT_PASSWORD,
    USERNAME,
    Way,
    asked,
    differences,
    objects,
)
from tests.interop.install import RETS, RETS_CLIENT, RETS_PYTHON, STRANGERS
from tests.interop.ours import ours, system_of

LISTINGS, PHOTOS = 60, 3
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Stranger:
    """A client of somebody else's. ``unfit`` says by way of what it cannot do, and why: it must fail there, with these
    words."""

    name: str
    command: tuple[str, ...]
    cwd: Path
    unfit: Mapping[Way, tuple[str, str]]


PROVED = Way(agent_password=USER_AGENT_PASSWORD)
WAYS = (Way("RETS/1.5"), Way(), Way("RETS/1.8"), Way(auth="basic"), PROVED)
NODE = STRANGERS / "with_rets_client.js"
ALL = (
    Stranger(
        "rets 1.0.0 (PyPI)",
        (str(RETS / "bin/python"), str(STRANGERS / "with_rets.py")),
        RETS,
        {PROVED: ("User-Agent Authentication Failed", "it leaves RETS/ out of the version that its proof is made of")},
    ),
    Stranger(
        "rets-python 0.4.12 (PyPI)", (str(RETS_PYTHON / "bin/python"), str(STRANGERS / "with_rets_python.py")),
        RETS_PYTHON, {},
    ),
    Stranger(
        "rets-client 5.2.4 (npm)", ("node", "--no-deprecation", str(RETS_CLIENT / NODE.name)), RETS_CLIENT, {}
    ),
)  # fmt: skip


def main() -> int:
    """0 when every stranger gets what we get, and fails where it must."""
    if install.main():
        return 1
    # A script finds its modules beside itself.
    (RETS_CLIENT / NODE.name).write_bytes(NODE.read_bytes())
    began = time.monotonic()
    wrong = [line for way in WAYS for line in _try(way)]
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


def _try(way: Way) -> list[str]:
    """What went wrong, one line each, printed too."""
    options = Options(
        personality="mls", listings=LISTINGS, photos=PHOTOS, username=USERNAME, password=PASSWORD,
        user_agents=[USER_AGENT], user_agent_password=way.agent_password, location_style="header",
        faults=["auth=basic"] if way.auth == "basic" else [],
    )  # fmt: skip
    wrong: list[str] = []
    with Simulator(options) as simulator:
        system = system_of(simulator.login_url, way)
        wanted = list(objects(simulator))
        expected = ours(simulator.login_url, way, system, wanted)
        rows, came = sum(map(len, expected["rows"].values())), sum(map(len, expected["objects"].values()))
        question = json.dumps(asked(simulator, system, way, wanted))
        for each in ALL:
            found = list(_compared(each, way, question, expected))
            wrong += found
            said = f"the same: {rows} rows, {came} objects of {len(wanted)} requests"
            if way in each.unfit:
                said = f"refused, as it must be: {each.unfit[way][1]}"
            print(f"{way}: {each.name}: {said if not found else 'NOT THE SAME'}", flush=True)
            for line in found[:5]:
                print(f"    {line}", flush=True)
        if open_now := simulator.control.stats()["sessions_open"]:
            wrong.append(f"{open_now} sessions are left open")
            print(f"{way}: {wrong[-1]}")
    return wrong


def _compared(each: Stranger, way: Way, question: str, expected: dict[str, Any]) -> list[str]:
    done = subprocess.run(
        each.command, input=question, cwd=each.cwd, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if way in each.unfit:
        code = each.unfit[way][0]
        return (
            [] if done.returncode and code in done.stderr else [f"it does not fail with {code}: {done.stderr[-500:]}"]
        )
    if done.returncode:
        return [f"it fails: {done.stderr.strip()[-2_000:]}"]
    return list(differences(expected, json.loads(done.stdout)))


if __name__ == "__main__":
    sys.exit(main())
