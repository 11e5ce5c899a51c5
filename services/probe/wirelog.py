"""Requests and answers as text for whoever helps: bounded, and with no credential, cookie, digest or session in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl

from shared.rets.exchange import Exchange
from shared.telemetry import REDACTED, escape, redact

MAX_BYTES: Final = 262_144
_MAX_BODY: Final = 1_000
_MAX_LINE: Final = 500
_TEXTS: Final = ("text/", "application/xml", "application/xhtml")
_LONG_HEX: Final = re.compile(r"(?<![0-9A-Za-z])(?=[0-9]*[A-Fa-f])(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{16,}(?![0-9A-Za-z])")
"""Sessions, nonces, digests and hashes; a number alone is some record's key."""
_PROVING: Final = re.compile(r"([?&;][^=&;?\s]*(?:sess|sid|token|auth|pass|pwd)[^=&;?\s]*=)[^&;\s<\"']+", re.IGNORECASE)
_PARAMETER: Final = re.compile(
    r'(\b(?:nonce|nextnonce|cnonce|opaque|response|rspauth|username)\s*=\s*)("[^"]*"|[^\s,]+)', re.IGNORECASE
)
_SHORT: Final = 4


class WireLog:
    """Keeps what was seen. ``observe`` is for sessions; everything is redacted as it comes, and once more at the end
    by what became known as secret later."""

    def __init__(self) -> None:
        self.requests = 0
        self.offered: dict[str, None] = {}
        """What servers asked for as proof of identity, without its parameters that prove something."""
        self._entries: list[str] = []
        self._size = 0
        self._secrets: set[str] = set()

    def observe(self, seen: Exchange) -> None:
        """Keep one request with its answer."""
        self.requests += 1
        self._secrets.update(seen.secrets)
        self._secrets.update(_cookies(seen.headers))
        self._secrets.update(_proofs(seen.sent))
        self.offered |= {_offer(value): None for name, value in seen.headers if name.lower() == "www-authenticate"}
        entry = "\n".join(self._lines(seen)) + "\n"
        self._size += len(entry.encode())
        if self._size <= MAX_BYTES:
            self._entries.append(entry)

    def text(self) -> str:
        """All of it."""
        left_out = self.requests - len(self._entries)
        end = f"{left_out} requests more are left out\n" if left_out else ""
        return self._clean("\n".join(self._entries)) + end

    def _lines(self, seen: Exchange) -> Iterator[str]:
        url, _, query = seen.url.partition("?")
        yield f"#{self.requests} {seen.transaction}: {seen.method} {self._line(url)}"
        for name, value in parse_qsl(f"{query}&{seen.form}", keep_blank_values=True):
            shown = _PROVING.sub(rf"\1{REDACTED}", f"?{name}={value}")[1:]
            yield f"    {self._line(shown)}"
        for name, value in seen.sent.items():
            yield f"  > {self._line(f'{name}: {_header(name, value)}')}"
        if seen.error:
            yield f"  no answer: {seen.error}"
            return
        yield f"  {seen.status}, {seen.size} bytes"
        for name, value in seen.headers:
            yield f"  < {self._line(f'{name}: {_header(name, value)}')}"
        kind = next((value for name, value in seen.headers if name.lower() == "content-type"), "")
        if kind.lower().startswith(_TEXTS):
            body = self._clean(_PROVING.sub(rf"\1{REDACTED}", seen.head.decode("utf-8", "replace")))[:_MAX_BODY]
            yield from (f"  | {self._line(line)}" for line in body.splitlines())

    def _line(self, text: str) -> str:
        return escape(self._clean(text))[:_MAX_LINE]

    def _clean(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            if len(secret) >= _SHORT:
                text = text.replace(secret, REDACTED)
            else:
                text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", REDACTED, text)
        return redact(_LONG_HEX.sub(REDACTED, text))


def _header(name: str, value: str) -> str:
    """A header's value without what it proves."""
    match name.lower():
        case "authorization" | "proxy-authorization" | "rets-ua-authorization":
            return f"{value.partition(' ')[0]} {REDACTED}"
        case "cookie" | "set-cookie":
            return "; ".join(
                f"{part.partition('=')[0].strip()}={REDACTED}" if "=" in part else part.strip()
                for part in value.split(";")
            )
        case "www-authenticate" | "authentication-info" | "proxy-authenticate":
            return _PARAMETER.sub(rf"\1{REDACTED}", value)
        case "rets-request-id":
            return REDACTED
    return _PROVING.sub(rf"\1{REDACTED}", value)


def _cookies(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in headers:
        if name.lower() == "set-cookie" and (found := value.partition(";")[0].partition("=")[2].strip()):
            yield found


def _proofs(sent: Mapping[str, str]) -> Iterator[str]:
    """What a request proved, wherever a server may repeat it."""
    for name, value in sent.items():
        if name.lower() in ("authorization", "proxy-authorization", "rets-ua-authorization"):
            found = [each[1].strip('"') for each in _PARAMETER.findall(value)]
            yield from (each for each in found or [value.partition(" ")[2]] if len(each) >= _SHORT)
        elif name.lower() == "cookie":
            values = (part.partition("=")[2].strip() for part in value.split(";"))
            yield from (each for each in values if each)


def _offer(challenge: str) -> str:
    """A challenge by its scheme, algorithm and qop."""
    scheme, _, rest = challenge.strip().partition(" ")
    told = dict(re.findall(r'(\w+)\s*=\s*"?([^",]*)"?', rest))
    parts = [told[name] for name in ("algorithm", "qop") if told.get(name)]
    return escape(f"{scheme} ({', '.join(parts)})" if parts else scheme)[:60]
