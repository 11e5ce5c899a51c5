"""The text of a query read into its tree (RETS 1.7.2 §7.7.1; DMQL: RETS 1.5).

NOT binds before AND, AND before OR; blanks between tokens mean nothing. ``OR``, ``AND`` and ``NOT`` may also be the
names of fields, and every keyword a bare text.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import Any, Final

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken
from lark.exceptions import LarkError

from shared.rets.dmql.errors import DmqlError
from shared.rets.dmql.tree import (
    LITERAL,
    NAME,
    WORD,
    And,
    Choice,
    Chosen,
    Criterion,
    Item,
    Items,
    Literal,
    Not,
    Or,
    Query,
    Special,
    Value,
    Word,
)

MAX_LENGTH: Final = 65_536
"""Characters of a query."""
MAX_DEPTH: Final = 64
"""Parentheses within parentheses."""


class Dialect(Enum):
    """DMQL, of RETS 1.0 and 1.5, has no NOT, no words for its operators and no quoted texts."""

    DMQL2 = "DMQL2"
    DMQL = "DMQL"


_COMMON: Final = rf"""
start: query
query: clause (_OR clause)*
clause: _term (_AND _term)*
_part: criterion | _OPEN query _CLOSE
criterion: _OPEN FIELD _EQUALS _value _CLOSE
_value: items | chosen | SPECIAL
items: _item (_COMMA _item)*
chosen: CHOICE _item (_COMMA _item)*

_OPEN: "("
_CLOSE: ")"
_EQUALS: "="
_COMMA: ","
CHOICE: /[|~+]/
FIELD.2: /{NAME}(?=\s*=)/
SPECIAL.2: /\.(?:ANY|EMPTY)\.(?=\s*\))/
WORD: /{WORD.replace("/", r"[/]")}/
%ignore /[ \t\r\n]+/
"""
_GRAMMARS: Final = {
    Dialect.DMQL2: _COMMON
    + rf"""
_term: _part | negated
negated: _NOT _part
_item: WORD | QUOTED
_OR: /\||OR(?![A-Za-z0-9_])/
_AND: /,|AND(?![A-Za-z0-9_])/
_NOT: /~|NOT(?![A-Za-z0-9_])/
QUOTED: /"(?:{LITERAL.replace("]*", '"]')}|"")*"/
""",
    Dialect.DMQL: _COMMON
    + """
_term: _part
_item: WORD
_OR: "|"
_AND: ","
""",
}


def parse(text: str, dialect: Dialect = Dialect.DMQL2) -> Query:
    """The tree of a query. Raises DmqlError, with the position, and nothing else."""
    _bound(text)
    try:
        tree: Query = _parser(dialect).parse(text)  # type: ignore[assignment]
    except UnexpectedInput as error:
        ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        position = len(text) if ended or error.pos_in_stream is None else error.pos_in_stream
        raise DmqlError(_complaint(text, position), position) from None
    except LarkError as error:
        raise DmqlError(f"the query cannot be read ({type(error).__name__})") from None
    return tree


@cache
def _parser(dialect: Dialect) -> Lark:
    return Lark(_GRAMMARS[dialect], parser="lalr", lexer="contextual", transformer=_Build())


class _Build(Transformer[Token, Any]):
    """Called while the parser reduces, so that nothing is walked twice and nothing recurses."""

    def start(self, children: list[Query]) -> Query:
        return children[0]

    def query(self, children: list[Query]) -> Query:
        return children[0] if len(children) == 1 else Or(tuple(children))

    def clause(self, children: list[Query]) -> Query:
        return children[0] if len(children) == 1 else And(tuple(children))

    def negated(self, children: list[Query]) -> Query:
        return Not(children[0])

    def criterion(self, children: list[Any]) -> Query:
        name, value = children
        found: Value = Special(str(value)) if isinstance(value, Token) else value
        return Criterion(str(name), found, name.start_pos)

    def items(self, children: list[Token]) -> Value:
        return Items(tuple(map(_item, children)))

    def chosen(self, children: list[Token]) -> Value:
        return Chosen(Choice(str(children[0])), tuple(map(_item, children[1:])))


def _item(token: Token) -> Item:
    try:
        return Literal(token[1:-1].replace('""', '"')) if token.type == "QUOTED" else Word(str(token))
    except DmqlError as error:
        raise DmqlError(str(error), token.start_pos) from None


def _bound(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise DmqlError(f"the query is longer than {MAX_LENGTH} characters", MAX_LENGTH)
    if not text.strip():
        raise DmqlError("the query is blank", 0)
    depth = 0
    quoted = False
    for position, letter in enumerate(text):
        if letter == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif letter == "(":
            depth += 1
            if depth > MAX_DEPTH:
                raise DmqlError(f"parentheses are nested deeper than {MAX_DEPTH}", position)
        elif letter == ")":
            depth -= 1


def _complaint(text: str, position: int) -> str:
    if position >= len(text):
        return "the query ends too early"
    seen = text[position : position + 12]
    return f"the query cannot go on with {seen!r}"
