"""The hash of a record stays the same from release to release: another one has every stored listing written anew."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.mapping.mapping import Mapping
from shared.mapping.spec import MappingSpec
from shared.messages import SourceRecord

MAPPING = {
    "version": 1,
    "zone": "America/Toronto",
    "resources": {
        "agent": {
            "table": "agent", "about": "Agents", "key": ["@ID", "agent_key", "Key"],
            "modified": ["@LastUpdated", "modified", "Modified"],
            "fields": {"Name": ["name", "text", "Name"], "Languages/Language": ["languages", "texts", "Languages"]},
        },
        "listing": {
            "table": "listing", "about": "Listings", "key": ["@ID", "listing_key", "Key"],
            "modified": ["@LastUpdated", None, "Modified"],
            "fields": {
                "Board": ["board", "code", "Board"], "Remarks": ["remarks", "remarks", "Remarks"],
                "Rooms": ["rooms", "integer", "Rooms"], "Price": ["price", "money", "Price"],
                "Rate": ["rate", "decimal", "Rate"], "Where/Latitude": ["latitude", "coordinate", "Latitude"],
                "Sold": ["sold", "boolean", "Sold"], "Day": ["day", "date", "Day"], "At": ["at", "timestamp", "At"],
                "View": ["view", "list", "View"], "Lot": ["lot", "measure", "Lot"],
                "Size": ["size", "measure_range", "Size"],
            },
            "children": {
                "Parts/Part": {"table": "part", "about": "Parts", "fields": {"Type": ["type", "code", "Type"]}},
                "Open/Event": {"table": "event", "about": "", "fields": {"Start": ["start", "event_start", ""]}},
            },
            "media": {
                "path": "Photo/PropertyPhoto",
                "fields": {
                    "SequenceId": ["order", "integer", "Place"],
                    "Description": ["long_description", "text", "Caption"],
                    "LastUpdated": ["last_updated", "timestamp", "Listed"],
                    "PhotoLastUpdated": ["modification_timestamp", "timestamp", "Changed"],
                    "ThumbnailPhotoURL": ["thumbnail_photo_url", "text", "Small"],
                    "PhotoURL": ["photo_url", "text", "Middle"],
                    "LargePhotoURL": ["large_photo_url", "text", "Large"],
                },
            },
            "embedded": {"path": "Agent", "resource": "agent", "columns": {"agent": ["agent_key"]}},
        },
    },
}  # fmt: skip
"""A mapping of its own with every type: that of the DDF may change, and then its hashes must."""

FIELDS: dict[str, Any] = {
    "@ID": "7", "@LastUpdated": "Tue, 05 Mar 2024 14:00:00 GMT", "Board": "16", "Remarks": "À louer & more (id:1234)",
    "Rooms": "3", "Price": "1976900.00", "Rate": "0.1250", "Where": {"Latitude": "45.420000000000001"}, "Sold": "True",
    "Day": "2024-03-10", "At": "05/03/2024 09:00:00 AM", "View": "Lake, City", "Lot": "0.25 ac",
    "Size": "1100 - 1500 sqft", "Unknown": {"#text": "😀", "@a": "b"}, "Twice": ["1", {"x": ""}],
    "Parts": {"Part": [{"Type": "Cellar"}, {"Type": ""}, {"Type": "Attic"}]},
    "Open": {"Event": {"Start": "2024-11-03 1:30:00 AM"}},
    "Photo": {"PropertyPhoto": [
        {"SequenceId": "1", "Description": "Front", "LastUpdated": "25/11/2023 03:59:54 PM",
         "PhotoLastUpdated": "Sat, 25 Nov 2023 20:59:54 GMT", "ThumbnailPhotoURL": "https://p.example/s/1.jpg",
         "PhotoURL": "https://p.example/m/1.jpg", "LargePhotoURL": "https://p.example/l/1.jpg?t=1"},
        {"SequenceId": "2", "LargePhotoURL": "https://p.example/l/2.jpg"},
    ]},
    "Agent": {"@ID": "9", "Name": "Ana", "Languages": {"Language": ["English", "Punjabi"]}},
}  # fmt: skip


def test_the_hash_of_a_record_is_what_it_always_was() -> None:
    mapped = Mapping(msgspec.convert(MAPPING, MappingSpec)).map("ddf", "listing", SourceRecord("7", "", FIELDS))
    assert [problem.reason for problem in mapped.problems] == []
    assert mapped.unknown == ["Unknown", "Twice"]
    assert mapped.embedded[0].hash.hex() == "ccf7938d3bce2fdb410f7431a17ae635"
    assert mapped.hash.hex() == "45ebcc85b873959c431bb5ff3b3cec71"
