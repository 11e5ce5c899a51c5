"""A list without end is no list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.rets.errors import RetsParseError
from shared.rets.inventory import InventoryReader
from shared.rets.mend import Mender

HEAD = b'<RETS ReplyCode="0" ReplyText="OK"><COUNT Records="3"/><RETS-RESPONSE>'
ROW = b'<Property ID="%d" LastUpdated="x"/>'


def test_a_list_that_goes_on_far_beyond_what_it_announced_is_given_up() -> None:
    def endless() -> Iterator[bytes]:
        yield HEAD
        for number in range(1_000_000):
            yield ROW % number
        raise AssertionError("it was read to its end")

    with pytest.raises(RetsParseError, match="far beyond"):
        InventoryReader("Property").read(endless(), Mender())


def test_a_list_somewhat_longer_than_announced_is_read() -> None:
    reader = InventoryReader("Property")
    reader.read([HEAD, *(ROW % number for number in range(5)), b"</RETS-RESPONSE></RETS>"], Mender())
    assert reader.rows == 5
