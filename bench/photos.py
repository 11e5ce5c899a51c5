"""Downloading photos by their addresses, 32 at once, from a server that answers after 50 ms."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from bench.figures import Figure
from bench.photo_server import LATENCY, counts, photo_server
from bench.rounds import middle, say
from bench.servers import folder
from shared.photos.download import Downloader, DownloadSettings

AT_ONCE = 32
DOWNLOADS = 1_600


def measure(rounds: int) -> list[Figure]:
    """See the module."""
    ratios: list[float] = []
    rates: list[float] = []
    missed = 0
    with folder() as here, photo_server(here) as server:
        host = urlsplit(server.base).netloc
        downloader = Downloader(DownloadSettings(threads=AT_ONCE, allowed_private_hosts=frozenset({host})))
        with ThreadPoolExecutor(AT_ONCE) as threads:

            def fetched(number: int) -> int:
                return len(downloader.fetch(server.url(number)).data)

            sizes = list(threads.map(fetched, range(200)))
            while len(ratios) < rounds and missed < 4 * rounds:
                floor = server.wrk(AT_ONCE)
                started = time.perf_counter()
                for _ in threads.map(fetched, range(DOWNLOADS)):
                    pass
                rate = DOWNLOADS / (time.perf_counter() - started)
                say(f"{rate:.0f} photos/s, wrk {floor:.0f}/s of {AT_ONCE / LATENCY:.0f}/s")
                if counts(floor, AT_ONCE):
                    ratios.append(rate / floor)
                    rates.append(rate)
                else:
                    missed += 1
        downloader.close()
    if not ratios:
        raise RuntimeError("wrk itself was too slow in every round: the machine has too much else to do")
    return [
        Figure("photo download, 50 ms, 32 at once", middle(ratios), 0.85, True, "%", "wrk on the same files", ratios,
               {"photos/s": middle(rates), "KB a photo": round(sum(sizes) / len(sizes) / 1000),
                "rounds in which wrk was too slow": missed}),
    ]  # fmt: skip
