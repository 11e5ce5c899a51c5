"""What a RETS session must be told: one frozen value, built by the application, read by everyone here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from shared.rets.mend import MEBIBYTE
from shared.rets.origins import is_loopback, origin
from shared.rets.user_agent import Scheme

Method = Literal["GET", "POST"]
RETRY_SECONDS: Final = 180.0
VERSIONS: Final = ("RETS/1.7.2", "RETS/1.7", "RETS/1.5", "RETS/1.8")


@dataclass(frozen=True, slots=True)
class RetsSettings:
    """One login at one server. Seconds, bytes and counts as the names say. ValueError for an unusable address."""

    login_url: str
    username: str
    password: SecretStr
    user_agent: str = "mlsync/0.1"
    user_agent_password: SecretStr | None = None
    """Proves the User-Agent to servers that agreed on one. Without it no proof is sent: some servers refuse it."""
    user_agent_scheme: Scheme = "standard"
    request_ids: bool = False
    """Whether every request carries a RETS-Request-ID of its own."""
    rets_version: str = "RETS/1.7.2"
    fallback_versions: tuple[str, ...] = VERSIONS
    """Tried in turn when the login is refused and the server's text speaks of the version."""
    login_arguments: Mapping[str, str] = field(default_factory=dict)
    """Sent with Login, for example ``BrokerCode`` (RETS 1.7.2 §4.4)."""
    methods: Mapping[str, Method] = field(default_factory=dict)
    """HTTP method by transaction, where the default (Search by POST, else GET) does not suit the server."""
    auth_hosts: tuple[str, ...] = ()
    """Other hosts, ``host`` or ``host:port``, that may be given the credentials."""
    schemes: tuple[Literal["digest", "basic"], ...] = ("digest", "basic")
    """Ways to prove who one is that are used where the server offers them."""
    basic_over_cleartext: bool = False
    """Whether Basic may be used over http to another machine, where anyone on the way can read the password."""
    proxies: Mapping[str, str] = field(default_factory=dict)
    """Proxy address by scheme. The environment's proxies are never used."""
    ca_bundle: str | None = None
    """File of certificate authorities, None for the built-in ones."""
    encoding: str = "cp1252"
    """What bytes that are no UTF-8 are taken for."""
    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    """The longest silence within an answer."""
    answer_seconds: float = 900.0
    """The longest an answer may take altogether, however steadily it drips."""
    max_body_bytes: int = 512 * MEBIBYTE
    """The largest answer, decompressed."""
    max_object_bytes: int = 64 * MEBIBYTE
    """The largest single object."""
    retry_attempts: int = 4
    retry_seconds: float = RETRY_SECONDS
    """Passing faults are retried so often, and so long, before the request is given up as unavailable."""

    @property
    def basic_is_safe(self) -> bool:
        """Whether Basic may be used here."""
        scheme, host, _ = origin(self.login_url)
        return scheme == "https" or is_loopback(host) or self.basic_over_cleartext

    def __post_init__(self) -> None:
        parts = urlsplit(self.login_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("login_url must be an http or https address with a host")
        if parts.username is not None or parts.password is not None:
            raise ValueError("login_url must not hold credentials; set username and password instead")
