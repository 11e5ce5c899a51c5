"""Names of photo objects: no two alike, each valid, none a path, whatever the MLS uses as a key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.blobs.names import check_name
from shared.photos.names import encode_segment, object_name, record_prefix

SHA = "0123456789abcdef" * 4
KEYS = st.one_of(
    st.text(max_size=300),
    st.text("._/%~\0 aA", max_size=8),
    st.text("aA", min_size=90, max_size=140),
    st.sampled_from(["", ".", "..", "_member", "_office", "%", "%%", "%5f", "con", "é", "e\u0301", "\ud800"]),
)
RESOURCES = st.sampled_from(["property", "member", "office", "_member", "Member", ""])


def test_a_plain_name_is_as_documented() -> None:
    assert object_name("ddf", "26519021", 3, SHA, 17, "jpg") == "ddf/26519021/003-0123456789ab-17.jpg"


def test_other_resources_have_a_folder_of_their_own() -> None:
    assert object_name("ddf", "5", 0, SHA, 1, "png", "member") == "ddf/_member/5/000-0123456789ab-1.png"


@pytest.mark.parametrize(
    ("key", "segment"),
    [
        ("..", "%2e%2e"),
        ("../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd"),
        ("a\0b", "a%00b"),
        ("AbC-1", "%41b%43-1"),
        ("_member", "%5fmember"),
        ("a_b", "a_b"),
        ("", "%"),
        ("50%", "50%25"),
    ],
)
def test_keys_become_segments(key: str, segment: str) -> None:
    assert encode_segment(key) == segment


def test_a_long_key_keeps_its_beginning_and_ends_in_its_hash() -> None:
    one, other = encode_segment("listing-" * 40), encode_segment("listing-" * 41)
    assert one.startswith("listing-listing-")
    assert len(one) <= 100
    assert one != other


@given(KEYS, RESOURCES, KEYS, RESOURCES)
def test_different_records_have_different_prefixes_even_where_case_is_ignored(
    key: str, resource: str, other_key: str, other_resource: str
) -> None:
    same = (key, resource) == (other_key, other_resource)
    one, other = record_prefix("ddf", key, resource), record_prefix("ddf", other_key, other_resource)
    assert (one.lower() == other.lower()) is same
    assert same or not one.startswith(other)


@given(KEYS, KEYS, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), RESOURCES)
def test_every_name_is_valid_for_a_store_and_no_segment_is_long(
    feed: str, key: str, order: int, n: int, resource: str
) -> None:
    name = object_name(feed, key, order, SHA, n, "jpeg", resource)
    assert check_name(name) == name
    assert max(map(len, name.split("/"))) <= 120


@given(st.tuples(st.integers(0, 2_000), st.integers(0, 50)), st.tuples(st.integers(0, 2_000), st.integers(0, 50)))
def test_order_and_n_tell_photos_of_one_record_apart(one: tuple[int, int], other: tuple[int, int]) -> None:
    names = [object_name("ddf", "1", order, SHA, n, "jpg") for order, n in (one, other)]
    assert (names[0] == names[1]) is (one == other)


@pytest.mark.parametrize(
    ("order", "sha256", "n", "extension"),
    [(-1, SHA, 1, "jpg"), (1, SHA, -1, "jpg"), (1, "../" + SHA[3:], 1, "jpg"), (1, SHA, 1, "../x"), (1, SHA, 1, "")],
)
def test_what_would_not_make_a_name_is_refused(order: int, sha256: str, n: int, extension: str) -> None:
    with pytest.raises(ValueError):
        object_name("ddf", "1", order, sha256, n, extension)
