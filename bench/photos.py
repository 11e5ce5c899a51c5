"""Downloading photos by their addresses, 32 at once, from a server that answers after 50 ms."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from bench.figures import Figure
from bench.photo_server import against_wrk, photo_server
from bench.servers import folder
from shared.photos.download import Downloader, DownloadSettings

AT_ONCE = 32
DOWNLOADS = 1_600


def measure(rounds: int) -> list[Figure]:
    """See the module."""
    with folder() as here, photo_server(here) as server, ThreadPoolExecutor(AT_ONCE) as threads:
        host = urlsplit(server.base).netloc
        downloader = Downloader(DownloadSettings(threads=AT_ONCE, allowed_private_hosts=frozenset({host})))

        def download(number: int) -> int:
            return len(downloader.fetch(server.url(number)).data)

        def rate() -> float:
            started = time.perf_counter()
            for _ in threads.map(download, range(DOWNLOADS)):
                pass
            return DOWNLOADS / (time.perf_counter() - started)

        for _ in threads.map(download, range(2 * AT_ONCE)):  # so that every thread has its connection
            pass
        figure = against_wrk("photo download, 50 ms, 32 at once", 0.85, rounds, AT_ONCE, server, rate)
        downloader.close()
    return [figure]
