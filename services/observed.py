"""What may be watched of a process: its endpoints, if it is to serve them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY

from services.app import App
from services.endpoints import Endpoints
from services.health import Health
from services.state_metrics import StateMetrics


@contextmanager
def observed(app: App, *, state: bool = True) -> Iterator[None]:
    """Serve the endpoints of ``app`` where its settings say so; nothing when they name no port.

    With ``state`` the metrics that are read from the store are among them: one process of each installation is enough,
    or sums would count twice. Raises SettingsError when the port is not to be had.
    """
    settings = app.settings
    if settings.http_port is None:
        yield
        return
    health = Health(lambda: app.consumers, lambda: app.helpers, app.checks(), app.stopping, settings.stuck_after)
    endpoints = Endpoints(settings.http_host, settings.http_port, health)
    metrics = StateMetrics(app.store, settings.feeds, app.polite, app.located, app.stopping)
    if state:
        REGISTRY.register(metrics)
    try:
        with endpoints.serving():
            yield
    finally:
        if state:
            REGISTRY.unregister(metrics)
