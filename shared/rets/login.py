"""The Login reply: capabilities as addresses (RETS 1.7.2 §4.6, §4.10; RETS 1.5; DDF guide, Login)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit, urlunsplit

from shared.rets.errors import RetsParseError
from shared.rets.frame import Frame, Reply, read_frame
from shared.rets.mend import Mender


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a login gave. ``values`` has every ``key=value`` line under its lower-case key, addresses included."""

    login_url: str
    values: dict[str, str] = field(default_factory=dict)

    def url(self, transaction: str) -> str | None:
        """The address of a transaction, None when the server does not offer it.

        Relative ones are resolved against the address used for this login, not against the one returned (RETS 1.7.2
        §4.10). An http address on the login's own host, where the login is https, is what servers behind a TLS proxy
        write; it becomes the login's scheme and port, so that nothing goes down to clear text.
        """
        value = self.values.get(transaction.lower())
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


def read_login(chunks: Iterable[bytes], mender: Mender, login_url: str) -> tuple[Reply, Capabilities]:
    """Raises RetsTruncatedError, RetsParseError. The reply may be an error; the capabilities are empty then."""
    frame = _LoginFrame()
    reply = read_frame(chunks, frame, mender)
    return reply, Capabilities(login_url, parse_lines(frame.lines))


def parse_lines(text: str) -> dict[str, str]:
    """``key=value`` lines, split at the first ``=``, keys lower-case. The last of several equal keys wins; the tokens
    of RETS 1.8 (``Info=TOKEN;Type;Value``) count as keys and win over plain lines."""
    values: dict[str, str] = {}
    tokens: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if not equals:
            continue
        if key.strip().lower() == "info":
            token, *rest = value.split(";", 2)
            tokens[token.strip().lower()] = rest[-1].strip() if rest else ""
        else:
            values[key.strip().lower()] = value.strip()
    return values | tokens


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
        if self._size > 65536:
            raise RetsParseError("the login answer is too long")
        self._parts.append(text)
