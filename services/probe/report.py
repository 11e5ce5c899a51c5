"""What a probe found, line by line, and the settings that follow, ready to be pasted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import yaml

from services.app import login_url
from shared.settings import FeedSettings
from shared.telemetry import escape, redact

_SECRET: Final = frozenset({"username", "password", "user_agent_password", "proxy"})
_ALWAYS: Final = ("protocol", "login_url")


class Verdict(StrEnum):
    """How a try ended."""

    works = "works"
    no = "no"
    """The server says that it does not, or does something else."""
    unclear = "unclear"
    failed = "failed"
    """Neither yes nor no: the try itself went wrong."""
    skipped = "skipped"


@dataclass(frozen=True, slots=True)
class Line:
    """One try."""

    topic: str
    what: str
    verdict: Verdict
    said: str = ""


@dataclass(slots=True)
class Report:
    """Everything. ``settings`` are those found to differ from what is usual; ``obstacle`` is why the feed cannot be
    synced, "" when it can."""

    lines: list[Line] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    obstacle: str = "nobody could log in"
    requests: int = 0

    def as_json(self, name: str, feed: FeedSettings) -> dict[str, Any]:
        """The shape scripts rely on."""
        return {
            "lines": [
                {"topic": each.topic, "what": each.what, "result": each.verdict.value, "said": redact(each.said)}
                for each in self.lines
            ],
            "requests": self.requests,
            "obstacle": redact(self.obstacle),
            "settings": {"feeds": {name: self.proposed(feed)}} if not self.obstacle else None,
        }

    def in_words(self, name: str, feed: FeedSettings) -> Iterator[str]:
        """A line for each try, how many requests it took, and the settings as YAML."""
        wide = max((len(each.what) for each in self.lines), default=0)
        for each in self.lines:
            text = f"{each.topic:12} {each.what:{wide}}  {each.verdict.value:8} {each.said}"
            yield escape(redact(text.rstrip()))
        yield ""
        yield f"{self.requests} requests"
        if self.obstacle:
            yield escape(redact(f"this feed cannot be synced: {self.obstacle}"))
            return
        yield "settings that differ from the usual; user name, passwords and proxy stay where they are:"
        yield ""
        yield yaml.safe_dump({"feeds": {name: self.proposed(feed)}}, sort_keys=False, allow_unicode=True).rstrip()

    def proposed(self, feed: FeedSettings) -> dict[str, Any]:
        """The feed's settings but for those that are secret, and for those that are the default."""
        now = feed.model_dump(mode="json", exclude_defaults=True, exclude=set(_SECRET))
        found = {"protocol": feed.protocol, "login_url": login_url(feed)} | now | self.settings
        bare = FeedSettings(protocol=feed.protocol, login_url=login_url(feed), username="-", password="-")  # noqa: S106
        usual = bare.model_dump(mode="json")
        return {name: value for name, value in found.items() if name in _ALWAYS or value != usual.get(name)}
