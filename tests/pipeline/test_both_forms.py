"""One process with a file and a folder, and processes over servers, come to the same rows and the same objects."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.pipeline.copies import Facts
from tests.pipeline.forms import Servers, distributed
from tests.pipeline.simulated import Installation, simulated

LISTINGS, PHOTOS, DAYS = 60, 3, 4
TABLES = (
    "property", "property_record", "property_room", "property_parking", "property_utility", "property_agent",
    "open_house", "member", "member_phone", "member_website", "office", "office_phone", "office_website", "media",
    "media_set", "media_object", "source_record", "ledger", "embedded_row", "record_reference", "removal_candidate",
    "quarantine", "lookup", "extra_element", "history_transactional",
)  # fmt: skip
CLOCKS = frozenset({
    "observed_at", "complete_at", "at", "since", "by", "attempted_by", "history_transactional_key", "first_seen",
    "last_seen", "read_at", "removed_at",
})  # fmt: skip
"""Columns that say when a store did something; the two did it one after the other."""
SEEN = frozenset({"lookup", "history_transactional"})
"""Tables whose ``modification_timestamp`` says when mlsync saw something, for want of a better one."""
SETTINGS = {"MLSYNC_FEEDS__DDF__RESOURCES": "property,member,office", "MLSYNC_MEDIA__WORKERS": "1"}
"""With one worker photos come, and are numbered, in the order in which they are asked for."""


def rows(here: Installation, table: str) -> list[str]:
    """What a table says, but for clocks."""

    clocks = CLOCKS | ({"modification_timestamp"} if table in SEEN else set())

    def told(row: Facts) -> str:
        return repr(sorted((name, exactly(value)) for name, value in row.items() if name not in clocks))

    return sorted(map(told, here.copy.database.table(table)))


def exactly(value: object) -> object:
    """A number as it compares: how many zeros it ends with is the database's."""
    return value.normalize() if isinstance(value, Decimal) else value


def objects(here: Installation) -> dict[str, bytes]:
    """Every object by name."""
    photos = here.copy.photos
    return {name: photos.read(name) for name in photos.names()}


def test_rows_and_objects_are_the_same_day_after_day(tmp_path: Path, servers: Servers) -> None:
    with simulated(LISTINGS, PHOTOS) as mls:
        one = Installation(tmp_path / "one", mls.login_url, dict(SETTINGS))
        with distributed(servers):
            several = Installation(tmp_path / "several", mls.login_url, dict(SETTINGS))
            for here in (one, several):
                here.folder.mkdir()
            for day in range(DAYS + 1):
                counted = ("inserted", "updated", "removed", "photos", "resources")
                reports = [here.sync() for here in (one, several)]
                assert {name: reports[0][name] for name in counted} == {name: reports[1][name] for name in counted}
                assert [here.differences(mls) for here in (one, several)] == [[], []], f"day {day}"
                for table in TABLES:
                    assert rows(one, table) == rows(several, table), f"day {day}: {table}"
                mls.advance()
            assert objects(one) == objects(several)
            assert several.run("audit", "media").code == 0
