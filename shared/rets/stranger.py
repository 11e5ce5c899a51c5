"""What answers in the MLS's place: a maintenance page, a portal, a proxy's word. Told by an answer's first bytes."""

from __future__ import annotations

import html
import re
from typing import Final

_RETS: Final = re.compile(r"<(?:[^\s<>/:]+:)?RETS[\s/>]|<!DOCTYPE\s+RETS\b", re.IGNORECASE)
_PREFACE: Final = re.compile(r"(?:\s|\ufeff|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)
_PAGE: Final = re.compile(r"<!doctype\s+html|<(?:html|head|body)[\s>]", re.IGNORECASE)
_HEADING: Final = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1", re.IGNORECASE | re.DOTALL)
_ROOT: Final = re.compile(r"<([A-Za-z_][^\s<>/]{0,60})[\s/>]")
_TAGS: Final = re.compile(r"<[^>]*>")
_LOOK: Final = 8192
_WORDS: Final = 80
"""Characters of the page's own words worth repeating."""


def stranger(head: bytes) -> str:
    """What an answer is instead of a RETS one, in a few words of which the last are its own; "" when it may be RETS.

    ``head`` are its first bytes. An answer without any is none at all, not another's.
    """
    text = head[:_LOOK].decode("utf-8", "replace")
    if _RETS.search(text):
        return ""
    if page := html_page(head):
        return page
    text = text[_found(_PREFACE, text) :]
    if not text.startswith("<"):
        return f"a text: {_words(text)}" if text else ""
    root = _ROOT.match(text)
    return f"another XML document: {_words(root[1])}" if root else ""


def html_page(head: bytes) -> str:
    """That an answer is an HTML page, with its title or first heading; "" when it is none."""
    text = head[:_LOOK].decode("utf-8", "replace")
    if not _PAGE.match(text, _found(_PREFACE, text)):
        return ""
    heading = _HEADING.search(text)
    words = _words(_TAGS.sub(" ", heading[2])) if heading else ""
    return f"an HTML page: {words}" if words else "an HTML page"


def _found(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0


def _words(text: str) -> str:
    words = " ".join(html.unescape(text).split())
    return words if len(words) <= _WORDS else words[:_WORDS].rsplit(" ", 1)[0] + " …"
