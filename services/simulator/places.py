"""Where the transactions are: at addresses of their own, which faults may move."""

from __future__ import annotations

import re

from .answers import Answer
from .faults import Faults

ELSEWHERE = "/elsewhere"
_PLACE = re.compile(r"/(?:elsewhere|s-[0-9a-f]{12})(?=/)")


def split(path: str) -> tuple[str, str]:
    """The place that an address begins with, "" for the usual one, and the rest."""
    found = _PLACE.match(path)
    return (found[0], path[found.end() :]) if found else ("", path)


def of_session(session: str, faults: Faults) -> str:
    """Where a session's transactions are."""
    match faults.on("moved-login"):
        case "redirect":
            return ELSEWHERE
        case "sessions":
            return f"/s-{session[:12]}"
    return ""


def nobody_there(name: str, place: str, target: str, cookie: str | None, faults: Faults) -> Answer | None:
    """What a request for a transaction comes to whose address is another; None where it is at the right one."""
    if name == "Login":
        if faults.on("moved-login") == "redirect" and not place:
            return Answer(b"", "text/plain", 302, {"Location": f"{ELSEWHERE}{target}"})
        return None
    if faults.on("moved-login") is None or place == of_session(cookie or "", faults):
        return None
    return Answer(b"Not Found", "text/plain", 404)
