"""``Lookups``: what the metadata say, kept however they change and whatever fails."""

from __future__ import annotations

from shared.lookups import Changes, LookupValue, Metadata, MetadataVersion
from shared.store.base import MetadataState
from tests.contract.stores import FEED, SECOND, Kit, Listing

ONE = MetadataVersion("1.0", "t1", "0.9", "en-CA")
TWO = MetadataVersion("1.1", "t2", "1.0", "en-CA")
BOARDS, CROP = ("property", "Boards"), ("property", "Crop")
TORONTO, OTTAWA = LookupValue("82", "Toronto Board", "TOR", "B82"), LookupValue("76", "Ottawa Board")
ALL = "SELECT lookup_name, code, lookup_value, metadata_version, removed_at IS NOT NULL FROM lookup ORDER BY 1, 2"


def read(kit: Kit, version: MetadataVersion, lookups: dict[tuple[str, str], list[LookupValue]]) -> Changes:
    return kit.store.lookups.read(FEED, version, Metadata(lookups))


def test_before_the_first_reading_nothing_is_stored(kit: Kit) -> None:
    assert kit.store.lookups.state(FEED) == MetadataState()


def test_what_was_read_is_stored_with_its_version(kit: Kit) -> None:
    made = read(kit, ONE, {BOARDS: [TORONTO, OTTAWA], CROP: []})
    assert set(made.new) == {(*BOARDS, "82"), (*BOARDS, "76")}
    kit.seconds += 60
    kit.reopen()
    assert kit.store.lookups.state(FEED) == MetadataState(ONE, kit.now - 60 * SECOND, 60.0, values=2)
    assert kit.rows(
        "SELECT feed, resource_name, lookup_name, code, lookup_value, short_value, lookup_key, language, "
        "metadata_version, modification_timestamp, removed_at FROM lookup ORDER BY code DESC"
    ) == [
        (FEED, *BOARDS, "82", "Toronto Board", "TOR", "B82", "en-CA", "1.0", "2027-01-15T08:00:00Z", None),
        (FEED, *BOARDS, "76", "Ottawa Board", None, None, "en-CA", "1.0", "2027-01-15T08:00:00Z", None),
    ]


def test_the_same_read_again_writes_no_value_anew(kit: Kit) -> None:
    read(kit, ONE, {BOARDS: [TORONTO]})
    kit.seconds += 60
    assert read(kit, TWO, {BOARDS: [TORONTO]}) == Changes()
    assert kit.rows("SELECT metadata_version, modification_timestamp FROM lookup") == [("1.1", "2027-01-15T08:00:00Z")]


def test_values_that_vanish_are_marked_and_never_deleted(kit: Kit) -> None:
    read(kit, ONE, {BOARDS: [TORONTO, OTTAWA], CROP: [LookupValue("Hay", "Hay")]})
    kit.seconds += 60
    made = read(kit, TWO, {BOARDS: [LookupValue("82", "Toronto Regional Board")]})
    assert (set(made.changed), set(made.removed)) == ({(*BOARDS, "82")}, {(*BOARDS, "76"), (*CROP, "Hay")})
    assert kit.rows(ALL) == [
        ("Boards", "76", "Ottawa Board", "1.0", 1),
        ("Boards", "82", "Toronto Regional Board", "1.1", 0),
        ("Crop", "Hay", "Hay", "1.0", 1),
    ]
    assert kit.rows("SELECT DISTINCT removed_at FROM lookup WHERE code = '76'") == [("2027-01-15T08:01:00Z",)]
    kit.seconds += 60
    state = kit.store.lookups.state(FEED)
    assert (state.values, state.removed) == (1, 2)
    kit.seconds += 60
    assert read(kit, TWO, {BOARDS: [TORONTO]}).removed == []  # not marked again
    assert kit.rows("SELECT DISTINCT removed_at FROM lookup WHERE code = '76'") == [("2027-01-15T08:01:00Z",)]


def test_a_value_that_is_back_is_in_use_again(kit: Kit) -> None:
    read(kit, ONE, {BOARDS: [TORONTO, OTTAWA]})
    read(kit, TWO, {BOARDS: [TORONTO]})
    assert set(read(kit, ONE, {BOARDS: [TORONTO, OTTAWA]}).new) == {(*BOARDS, "76")}
    assert [row[-1] for row in kit.rows(ALL)] == [0, 0]


def test_a_lookup_that_came_without_values_keeps_what_it_had(kit: Kit) -> None:
    read(kit, ONE, {BOARDS: [TORONTO]})
    assert read(kit, TWO, {BOARDS: [], CROP: []}) == Changes()
    assert [row[-1] for row in kit.rows(ALL)] == [0]


def test_a_failure_is_noted_and_changes_nothing_else(kit: Kit) -> None:
    read(kit, ONE, {BOARDS: [TORONTO]})
    before = kit.rows("SELECT * FROM lookup")
    read_at = kit.now
    kit.seconds += 60
    kit.store.lookups.failed(FEED, TWO, "it was empty", 4, kit.now + 1)
    assert kit.rows("SELECT * FROM lookup") == before
    kit.reopen()
    assert kit.store.lookups.state(FEED) == MetadataState(
        ONE, read_at, 60.0, MetadataVersion("1.1", "t2", "", "en-CA"), kit.now, "it was empty", 4, kit.now + 1, values=1
    )
    read(kit, TWO, {BOARDS: [TORONTO]})
    assert kit.store.lookups.state(FEED) == MetadataState(TWO, kit.now, 0.0, values=1)


def test_a_failure_before_the_first_reading_is_noted(kit: Kit) -> None:
    kit.store.lookups.failed(FEED, ONE, "refused", 1, None)
    state = kit.store.lookups.state(FEED)
    assert (state.read, state.failure, state.attempts, state.next_attempt_at) == (None, "refused", 1, None)
    assert state.failed is not None
    assert state.failed.same(ONE)


def test_feeds_have_lookups_of_their_own(kit: Kit) -> None:
    read(kit, ONE, {BOARDS: [TORONTO, OTTAWA]})
    kit.store.lookups.read("other", ONE, Metadata({BOARDS: [OTTAWA]}))
    kit.store.lookups.failed("third", ONE, "refused", 1, None)
    assert [kit.store.lookups.state(feed).values for feed in (FEED, "other", "third")] == [2, 1, 0]


def test_status_has_the_state(kit: Kit) -> None:
    read(kit, ONE, {BOARDS: [TORONTO]})
    assert kit.store.feeds.status(FEED).metadata == kit.store.lookups.state(FEED)


# --- decoded


def decoded(kit: Kit) -> list[tuple[str | None, str | None]]:
    return kit.rows("SELECT list_aor_key, list_aor FROM property ORDER BY listing_key")


def test_codes_are_decoded_when_they_are_read_and_no_row_is_written_for_it(kit: Kit) -> None:
    kit.page(5, Listing("1", board="82"), Listing("2", board="76"), Listing("3", board="1"), Listing("4"))
    assert decoded(kit) == [("82", None), ("76", None), ("1", None), (None, None)]
    kit.backend.watch("property_record")
    kit.store.lookups.read("other", ONE, Metadata({BOARDS: [LookupValue("82", "Another feed's")]}))
    read(kit, ONE, {BOARDS: [TORONTO, OTTAWA], CROP: [LookupValue("1", "No board")]})
    assert decoded(kit) == [("82", "Toronto Board"), ("76", "Ottawa Board"), ("1", None), (None, None)]
    read(kit, TWO, {BOARDS: [LookupValue("82", "Toronto Regional Board")]})
    assert decoded(kit)[:2] == [("82", "Toronto Regional Board"), ("76", "Ottawa Board")]  # removed, and still its name
    assert kit.backend.written("property_record") == 0
