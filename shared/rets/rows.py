"""The rows of a search, in whichever format it asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from shared.messages import BrokenRecord
from shared.rets.answer import Answer
from shared.rets.codes import speaks_of_format
from shared.rets.compact import CompactReader, Row
from shared.rets.errors import RetsReplyError
from shared.rets.frame import Frame
from shared.rets.mend import Mender
from shared.rets.schema.types import Field
from shared.rets.search import Ending, Search, SearchFormat, ending
from shared.rets.standard import StandardReader

T = TypeVar("T")

_REFUSED_BY: Final = frozenset({"20203", "20506", "20513", "20514", "http-406"})


class RowsReader:
    """Iterate ``stream`` for the rows, dicts from SystemName to text; afterwards ``ended`` says how the search did.

    ``key`` is the SystemName of the key and ``fields`` what the metadata say: STANDARD-XML is read by them. Rows that
    cannot be read are in ``broken``.
    """

    def __init__(self, asked: Search, key: str, fields: Iterable[Field] = ()) -> None:
        self._asked = asked
        self._rows = 0
        self._standard: StandardReader | None = None
        self._compact = CompactReader()
        if asked.format == "STANDARD-XML" and not asked.count_only:
            wanted = frozenset(asked.select)
            self._standard = StandardReader(
                key, [each for each in fields if not wanted or each.system_name in wanted or each.system_name == key]
            )

    def stream(self, answer: Answer, mender: Callable[[], Mender]) -> Iterator[Row]:
        """The rows in order, in bounded memory. Gives the answer the reply that counts.

        Raises RetsTruncatedError, RetsParseError, before it ends at the latest: rows yielded before are of an answer
        that was not whole.
        """
        rows = (
            self._compact.stream(answer.chunks(), mender())
            if self._standard is None
            else self._standard.stream(answer.chunks(), mender)
        )
        for row in rows:
            self._rows += 1
            yield row
        answer.reply = self._frame.reply

    @property
    def ended(self) -> Ending:
        """What is known after the last row."""
        return ending(self._frame, self._rows, self._asked)

    @property
    def count(self) -> int | None:
        """The announced number of matches, as far as is known by now."""
        return self._frame.count

    @property
    def broken(self) -> list[BrokenRecord]:
        """Rows that cannot be read, as sent."""
        return self._compact.broken if self._standard is None else self._standard.broken

    @property
    def in_format(self) -> bool:
        """False where a table was asked for, and the answer counts records and has none: some servers know one format,
        and answer in it whatever is asked."""
        return self._standard is not None or self._asked.count_only or self._compact.is_table or not self._frame.count

    @property
    def _frame(self) -> Frame:
        return self._compact if self._standard is None else self._standard.frame


def is_decoded(form: SearchFormat) -> bool:
    """Whether values of lookups come as their texts (RETS 1.7.2 §7.4.2), not their codes."""
    return form != "COMPACT"


def in_some_format(
    formats: Iterable[SearchFormat], search: Callable[[SearchFormat], T], in_format: Callable[[T], bool]
) -> tuple[T, SearchFormat]:
    """What ``search`` gives in the first of the formats that the server answers in, and which that is.

    Where it answers in none of them: what it gave first. Raises what ``search`` raises, if nothing, its refusal of the
    first format.
    """
    refusal: RetsReplyError | None = None
    given: list[tuple[T, SearchFormat]] = []
    for form in formats:
        try:
            found = search(form)
        except RetsReplyError as error:
            if not refuses_format(error):
                raise
            refusal = refusal or error
            continue
        if in_format(found):
            return found, form
        given.append((found, form))
    if given:
        return given[0]
    assert refusal is not None
    raise refusal


def refuses_format(error: RetsReplyError) -> bool:
    """Whether a search was refused for the format of its answer. There is no code for that: servers use those for
    whatever else goes wrong, and say in words what it is."""
    if error.transaction != "Search" or error.code not in _REFUSED_BY:
        return False
    return error.code == "20514" or speaks_of_format(error.said)
