"""The Login reply: who logged in, the state of the metadata, capabilities as addresses (RETS 1.7.2 §4.6-4.10).

RETS 1.0 has ``key=value`` lines straight in RETS, 1.5 and later in RETS-RESPONSE; 1.8 has ``Info=TOKEN;Type;Value``
lines, beside plain ones or in their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias
from urllib.parse import urljoin, urlsplit, urlunsplit

from shared.mapping.times import parse_stamp
from shared.rets.errors import RetsParseError
from shared.rets.frame import Frame, Reply, read_frame
from shared.rets.mend import Mender

TRANSACTIONS: Final = (
    "Action", "ChangePassword", "GetMetadata", "GetObject", "GetPayloadList", "Get", "Login", "LoginComplete", "Logout",
    "PostObject", "Search", "ServerInformation", "Update", "DDB",
)  # fmt: skip
"""What a server may offer, of any version."""

_MAX_LOGIN: Final = 65536

Told: TypeAlias = str | int | bool | Decimal | datetime


@dataclass(frozen=True, slots=True)
class User:
    """Whom the server took the login for; parts that it leaves out, or gives as NULL, are ""."""

    user_id: str = ""
    level: str = ""
    user_class: str = ""
    agent_code: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a login gave. ``values`` has every ``key=value`` line under its lower-case key, addresses included, and the
    tokens of RETS 1.8, whose types are in ``types``. ``brokers`` are the codes and branches of every Broker line."""

    login_url: str
    values: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    brokers: tuple[str, ...] = ()

    def url(self, transaction: str) -> str | None:
        """The address of a transaction, None when the server does not offer it.

        Relative ones are resolved against the address used for this login, not against the one returned (RETS 1.7.2
        §4.10). An http address on the login's own host, where the login is https, is what servers behind a TLS proxy
        write; it becomes the login's scheme and port, so that nothing goes down to clear text.
        """
        value = self.values.get(transaction.lower()) or self.values.get(f"x-{transaction.lower()}")
        if not value:
            return None
        try:
            found = urlsplit(urljoin(self.login_url, value))
            home = urlsplit(self.login_url)
            if (found.scheme, home.scheme) == ("http", "https") and found.hostname == home.hostname:
                found = found._replace(scheme=home.scheme, netloc=home.netloc)
            return urlunsplit(found)
        except ValueError:
            return None

    def offered(self) -> Mapping[str, str]:
        """The address of every transaction that the server offers, and of its own (``X-…``) as it calls them."""
        own = [name for name, value in self.values.items() if name.startswith("x-") and _is_address(value)]
        found = {name: self.url(name) for name in (*TRANSACTIONS, *own)}
        return {name: url for name, url in found.items() if url is not None}

    def told(self, name: str) -> Told | None:
        """A value by its key or token as what its Info line says it is; as text where it says nothing, or something
        else than it is. None without."""
        text = self.values.get(name.lower())
        return None if text is None else _typed(text, self.types.get(name.lower(), ""))

    @property
    def user(self) -> User:
        """The specification puts the level second and the class third, most servers the other way round: of the two
        the one that is a number is the level (RETS 1.7.2 §4.7.4)."""
        parts = [_or_nothing(part) for part in self.values.get("user", "").split(",")]
        user_id, level, user_class, agent = (*parts, "", "", "", "")[:4]
        if user_class.isdigit() and not level.isdigit():
            level, user_class = user_class, level
        tokens = {name: _or_nothing(text) for name, text in self.values.items()}
        return User(
            tokens.get("userid", user_id),
            tokens.get("userlevel", level),
            tokens.get("userclass", user_class),
            tokens.get("agentcode", agent),
        )

    @property
    def timeout_seconds(self) -> int | None:
        """After so long without a request the server forgets the session; None when it does not say."""
        text = self.values.get("timeoutseconds", "")
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def read_login(chunks: Iterable[bytes], mender: Mender, login_url: str) -> tuple[Reply, Capabilities]:
    """Raises RetsTruncatedError, RetsParseError. The reply may be an error; the capabilities are empty then, but for
    the brokers of whom one must be chosen (20012)."""
    frame = _LoginFrame()
    reply = read_frame(chunks, frame, mender)
    return reply, parse_lines(frame.lines, login_url)


def parse_lines(text: str, login_url: str) -> Capabilities:
    """``key=value`` lines, split at the first ``=``, keys lower-case. The last of several equal keys wins; tokens of
    RETS 1.8 win over plain lines."""
    values: dict[str, str] = {}
    tokens: dict[str, str] = {}
    types: dict[str, str] = {}
    brokers: list[str] = []
    for line in text.splitlines():
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            continue
        if key.lower() == "info":
            token, *rest = (part.strip() for part in value.split(";", 2))
            tokens[token.lower()] = rest[-1] if rest else ""
            if len(rest) == 2:
                types[token.lower()] = rest[0].lower()
            continue
        values[key.lower()] = value
        if key.lower() == "broker" and value:
            brokers.append(value)
    return Capabilities(login_url, values | tokens, types, tuple(brokers))


def _or_nothing(part: str) -> str:
    part = part.strip()
    return "" if part.upper() == "NULL" else part


def _typed(text: str, kind: str) -> Told:
    try:
        match kind:
            case "int" if re.fullmatch(r"[+-]?[0-9]{1,18}", text):
                return int(text)
            case "boolean" if text.lower() in {"1", "0", "true", "false"}:
                return text.lower() in {"1", "true"}
            case "money" if re.fullmatch(r"[+-]?[0-9]{1,18}(\.[0-9]{1,6})?", text):
                return Decimal(text)
            case "datetime":
                return parse_stamp(text)
    except ValueError:
        pass
    return text


def _is_address(value: str) -> bool:
    return value.startswith(("/", "http://", "https://"))


class _LoginFrame(Frame):
    """The text of RETS-RESPONSE, or, in RETS 1.0 and some later servers, of RETS itself."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[str] = []
        self._size = 0

    @property
    def lines(self) -> str:
        return "".join(self._parts)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        self._parser.CharacterDataHandler = self._gather

    def _gather(self, text: str) -> None:
        self._size += len(text)
        if self._size > _MAX_LOGIN:
            raise RetsParseError("the login answer is too long")
        self._parts.append(text)
