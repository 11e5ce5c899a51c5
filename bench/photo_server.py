"""Photos served after 50 ms by nginx, a process of its own, and wrk, which says what of that can be had."""

from __future__ import annotations

import io
import random
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from bench.figures import Figure
from bench.programs import PROGRAMS
from bench.rounds import middle, say
from tests.servers.process import free_ports, running

LATENCY = 0.05
PHOTOS = 200
"""Different ones; they come again and again."""
SIZE = (1024, 768)
WRK_SECONDS = 3
ENOUGH = 0.9
"""What wrk must reach of what the latency allows, or the round says more about the machine than about us."""
AGAIN = 4
"""How many times the rounds asked for are tried."""

_CONFIGURATION = """\
load_module {module};
daemon off;
worker_processes 1;
pid {here}/nginx.pid;
error_log {here}/nginx.log warn;
user root;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; types {{ image/jpeg jpg; }}
  client_body_temp_path {here}/body; proxy_temp_path {here}/proxy; fastcgi_temp_path {here}/fastcgi;
  uwsgi_temp_path {here}/uwsgi; scgi_temp_path {here}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location /photos/ {{ echo_sleep {latency}; echo_exec @files; }}
    location @files {{ root {here}; }}
  }}
}}
"""
_SCRIPT = """\
local number = 0
request = function()
  number = number + 1
  return wrk.format("GET", string.format("/photos/%d.jpg", number % {photos}))
end
"""


@dataclass(frozen=True)
class PhotoServer:
    """The server, its photos, and the hand on wrk."""

    base: str
    here: Path

    def url(self, number: int) -> str:
        """The address of a photo."""
        return f"{self.base}/photos/{number % PHOTOS}.jpg"

    def wrk(self, at_once: int) -> float:
        """Photos a second that wrk gets, so many at once."""
        command = [
            str(PROGRAMS["wrk"]), "--threads", "1", "--connections", str(at_once), "--duration", f"{WRK_SECONDS}s",
            "--script", str(self.here / "photos.lua"), self.base,
        ]  # fmt: skip
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found = re.search(r"Requests/sec:\s*([0-9.]+)", said)
        assert found is not None, said
        assert "Non-2xx" not in said, said
        return float(found[1])


def against_wrk(
    path: str, target: float, rounds: int, at_once: int, server: PhotoServer, run: Callable[[], float]
) -> Figure:
    """What ``run`` reaches, in photos a second, of what wrk does in the same round.

    Rounds in which wrk is too slow are taken again, so often; when none counts the figure has none.
    """
    ratios: list[float] = []
    rates: list[float] = []
    floors: list[float] = []
    while len(ratios) < rounds and len(floors) < AGAIN * rounds:
        floor = server.wrk(at_once)
        floors.append(floor)
        if floor < ENOUGH * at_once / LATENCY:
            say(f"wrk {floor:.0f}/s of {at_once / LATENCY:.0f}/s: does not count")
            continue
        rate = run()
        say(f"{rate:.0f} photos/s, wrk {floor:.0f}/s")
        ratios.append(rate / floor)
        rates.append(rate)
    detail: dict[str, float | str] = {"photos/s of wrk": middle(floors)}
    if len(floors) > len(ratios):
        detail["rounds that did not count"] = len(floors) - len(ratios)
    if ratios:
        detail["photos/s"] = middle(rates)
    ratio = middle(ratios) if ratios else 0.0
    return Figure(path, ratio, target, True, "%", "wrk on the same files", ratios, detail)


@contextmanager
def photo_server(here: Path) -> Iterator[PhotoServer]:
    """The server from ready to end; its files in ``here``."""
    (port,) = free_ports(1)
    (here / "photos").mkdir()
    for number in range(PHOTOS):
        (here / "photos" / f"{number}.jpg").write_bytes(_photo(number))
    (here / "photos.lua").write_text(_SCRIPT.format(photos=PHOTOS))
    text = _CONFIGURATION.format(here=here, port=port, latency=LATENCY, module=PROGRAMS["libnginx-mod-http-echo"])
    (here / "nginx.conf").write_text(text)
    server = PhotoServer(f"http://127.0.0.1:{port}", here)

    def ready() -> bool:
        try:
            with urllib.request.urlopen(server.url(0), timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    command = [str(PROGRAMS["nginx-light"]), "-p", str(here), "-c", str(here / "nginx.conf")]
    with running(command, here / "nginx.out", ready):
        yield server


def _photo(number: int) -> bytes:
    """A JPEG of 100 to 300 KB: rough noise made large, as a lawn or a brick wall is."""
    draw = random.Random(number)
    rough = 1.7 + 1.3 * draw.random()
    small = (int(SIZE[0] / rough), int(SIZE[1] / rough))
    image = Image.frombytes("RGB", small, draw.randbytes(small[0] * small[1] * 3)).resize(SIZE)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=40 + draw.randrange(20))
    return out.getvalue()
