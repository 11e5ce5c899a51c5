"""COMPACT tables (RETS 1.7.2 §7.6, §13)."""

from __future__ import annotations

from collections.abc import Iterable

from shared.rets.errors import RetsParseError
from shared.rets.frame import Frame, local_name, read_frame
from shared.rets.mend import Mender


class CompactReader(Frame):
    """Reads a whole table of moderate size. Afterwards ``rows`` are dicts from column to text.

    The delimiter is given in hexadecimal, and is a tab when it is not. One leading and one trailing delimiter are
    taken off where the row then fits its columns; a server may omit either.
    """

    def __init__(self, *, max_rows: int = 100_000) -> None:
        super().__init__(frozenset({"COLUMNS", "DATA"}))
        self._max_rows = max_rows
        self._delimiter = "\t"
        self._columns: list[str] | None = None
        self.rows: list[dict[str, str]] = []

    @property
    def is_table(self) -> bool:
        """Whether the answer had a COLUMNS element at all."""
        return self._columns is not None

    def read(self, chunks: Iterable[bytes], mender: Mender) -> None:
        """The whole answer. Raises RetsTruncatedError, RetsParseError."""
        read_frame(chunks, self, mender)

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
        if name == "COLUMNS":
            self._columns = [column.strip() for column in text.strip(f"\r\n{self._delimiter}").split(self._delimiter)]
        elif self._columns is not None:
            if len(self.rows) >= self._max_rows:
                raise RetsParseError(f"the table has more than {self._max_rows} rows")
            values = split_row(text, self._delimiter, len(self._columns))
            self.rows.append(dict(zip(self._columns, values, strict=False)))


def split_row(text: str, delimiter: str, columns: int) -> list[str]:
    """The values of a row. Raises RetsParseError when they cannot be matched to the columns."""
    values = text.strip("\r\n").split(delimiter)
    surplus = len(values) - columns
    ends = not values[0].strip(), not values[-1].strip()
    if surplus == 2 and all(ends):
        values = values[1:-1]
    elif surplus == 1 and ends == (True, False):
        del values[0]
    elif surplus == 1 and ends == (False, True):
        del values[-1]
    elif surplus:
        # With one value too many and both ends empty nobody can say which is the delimiter's: no guessing.
        raise RetsParseError(f"a row has {len(values)} values for {columns} columns")
    return [value.strip() for value in values]
