"""Lookups and odd elements of a real sync: what is stored equals the MLS, and no bad answer changes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from services.app import App
from services.outcome import FeedReport
from services.report import status_json, statuses
from services.sync import sync
from shared.settings import FeedSettings, Settings
from tests.pipeline.simulated import PASSWORD, USERNAME, Installation, Mls, synced
from tests.pipeline.truth import Json

LISTINGS = 40
STORED = "SELECT lookup_name, code, lookup_value FROM lookup WHERE removed_at IS NULL ORDER BY 1, 2"
REMOVED = "SELECT lookup_name, code FROM lookup WHERE removed_at IS NOT NULL ORDER BY 1, 2"
LOOKUPS = "SELECT * FROM lookup ORDER BY lookup_name, code"
BOARDS = "SELECT DISTINCT list_aor_key, list_aor FROM property ORDER BY 1"


class Running:
    """An mlsync in this process, at the installation's database: many syncs for one start."""

    def __init__(self, app: App, mls: Mls) -> None:
        self._app, self._mls = app, mls

    def sync(self) -> FeedReport:
        """One sync, which has to end in step."""
        (report,) = sync(self._app, ["ddf"])
        assert report.in_step, report
        return report

    def status(self) -> Json:
        """What ``mlsync status --json`` says of the feed."""
        return status_json(statuses(self._app.settings)["ddf"])

    def asked(self) -> int:
        """Requests for metadata so far."""
        return int(self._mls.stats()["requests"].get("GetMetadata", 0))


@contextmanager
def running(here: Installation, mls: Mls, **feed: Any) -> Iterator[Running]:
    """All services, started."""
    settings = Settings.model_construct(
        database_url=f"sqlite:///{here.database}",
        media_url=f"file:{here.media}",
        feeds={
            "ddf": FeedSettings(
                protocol="ddf", login_url=mls.login_url, username=USERNAME, password=SecretStr(PASSWORD), **feed
            )
        },
    )
    app = App(settings)
    with app.running():
        yield Running(app, mls)


def lookups(mls: Mls, culture: str = "en-CA") -> list[tuple[Any, ...]]:
    """What is true of lookups, as ``STORED`` has it."""
    found = mls.lookups(culture)
    assert {item["lookup_name"] for item in found} >= {"Boards", "PropertyType"}
    return sorted((item["lookup_name"], item["code"], item["lookup_value"]) for item in found)


def test_lookups_are_read_at_first_and_when_the_mls_has_others_and_no_row_is_written_for_it(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, 0) as (mls, here), running(here, mls) as mlsync:
        mlsync.sync()
        assert here.rows(STORED) == lookups(mls)
        assert here.differences(mls) == []
        assert here.count("property", "list_aor IS NULL") == 0
        assert mlsync.asked() == 1
        mlsync.sync()
        assert mlsync.asked() == 1
        assert mlsync.status()["metadata"]["version"] == "1.0.12"

        old = here.rows(BOARDS)
        published = mls.publish_metadata()
        report = mlsync.sync().as_json()
        assert (report["fetched"], report["updated"], mlsync.asked()) == (0, 0, 2)
        assert here.rows(STORED) == lookups(mls)
        assert here.rows(REMOVED) == [("Boards", "44"), ("Uffi", "No"), ("Uffi", "Removed"), ("Uffi", "Yes")]
        assert here.differences(mls) == []
        assert here.rows(BOARDS) != old
        status = mlsync.status()["metadata"]
        assert (status["version"], status["timestamp"]) == (published["version"], published["timestamp"])
        assert (status["removed"], status["failure"]) == (4, None)

        mls.publish_metadata()
        mls.advance()
        mlsync.sync()
        assert here.rows(STORED) == lookups(mls)
        assert here.rows(REMOVED) == []
        assert here.differences(mls) == []


def test_no_odd_answer_changes_what_is_stored_or_fails_a_sync(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, 0) as (mls, here), running(here, mls) as mlsync:
        mlsync.sync()
        before = here.rows(LOOKUPS)
        seen = {}
        for kind in ("empty", "blank", "gaps", "cut", "failed"):
            version = mls.publish_metadata()["version"]
            mls.fault("odd-metadata", kind)
            mls.advance()
            mlsync.sync()
            assert here.rows(LOOKUPS) == before, kind
            ((read, failed, seen[kind], attempts),) = here.rows(
                "SELECT version, failed_version, failure, attempts FROM metadata_state"
            )
            assert (read, failed, attempts) == ("1.0.12", version, 1), kind
        assert len(set(seen.values())) == len(seen)
        mlsync.sync()
        failure = mlsync.status()["metadata"]["failure"]
        assert (failure["version"], failure["attempts"]) == (version, 2)
        assert f"ddf: metadata {version} could not be read (2 times): GetMetadata" in here.run("status").out

        mls.fault("odd-metadata", "unknown")  # kinds of metadata nobody knows do no harm
        mlsync.sync()
        assert here.rows(STORED) == lookups(mls)
        assert mlsync.status()["metadata"]["failure"] is None
        assert here.differences(mls) == []


def test_metadata_that_fail_from_the_first_leave_codes_undecoded_and_are_not_asked_for_without_end(
    tmp_path: Path,
) -> None:
    with synced(tmp_path, 5, 0, faults=("odd-metadata=empty",)) as (mls, here), running(here, mls) as mlsync:
        for _ in range(3):
            mlsync.sync()
        asked = mlsync.asked()
        mlsync.sync()
        assert mlsync.asked() == asked  # the third failure began a back-off
        assert mlsync.status()["metadata"]["failure"]["attempts"] == 3
        assert here.count("property", "list_aor IS NULL AND list_aor_key IS NOT NULL") == 5
        assert here.differences(mls) == []


def test_lookups_are_in_the_language_of_the_feed(tmp_path: Path) -> None:
    with synced(tmp_path, 20, 0) as (mls, here):
        with running(here, mls, culture="fr-CA") as mlsync:
            mlsync.sync()
        assert here.rows(STORED) == lookups(mls, "fr-CA")
        names = {name for (name,) in here.rows("SELECT DISTINCT list_aor FROM property")}
        assert names
        assert all(name.startswith("Chambre de ") for name in names)
        with running(here, mls) as mlsync:
            mlsync.sync()
        assert here.rows(STORED) == lookups(mls)
        assert here.rows("SELECT DISTINCT language FROM lookup") == [("en-CA",)]


def test_unknown_elements_and_values_that_do_not_fit_are_counted_as_they_are_at_the_mls(tmp_path: Path) -> None:
    faults = ("unknown-elements=0.3", "unfit-values=0.4")
    with synced(tmp_path, LISTINGS, 0, faults=faults) as (mls, here), running(here, mls) as mlsync:
        for _ in range(3):
            mlsync.sync()  # in step: nothing is lost by either
            truth = mls.truth(size="")
            unknown = Counter(path for record in truth for path in record.get("unknown", ()))
            unfit = Counter(column for record in truth for column in record.get("sent", {"fields": {}})["fields"])
            status = mlsync.status()
            assert {item["element"]: item["records"] for item in status["unknown"]} == unknown
            found: Counter[str] = Counter()
            for item in status["unfit"]:
                found[item["column"].removeprefix("property_record.")] += item["records"]
            assert found == unfit
            assert status["unlisted"] == 0
            assert all(item["first_seen_at"] <= item["last_seen_at"] for item in status["unknown"])
            mls.advance(2)
        words = here.run("status").out
        assert f"Beacon ({unknown['Beacon']} listings)" in words
        assert " for list_price (" in words
