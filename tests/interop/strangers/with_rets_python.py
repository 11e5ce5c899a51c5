"""The client ``rets-python`` of PyPI: what it gets of what standard input asks, as JSON. It runs in its own place."""

import hashlib
import json
import sys
from collections.abc import Iterator
from typing import Any

from rets.client import RetsClient


def main() -> None:
    """One session."""
    asked = json.load(sys.stdin)
    proof = asked["user_agent_password"]
    client = RetsClient(
        login_url=asked["login_url"],
        username=asked["username"],
        password=asked["password"],
        auth_type=asked["auth"],
        rets_version=asked["version"].removeprefix("RETS/"),
        user_agent=asked["user_agent"],
        user_agent_password=proof,
        send_rets_ua_authorization=bool(proof),
    )
    found: dict[str, Any] = {"metadata": metadata(client, asked), "rows": {}, "objects": {}}
    for resource in asked["resources"]:
        for name in resource["classes"]:
            each = client.get_resource(resource["name"]).get_class(name)
            for form in asked["formats"]:
                result = each.search(f"({resource['key']}=0+)", format_=form, parse=False)
                assert result.count == len(result.data)
                assert not result.max_rows
                found["rows"][f"{resource['name']}:{name} {form}"] = [dict(row.data) for row in result.data]
            # Its decoder raises when a value is not of the type that the metadata say.
            assert len(each.search(f"({resource['key']}=0+)").data) == len(result.data)
    for number, each in enumerate(asked["objects"]):
        found["objects"][str(number)] = sorted(objects(client, each))
    client.http.logout()
    json.dump(found, sys.stdout)


def metadata(client: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """By its own calls; COMPACT."""
    found: dict[str, Any] = {"resources": {}, "classes": {}, "fields": {}, "lookups": {}, "objects": {}}
    assert client.http.get_system_metadata().system_id
    for resource in client.resources:
        found["resources"][resource.name] = resource.key_field
    for resource in asked["resources"]:
        name = resource["name"]
        mine = client.get_resource(name)
        found["classes"][name] = [each.name for each in mine.classes]
        for each in mine.classes:
            columns = ("SystemName", "StandardName", "DataType", "Interpretation", "LookupName")
            found["fields"][f"{name}:{each.name}"] = [[field[column] for column in columns] for field in each.table]
        for lookup in resource["lookups"]:
            (values,) = client.http.get_metadata("lookup_type", resource=name, class_=lookup)
            found["lookups"][f"{name}:{lookup}"] = {value["Value"]: value["LongValue"] for value in values.data}
        if resource["has_objects"]:
            found["objects"][name] = [[each.name, each.mime_type] for each in mine.object_types]
    return found


def objects(client: Any, each: dict[str, Any]) -> Iterator[list[str]]:
    """What came of one request."""
    numbers = each["numbers"] if isinstance(each["numbers"], str) else list(each["numbers"])
    for item in client.http.get_object(
        each["resource"], each["type"], dict.fromkeys(each["keys"], numbers), location=each["location"]
    ):
        about = [item.content_id, item.object_id, item.description or ""]
        if item.url:
            yield [*about, item.url]
        else:
            yield [*about, item.mime_type, hashlib.sha256(item.data).hexdigest()]


main()
