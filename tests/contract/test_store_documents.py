"""``MetadataDocuments``: the metadata of a feed, version by version, in bounded room."""

from __future__ import annotations

from hashlib import sha256

from shared.lookups import MetadataDocument
from shared.store.base import KEEP_DOCUMENTS, KeptMetadata
from tests.contract.stores import FEED, Kit


def described(text: str, version: str = "1.0", timestamp: str = "t1") -> MetadataDocument:
    return MetadataDocument(version, timestamp, sha256(text.encode()).hexdigest(), f"{text} {version}".encode())


def test_before_any_were_kept_there_are_none(kit: Kit) -> None:
    assert kit.store.metadata.latest(FEED) is None
    assert kit.store.metadata.versions(FEED) == []
    assert kit.store.metadata.document(FEED, 1) is None
    assert kit.store.metadata.newest(FEED) is None


def test_what_is_kept_comes_back_byte_for_byte(kit: Kit) -> None:
    text = "Größe \0 'quoted' ☃"
    assert kit.store.metadata.keep(FEED, described(text)) == 1
    kit.reopen()
    assert kit.store.metadata.latest(FEED) == KeptMetadata(1, "1.0", "t1", described(text).digest, kit.now)
    assert kit.store.metadata.document(FEED, 1) == described(text).document


def test_each_version_has_a_number_of_its_own_the_latest_first(kit: Kit) -> None:
    numbers = [kit.store.metadata.keep(FEED, described(text)) for text in ("one", "two", "one")]
    assert numbers == [1, 2, 3]
    assert [each.number for each in kit.store.metadata.versions(FEED)] == [3, 2, 1]
    assert kit.store.metadata.latest(FEED) == kit.store.metadata.versions(FEED)[0]


def test_the_same_under_another_version_is_kept_once(kit: Kit) -> None:
    kit.store.metadata.keep(FEED, described("one"))
    began = kit.now
    kit.seconds += 60
    assert kit.store.metadata.keep(FEED, described("one", "1.1", "t2")) is None
    assert kit.store.metadata.versions(FEED) == [KeptMetadata(1, "1.1", "t2", described("one").digest, began)]
    assert kit.store.metadata.document(FEED, 1) == kit.store.metadata.newest(FEED) == b"one 1.1"
    kit.store.metadata.keep(FEED, described("two"))
    assert kit.store.metadata.newest(FEED) == b"two 1.0"


def test_texts_of_old_versions_go_and_their_lines_stay(kit: Kit) -> None:
    for number in range(1, KEEP_DOCUMENTS + 4):
        kit.store.metadata.keep(FEED, described(f"text {number}"))
    held = [each.number for each in kit.store.metadata.versions(FEED) if kit.store.metadata.document(FEED, each.number)]
    assert held == list(range(KEEP_DOCUMENTS + 3, 3, -1))
    assert len(kit.store.metadata.versions(FEED)) == KEEP_DOCUMENTS + 3


def test_feeds_have_metadata_of_their_own(kit: Kit) -> None:
    kit.store.metadata.keep(FEED, described("one"))
    assert kit.store.metadata.keep("other", described("two")) == 1
    assert kit.store.metadata.document(FEED, 1) == b"one 1.0"
