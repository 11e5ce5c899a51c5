"""An mlsync of several processes, which meet at a broker, in a database and at a bucket."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.distributed import fetcher_of
from tests.pipeline import forms
from tests.pipeline.forms import Servers
from tests.pipeline.simulated import MLSYNC, Installation, Mls, process, simulated


@dataclass
class Processes(Installation):
    """Commands that all use the same broker and database."""

    def start(self, *arguments: str) -> AbstractContextManager[subprocess.Popen[str]]:
        return self._started(arguments)

    @contextmanager
    def _started(self, arguments: tuple[str, ...]) -> Iterator[subprocess.Popen[str]]:
        """Its log is ``log-<number>`` in the folder."""
        number = len(list(self.folder.glob("log-*")))
        with (
            (self.folder / f"log-{number}").open("w") as log,
            process([str(MLSYNC), *arguments], self.env, self.folder, log.fileno()) as running,
        ):
            yield running

    @contextmanager
    def running(self, *commands: str) -> Iterator[list[subprocess.Popen[str]]]:
        """``mlsync run`` for each of ``commands``: the names of services, separated by spaces."""
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(self.start("run", *command.split())) for command in commands]

    def fetcher(self) -> int | None:
        """The process that fetches; None when none does."""
        with contextlib.closing(self.store()) as store:
            holder = store.leases.holder(fetcher_of("ddf"))
        return int(holder.split(":")[1]) if holder else None

    def give_up_objects(self) -> None:
        """What is done with objects that died with their process an hour ago, now."""
        with contextlib.closing(self.store()) as store:
            store.objects.bury(store.feeds.now() + 1)
        assert self.run("audit", "media").code == 0

    def logged(self, event: str) -> int:
        """How often processes have logged it."""
        return sum(path.read_text().count(f'"event": "{event}"') for path in self.folder.glob("log-*"))


@contextmanager
def distributed(
    servers: Servers, folder: Path, listings: int = 40, photos: int = 2, **settings: str
) -> Iterator[tuple[Mls, Processes]]:
    """A simulator, and an installation of processes that read it; ``settings`` are of the feed. Nothing runs yet."""
    with forms.distributed(servers), simulated(listings, photos) as mls:
        feed = {f"MLSYNC_FEEDS__DDF__{name.upper()}": value for name, value in settings.items()}
        here = Processes(
            folder,
            mls.login_url,
            {
                "MLSYNC_TAKEOVER": "4",
                "MLSYNC_MEDIA__WORKERS": "4",
                "MLSYNC_FEEDS__DDF__EVERY": "1h",
            }
            | feed,
        )
        assert here.run("migrate").code == 0
        yield mls, here
