"""Challenges and the digest that answers them (RFC 7616, RFC 2617, RETS 1.7.2 §4.2).

Servers are lax about the challenge (missing commas, several challenges in one header), so reading it is lax.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

_ITEM: Final = re.compile(r'([A-Za-z0-9!#$%&\'*+.^_`|~-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]*)))?')

HASHES: Final = {"MD5": "md5", "SHA": "sha1", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
STRENGTH: Final = ("MD5", "SHA", "SHA-1", "SHA-256", "SHA-512-256")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge of a ``WWW-Authenticate`` header: lower-case scheme and parameter names, values unquoted."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def stale(self) -> bool:
        """The password was right and only the nonce is old: answer again, silently."""
        return self.parameters.get("stale", "").lower() == "true"


def parse_challenges(headers: Iterable[str]) -> list[Challenge]:
    """Every challenge in the given header values, in order. Separators may be commas, blanks, or missing."""
    challenges: list[Challenge] = []
    for header in headers:
        for match in _ITEM.finditer(header):
            name, quoted, token = match.groups()
            if quoted is None and token is None:
                challenges.append(Challenge(name.lower()))
            elif challenges:
                value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token
                challenges[-1].parameters[name.lower()] = value
    return challenges


def digest_response(
    *,
    algorithm: str,
    username: str,
    password: str,
    realm: str,
    nonce: str,
    method: str,
    uri: str,
    qop: str = "",
    nc: str = "",
    cnonce: str = "",
    body: bytes = b"",
    charset: str = "utf-8",
) -> str:
    """The ``response`` of RFC 7616 §3.4.1; ``qop`` "" is the form of RFC 2069. KeyError for an unknown algorithm."""
    base, session = split_algorithm(algorithm)
    name = HASHES[base]

    def h(data: bytes) -> str:
        return hashlib.new(name, data, usedforsecurity=False).hexdigest()

    secret = h(f"{username}:{realm}:{password}".encode(charset))
    if session:
        secret = h(f"{secret}:{nonce}:{cnonce}".encode())
    action = f"{method}:{uri}" if qop != "auth-int" else f"{method}:{uri}:{h(body)}"
    middle = f"{nonce}:{nc}:{cnonce}:{qop}" if qop else nonce
    return h(f"{secret}:{middle}:{h(action.encode())}".encode())


def split_algorithm(algorithm: str) -> tuple[str, bool]:
    """The upper-case name of the hash, and whether it is a session variant; MD5 when not named."""
    name = algorithm.upper() or "MD5"
    return (name.removesuffix("-SESS"), True) if name.endswith("-SESS") else (name, False)


def choose_qop(offered: str) -> str | None:
    """``auth`` if offered, else ``auth-int``, "" when nothing is offered, None when only unknown ones are."""
    names = [name for name in re.split(r"[\s,]+", offered.lower()) if name]
    if not names:
        return ""
    return next((name for name in ("auth", "auth-int") if name in names), None)


def quoted(value: str) -> str:
    """The value as a quoted string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
