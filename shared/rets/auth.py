"""Digest and Basic authentication of one login (RETS 1.7.2 §4, §14.2). What we send is strict RFC 7616."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Collection, Sequence

from pydantic import SecretStr

from shared.rets.digest import (
    HASHES,
    STRENGTH,
    Challenge,
    choose_qop,
    digest_response,
    parse_challenges,
    quoted,
    split_algorithm,
)


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
        schemes: Collection[str] = ("digest", "basic"),
        make_cnonce: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._username = username
        self._password = password
        self._basic_allowed = basic_allowed
        self._schemes = schemes
        self._make_cnonce = make_cnonce
        self.refused_basic = False
        self._digest_fails = self.digest_refused = False
        self.sent: list[str] = []
        """What the last request carried that must appear in no text."""
        self.reset()

    def reset(self) -> None:
        """Forget nonce and scheme: the next request is not authorised until the server asks."""
        self._challenge: Challenge | None = None
        self._count = 0
        self._cnonce = ""

    @property
    def scheme(self) -> str:
        """Of the challenge that is answered, "" while there is none."""
        return self._challenge.scheme if self._challenge is not None else ""

    def take(self, headers: Sequence[str]) -> bool:
        """Choose the strongest of the offered challenges; False when none can be answered."""
        strongest = max(parse_challenges(headers), key=self._rank, default=None)
        if strongest is None or not self._rank(strongest):
            return False
        self._use(strongest)
        return True

    def fall_back(self, headers: Sequence[str]) -> bool:
        """Use Basic where a digest was refused and it is offered as well: some servers check digests wrongly. Later
        logins begin with it. False when there is nothing to fall back on."""
        self._digest_fails = self.scheme == "digest"
        self.digest_refused |= self._digest_fails
        self._digest_fails = self._digest_fails and self.take(headers)
        return self._digest_fails

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
        if challenge.scheme not in self._schemes:
            return 0
        if challenge.scheme == "basic":
            self.refused_basic = not self._basic_allowed
            return 1 if self._basic_allowed else 0
        if challenge.scheme != "digest" or "nonce" not in challenge.parameters or self._digest_fails:
            return 0
        base, _ = split_algorithm(challenge.parameters.get("algorithm", "MD5"))
        if base not in STRENGTH or HASHES[base] not in hashlib.algorithms_available:
            return 0
        if "qop" in challenge.parameters and choose_qop(challenge.parameters["qop"]) is None:
            return 0
        return 2 + STRENGTH.index(base)

    def _digest(self, given: dict[str, str], method: str, uri: str, body: bytes) -> str:
        self._count += 1
        nc = f"{self._count:08x}"
        algorithm = given.get("algorithm", "")
        qop = choose_qop(given.get("qop", "")) or ""
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
            f"username={quoted(username)}",
            f"realm={quoted(given.get('realm', ''))}",
            f"nonce={quoted(given['nonce'])}",
            f"uri={quoted(uri)}",
            f'response="{response}"',
        ]
        if algorithm:
            fields.append(f"algorithm={algorithm}")
        if "opaque" in given:
            fields.append(f"opaque={quoted(given['opaque'])}")
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
