"""One RETS request after another: who asks, may they, and which transaction answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from http.cookies import CookieError, SimpleCookie

from . import places
from .agreed import Agreements
from .answers import XML, Answer, Call, RefusedError, envelope
from .auth import Authenticator
from .facts import DESTINATION
from .faults import Faults
from .formats import escape
from .metadata import distorted, get_metadata
from .mls import information
from .mls import login as mls_login
from .mls import metadata as mls_metadata
from .mls import objects as mls_objects
from .mls import search as mls_search
from .objects import get_object
from .search import search
from .sessions import COOKIE, Sessions
from .world import World

PATHS = {
    "/Login.svc/Login": "Login",
    "/Search.svc/Search": "Search",
    "/Object.svc/GetObject": "GetObject",
    "/Metadata.svc/GetMetadata": "GetMetadata",
    "/Logout.svc/Logout": "Logout",
}
MLS_PATHS = {"/Action.svc/Action": "Action", "/Information.svc/ServerInformation": "ServerInformation"}
"""Of the personality ``mls`` alone."""
LOGIN_PATH = "/Login.svc/Login"


class Transactions:
    """The RETS side of the server. Safe for use from several threads."""

    def __init__(self, world: World, faults: Faults, sessions: Sessions) -> None:
        self._world, self._faults, self._sessions = world, faults, sessions
        options = world.options
        self._agreements = Agreements(options, faults)
        self._mls = options.personality == "mls"
        self.paths = PATHS | MLS_PATHS if self._mls else PATHS
        self._search = mls_search.search if self._mls else search
        self._objects = mls_objects.get_object if self._mls else get_object
        self._authenticator = Authenticator(options.username, options.password, faults)

    def answer(self, name: str, method: str, target: str, headers: Mapping[str, str], call: Call) -> Answer:
        """Answer one transaction; RETS errors are answers too."""
        try:
            self._agreements.check(name, headers)
        except RefusedError as error:
            return Answer(envelope(error.code, str(error)))
        cookie = _cookie(headers.get("Cookie", ""), self._cookie_name())
        moved = places.nobody_there(name, call.place, target, cookie, self._faults)
        if moved is not None:
            return moved
        verdict = self._authenticator.check(method, target, headers.get("Authorization"))
        if not verdict.passed:
            extra = {"WWW-Authenticate": verdict.challenge} if verdict.challenge else {}
            return Answer(b"", "text/plain", verdict.status, extra)
        if self._faults.strikes("echo"):
            return _echo(headers, page=self._faults.kind("echo") == "page")
        found = self._permitted(name, method, cookie, call)
        if found.content_type == XML and found.status == 200 and self._faults.strikes("success-with-400"):
            found = replace(found, status=400)
        extra = {"Authentication-Info": verdict.info} if verdict.info else {}
        return replace(found, headers={**found.headers, **extra})

    def _permitted(self, name: str, method: str, cookie: str | None, call: Call) -> Answer:
        if self._sessions.elsewhere(cookie):
            return Answer(envelope(400, "RETS-Session-ID is invalid"), status=401)
        try:
            if name == "Login":
                return self._login(cookie, call)
            if name == "Logout":
                return self._logout(cookie)
            if self._sessions.distrusts(cookie):
                raise RefusedError(20037, "User-Agent Authentication Failed")
            if not self._sessions.known(cookie):
                if self._faults.on("status-412") is not None:
                    return Answer(b"Precondition Failed", "text/plain", 412)
                raise RefusedError(20701, "Not Logged In")
            if self._faults.strikes("not-logged-in"):
                raise RefusedError(20701, "Not Logged In")
            return self._under_another_cookie(self._done(name, method, call), cookie)
        except RefusedError as error:
            return Answer(envelope(error.code, str(error)))

    def _done(self, name: str, method: str, call: Call) -> Answer:
        if name == "Search":
            return self._search(self._world, call, self._faults)
        if name == "GetObject":
            return self._objects(self._world, call, self._faults)
        if name == "Action":
            return information.action(method)
        if name == "ServerInformation":
            return information.server_information(self._world, call, self._faults)
        return distorted(self._metadata(call), self._faults.on("odd-metadata"))

    def _under_another_cookie(self, found: Answer, cookie: str | None) -> Answer:
        """The answer, which now and then brings the session another cookie."""
        if cookie is None or not self._faults.strikes("cookie-changes"):
            return found
        other = self._sessions.renew(cookie, distrusted=self._faults.kind("cookie-changes") == "refused")
        return replace(found, headers={**found.headers, "Set-Cookie": self._set_cookie(other)})

    def _set_cookie(self, session: str) -> str:
        return f"{self._cookie_name()}={session}; path=/; HttpOnly"

    def _metadata(self, call: Call) -> Answer:
        world = self._world
        if self._mls:
            return mls_metadata.get_metadata(call, world.schema, self._faults)
        return get_metadata(call, world.edition)

    def _cookie_name(self) -> str:
        return self._faults.on("cookie-name") or COOKIE

    def _logout(self, cookie: str | None) -> Answer:
        if not self._sessions.logout(cookie):
            raise RefusedError(20701, "Not Logged In")
        odd = self._faults.on("odd-logout")
        if odd == "401":
            return Answer(b"", "text/plain", 401, {"WWW-Authenticate": self._authenticator.challenge()})
        if odd is not None:
            return Answer(b"Goodbye" if odd == "text" else b"", "text/plain")
        return Answer(b'<?xml version="1.0" encoding="utf-8"?>\n' + _reply("Operation Successful", 0, " /") + b"\n")

    def _login(self, cookie: str | None, call: Call) -> Answer:
        if self._faults.strikes("login-refused"):
            raise RefusedError(int(self._faults.kind("login-refused") or 20036), "Not now")
        session = self._sessions.login(cookie)
        if session is None:
            raise RefusedError(20022, "Additional login not permitted")
        form = self._faults.on("login-form")
        nothing = "NULL" if form == "null" else ""
        base = "" if self._faults.on("relative-capabilities") else call.base
        base += places.of_session(session, self._faults)
        edition = self._world.edition
        beside = self._faults.on("moved-login") == "redirect"
        addresses = [f"{name}={f'..{path}' if beside else f'{base}{path}'}" for path, name in self.paths.items()]
        lines = (
            mls_login.lines(call.version, edition, addresses, self._faults)
            if self._mls
            else [
                f"Broker={DESTINATION}",
                "MemberName=Example Feed",
                f"MetadataVersion={edition.version}",
                f"MinMetadataVersion={edition.version}",
                f"MetadataTimestamp={edition.date}",
                f"MinMetadataTimestamp={edition.date}",
                f"User={DESTINATION},{nothing},{nothing},{DESTINATION}",
                *addresses,
            ]
        )
        if form == "spaces":
            lines = [line.replace("=", " = ", 1) for line in lines]
        body = "\n".join(f"    {escape(line)}" for line in lines).encode()
        if form != "bare":
            body = b"  <RETS-RESPONSE>\n" + body + b"\n  </RETS-RESPONSE>"
        opening = _reply("Operation Successful", 0, "", code_first=self._faults.on("reply-order") is not None)
        return Answer(
            b'<?xml version="1.0" encoding="utf-8"?>\n' + opening + b"\n" + body + b"\n</RETS>\n",
            headers={"Set-Cookie": self._set_cookie(session)},
        )


def _echo(headers: Mapping[str, str], *, page: bool) -> Answer:
    """What careless servers tell the world about who asked."""
    quoted = "; ".join(f"{name}: {headers.get(name, '')}" for name in ("Authorization", "Cookie"))
    if page:
        text = escape(quoted)
        return Answer(f"<html><title>Error for {text}</title><body>{text}</body></html>".encode(), "text/html")
    return Answer(envelope(400, f"RETS-Session-ID is invalid for {quoted}"))


def _reply(text: str, code: int, close: str, code_first: bool = False) -> bytes:
    """The opening of a reply, its text before its code, which is the order of this MLS at login."""
    parts = [f'ReplyText="{text}"', f'ReplyCode="{code}"']
    return f"<RETS {' '.join(reversed(parts) if code_first else parts)}{close}>".encode()


def _cookie(header: str, name: str) -> str | None:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return found.value if found and re.fullmatch(r"[0-9a-f]{32}", found.value) else None
