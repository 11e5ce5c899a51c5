"""Digest and Basic authentication (RFC 7616, RFC 2617, RETS 1.7.2 §4), and to whom credentials may go.

Servers are lax about the challenge (missing commas, several challenges in one header), so reading it is lax;
what we send is strict.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_ITEM: Final = re.compile(r'([A-Za-z0-9!#$%&\'*+.^_`|~-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]*)))?')

_HASHES: Final = {"MD5": "md5", "SHA": "sha1", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_STRENGTH: Final = ("MD5", "SHA", "SHA-1", "SHA-256", "SHA-512-256")


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
    base, session = _split_algorithm(algorithm)
    name = _HASHES[base]

    def h(data: bytes) -> str:
        return hashlib.new(name, data, usedforsecurity=False).hexdigest()

    secret = h(f"{username}:{realm}:{password}".encode(charset))
    if session:
        secret = h(f"{secret}:{nonce}:{cnonce}".encode())
    action = f"{method}:{uri}" if qop != "auth-int" else f"{method}:{uri}:{h(body)}"
    middle = f"{nonce}:{nc}:{cnonce}:{qop}" if qop else nonce
    return h(f"{secret}:{middle}:{h(action.encode())}".encode())


def _split_algorithm(algorithm: str) -> tuple[str, bool]:
    name = algorithm.upper() or "MD5"
    return (name.removesuffix("-SESS"), True) if name.endswith("-SESS") else (name, False)


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


class Authenticator:
    """One login's credentials and the state of its digest. Not safe for use from two threads at once.

    Once a nonce is known every request is authorised before the server asks (RETS 1.7.2 §14.2).
    """

    def __init__(
        self,
        username: str,
        password: SecretStr,
        *,
        basic_allowed: bool,
        make_cnonce: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._username = username
        self._password = password
        self._basic_allowed = basic_allowed
        self._make_cnonce = make_cnonce
        self.refused_basic = False
        self.sent: list[str] = []
        """What the last request carried that must appear in no text."""
        self.reset()

    def reset(self) -> None:
        """Forget nonce and scheme: the next request is not authorised until the server asks."""
        self._challenge: Challenge | None = None
        self._count = 0
        self._cnonce = ""

    def take(self, headers: Sequence[str]) -> bool:
        """Choose the strongest of the offered challenges; False when none can be answered."""
        strongest = max(parse_challenges(headers), key=self._rank, default=None)
        if strongest is None or not self._rank(strongest):
            return False
        self._use(strongest)
        return True

    def note(self, authentication_info: str) -> None:
        """Take over the ``nextnonce`` of an ``Authentication-Info`` header; the count starts anew."""
        if self._challenge is None or self._challenge.scheme != "digest":
            return
        found = parse_challenges([f"Digest {authentication_info}"])[0].parameters.get("nextnonce")
        if found and found != self._challenge.parameters.get("nonce"):
            self._use(Challenge("digest", {**self._challenge.parameters, "nonce": found}))

    def authorization(self, method: str, uri: str, body: bytes) -> str | None:
        """The ``Authorization`` value of a request, None while the server has not asked. ``uri``: the Request-URI."""
        challenge = self._challenge
        if challenge is None:
            return None
        if challenge.scheme == "basic":
            pair = f"{self._username}:{self._password.get_secret_value()}".encode()
            self.sent = [base64.b64encode(pair).decode()]
            return f"Basic {self.sent[0]}"
        return self._digest(challenge.parameters, method, uri, body)

    def _use(self, challenge: Challenge) -> None:
        self._challenge = challenge
        self._count = 0
        # One cnonce per nonce: the session key of the -sess algorithms is made from the first (RFC 7616 §3.4.2).
        self._cnonce = self._make_cnonce()

    def _rank(self, challenge: Challenge) -> int:
        if challenge.scheme == "basic":
            self.refused_basic = not self._basic_allowed
            return 1 if self._basic_allowed else 0
        if challenge.scheme != "digest" or "nonce" not in challenge.parameters:
            return 0
        base, _ = _split_algorithm(challenge.parameters.get("algorithm", "MD5"))
        if base not in _STRENGTH or _HASHES[base] not in hashlib.algorithms_available:
            return 0
        if "qop" in challenge.parameters and _choose_qop(challenge.parameters["qop"]) is None:
            return 0
        return 2 + _STRENGTH.index(base)

    def _digest(self, given: dict[str, str], method: str, uri: str, body: bytes) -> str:
        self._count += 1
        nc = f"{self._count:08x}"
        algorithm = given.get("algorithm", "")
        qop = _choose_qop(given.get("qop", "")) or ""
        charset = self._charset(given)
        response = digest_response(
            algorithm=algorithm or "MD5",
            username=self._username,
            password=self._password.get_secret_value(),
            realm=given.get("realm", ""),
            nonce=given["nonce"],
            method=method,
            uri=uri,
            qop=qop,
            nc=nc,
            cnonce=self._cnonce,
            body=body,
            charset=charset,
        )
        self.sent = [response]
        # HTTP headers travel as latin-1; other bytes of the user name pass through it unchanged.
        username = self._username.encode(charset).decode("latin-1")
        fields = [
            f'username="{_escape(username)}"',
            f'realm="{_escape(given.get("realm", ""))}"',
            f'nonce="{_escape(given["nonce"])}"',
            f'uri="{_escape(uri)}"',
            f'response="{response}"',
        ]
        if algorithm:
            fields.append(f"algorithm={algorithm}")
        if "opaque" in given:
            fields.append(f'opaque="{_escape(given["opaque"])}"')
        if qop:
            fields += [f"qop={qop}", f"nc={nc}"]
        if qop or algorithm.upper().endswith("-SESS"):
            fields.append(f'cnonce="{self._cnonce}"')
        return "Digest " + ", ".join(fields)

    def _charset(self, given: dict[str, str]) -> str:
        if given.get("charset", "").lower() == "utf-8":
            return "utf-8"
        try:
            f"{self._username}{self._password.get_secret_value()}{given.get('realm', '')}".encode("latin-1")
        except UnicodeEncodeError:
            return "utf-8"
        return "latin-1"


def _choose_qop(offered: str) -> str | None:
    """``auth`` if offered, else ``auth-int``, "" when nothing is offered, None when only unknown ones are."""
    names = [name for name in re.split(r"[\s,]+", offered.lower()) if name]
    if not names:
        return ""
    return next((name for name in ("auth", "auth-int") if name in names), None)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
