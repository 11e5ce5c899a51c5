"""What may be watched of a process: its endpoints, if it is to serve them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import REGISTRY

from services.app import App
from services.endpoints import Endpoints
from services.health import Health
from services.state_metrics import StateMetrics


@contextmanager
def observed(app: App, services: Sequence[str]) -> Iterator[None]:
    """Serve the endpoints of a process that runs ``services``; nothing when its settings name no port.

    Metrics that are read from the store are served with the fetcher alone, or sums over processes would count them
    more than once. Raises SettingsError when the port is not to be had.
    """
    settings = app.settings
    if settings.http_port is None:
        yield
        return
    health = Health(
        lambda: app.consumers, lambda: app.helpers, app.checks(services), app.stopping, settings.stuck_after
    )
    endpoints = Endpoints(settings.http_host, settings.http_port, health)
    metrics = StateMetrics(app.store, settings.feeds, app.polite, app.located, app.stopping)
    state = "fetcher" in services
    if state:
        REGISTRY.register(metrics)
    try:
        with endpoints.serving():
            yield
    finally:
        if state:
            REGISTRY.unregister(metrics)
