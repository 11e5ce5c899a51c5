"""What whole-system tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import SCALE
from tests.pipeline.forms import Servers, distributed
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import Broker
from tests.servers.s3 import S3Server


@pytest.fixture
def servers(broker: Broker, postgres: Postgres, s3_server: S3Server) -> Servers:
    """Real servers, of which every installation has its part."""
    return Servers(broker, postgres, s3_server)


@pytest.fixture(params=["embedded", "distributed"] if SCALE > 1 else ["embedded"])
def each_form(request: pytest.FixtureRequest) -> Iterator[None]:
    """Installations of the test are of one form, then, at full size, of the other: a command of several processes takes
    seconds to start."""
    if request.param == "embedded":
        yield
        return
    with distributed(request.getfixturevalue("servers")):
        yield
