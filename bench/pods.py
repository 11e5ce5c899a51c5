"""The media scaler on real figures: ``python -m bench.pods`` writes deploy/generate/scaling.json (some minutes).

Real media processes are started and stopped as the chart's KEDA would have them, by what RabbitMQ's management API
tells of the queues while listings come: the autoscaler's arithmetic is that of ``deploy.generate.scaling``, all else is
as shipped. Time is told ``SPEED`` times as fast as it goes, rates accordingly. docs/scaling.md has the picture.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Thread

from bench.machine import load, machine
from bench.photo_server import photo_server
from bench.programs import install
from bench.rounds import say
from bench.servers import folder, servers
from bench.workers import OF_A_LISTING, Installation, installed
from deploy.generate.scaling import MEASURED, STEP, Autoscaler, Scaler
from tests.pipeline.simulated import MLSYNC, process

SPEED = 3
THREADS = 4
"""Of a media process: few, so that four of them leave the machine something."""
A_LOOK = 80
"""Listings that come between two looks, while they come."""
LOOKS = 8
"""How many of them there are."""
SCALER = Scaler(
    least=0, most=4, messages=60, up=4, up_seconds=60, window=120, down=1, down_seconds=60, cooldown=180
)  # fmt: skip
"""As in the chart, with fewer messages a pod and shorter windows, for a load that is over in minutes."""


def main() -> int:
    """0 when all photos were stored and the last pod was gone."""
    parser = argparse.ArgumentParser(prog="python -m bench.pods", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, default=MEASURED, metavar="FILE", help="where the figures go")
    asked = parser.parse_args()
    if code := install():
        return code
    with folder() as here, servers(here) as at, photo_server(here) as photos:
        alone = {"MLSYNC_MEDIA_URL": f"file:{here / 'stored'}"}
        with installed(at, here / "pods", photos, THREADS, **alone) as installation:
            with installation.workers(1):
                one = installation.store_photos(60)
            say(f"one process: {one:.0f} photos/s")
            vhost = urllib.parse.urlsplit(installation.env["MLSYNC_BROKER_URL"]).path.strip("/")
            samples = _course(installation, lambda: sum(
                number for name, number in at.broker.messages(vhost).items() if name in ("media", "media.backlog")
            ))  # fmt: skip
    found = {
        "machine": machine(), "load": load(), "speed": SPEED, "scaler": asdict(SCALER), "photos": OF_A_LISTING,
        "pod": one / SPEED, "comes": A_LOOK / STEP, "comes_for": LOOKS * STEP, "samples": samples,
    }  # fmt: skip
    asked.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def _course(installation: Installation, messages: Callable[[], int]) -> list[tuple[float, int, int, int]]:
    """At each look: seconds as told, messages, pods wanted, photos stored so far."""
    autoscaler, samples = Autoscaler(SCALER), []
    stored = installation.stored()
    began = time.monotonic()
    with _pods(installation) as scale:
        for look in range(LOOKS + 200):
            if look < LOOKS:
                installation.publish(A_LOOK)
            time.sleep(max(0.0, began + (look + 1) * STEP / SPEED - time.monotonic()))
            waiting = messages()
            done = installation.stored() - stored
            pods = autoscaler.look(waiting)
            scale(pods)
            samples.append(((time.monotonic() - began) * SPEED, waiting, pods, done))
            say(f"{samples[-1][0]:.0f} s: {waiting} messages, {pods} pods, {done} photos")
            if look >= LOOKS and not pods and done >= LOOKS * A_LOOK * OF_A_LISTING:
                return samples
    raise SystemExit(f"after {samples[-1][0]:.0f} s photos are missing or pods are left")


@contextmanager
def _pods(installation: Installation) -> Iterator[Callable[[int], None]]:
    """Start and stop media processes until there are so many; a stopped one ends as a pod does, by SIGTERM."""
    running: list[ExitStack] = []
    ending: list[Thread] = []

    def scale(count: int) -> None:
        while len(running) < count:
            running.append(_started(installation, len(ending) + len(running)))
        while len(running) > count:
            ending.append(Thread(target=running.pop().close))
            ending[-1].start()

    try:
        yield scale
    finally:
        scale(0)
        for each in ending:
            each.join()


def _started(installation: Installation, number: int) -> ExitStack:
    stack = ExitStack()
    log = stack.enter_context((installation.here / f"pod-{number}").open("w"))
    pod = stack.enter_context(process([str(MLSYNC), "run", "media"], installation.env, installation.here, log.fileno()))
    stack.callback(pod.wait, timeout=60)
    stack.callback(pod.terminate)
    return stack


if __name__ == "__main__":
    sys.exit(main())
