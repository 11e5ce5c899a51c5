"""Reply codes and HTTP statuses, and what a client must do about each: data, and two look-ups.

A reply code has a meaning only together with the transaction that produced it (20801 is "invalid object type" in
RETS 1.8 PostObject and "not supported" in the DDB proposal), so every look-up takes the transaction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Reaction(Enum):
    """What the client does next."""

    OK = auto()
    """The answer is what was asked for."""
    EMPTY = auto()
    """Success, and there is nothing."""
    RELOGIN = auto()
    """Drop every cookie, log in again, replay once."""
    BACKOFF = auto()
    """Wait, longer each time, bounded by count and by time, then replay."""
    FALLBACK = auto()
    """Ask in another way (another argument, format, version); who asked knows which."""
    SKIP = auto()
    """This item only."""
    STOP = auto()
    """Do not ask again until the operator has acted."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table. ``wait`` is the first pause in seconds; after ``limit`` pauses (None: as configured)
    ``then`` is the reaction (None: the answer is unavailable for now)."""

    reaction: Reaction
    meaning: str
    remedy: str = ""
    wait: float = 1.0
    limit: int | None = None
    then: Reaction | None = None
    throttle: bool = False
    """Whether it is said of how much we ask, not of what: then no request of this login is welcome for a while."""


_OK, _EMPTY, _RELOGIN, _BACKOFF, _FALLBACK, _SKIP, _STOP = Reaction

BUSY_SECONDS: Final = 30.0
"""A reply code that says "not now" is about quotas and sessions, which seconds do not heal (RETS 1.7.2 App. C)."""


THROTTLE_SECONDS: Final = 5.0
"""The first pause of a whole feed that asked too much: refused again and again, it grows to an hour and more."""


def _too_many(meaning: str) -> Rule:
    return Rule(_BACKOFF, meaning, wait=THROTTLE_SECONDS, throttle=True)


def _busy(meaning: str, *, limit: int | None = None, then: Reaction | None = None, remedy: str = "") -> Rule:
    return Rule(_BACKOFF, meaning, remedy, wait=BUSY_SECONDS, limit=limit, then=then)


ANY: Final[Mapping[str, Rule]] = {
    "0": Rule(_OK, "success"),
    "10000": _busy("system error", limit=2, then=_STOP),
    # Rapattoni: ReplyCode 400 "RETS-Session-ID is invalid."; a load balancer sent us to another node.
    "400": Rule(_RELOGIN, "session is invalid"),
    "20037": Rule(_RELOGIN, "user-agent authentication failed"),
    "20041": Rule(_STOP, "user-agent authentication required", "ask the MLS for a user-agent password"),
    "20050": _busy("server temporarily disabled"),
    "20513": _busy("miscellaneous error", limit=1, then=_FALLBACK),
    "20701": Rule(_RELOGIN, "not logged in"),
    "20702": _busy("miscellaneous error", limit=2),
}

BY_TRANSACTION: Final[Mapping[str, Mapping[str, Rule]]] = {
    "Login": {
        "20003": Rule(_STOP, "zero balance", "settle the account with the MLS"),
        "20004": _busy("this user is already logged in elsewhere"),
        "20012": Rule(_FALLBACK, "broker code required", "set BrokerCode in the feed's login arguments"),
        "20013": Rule(_STOP, "broker code invalid", "correct BrokerCode in the feed's login arguments"),
        "20022": _busy("additional login not permitted: another session of this login is open"),
        "20036": Rule(_FALLBACK, "login refused", "check user name, password, User-Agent and RETS version"),
        "20037": Rule(_STOP, "user-agent authentication failed", "check the user-agent password"),
        "20701": Rule(_STOP, "not logged in", "check user name and password"),
    },
    "Logout": {
        "20701": Rule(_OK, "not logged in"),
        "20702": Rule(_OK, "miscellaneous error"),
    },
    "Search": {
        "20200": Rule(_FALLBACK, "unknown query field", "reload the metadata; correct the key and time stamp fields"),
        "20201": Rule(_EMPTY, "no records found"),
        "20202": Rule(_FALLBACK, "invalid Select", "reload the metadata; drop the unknown fields"),
        "20203": _busy(
            "miscellaneous search error", limit=1, then=_FALLBACK, remedy="mlsync probe tells what the server takes"
        ),
        "20206": Rule(_STOP, "invalid query syntax", "report this as a defect of mlsync"),
        "20207": Rule(_STOP, "query not authorised", "ask the MLS for the right to this resource"),
        # The rows that came are there, and partial; CREA's DDF refuses without any.
        "20208": Rule(_OK, "server maximum exceeded"),
        "20209": _busy("search timed out"),
        "20210": _too_many("too many outstanding queries"),
        "20211": Rule(_FALLBACK, "query too complex", "ask for fewer keys in a request"),
        "20212": Rule(_FALLBACK, "Key option invalid"),
        "20213": Rule(_FALLBACK, "Key invalid"),
        "20215": Rule(_STOP, "payload unavailable"),
        "20216": Rule(_STOP, "Payload with Format"),
        "20217": Rule(_STOP, "Payload with Select"),
        "20514": Rule(_FALLBACK, "DTD version unavailable", "ask for the format without a version"),
    },
    "GetObject": {
        "20400": Rule(_STOP, "unknown resource", "correct the feed's photo resource"),
        "20401": Rule(_STOP, "unknown object type", "correct the feed's photo type or media policy"),
        "20402": Rule(_SKIP, "unknown identifier"),
        "20403": Rule(_EMPTY, "no object found"),
        "20406": Rule(_FALLBACK, "no acceptable media type"),
        "20407": Rule(_SKIP, "not authorised to this object"),
        "20408": _busy("resource unavailable for now"),
        "20409": _busy("object unavailable for now"),
        "20410": Rule(_FALLBACK, "too large: the rest was withheld", "ask for fewer objects in a request"),
        "20411": _busy("timed out"),
        "20412": _too_many("too many requests"),
        "20413": _busy("miscellaneous object error", limit=1, then=_SKIP),
        "20414": Rule(_FALLBACK, "Location not supported", "use the media policy bytes"),
    },
    "GetMetadata": {
        "20500": Rule(_FALLBACK, "unknown resource", "reload the metadata"),
        "20501": Rule(_EMPTY, "metadata type not offered"),
        "20502": Rule(_FALLBACK, "unknown identifier", "reload the metadata"),
        "20503": Rule(_EMPTY, "no metadata found"),
        "20506": Rule(_FALLBACK, "no acceptable media type"),
        "20507": Rule(_EMPTY, "not authorised to this metadata"),
        "20508": _busy("resource unavailable for now"),
        "20509": _busy("metadata unavailable for now"),
        "20510": Rule(_FALLBACK, "too large", "ask per resource"),
        "20511": _busy("timed out"),
        "20512": _too_many("too many requests"),
        "20513": Rule(_FALLBACK, "miscellaneous metadata error", "ask for the other format"),
        "20514": Rule(_FALLBACK, "DTD version unavailable", "ask for the format without a version"),
    },
    "ServerInformation": {
        "20601": Rule(_EMPTY, "not supported"),
        "20602": Rule(_STOP, "miscellaneous error"),
    },
    "ChangePassword": {
        "20140": Rule(_STOP, "insecure password"),
        "20141": Rule(_STOP, "same as the old password"),
        "20142": Rule(_STOP, "encrypted user name is wrong"),
    },
    # A write whose fate is unknown is never replayed by the protocol layer.
    "Update": {
        "20301": Rule(_STOP, "invalid parameter"),
        "20302": Rule(_STOP, "record cannot be saved"),
        "20303": Rule(_STOP, "miscellaneous update error"),
        "20311": Rule(_FALLBACK, "mandatory warning response missing"),
        "20312": Rule(_FALLBACK, "warning response not allowed"),
    },
    "PostObject": {
        "20800": Rule(_STOP, "unknown resource"),
        "20801": Rule(_STOP, "invalid object type"),
        "20802": Rule(_STOP, "invalid identifier"),
        "20803": Rule(_STOP, "invalid update action"),
        "20804": Rule(_STOP, "inconsistent parameters"),
        "20805": Rule(_STOP, "delete target not found"),
        "20806": Rule(_STOP, "media type not accepted"),
        "20807": Rule(_STOP, "not authorised"),
        "20808": Rule(_STOP, "some objects not deleted"),
        "20809": Rule(_STOP, "business rules"),
        "20810": Rule(_STOP, "file too large"),
        "20811": Rule(_STOP, "timed out"),
        "20812": _too_many("too many requests"),
        "20813": Rule(_STOP, "miscellaneous error"),
    },
    "DDB": {
        "20801": Rule(_FALLBACK, "DDB not supported"),
        "20802": _too_many("cannot complete now"),
        "20803": Rule(_FALLBACK, "DDB not supported for this resource"),
        "20804": Rule(_FALLBACK, "invalid search criteria field"),
        "20805": Rule(_EMPTY, "no activity since the last update"),
    },
}

_UNAVAILABLE = Rule(_BACKOFF, "server trouble")
_CREDENTIALS = Rule(_STOP, "the server does not accept these credentials", "check user name and password")

BY_STATUS: Final[Mapping[int, Rule]] = {
    # 401 comes here only after its challenge was answered, or could not be.
    401: Rule(_RELOGIN, "session lost"),
    402: Rule(_STOP, "payment required", "settle the account with the MLS"),
    403: Rule(_STOP, "forbidden", "check the feed's rights, User-Agent and this machine's address"),
    404: Rule(_STOP, "no such address", "check the login URL"),
    405: Rule(_STOP, "method not allowed", "set another method for this transaction"),
    406: Rule(_FALLBACK, "no acceptable media type"),
    408: _UNAVAILABLE,
    411: Rule(_STOP, "length required"),
    412: Rule(_RELOGIN, "transaction not permitted at this point of the session"),
    413: Rule(_STOP, "request too large", "ask for fewer keys in a request"),
    414: Rule(_STOP, "address too long", "ask for fewer keys in a request"),
    429: _too_many("too many requests"),
    500: _UNAVAILABLE,
    501: Rule(_STOP, "not implemented"),
    502: _UNAVAILABLE,
    503: _UNAVAILABLE,
    504: _UNAVAILABLE,
    505: Rule(_STOP, "HTTP version not supported"),
}

BROKEN: Final = Rule(_BACKOFF, "no whole answer")
"""The connection failed, or the answer was cut."""

_THROTTLED: Final = re.compile(
    r"too many (?:\w+ )?(?:requests?|quer(?:y|ies)|searches|calls|connections)\b|\bthrottl|rate limit|quota exceeded",
    re.I,
)
"""What servers say under codes for miscellaneous errors, or of their own."""

_CLASS_UNKNOWN: Final = Rule(_FALLBACK, "unknown class or resource", "reload the metadata")
_OF_CLASS: Final = re.compile(
    r"\b(?:invalid|unknown|no such|unrecogni[sz]ed|undefined|unsupported)\s+(?:\w+\s+)?(?:class|searchtype|resource)\b"
    r"|\b(?:class|searchtype|resource)(?:name|id)?\b[^.;]{0,60}\b(?:not|no longer|invalid|unknown|undefined)\b",
    re.I,
)
"""What servers say under 20203, which has no code of its own, of a class that they do not have (any more)."""

_FORMAT: Final = re.compile(r"\bformats?\b", re.I)
"""What servers say of a format that they do not answer in, for which there is no code."""

UNREADABLE: Final = Rule(_BACKOFF, "unreadable answer", limit=1)
"""The answer came whole and is no RETS: a maintenance page passes, a defect does not, so ask once more only."""


AWAY: Final = Rule(_BACKOFF, "something else answers in place of the MLS", limit=2)
"""A page of HTML or a text under a status of success: a glitch of what stands before the server, or its maintenance."""

UNPACKABLE: Final = Rule(_BACKOFF, "answers cannot be decompressed: asking for plain ones", wait=0.0, limit=1)
"""Asked for without compression the same answer may be whole."""


def rule_for_code(transaction: str, code: str, text: str = "") -> Rule:
    """The rule for a reply code of ``transaction``. A code nobody documented is OK when its text says success
    (servers exist that answer "Operation Successful" with a code of their own), else STOP; it, or one for any error,
    is throttling when its text says so, and a search's miscellaneous error is of the format or the class when that
    says so."""
    code = code.lstrip("0") or "0"
    rule = BY_TRANSACTION.get(transaction, {}).get(code) or ANY.get(code)
    if (rule is None or rule.reaction is _BACKOFF) and _THROTTLED.search(text):
        return _too_many(rule.meaning if rule is not None else "too many requests")
    if transaction == "Search" and code in {"20203", "20513"} and speaks_of_format(text):
        return Rule(_FALLBACK, "the format is refused", "set search_format; mlsync probe tells which")
    if (transaction, code) == ("Search", "20203") and speaks_of_class(text):
        return _CLASS_UNKNOWN
    if rule is not None:
        return rule
    if "success" in text.lower() and "unsuccess" not in text.lower():
        return ANY["0"]
    return Rule(_STOP, "unknown reply code")


def speaks_of_format(text: str) -> bool:
    """Whether a server's words are of the format that was asked for."""
    return _FORMAT.search(text) is not None


def speaks_of_class(text: str) -> bool:
    """Whether a server's words say that it does not know the class, or resource, that was searched."""
    return _OF_CLASS.search(text) is not None


def rule_for_status(transaction: str, status: int) -> Rule:
    """The rule for an HTTP status whose body is no RETS answer (a RETS body is judged by its reply code instead)."""
    if transaction == "Logout":
        return ANY["0"]
    if transaction == "Login" and status in {401, 412}:
        return _CREDENTIALS
    if 200 <= status < 300:
        return ANY["0"]
    if transaction == "GetObject" and status == 404:
        return BY_TRANSACTION["GetObject"]["20403"]
    known = BY_STATUS.get(status)
    if known is not None:
        return known
    return _UNAVAILABLE if status >= 500 else Rule(_STOP, "unexpected HTTP status")


_STATUS_CODES: Final = frozenset(f"http-{status}" for status in BY_STATUS)


def known_code(transaction: str, code: str) -> str:
    """``code`` (a reply code, ``http-<status>`` or ``failed``) if the tables know it, else ``other``."""
    if code == "failed" or code in _STATUS_CODES:
        return code
    return code if code in ANY or code in BY_TRANSACTION.get(transaction, {}) else "other"
