"""COMPACT and COMPACT-DECODED tables, streamed (RETS 1.7.2 §7.6, §13)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from shared.messages import BrokenRecord
from shared.rets.errors import RetsParseError
from shared.rets.frame import Frame, local_name
from shared.rets.mend import Mender

_KEPT: Final = 262_144
"""Of a row that cannot be read so much is kept."""

Row = dict[str, str]


class CompactReader(Frame):
    """Iterate ``stream`` for the rows, dicts from column to text; ``read`` takes a table of moderate size to ``rows``.

    The delimiter is given in hexadecimal, and is a tab when it is not. One leading and one trailing delimiter are
    taken off where the row then fits its columns; a server may omit either. A row that does not fit harms no other: it
    is in ``broken``, as sent.
    """

    def __init__(self) -> None:
        super().__init__(frozenset({"COLUMNS", "DATA"}))
        self._delimiter = "\t"
        self._edges = (True, True)
        self._came: list[Row] = []
        self.columns: list[str] | None = None
        self.rows: list[Row] = []
        self.broken: list[BrokenRecord] = []

    @property
    def is_table(self) -> bool:
        """Whether the answer had a COLUMNS element at all."""
        return self.columns is not None

    def stream(self, chunks: Iterable[bytes], mender: Mender) -> Iterator[Row]:
        """The rows in order, in bounded memory.

        Raises RetsTruncatedError, RetsParseError, before it ends at the latest: rows yielded before are of an answer
        that was not whole.
        """
        for chunk in chunks:
            self.feed(mender.feed(chunk))
            if self._came:
                yield from self._came
                self._came.clear()
        self.feed(mender.close())
        yield from self._came
        self._came.clear()
        self.close()

    def read(self, chunks: Iterable[bytes], mender: Mender, *, max_rows: int = 100_000) -> None:
        """The whole answer. Raises RetsTruncatedError, and RetsParseError for a row that does not fit as well."""
        for row in self.stream(chunks, mender):
            if len(self.rows) >= max_rows:
                raise RetsParseError(f"the table has more than {max_rows} rows")
            self.rows.append(row)
        if self.broken:
            raise RetsParseError(self.broken[0].reason)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take note of the delimiter."""
        super().start(name, attributes)
        if local_name(name) == "DELIMITER":
            value = next((text for key, text in attributes.items() if key.lower() == "value"), "").strip()
            try:
                self._delimiter = chr(int(value, 16)) if 0 < len(value) <= 2 else "\t"
            except ValueError:
                raise RetsParseError("the delimiter is no hexadecimal number") from None

    def text(self, name: str, text: str) -> None:
        """Columns, then rows."""
        delimiter = self._delimiter
        if name == "COLUMNS":
            text = text.strip("\r\n")
            self._edges = text.startswith(delimiter), text.endswith(delimiter)
            self.columns = [column.strip() for column in text.strip(delimiter).split(delimiter)]
        elif self.columns is not None:
            try:
                values = split_row(text, delimiter, len(self.columns), self._edges)
            except RetsParseError as error:
                self.broken.append(BrokenRecord("", text[:_KEPT].encode(), str(error)))
            else:
                self._came.append(dict(zip(self.columns, values, strict=True)))


def split_row(text: str, delimiter: str, columns: int, edges: tuple[bool, bool] = (True, True)) -> list[str]:
    """The values of a row. ``edges``: whether the line of the columns begins and ends with a delimiter.

    Raises RetsParseError when the values cannot be matched to the columns.
    """
    values = text.strip("\r\n").split(delimiter)
    surplus = len(values) - columns
    ends = not values[0].strip(), not values[-1].strip()
    if surplus == 1 and all(ends):
        # Either end may be the delimiter's: a server does with its rows as with its columns.
        ends = edges
    if surplus == 2 and all(ends):
        values = values[1:-1]
    elif surplus == 1 and ends == (True, False):
        del values[0]
    elif surplus == 1 and ends == (False, True):
        del values[-1]
    elif surplus:
        # With one value too many and nothing to tell which end is the delimiter's: no guessing.
        raise RetsParseError(f"a row has {len(values)} values for {columns} columns")
    return [value.strip() for value in values]
