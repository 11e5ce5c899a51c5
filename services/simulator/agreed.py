"""Which programs may ask: the User-Agent, and its proof where a password was agreed on (RETS 1.7.2 §3.4, §3.10)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from .answers import RefusedError
from .faults import Faults
from .options import Options

_COOKIE = "RETS-Session-ID"


class Agreements:
    """What was agreed with whoever writes clients. Safe for use from several threads."""

    def __init__(self, options: Options, faults: Faults) -> None:
        self._agents = options.user_agents
        self._password = options.user_agent_password
        self._faults = faults

    def check(self, name: str, headers: Mapping[str, str]) -> None:
        """Raise RefusedError (20036 or 20513, 20037, 20041) for a program that may not ask this."""
        agent = headers.get("User-Agent", "").strip()
        product = agent.partition(" ")[0]
        names = {agent, product, product.partition("/")[0]}
        if not agent or (self._agents and not any(allowed in names for allowed in self._agents)):
            raise RefusedError(20036 if name == "Login" else 20513, "Missing User-Agent or User-Agent not permitted")
        given = headers.get("RETS-UA-Authorization", "").strip()
        if not self._password:
            if given and self._faults.on("proof-unasked"):
                raise RefusedError(20037, "User-Agent Authentication Failed")
            return
        if not given:
            raise RefusedError(20041, "User-Agent Authentication Required")
        scheme, _, proof = given.partition(" ")
        if scheme.lower() != "digest" or not hmac.compare_digest(
            proof.strip(' "').lower(), self._proof(product, headers)
        ):
            raise RefusedError(20037, "User-Agent Authentication Failed")

    def _proof(self, product: str, headers: Mapping[str, str]) -> str:
        try:
            cookie = SimpleCookie(headers.get("Cookie", "")).get(_COOKIE)
        except CookieError:
            cookie = None
        session = cookie.value if cookie else ""
        parts = (_md5(f"{product}:{self._password}"), headers.get("RETS-Request-ID", ""), session,
                 headers.get("RETS-Version", ""))  # fmt: skip
        return _md5(":".join(part.strip() for part in parts))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
