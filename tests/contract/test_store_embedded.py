"""``Records.settle_embedded``: members and offices are functions of what is stored (design rule 12)."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.effects import Count, Effect, Line, RemoveRecord
from tests.contract.stores import FEED, RUN, Kit, Listing, remap


def by(key: str, agents: Mapping[str, str], *, stamp: int = 1, price: int = 100) -> Listing:
    """A listing of agents, name by key, each of office 9."""
    return Listing(key, price, stamp, agents={agent: (name, "9") for agent, name in agents.items()})


def members(kit: Kit) -> dict[str, str]:
    return dict(kit.rows("SELECT member_key, member_full_name FROM member"))


def offices(kit: Kit) -> dict[str, str]:
    return dict(kit.rows("SELECT office_key, office_name FROM office"))


def test_a_listings_copy_makes_a_row(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann", "8": "Bob"}))
    assert members(kit) == {"7": "Ann", "8": "Bob"}
    assert offices(kit) == {"9": "Office 9"}


def test_the_last_observed_copy_wins(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann"}))
    kit.page(20, by("2", {"7": "Anna"}))
    assert members(kit) == {"7": "Anna"}
    kit.page(30, by("1", {"7": "Ann"}))
    assert members(kit) == {"7": "Ann"}


def test_of_copies_observed_together_the_greater_key_wins(kit: Kit) -> None:
    kit.page(10, by("10", {"7": "ten"}), by("9", {"7": "nine"}), by("1", {"7": "one"}))
    assert members(kit) == {"7": "nine"}  # keys are compared as bytes


def test_a_listing_that_was_only_touched_counts_as_observed(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann"}))
    kit.page(20, by("2", {"7": "Anna"}))
    kit.page(30, by("1", {"7": "Ann"}, stamp=2))
    assert members(kit) == {"7": "Ann"}


def test_a_copy_that_ceases_to_be_the_last_gives_way_to_the_one_before(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann"}))
    kit.page(20, by("2", {"7": "Anna"}))
    kit.page(30, by("2", {"8": "Bob"}))
    assert members(kit) == {"7": "Ann", "8": "Bob"}


def test_a_row_falls_back_when_the_listing_of_the_last_copy_is_removed(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann"}))
    kit.page(20, by("2", {"7": "Anna"}))
    kit.remove(30, "2")
    assert members(kit) == {"7": "Ann"}


def test_a_row_disappears_with_its_last_listing(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann"}), by("2", {"7": "Ann"}))
    kit.remove(20, "1")
    assert members(kit) == {"7": "Ann"}
    kit.remove(30, "2")
    assert members(kit) == {}
    assert offices(kit) == {}


def test_a_row_disappears_when_its_last_listing_names_another(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann"}))
    kit.page(20, by("1", {"8": "Bob"}))
    assert members(kit) == {"8": "Bob"}


def test_a_row_that_every_copy_agrees_on_is_not_rewritten(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann"}))
    kit.backend.watch("member")
    kit.page(20, by("2", {"7": "Ann"}), by("1", {"7": "Ann"}, price=90))
    kit.remove(30, "1")
    assert kit.backend.written("member") == 0
    assert members(kit) == {"7": "Ann"}


# --- own records


def test_a_copy_never_overwrites_an_own_record(kit: Kit) -> None:
    kit.own("member", 10, "7", "Ann herself")
    kit.page(20, by("1", {"7": "Ann"}))
    assert members(kit) == {"7": "Ann herself"}


def test_an_own_record_overwrites_the_copy(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann"}))
    kit.own("member", 20, "7", "Ann herself")
    assert members(kit) == {"7": "Ann herself"}
    kit.page(30, by("1", {"7": "Anna"}))
    assert members(kit) == {"7": "Ann herself"}


def test_an_own_record_stays_when_the_last_listing_goes(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann"}))
    kit.own("member", 20, "7", "Ann herself")
    kit.remove(30, "1")
    assert members(kit) == {"7": "Ann herself"}


@pytest.mark.parametrize("name", ["Ann", "Anna"])
def test_a_removed_own_record_falls_back_to_the_last_copy(kit: Kit, name: str) -> None:
    kit.page(10, by("1", {"7": "Ann"}))
    kit.own("member", 20, "7", "Ann herself")
    kit.page(30, by("2", {"7": name}))
    kit.remove(40, "7", resource="member")
    assert members(kit) == {"7": name}


def test_a_removed_own_record_without_a_copy_leaves_no_row(kit: Kit) -> None:
    kit.own("member", 10, "7", "Ann herself")
    kit.remove(20, "7", resource="member")
    assert members(kit) == {}


def test_the_copy_a_row_fell_back_to_can_be_overwritten_again(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann"}))
    kit.own("member", 20, "7", "Ann herself")
    kit.remove(30, "7", resource="member")
    kit.page(40, by("2", {"7": "Anna"}))
    assert members(kit) == {"7": "Anna"}


def test_an_offices_own_record_leaves_the_members_to_their_copies(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann"}))
    kit.own("office", 20, "9", "The office itself")
    kit.page(30, by("2", {"7": "Anna"}))
    assert offices(kit) == {"9": "The office itself"}
    assert members(kit) == {"7": "Anna"}


# --- counts


def counted(kit: Kit, *effects: Effect, orphaned: Sequence[str] = (), removed: Sequence[str] = ()) -> dict[str, int]:
    """What is counted of members when their own records, or listings, are removed."""
    with kit.store.write() as tx:
        tx.records.apply(FEED, "member", RUN, effects)
        settled = tx.records.settle_embedded(FEED, {}, removed, remap, [("member", key) for key in orphaned])
    counts = Counter(settled.get("member", {}))
    counts.update(effect.name for effect in effects if isinstance(effect, Count))
    return dict(+counts)


def test_an_own_record_in_the_place_of_a_copy_counts_as_updated(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann"}))
    kit.own("member", 20, "7", "Ann herself")
    kit.own("member", 20, "8", "Bob himself")
    assert kit.counts("member") == {"inserted": 1, "updated": 1}


def test_a_copy_in_the_place_of_an_own_record_counts_as_updated(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann"}))
    kit.own("member", 20, "7", "Ann herself")
    kit.own("member", 20, "8", "Bob himself")
    gone = [effect for key in "78" for effect in (RemoveRecord(Line(key, observed_at=30)), Count("removed"))]
    assert counted(kit, *gone, orphaned="78") == {"updated": 1, "removed": 1}


def test_a_row_that_goes_with_its_last_copy_counts_as_removed(kit: Kit) -> None:
    kit.page(10, by("1", {"7": "Ann", "8": "Bob"}), by("2", {"8": "Bob"}))
    kit.own("member", 20, "8", "Bob himself")
    kit.remove(30, "2")
    assert counted(kit, removed="1") == {"removed": 1}


# --- for any history

NAMES = ["Ann", "Anna", "Anne"]


@given(rng=st.randoms(use_true_random=False))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_members_are_a_function_of_the_stored_listings(kit: Kit, rng: random.Random) -> None:
    """Whatever pages and removals led there: compared with the rule, applied to all that is stored."""
    kit.remove(1, *"1234")
    kit.remove(1, "7", "8", resource="member")
    current: dict[str, tuple[int, dict[str, str]]] = {}
    own: dict[str, str] = {}
    for at in itertools.islice(itertools.count(10), 12):
        match rng.randrange(6):
            case 0:
                gone = rng.sample(sorted(current), rng.randrange(len(current) + 1))
                kit.remove(at, *gone)
                for key in gone:
                    del current[key]
            case 1:
                key = rng.choice("78")
                if key in own:
                    kit.remove(at, key, resource="member")
                    del own[key]
                else:
                    own[key] = f"{key} at {at}"
                    kit.own("member", at, key, own[key])
            case _:
                page = {
                    key: {agent: rng.choice(NAMES) for agent in rng.sample("78", rng.randrange(3))}
                    for key in rng.sample("1234", rng.randrange(1, 4))
                }
                kit.page(at, *(by(key, agents) for key, agents in page.items()))
                current |= {key: (at, agents) for key, agents in page.items()}
        expected = {
            agent: name
            for _, _, agents in sorted((at, key, agents) for key, (at, agents) in current.items())
            for agent, name in agents.items()
        } | own
        assert members(kit) == expected
