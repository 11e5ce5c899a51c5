"""The proof that a client is one the MLS agreed to: RETS-UA-Authorization (RETS 1.7.2 §3.4, §3.10)."""

from __future__ import annotations

import hashlib
from typing import Literal

Scheme = Literal["standard", "interealty"]
"""Interealty's servers leave the product's version, the request's id and the session out of it."""


def user_agent_digest(
    user_agent: str,
    password: str,
    *,
    request_id: str = "",
    session_id: str = "",
    version: str,
    scheme: Scheme = "standard",
) -> str:
    """The digest for one request. Of ``user_agent`` the first product counts, with its version; ``version`` is the
    whole value of RETS-Version. To be made anew for each request, since the session's id may change with any answer."""
    product = (user_agent.split() or [""])[0]
    if scheme == "interealty":
        product, request_id, session_id = product.partition("/")[0], "", ""
    secret = _md5(f"{product}:{password}")
    return _md5(f"{secret}:{request_id.strip()}:{session_id.strip()}:{version.strip()}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
