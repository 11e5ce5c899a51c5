"""An mlsync within the test's own process: where no command is tested, starting one would cost more than its work."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from services.app import App
from services.asking import sync_or_ask
from services.outcome import FeedReport
from shared.settings import FeedSettings, Settings
from tests.pipeline.simulated import PASSWORD, USERNAME, Installation


@dataclass
class Inside(Installation):
    """An installation that this process syncs; ``feed`` are further settings of its feeds. Commands work on it too."""

    feed: dict[str, Any] = field(default_factory=dict)
    feeds: tuple[str, ...] = ("ddf",)

    def app(self) -> App:
        """All of mlsync, not opened yet."""
        mls = {"protocol": "ddf", "login_url": self.login_url, "username": USERNAME, "password": SecretStr(PASSWORD)}
        feed = FeedSettings(**{**mls, **self.feed})
        where: dict[str, Any] = {"database_url": f"sqlite:///{self.database}", "media_url": f"file:{self.media}"}
        if self.place is not None:
            where = {name.removeprefix("MLSYNC_").lower(): text for name, text in self.place.settings.items()}
            where |= {name: SecretStr(text) for name, text in where.items() if name.endswith("_key")}
        return App(Settings.model_construct(**where, feeds=dict.fromkeys(self.feeds, feed)))

    def in_step(self) -> FeedReport:
        """Sync; what came of it for the first feed. All must be in step."""
        with closing(self.app()) as app:
            reports = sync_or_ask(app, self.feeds, limit=None, wait=60.0, watch=lambda _run_id: None)
        assert all(report.in_step for report in reports), reports
        return reports[0]


def inside(folder: Path, login_url: str, **feed: Any) -> Inside:
    """An empty installation in ``folder``, with these settings of its feed."""
    return Inside(folder, login_url, {}, feed)
