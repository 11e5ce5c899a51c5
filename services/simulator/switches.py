"""Every fault by name: what it does, what values it takes, and its usual value."""

from __future__ import annotations

from dataclasses import dataclass

OFTEN = "VALUE: 0.25 (chance), 7 (every seventh), first:3"
OF_KEYS = "VALUE: 0.25 (share), 7 (every seventh), ids:KEY,KEY"


@dataclass(frozen=True, slots=True)
class Switch:
    """One fault: what it does, the form of its value (a regular expression) and the value when none is given.

    ``kinds``: the value begins with which kind of the fault is meant; how often it strikes or on which records it
    lies may follow after a colon (else always).
    """

    about: str
    form: str
    default: str
    kinds: bool = False


_FREQUENCY = r"(0?\.\d+|1\.0+|[1-9]\d{0,8}|first:[1-9]\d{0,8})"
_SHARE = r"(0?\.\d+|1\.0+|[1-9]\d{0,8}|ids:\d+(,\d+)*)"


def _now_and_then(about: str, default: str = "1") -> Switch:
    return Switch(f"{about}; {OFTEN}", _FREQUENCY, default)


def _on_some(about: str, default: str = "1") -> Switch:
    return Switch(f"{about}; {OF_KEYS}", _SHARE, default)


def _one_of(about: str, *kinds: str) -> Switch:
    return Switch(f"{about}: {', '.join(kinds)}", "|".join(kinds), kinds[0])


def _kind_now_and_then(about: str, default: str, *kinds: str) -> Switch:
    return Switch(f"{about}: {', '.join(kinds)}, then :OFTEN", f"({'|'.join(kinds)})(:{_FREQUENCY})?", default, True)


SWITCHES: dict[str, Switch] = {
    "auth": _one_of(
        "ask for another proof of identity; both: digest or Basic, of which all are good, all but digests or all but "
        "Basic", "basic", "digest", "digest-noqop", "md5-sess", "sha-256", "both", "both-but-digest", "both-but-basic",
    ),
    "broken-gzip": _kind_now_and_then(
        "compression: never, unasked, only claimed, with a wrong checksum, ending early", "corrupt:3",
        "off", "unasked", "plain", "corrupt", "cut",
    ),
    "cookie-changes": _kind_now_and_then(
        "the session goes on under another cookie, which an answer brings: or the first request that brings it back is "
        "refused (20037), and the session is gone", "renewed:3", "renewed", "refused",
    ),
    "cookie-name": Switch("call the session cookie VALUE", r"[A-Za-z][A-Za-z0-9_-]{0,63}", "RETS-Session-ID"),
    "count-mismatch": Switch("announce VALUE records more than are sent", r"-?[1-9]\d{0,8}", "1"),
    "cut": _now_and_then("cut the connection in the middle of a body"),
    "deep-nesting": _on_some("listings that hold an element 5000 deep", "0.02"),
    "double-escaping": _on_some("escape the text of listings twice"),
    "doubled-keys": _on_some("a master list with some keys twice in place of others; the number of rows agrees", "0.1"),
    "drip": Switch(
        "send a body at BYTES per second; VALUE: BYTES, then :OFTEN", rf"[1-9]\d{{0,6}}(:{_FREQUENCY})?", "64:7", True
    ),
    "duplicate-records": _on_some("listings that are twice in their page, counted once", "0.1"),
    "echo": _kind_now_and_then(
        "refuse a request with a text that quotes its Authorization and cookies: an invalid session, or a web page",
        "reply:5", "reply", "page",
    ),
    "empty-inventory": Switch("a master list without records, as code 0 or 20201", "0|20201", "0"),
    "endless": _kind_now_and_then(
        "a body that never ends: of text, or of rows in a master list", "text:7", "text", "rows"
    ),
    "entity-bomb": _now_and_then("a DOCTYPE with entities of gigabytes and of files, all referred to", "3"),
    "expired-photo-url": _on_some("photo URLs answer 403 until their listing has been fetched a second time", "0.1"),
    "foreign-inventory": Switch("a master list of quite another MLS, in which all counts agree", "1", "1"),
    "ghost-photo": _on_some("photos that are named but not there", "0.1"),
    "half-photo": _on_some("photos that are well-framed halves", "0.1"),
    "hostile-keys": Switch("master lists hold further listings with hostile keys, which cannot be fetched", "1", "1"),
    "http-503": _now_and_then("answer 503 with Retry-After"),
    "illegal-characters": _on_some("control characters in remarks, which XML forbids"),
    "image-bomb": _on_some("photos that are small files of 900 million pixels", "0.1"),
    "late-status": Switch(
        "a search that begins as code 0, and half way ends in a RETS-STATUS with CODE; VALUE: CODE, then :OFTEN",
        rf"[1-9]\d{{2,4}}(:{_FREQUENCY})?", "20203:3", True,
    ),
    "length-required": _one_of("answer 411 to a post, or to any request, without Content-Length", "post", "any"),
    "location-ignored": Switch("GetObject with Location=1 is answered with bytes", "1", "1"),
    "location-style": Switch("how GetObject answers Location=1: table or header", "table|header", "header"),
    "login-form": _one_of(
        "another form of the login reply: spaces around =, keys straight in RETS, NULL in User",
        "spaces", "bare", "null",
    ),
    "long-address": Switch("answer 414 to a GET whose address is longer than VALUE", r"[1-9]\d{1,4}", "2000"),
    "lost-node": _now_and_then("a node that does not know the session: 401, code 400, until its cookie is gone", "7"),
    "mass-touch": _on_some("every day gives listings a new timestamp though nothing changed"),
    "missing-key": _on_some("listings that are sent without their ID", "0.02"),
    "missing-record": _on_some("listings that are in the master list but never delivered", "0.02"),
    "moved-login": _one_of(
        "the login is elsewhere and its address redirects there, all else beside it by relative addresses; or every "
        "session has addresses of its own", "redirect", "sessions",
    ),
    "multipart-defects": _one_of(
        "a multipart as some servers write it", "no-first-crlf", "quoted-boundary", "unquoted-boundary",
        "charset-boundary", "no-closing", "no-space-headers", "header-only", "missing-ids", "description-header",
        "folded-header",
    ),
    "needs-accept": Switch("answer 406 to requests for photos without Accept: */*", "1", "1"),
    "no-post": _one_of("searches are answered to a GET alone, a POST with this status", "404", "405"),
    "no-object": Switch(
        "GetObject refuses the photos of records with 20402 or 20403; VALUE: CODE, then :SHARE",
        rf"(20402|20403)(:{_SHARE})?", "20403:0.1", True,
    ),
    "nonce-per-request": Switch(
        "a nonce is good for one request; nextnonce hands out the next with the answer", "401|nextnonce", "401"
    ),
    "not-an-image": _on_some("photos that are an error text sent as image/jpeg", "0.1"),
    "not-logged-in": _now_and_then("answer 20701 out of nowhere: the session lives on", "5"),
    "odd-logout": _one_of("another answer to Logout", "401", "text", "empty"),
    "odd-metadata": _one_of(
        "metadata that are empty, all blank, with blank rows, of unknown kinds, cut short, or an error",
        "empty", "blank", "gaps", "unknown", "cut", "failed",
    ),
    "offset-ignored": Switch("whatever the Offset, the first page", "1", "1"),
    "one-session": Switch(
        "refuse a login (20022) while a session lives; VALUE is its idle seconds", r"\d{1,6}", "1800"
    ),
    "placeholder-photo": _on_some("photos that are all one and the same picture", "0.1"),
    "refused-resource": _one_of("searches of VALUE are not authorised (20207)", "Agent", "Office"),
    "relative-capabilities": Switch("capability URLs without scheme and host", "1", "1"),
    "reply-order": Switch("ReplyCode before ReplyText in the login reply", "1", "1"),
    "reverting-timestamp": _on_some("every day the timestamps of listings go back; nothing else changes", "0.05"),
    "session-lost": _now_and_then("forget the session of a request", "10"),
    "short-inventory": _on_some("a master list without some listings, in which all counts agree", "0.1"),
    "single-part": _one_of("where a multipart was asked, a single part, a text or nothing", "image", "text", "empty"),
    "slow": Switch("wait VALUE milliseconds before each answer", r"\d{1,6}", "500"),
    "stale-copy": _on_some("listings are sent as they were a day before; master lists are of today"),
    "stale-nonce": _now_and_then("declare a good nonce stale", "5"),
    "status-412": _now_and_then("forget the session of a request, and say 412 for want of one", "10"),
    "success-with-400": _now_and_then("a good XML answer under status 400"),
    "surrogate-references": _on_some("write emoji as two references to half characters"),
    "terminal-escapes": _on_some("remarks with terminal and writing-direction control characters"),
    "throttle-20210": _now_and_then("refuse a search with 20210, too many outstanding queries", "5"),
    "throttle-429": _now_and_then("answer 429 with Retry-After, and to whatever comes within that second", "10"),
    "truncated": _now_and_then("end a body early though it is well framed"),
    "unfit-values": _on_some("words in numbers, days that never were, numbers beyond all bounds", "0.1"),
    "unknown-elements": _on_some("elements, sections and attributes that no guide names"),
    "version-refused": _one_of(
        "a plain-text 20036 under status 400 until RETS-Version is RETS/VALUE", "1.5", "1.7", "1.7.2", "1.8"
    ),
    "wrong-date": Switch(
        "a Date header off by VALUE seconds, garbage or none", r"-?[1-9]\d{0,8}|garbage|none", "-86400"
    ),
    "wrong-encoding": _on_some("records in Windows-1252 in an answer that says UTF-8"),
}  # fmt: skip


MLS_SWITCHES: dict[str, Switch] = {
    "delimiter": Switch("rows are cut by the character of two hexadecimal digits VALUE", r"[0-9A-Fa-f]{2}", "7C"),
    "edge-delimiters": _one_of("rows lack the delimiter before them, behind them, or both", "first", "last", "both"),
    "login-refused": _kind_now_and_then(
        "refuse a login with a reply code", "20050:first:1", "20003", "20022", "20036", "20050"
    ),
    "maxrows-always": Switch("every answer with rows says that there are more", "1", "1"),
    "no-count": Switch("no search says how many rows there are", "1", "1"),
    "no-location": Switch("GetObject refuses Location=1 (20414)", "1", "1"),
    "nothing-found": _one_of(
        "how a search says that nothing was found: 20201, a status at the end, no rows, or a count of 0 alone",
        "20201", "status", "rows", "count",
    ),
    "object-cap": Switch("GetObject gives no more than VALUE objects at once, and then 20410", r"[1-9]\d{0,3}", "3"),
    "odd-object": Switch(
        "plats, films and recordings that are halves, empty, a web page, or a text that is an address; VALUE: half, "
        "empty, page or address, then :SHARE", rf"(half|empty|page|address)(:{_SHARE})?", "half", True,
    ),
    "offset-from-zero": Switch("Offset counts from 0", "1", "1"),
    "offset-refused": Switch("a search with an Offset is refused (20203)", "1", "1"),
    "one-format": _one_of(
        "searches answer in no other format (20203), and metadata in no other (20513)", "COMPACT", "COMPACT-DECODED",
        "STANDARD-XML",
    ),
    "xml-shape": _one_of(
        "records in STANDARD-XML have their fields by StandardNames, in groups as of the RETS DTD, as attributes, or "
        "several values as elements of their own", "names", "groups", "attributes", "items",
    ),
    "format-ignored": Switch("whatever the Format, searches are answered in STANDARD-XML", "1", "1"),
    "proof-unasked": Switch("a proof of the User-Agent is refused (20037) where none was agreed on", "1", "1"),
    "single-key": Switch("GetObject refuses several records at once (20402)", "1", "1"),
    "user-order": _one_of(
        "the level of the user stands before the class; in RETS 1.8 nothing else tells of either", "level-first"
    ),
    "withheld": _on_some("the prices and remarks of records are not for this login", "0.2"),
    "metadata-drift": Switch(
        "metadata and records drift, in the midst of searches: VALUE: drifts of POST /control/drift joined by +, then "
        ":N, how many searches go before", r"[a-z]+(\+[a-z]+)*(:\d{1,6})?", "renamed",
    ),
    "refused-field": Switch(
        "searches of a class that name a field are refused (20202, 20200) though the metadata have it; VALUE: "
        "CLASS.FIELD", r"[A-Z]+\.[A-Z_]+", "RES.HEAT",
    ),
    "no-ranges": Switch("searches that bound a key are refused (20206), or their bounds overlooked", "refused|ignored",
                        "refused"),
    "row-cap": Switch(
        "no search gives more than N rows, whatever its limit; VALUE: N, then how it says so (MAXROWS, 20208, or by "
        "its count alone) after a colon", r"[1-9]\d{0,6}(:(maxrows|20208|count))?", "500:maxrows",
    ),
}  # fmt: skip
"""Further faults, of the personality ``mls`` alone."""


def describe() -> str:
    """One line per fault, for ``--list-faults``."""
    known = SWITCHES | MLS_SWITCHES
    return "\n".join(f"{name:22} {switch.about} [{switch.default}]" for name, switch in known.items())
