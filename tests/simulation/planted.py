"""Bugs of the kinds that the rules of convergence exclude, each put into the product at one place, to see them caught.

A bug is another text for a piece of one function: where the product's text changes, planting fails loudly.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from services.writer import decide as writing
from services.writer.service import Writer
from shared.store.sql.feeds import SqlFeeds
from shared.store.sql.media import SqlMedia
from shared.store.sql.removals import SqlRemovals


@dataclass(frozen=True)
class Bug:
    """``swaps`` are pieces of the text of ``where``'s function ``name``, each with what takes its place."""

    words: str
    where: Any
    name: str
    swaps: Sequence[tuple[str, str]]
    shows: dict[str, Any] = field(default_factory=dict)
    """Of worlds in which it shows sooner than in others."""

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The product with the bug in it."""
        right = inspect.getattr_static(self.where, self.name)
        users = [self.where, *_importers(right)]
        wrong = _rewritten(right, self.swaps)
        for user in users:
            setattr(user, self.name, wrong)
        try:
            yield
        finally:
            for user in users:
                setattr(user, self.name, right)


def _importers(right: object) -> list[Any]:
    """Modules that have taken the function over by its name."""
    name = getattr(right, "__name__", "")
    return [
        module
        for called, module in sys.modules.items()
        if called.startswith(("services.", "shared.")) and vars(module).get(name) is right
    ]


def _rewritten(right: Any, swaps: Sequence[tuple[str, str]]) -> FunctionType:
    plain = inspect.unwrap(right)
    text = textwrap.dedent(inspect.getsource(plain))
    for old, new in swaps:
        if text.count(old) != 1:
            raise LookupError(f"{plain.__qualname__} has {text.count(old)} times: {old}")
        text = text.replace(old, new)
    made: dict[str, Any] = {}
    exec(compile(text, f"<planted in {plain.__qualname__}>", "exec"), plain.__globals__, made)
    function: FunctionType = made[plain.__name__]
    return function


SEVERAL: dict[str, Any] = {
    "form": "distributed", "workers": 2, "guard": None, "lagging": False, "people": False, "begun": True
}  # fmt: skip

BUGS = {
    "process-clock": Bug(
        "observations are dated by the clock of the process instead of the store's",
        SqlFeeds,
        "observe",
        [("    row = ", "    import time\n\n    return int(time.time() * MICROSECONDS)\n    row = ")],
        {"skewed": True},
    ),
    "compare-write-apart": Bug(
        "the writer compares in one transaction and writes in the next",
        Writer,
        "_page",
        [("        effects = on_page(", "    with self._store.write() as tx:\n        effects = on_page(")],
        {"form": "distributed", "workers": 2, "listings": 2},
    ),
    "guard-per-range": Bug(
        "removals are weighed for each range, not for the whole inventory",
        SqlRemovals,
        "weighed",
        [("    if parts > handled:", "    handled = parts\n    if parts > handled:")],
        {"guard": 1, "listings": 6, "range_size": 1, "lagging": False, "faulty": False},
    ),
    "older-inventory-removes": Bug(
        "what an inventory lacks is removed though a newer one has been handled",
        writing,
        "on_gone",
        [("    if horizon is not None and observed_at < horizon:\n        return []\n", "")],
        {**SEVERAL, "listings": 6, "range_size": 1, "faulty": False},
    ),
    "name-used-twice": Bug(
        "a photo's object gets the name that an earlier one with the same bytes had",
        SqlMedia,
        "begin",
        [
            ("name(item, first + index)", "name(item, 0)"),
            ('"INSERT INTO media_object', '"INSERT OR REPLACE INTO media_object'),
        ],
        {**SEVERAL, "listings": 2, "alike": True},
    ),
    "publish-before-commit": Bug(
        "the writer says that photos are pending before the rows that say so are there",
        Writer,
        "_page",
        [
            (
                "    now = self._store.feeds.now()\n",
                "    for item in read:\n"
                "        early = PhotosPending(feed=page.feed, resource=page.resource, key=item.mapped.key)\n"
                "        self._outbox.publish(early, run_id)\n"
                "    now = self._store.feeds.now()\n",
            ),
            ("(of(key=key) for key in pending)", "()"),
        ],
    ),
    "late-page-writes": Bug(
        "a page that nobody wants any more is written though a newer inventory has been handled",
        writing,
        "_counts",
        [("horizon is None or page.observed_at > horizon or ", "True or ")],
    ),
}
"""By name. The first six are what the rules are about; the others are what somebody might simplify away."""
