"""Every panel of every dashboard has something to show, asked of a Prometheus that scrapes the four services."""

from __future__ import annotations

from pathlib import Path

from tests.packaging.dashboards import queries
from tests.pipeline.forms import Servers
from tests.pipeline.seen import seen
from tests.pipeline.simulated import until


def test_every_query_of_every_panel_is_answered_with_something(servers: Servers, tmp_path: Path) -> None:
    asked = queries(cluster=False)
    with seen(servers, tmp_path) as (mls, here, prometheus):
        until(lambda: here.count("run", "kind = 'sync' AND finished_at IS NOT NULL") > 0)
        mls.publish_metadata()
        mls.advance(3)
        missing = asked

        def answered() -> bool:
            nonlocal missing
            missing = [query for query in missing if not prometheus.query(query.text)]
            return not missing

        try:
            until(answered)
        except AssertionError:
            raise AssertionError("nothing to show:\n" + "\n".join(query.of for query in missing)) from None
        assert {item["metric"]["alertname"] for item in prometheus.query("ALERTS")} >= {"MlsyncDeadLetters"}
