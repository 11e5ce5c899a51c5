"""What whole-system tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pipeline.forms import Servers, distributed


@pytest.fixture(params=["embedded", "distributed"])
def each_form(request: pytest.FixtureRequest) -> Iterator[None]:
    """Installations of the test are of one form, then of the other."""
    if request.param == "embedded":
        yield
        return
    servers = Servers(*(request.getfixturevalue(name) for name in ("broker", "postgres", "s3_server")))
    with distributed(servers):
        yield
