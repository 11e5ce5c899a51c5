"""What an answer makes of the lookup values that are stored."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.lookups import Changes, Key, Known, LookupValue, Metadata, MetadataVersion, changes

ONE, TWO = LookupValue("1", "one"), LookupValue("2", "two")
CROP = ("property", "Crop")


def stored(*values: LookupValue, removed: bool = False) -> dict[Key, Known]:
    return {(*CROP, value.code): Known(value, removed) for value in values}


def test_values_are_new_changed_removed_and_back_again() -> None:
    assert changes({}, Metadata({CROP: [ONE]})) == Changes(new={(*CROP, "1"): ONE})
    assert changes(stored(ONE), Metadata({CROP: [ONE]})) == Changes()
    other = LookupValue("1", "eins")
    assert changes(stored(ONE), Metadata({CROP: [other]})) == Changes(changed={(*CROP, "1"): other})
    assert changes(stored(ONE, TWO), Metadata({CROP: [ONE]})) == Changes(removed=[(*CROP, "2")])
    assert changes(stored(TWO, removed=True), Metadata({CROP: [ONE]})) == Changes(new={(*CROP, "1"): ONE})
    assert changes(stored(ONE, removed=True), Metadata({CROP: [ONE]})) == Changes(new={(*CROP, "1"): ONE})


def test_a_lookup_that_came_without_values_removes_none_and_one_that_did_not_come_removes_all() -> None:
    assert changes(stored(ONE), Metadata({CROP: []})) == Changes()
    assert changes(stored(ONE), Metadata({("property", "Boards"): [TWO]})).removed == [(*CROP, "1")]


VALUES = st.lists(st.builds(LookupValue, st.sampled_from("abc"), st.sampled_from("xy")), unique_by=lambda v: v.code)
ANSWERS = st.dictionaries(st.tuples(st.just("property"), st.sampled_from("LM")), VALUES).map(Metadata)


@given(st.lists(ANSWERS, max_size=4))
def test_after_any_answers_what_is_in_use_is_the_last_one(answers: list[Metadata]) -> None:
    known: dict[Key, Known] = {}
    for found in answers:
        made = changes(known, found)
        known |= {key: Known(value) for key, value in {**made.new, **made.changed}.items()}
        known |= {key: Known(known[key].value, removed=True) for key in made.removed}
        empty = {lookup for lookup, some in found.lookups.items() if not some}
        assert {key: item.value for key, item in known.items() if not item.removed and key[:2] not in empty} == dict(
            found.values()
        )
        assert changes(known, found) == Changes()


def test_versions_are_the_same_by_version_timestamp_and_language() -> None:
    one = MetadataVersion("1.0", "t", "0.9", "en-CA")
    assert one.same(MetadataVersion("1.0", "t", "1.0", "en-CA"))
    for other in (("1.1", "t", "0.9", "en-CA"), ("1.0", "u", "0.9", "en-CA"), ("1.0", "t", "0.9", "fr-CA")):
        assert not one.same(MetadataVersion(*other))
