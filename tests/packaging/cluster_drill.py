"""Install the chart's demo on a real cluster and hold it to its word. Takes minutes: not in `make test`.

Needs `kubectl` and `helm` on the path, a cluster that `kubectl` may use and where nothing of the release's name is, and
the image of mlsync on its nodes: `python -m tests.packaging.cluster_drill --set image.tag=local`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.packaging import in_step
from tests.packaging.stack import ROOT, SERVICES, DrillError, until

OBJECTS = """
import hashlib, json, os, urllib.parse as u
from minio import Minio, error
url = u.urlsplit(os.environ["MLSYNC_MEDIA_URL"])
client = Minio(u.urlsplit(u.parse_qs(url.query)["endpoint"][0]).netloc, os.environ["MLSYNC_MEDIA_ACCESS_KEY"],
               os.environ["MLSYNC_MEDIA_SECRET_KEY"], secure=False)
found = {}
for name in [item.object_name for item in client.list_objects(url.netloc, recursive=True)]:
    try:
        found[name] = hashlib.sha256(client.get_object(url.netloc, name).read()).hexdigest()
    except error.S3Error:
        found[name] = None  # deleted meanwhile
print(json.dumps(found))
"""
METRICS = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9400/metrics').read().decode())"
DONE = dict.fromkeys(SERVICES, "mlsync_messages_total") | {"fetcher": "mlsync_rets_requests_total"}
"""What a service counts while it works."""
GRACE = 165
"""Seconds that Kubernetes gives a pod, as the chart says by default."""


@dataclass(frozen=True)
class Release:
    """The chart's demo, as one release."""

    chart: Path
    name: str
    namespace: str
    sets: tuple[str, ...]

    @property
    def mine(self) -> str:
        """The label of all that is the release's."""
        return f"app.kubernetes.io/instance={self.name}"

    def helm(self, *arguments: str, seconds: float = 1_200.0) -> str:
        """Run a command of Helm; its output."""
        return _run("helm", "--namespace", self.namespace, *arguments, seconds=seconds)

    def kubectl(self, *arguments: str, seconds: float = 600.0) -> str:
        """Run a command of kubectl; its output."""
        return _run("kubectl", "--namespace", self.namespace, *arguments, seconds=seconds)

    def apply(self, command: str, *sets: str) -> None:
        """``helm install`` or ``helm upgrade``, until all is ready."""
        given = [argument for one in ("demo.enabled=true", *self.sets, *sets) for argument in ("--set", one)]
        self.helm(command, self.name, str(self.chart), "--wait", "--timeout", "15m", *given)

    def full(self, component: str) -> str:
        """The name of a component's object."""
        return f"{self.name}-mlsync-{component}"

    def pods(self, component: str = "", *, ending: bool = False) -> list[dict[str, Any]]:
        """The pods of a component, or all; those on their way out only if asked for."""
        asked = f"{self.mine},app.kubernetes.io/component={component}" if component else self.mine
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", "pods", "-l", asked, "-o", "json"))["items"]
        return [item for item in found if ending or "deletionTimestamp" not in item["metadata"]]

    def python(self, pod: str, program: str, *arguments: str) -> str:
        """What a program prints that Python runs in a pod."""
        return self.kubectl("exec", pod, "--", "python", "-c", program, *arguments)

    def control(self, what: str, method: str = "GET") -> str:
        """Ask the simulator's ``/control/``."""
        return self.python(f"{self.full('simulator')}-0", in_step.CONTROL, what, method)

    def differences(self) -> list[str]:
        """Where listings, photos or the objects' bytes are not what the MLS has; empty when all is in step."""
        stored = self.kubectl("exec", f"{self.full('postgresql')}-0", "--", "psql", "-U", "mlsync", "-At", "-c",
                              in_step.STORED)  # fmt: skip
        if found := in_step.records(self.control("truth"), stored):
            return found
        there = json.loads(self.python(f"deploy/{self.full('reconciler')}", OBJECTS))
        return sorted({f"object {name}" for name, _ in there.items() ^ in_step.objects(stored).items()})

    def done(self, pod: str, component: str) -> float:
        """How much a pod has done since it started."""
        lines = self.python(pod, METRICS).splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{DONE[component]}{{"))

    def ready(self) -> list[str]:
        """Containers that run and are not ready, or were started again. The migration may be tried again."""
        return [
            f"{pod['metadata']['name']}: {state['restartCount']} restarts, {state['state']}"
            for pod in self.pods()
            for state in pod["status"].get("containerStatuses", ())
            if pod["status"]["phase"] != "Succeeded" and (state["restartCount"] or not state["ready"])
        ]


def _run(*command: str, seconds: float) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    if done.returncode:
        raise DrillError(f"{' '.join(command)[:300]}: {done.stderr[-3_000:]}{done.stdout[-3_000:]}")
    return done.stdout


def main() -> int:
    """0 when everything was as it is promised."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--chart", type=Path, default=ROOT / "deploy/helm")
    options.add_argument("--name", default="drill")
    options.add_argument("--namespace", default="default")
    options.add_argument("--set", action="append", default=[], help="a value of the chart, as for helm", dest="sets")
    options.add_argument("--steps", nargs="*", choices=[step.__name__ for step in STEPS], help="not all, but these")
    chosen = options.parse_args()
    release = Release(chosen.chart, chosen.name, chosen.namespace, tuple(chosen.sets))
    for step in STEPS:
        if chosen.steps and step.__name__ not in chosen.steps:
            continue
        began = time.monotonic()
        print(f"{step.__name__:<12} {step(release)} ({time.monotonic() - began:.0f} s)", flush=True)
    return 0


def installed(release: Release) -> str:
    """Everything becomes ready, the migration first."""
    release.apply("install")
    if wrong := release.ready():
        raise DrillError(f"not ready, or started again: {wrong}")
    (job,) = json.loads(release.kubectl("get", "jobs", "-l", release.mine, "-o", "json"))["items"]
    return f"{len(release.pods())} pods, no service or server started again, {job['metadata']['name']} is done"


def first_sync(release: Release) -> str:
    """The first sync ends equal to the MLS."""
    return _settled(release, "the first sync")


def tested(release: Release) -> str:
    """``helm test`` agrees."""
    return release.helm("test", release.name, "--timeout", "15m").partition("Phase:")[2].strip().splitlines()[0]


def upgraded(release: Release) -> str:
    """Other settings make new pods, while the MLS goes on and something waits."""
    before = _names(release)
    release.control("advance?days=1", "POST")
    release.apply("upgrade", "demo.every=45s")
    if kept := before & _names(release):
        raise DrillError(f"not replaced: {kept}")
    return _settled(release, "after the upgrade")


def rolled_back(release: Release) -> str:
    """And back."""
    before = _names(release)
    release.control("advance?days=1", "POST")
    release.helm("rollback", release.name, "1", "--wait", "--timeout", "15m")
    if kept := before & _names(release):
        raise DrillError(f"not replaced: {kept}")
    return _settled(release, "after the rollback")


def scaled(release: Release) -> str:
    """Three media pods share the work of a day."""
    release.apply("upgrade", "services.media.replicas=3")
    names = [pod["metadata"]["name"] for pod in release.pods("media")]
    before = {name: release.done(name, "media") for name in names}
    release.control("advance?days=3", "POST")
    said = _settled(release, "with three media pods")
    did = {name: release.done(name, "media") - before[name] for name in names}
    if len(did) != 3 or not all(did.values()):
        raise DrillError(f"not all were at work: {did}")
    return f"{said}; messages settled by each: {', '.join(f'{number:.0f}' for number in did.values())}"


def drained(release: Release) -> str:
    """A pod of each service is deleted while it works: it ends well and in time, and nothing is lost."""
    took = []
    for service in SERVICES:
        name = release.pods(service)[0]["metadata"]["name"]
        before = release.done(name, service)
        release.control("advance?days=2", "POST")
        until(f"{service} to work", 180, lambda: release.done(name, service) == before)  # noqa: B023
        began = time.monotonic()
        with _watched(release, name) as codes:
            release.kubectl("delete", "pod", name, "--wait", "--timeout", f"{GRACE + 60}s")
        seconds = time.monotonic() - began
        if seconds > GRACE or set(codes) - {"0"}:
            raise DrillError(f"{name}: {seconds:.0f} s, exit code {codes}")
        release.kubectl("rollout", "status", f"deployment/{release.full(service)}", "--timeout", "10m")
        took.append(f"{service} {seconds:.0f} s, exit code {'0' if codes else 'not told'}")
    said = _settled(release, "after the drain")
    return f"{'; '.join(took)}; {said}"


def stopped(release: Release) -> str:
    """All services are told to stop in the middle of a sync: no session stays open at the MLS."""
    (fetcher,) = _names(release, "fetcher")
    before = release.done(fetcher, "fetcher")
    release.control("advance?days=2", "POST")
    until("the fetcher to work", 180, lambda: release.done(fetcher, "fetcher") == before)
    for service in SERVICES:
        release.kubectl("scale", f"deployment/{release.full(service)}", "--replicas", "0")
    until("the pods to end", GRACE + 60, lambda: _names(release, *SERVICES, ending=True))
    if sessions := json.loads(release.control("stats"))["sessions_open"]:
        raise DrillError(f"{sessions} sessions are still open at the MLS")
    return "no session left open at the MLS"


def removed(release: Release) -> str:
    """``helm uninstall`` leaves nothing but volumes."""
    release.helm("uninstall", release.name, "--wait", "--timeout", "10m")
    kinds = "all,secrets,configmaps,serviceaccounts,networkpolicies,poddisruptionbudgets,persistentvolumeclaims"

    def left() -> list[str]:
        asked = ("get", kinds, "-l", release.mine, "-o", "name")
        return [name for name in release.kubectl(*asked).split() if not name.startswith("persistentvolumeclaim/")]

    until("nothing but volumes", 240, left)
    return "nothing left but volumes"


def _settled(release: Release, what: str) -> str:
    until(what, 600, release.differences)
    asked = ("--container", "fetcher", "--", "mlsync", "status", "--json")
    told = json.loads(release.kubectl("exec", f"deploy/{release.full('fetcher')}", *asked))["feeds"]["demo"]
    if not told["stored"] == told["at_mls"] or told["quarantined"] or told["held"]:
        raise DrillError(f"{what}: {told}")
    return (
        f"{told['stored']} listings and {told['photos']['stored']} photos, row by row and byte by byte those of the MLS"
    )


def _names(release: Release, *services: str, ending: bool = False) -> set[str]:
    return {pod["metadata"]["name"] for service in services or SERVICES for pod in release.pods(service, ending=ending)}


@contextmanager
def _watched(release: Release, pod: str) -> Iterator[list[str]]:
    """The exit code of a pod's container, when the block has ended; nothing where the node deletes it untold."""
    asked = ["kubectl", "--namespace", release.namespace, "get", "pod", pod, "--watch", "-o",
             'jsonpath={.status.containerStatuses[0].state.terminated.exitCode}{"\\n"}']  # fmt: skip
    codes: list[str] = []
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as watching:
        try:
            yield codes
            time.sleep(1)
        finally:
            watching.terminate()
        codes += [line for line in watching.communicate()[0].split() if line]


STEPS = (installed, first_sync, tested, upgraded, rolled_back, scaled, drained, stopped, removed)


if __name__ == "__main__":
    sys.exit(main())
