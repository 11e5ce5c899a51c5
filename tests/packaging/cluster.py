"""What a cluster's own exporters would say of the chart's objects, since no cluster can run here.

Names and labels are those of kube-state-metrics 2 and of the kubelet's cAdvisor; every object is one that the chart
renders. The figures are made up: a load that makes the media pods more, then fewer.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.helm.chart import SERVERS, Json, example, merged, objects

NAMESPACE = "mls"
PERIOD = 120.0
"""Seconds from load to load."""
MEMORY = 512 * 1024**2


@contextmanager
def cluster_exporter() -> Iterator[str]:
    """``host:port`` of an exporter that speaks for a release of the chart, for as long as the block lasts."""
    rendered = [item for item in objects(merged(SERVERS, example("ddf"))) if item["metadata"].get("name")]
    began = time.monotonic()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = "".join(f"{line}\n" for line in _lines(rendered, time.monotonic() - began)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _lines(rendered: list[Json], seconds: float) -> Iterator[str]:
    wave = 0.5 - 0.5 * math.cos(2 * math.pi * seconds / PERIOD)
    for item in rendered:
        name, kind = item["metadata"]["name"], item["kind"]
        if kind == "Deployment":
            yield from _deployment(name, item["spec"], seconds, wave)
        elif kind == "ScaledObject":
            name = f"keda-hpa-{name}"  # what KEDA calls the autoscaler it makes
            yield _told("kube_horizontalpodautoscaler_spec_max_replicas", item["spec"]["maxReplicaCount"],
                        horizontalpodautoscaler=name)  # fmt: skip
            yield _told("kube_horizontalpodautoscaler_status_desired_replicas", _scaled(wave),
                        horizontalpodautoscaler=name)  # fmt: skip
        elif kind == "PodDisruptionBudget":
            yield _told("kube_poddisruptionbudget_status_pod_disruptions_allowed", 1, poddisruptionbudget=name)


def _deployment(name: str, spec: Json, seconds: float, wave: float) -> Iterator[str]:
    wanted = spec.get("replicas", _scaled(wave))  # left out where an autoscaler owns it
    yield _told("kube_deployment_spec_replicas", wanted, deployment=name)
    yield _told("kube_deployment_status_replicas_ready", wanted, deployment=name)
    for number in range(wanted):
        container = {"pod": f"{name}-7c9d8b6f5-{number:05}", "container": "mlsync"}
        yield _told("kube_pod_info", 1, pod=container["pod"])
        yield _told("kube_pod_container_status_restarts_total", int(seconds // PERIOD), **container)
        yield _told("kube_pod_container_resource_limits", MEMORY, resource="memory", unit="byte", **container)
        yield _told("container_memory_working_set_bytes", 90e6 + 60e6 * wave, **container)
        yield _told("container_cpu_usage_seconds_total", seconds * (0.1 + 0.02 * number), **container)


def _scaled(wave: float) -> int:
    return 1 + round(5 * wave)


def _told(metric: str, value: float, **labels: str) -> str:
    said = ",".join(f'{label}="{text}"' for label, text in {"namespace": NAMESPACE, **labels}.items())
    return f"{metric}{{{said}}} {value}"
