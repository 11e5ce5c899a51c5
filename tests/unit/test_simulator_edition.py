"""The simulator's metadata change as those of an MLS do: values come, go and are renamed, and listings stay true."""

from __future__ import annotations

from services.simulator.edition import Edition


def held(edition: Edition) -> dict[tuple[str, str], str]:
    return {(item["lookup_name"], item["code"]): item["lookup_value"] for item in edition.truths(0)}


def test_each_edition_has_values_that_are_new_others_changed_and_every_other_one_removed() -> None:
    for number in range(4):
        before, after = held(Edition(number)), held(Edition(number + 1))
        assert after.keys() - before.keys()
        assert {key for key in after.keys() & before.keys() if after[key] != before[key]} == {("Boards", "82")}
        gone = {("Boards", "44"), ("Uffi", "No"), ("Uffi", "Yes"), ("Uffi", "Removed")}
        assert before.keys() - after.keys() == (set() if number % 2 else gone)
        assert Edition(number).version != Edition(number + 1).version
        assert Edition(number).date < Edition(number + 1).date


def test_no_code_stands_twice_in_a_lookup() -> None:
    for edition in (Edition(0), Edition(3)):
        for name in edition.names():
            codes = [code for code, _ in edition.values(name)]
            assert len(set(codes)) == len(codes), name


def test_a_board_that_an_edition_lacks_is_called_what_it_was() -> None:
    assert Edition(1).board("44") == Edition(0).board("44")
    assert dict(Edition(0).values("Boards"))["44"] == Edition(0).board("44")
