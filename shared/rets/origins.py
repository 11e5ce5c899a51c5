"""To whom a login's credentials may go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: the thing that credentials are given to. Raises ValueError for what is no HTTP URL."""
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("not an http or https address")
    return parts.scheme, parts.hostname.lower(), parts.port or _DEFAULT_PORTS[parts.scheme]


class TrustedOrigins:
    """Where a login's credentials may go: the origin of the login URL, and hosts that the operator listed.

    A listed host is ``host`` (the login's port, or the default one) or ``host:port``; its scheme is the login's, or
    https: never down from https.
    """

    def __init__(self, login_url: str, listed: Sequence[str] = ()) -> None:
        self.home = scheme, _, port = origin(login_url)
        self._trusted = {self.home}
        for entry in listed:
            host, _, given = entry.lower().rpartition(":") if re.search(r":\d+$", entry) else (entry.lower(), "", "")
            for secure in {scheme, "https"}:
                ports = {int(given)} if given else {_DEFAULT_PORTS[secure], *([port] if secure == scheme else [])}
                self._trusted.update((secure, host.strip("[]"), number) for number in ports)

    def __contains__(self, url: object) -> bool:
        try:
            return isinstance(url, str) and origin(url) in self._trusted
        except ValueError:
            return False


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine by name or literal address; a name that merely resolves to it is not."""
    return host in {"localhost", "::1"} or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None
