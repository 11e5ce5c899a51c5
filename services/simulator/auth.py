"""Who is asking: HTTP Digest (RFC 2617, RFC 7616) as DDF has it, and the other ways an MLS may want it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from .faults import Faults

REALM = "CREA.Distribution"
_BASIC = frozenset({"basic", "both", "both-but-digest", "both-but-basic"})
"""Where Basic is offered."""
_NONCES_KEPT = 10_000
_COUNTS_KEPT = 4096  # how far back a nonce count may arrive late, as it does from clients with several connections
_PARAMETER = re.compile(r'([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the request may pass. If not, ``challenge`` is the WWW-Authenticate value and ``status`` 401 or 400.

    ``info`` is an Authentication-Info value to send along, "" for none.
    """

    passed: bool
    status: int = 401
    challenge: str = ""
    info: str = ""


@dataclass(slots=True)
class _Nonce:
    newest: int = 0
    seen: set[int] = field(default_factory=set)


class Authenticator:
    """Checks one user name and password. Safe for use from several threads."""

    def __init__(self, username: str, password: str, faults: Faults) -> None:
        self._username = username
        self._password = password
        self._faults = faults
        self._lock = threading.Lock()
        self._opaque = secrets.token_hex(16)
        self._nonces: OrderedDict[str, _Nonce] = OrderedDict()

    def check(self, method: str, target: str, authorization: str | None) -> Verdict:
        """Judge a request by its method, its request target as sent and its Authorization header."""
        way = self._faults.on("auth") or "digest"
        scheme, _, rest = (authorization or "").partition(" ")
        if way in _BASIC and scheme.lower() == "basic":
            good = way != "both-but-basic" and self._basic(rest)
            return Verdict(True) if good else Verdict(False, challenge=self.challenge())
        if way == "basic" or scheme.lower() != "digest":
            return Verdict(False, challenge=self.challenge())
        given = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
        if given.get("uri") not in (target, target.partition("?")[0]):
            return Verdict(False, status=400)  # a digest of another request proves nothing about this one
        known = given.get("username") == self._username and given.get("realm") == REALM
        expected = self._response(way, method, given)
        if (
            way == "both-but-digest"
            or not known
            or expected is None
            or not hmac.compare_digest(expected, given.get("response", "").lower())
        ):
            return Verdict(False, challenge=self.challenge())
        if not self._spend(given, counted=way != "digest-noqop") or self._faults.strikes("stale-nonce"):
            return Verdict(False, challenge=self.challenge(stale=True))
        single = self._faults.on("nonce-per-request")
        if single:
            with self._lock:
                self._nonces.pop(given["nonce"], None)
        return Verdict(True, info=f'nextnonce="{self._issue()}"' if single == "nextnonce" else "")

    def challenge(self, *, stale: bool = False) -> str:
        """A challenge for a client that has proved nothing yet, or not well; a line for each way."""
        way = self._faults.on("auth") or "digest"
        offers = [] if way == "basic" else [self._challenge(way, stale)]
        return "\n".join([*offers, f'Basic realm="{REALM}"'] if way in _BASIC else offers)

    def _basic(self, token: str) -> bool:
        try:
            given = base64.b64decode(token, validate=True)
        except binascii.Error:
            return False
        return hmac.compare_digest(given, f"{self._username}:{self._password}".encode())

    def _challenge(self, way: str, stale: bool = False) -> str:
        parts = [f'realm="{REALM}"', f'nonce="{self._issue()}"', f'opaque="{self._opaque}"']
        if way != "digest-noqop":
            parts.append('qop="auth"')
        if way in ("md5-sess", "sha-256"):
            parts.append(f"algorithm={'MD5-sess' if way == 'md5-sess' else 'SHA-256'}")
        if stale:
            parts.append("stale=true")
        return "Digest " + ", ".join(parts)

    def _issue(self) -> str:
        nonce = secrets.token_hex(20)
        with self._lock:
            self._nonces[nonce] = _Nonce()
            if len(self._nonces) > _NONCES_KEPT:
                self._nonces.popitem(last=False)
        return nonce

    def _response(self, way: str, method: str, given: dict[str, str]) -> str | None:
        def digest(*parts: str) -> str:
            kind = hashlib.sha256 if way == "sha-256" else hashlib.md5
            return kind(":".join(parts).encode()).hexdigest()

        nonce, cnonce = given.get("nonce", ""), given.get("cnonce", "")
        first = digest(self._username, REALM, self._password)
        if way == "md5-sess":
            first = digest(first, nonce, cnonce)
        second = digest(method, given.get("uri", ""))
        if way == "digest-noqop":
            return digest(first, nonce, second)
        if given.get("qop") != "auth" or not cnonce or not re.fullmatch(r"[0-9A-Fa-f]{8}", given.get("nc", "")):
            return None
        return digest(first, nonce, given["nc"], cnonce, "auth", second)

    def _spend(self, given: dict[str, str], counted: bool) -> bool:
        """Whether the nonce is ours and this count of it has not been used."""
        with self._lock:
            nonce = self._nonces.get(given["nonce"])
            if nonce is None or given.get("opaque", self._opaque) != self._opaque:
                return False
            if not counted:
                return True
            count = int(given["nc"], 16)
            if count in nonce.seen or count <= nonce.newest - _COUNTS_KEPT:
                return False
            nonce.seen.add(count)
            nonce.newest = max(nonce.newest, count)
            if len(nonce.seen) > 2 * _COUNTS_KEPT:
                nonce.seen = {kept for kept in nonce.seen if kept > nonce.newest - _COUNTS_KEPT}
            return True
