"""A feed synced again and again within this process: many syncs a second, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.app import App
from services.outcome import FeedReport
from services.sync import sync
from shared.settings import FeedSettings, Settings
from tests.pipeline.copies import in_files
from tests.pipeline.simulated import PASSWORD, USERNAME, Mls
from tests.pipeline.truth import differences


class Hurried(App):
    """An app that does not sleep between two tries of a request."""

    def _pause(self, seconds: float) -> None:
        super()._pause(min(seconds, 0.01))


class Feed:
    """A feed synced in this process, again and again."""

    def __init__(self, app: App, mls: Mls, database: Path) -> None:
        self.app, self.mls, self.database = app, mls, database

    def sync(self) -> FeedReport:
        """Once."""
        return sync(self.app, ["ddf"], wait=2.0)[0]

    def stored(self) -> set[str]:
        """The keys of the listings that have a row."""
        with self.app.store.write() as tx:
            return {line.key for line in tx.ledger.between("ddf", "property", None, None) if line.stored}

    def differences(self) -> list[str]:
        """What is not as at the MLS."""
        return differences(
            in_files(self.database, self.database.with_name("photos")), self.mls.truth(size=""), media="none"
        )


@contextmanager
def reading(mls: Mls, folder: Path) -> Iterator[Feed]:
    """The feed of a running simulator, with its database in ``folder``."""
    feed = FeedSettings.model_validate(
        {
            "protocol": "ddf", "login_url": mls.login_url, "username": USERNAME, "password": PASSWORD,
            "media": "none", "read_timeout": 5,
        }
    )  # fmt: skip
    settings = Settings(database_url=f"sqlite:///{folder}/m.db", media_url=f"file:{folder}/photos", feeds={"ddf": feed})
    with Hurried(settings).running() as app:
        yield Feed(app, mls, folder / "m.db")
