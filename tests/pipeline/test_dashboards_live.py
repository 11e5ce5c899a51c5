"""Every panel of every dashboard has something to show, asked of a Prometheus that scrapes the four services."""

from __future__ import annotations

import time
from pathlib import Path

from tests.packaging.dashboards import queries
from tests.pipeline.forms import Servers
from tests.pipeline.seen import seen


def test_every_query_of_every_panel_is_answered_with_something(servers: Servers, tmp_path: Path) -> None:
    asked = queries()
    with seen(servers, tmp_path) as (mls, _, prometheus):
        deadline = time.monotonic() + 120
        while missing := [query for query in asked if not prometheus.query(query.text)]:
            asked = missing
            assert time.monotonic() < deadline, "nothing to show:\n" + "\n".join(query.of for query in missing)
            mls.advance()
            time.sleep(5)
        assert {item["metric"]["alertname"] for item in prometheus.query("ALERTS")} >= {"MlsyncDeadLetters"}
