"""The MLS of the benchmarks: the simulator in a process of its own, and what it sends, as bytes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from pydantic import SecretStr

from shared.rets.answer import Answer
from shared.rets.inventory import InventoryReader
from shared.rets.mend import Mender
from shared.rets.session import RetsSession
from shared.rets.settings import RetsSettings

USERNAME, PASSWORD = "bench", "of-the-benchmarks"
PAGE = 100
PHOTOS = 5
"""Photos of a listing on average, where a benchmark does not say otherwise: the simulator's own number."""


class Mls:
    """A running simulator."""

    def __init__(self, login_url: str) -> None:
        self.login_url = login_url
        self._session = RetsSession(RetsSettings(login_url=login_url, username=USERNAME, password=SecretStr(PASSWORD)))

    def inventory(self) -> bytes:
        """The master list of listings, as sent."""
        return self._search("(ID=*)")

    def keys(self) -> list[str]:
        """The keys of the listings, in order."""
        reader = InventoryReader("Property")
        reader.read([self.inventory()], Mender())
        return [item.partition(b"\0")[0].decode() for item in reader.packed]

    def pages(self, count: int) -> list[bytes]:
        """The first ``count`` pages of a hundred listings each, as sent."""
        keys = self.keys()
        return [self._search(f"(ID={','.join(keys[at : at + PAGE])})") for at in range(0, count * PAGE, PAGE)]

    def advance(self) -> None:
        """Let a day pass: of a hundred listings about one changes, comes or goes, a third of these with new photos."""
        base = self.login_url[: self.login_url.index("/", 8)]
        urlopen(Request(f"{base}/control/advance?days=1", method="POST"), timeout=600).close()

    def close(self) -> None:
        """Log out."""
        self._session.logout()

    def _search(self, query: str) -> bytes:
        def whole(answer: Answer) -> bytes:
            return b"".join(answer.chunks())

        arguments = {
            "SearchType": "Property", "Class": "Property", "QueryType": "DMQL2", "Format": "STANDARD-XML",
            "Count": "1", "Culture": "en-CA", "Query": query,
        }  # fmt: skip
        return self._session.ask("Search", arguments, whole)


@contextmanager
def simulated(listings: int, photos: int = PHOTOS, *, latency_ms: int = 0) -> Iterator[Mls]:
    """A simulator from ready to end."""
    command = [
        sys.executable, "-m", "services.simulator", "--listings", str(listings), "--photos", str(photos),
        "--username", USERNAME, "--password", PASSWORD, "--latency-ms", str(latency_ms), "--control",
        "--pace", "0.2",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        cwd=Path(__file__).parents[1],
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            mls = Mls(said.removeprefix("ready ").strip())
            yield mls
            mls.close()
        finally:
            process.kill()
