"""Whether what is stored is what the simulated MLS has, asked from beside the servers by their own programs."""

from __future__ import annotations

import json
from datetime import datetime

STORED = """
SELECT json_build_object(
  'listings', (SELECT json_object_agg(listing_key, extract(epoch FROM modification_timestamp)) FROM property),
  'photos', (SELECT json_object_agg(object_key, json_build_array(resource_record_key, media_key, content_sha256))
    FROM media WHERE object_key IS NOT NULL))
"""
"""For PostgreSQL: the listings, and the photos by the names of their objects."""
CONTROL = "import sys, urllib.request as u; print(u.urlopen(u.Request('http://127.0.0.1:8800/control/' + sys.argv[1], method=sys.argv[2])).read().decode())"  # noqa: E501
"""For Python beside the simulator, whose ``/control/`` answers nobody but its own machine: what, and the method."""


def records(truth: str, stored: str) -> list[str]:
    """Where ``stored`` (the answer to ``STORED``) is not the simulator's ``truth``; empty when all is in step."""
    have = json.loads(stored)
    told = [json.loads(line) for line in truth.splitlines() if line]
    listings = {record["key"]: datetime.fromisoformat(record["modified"]).timestamp() for record in told}
    photos = {(record["key"], str(photo["order"])): photo["sha256"] for record in told for photo in record["photos"]}
    kept = {(key, order): sha for key, order, sha in (have["photos"] or {}).values()}
    found = [f"listing {key}" for key, _ in listings.items() ^ (have["listings"] or {}).items()]
    return sorted(found + [f"photo {key}" for key, _ in photos.items() ^ kept.items()])


def objects(stored: str) -> dict[str, str]:
    """The objects that ``stored`` tells of, each with the hash of its bytes."""
    return {name: sha for name, (_, _, sha) in (json.loads(stored)["photos"] or {}).items()}
