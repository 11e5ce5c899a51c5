"""The client ``rets`` of PyPI: what it gets of what standard input asks, as JSON. Runs in its own environment."""

import hashlib
import json
import sys
from collections.abc import Iterator
from typing import Any

from rets import Session


def main() -> None:
    """One session."""
    asked = json.load(sys.stdin)
    session = Session(
        asked["login_url"],
        asked["username"],
        asked["password"],
        version=asked["version"],
        http_auth=asked["auth"],
        user_agent=asked["user_agent"],
        user_agent_password=asked["user_agent_password"] or None,
    )
    session.login()
    found: dict[str, Any] = {"metadata": metadata(session, asked), "rows": {}, "objects": {}}
    for resource in asked["resources"]:
        for name in resource["classes"]:
            for form in asked["formats"]:
                query = {"resource": resource["name"], "resource_class": name, "response_format": form}
                rows = session.search(dmql_query=f"({resource['key']}=0+)", **query)
                found["rows"][f"{resource['name']}:{name} {form}"] = [dict(row) for row in rows]
    for number, each in enumerate(asked["objects"]):
        found["objects"][str(number)] = sorted(objects(session, each))
    session.logout()
    json.dump(found, sys.stdout)


def metadata(session: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """By its own calls; STANDARD-XML, which it falls back to."""
    found: dict[str, Any] = {"resources": {}, "classes": {}, "fields": {}, "lookups": {}, "objects": {}}
    assert session.get_system_metadata()["version"]
    for resource in session.get_resource_metadata():
        found["resources"][resource["ResourceID"]] = resource["KeyField"]
    for resource in asked["resources"]:
        name = resource["name"]
        found["classes"][name] = [each["ClassName"] for each in session.get_class_metadata(name)]
        for each in resource["classes"]:
            columns = ("SystemName", "StandardName", "DataType", "Interpretation", "LookupName")
            found["fields"][f"{name}:{each}"] = [
                [field[column] or "" for column in columns] for field in session.get_table_metadata(name, each)
            ]
        for lookup in resource["lookups"]:
            found["lookups"][f"{name}:{lookup}"] = {
                value["Value"]: value["LongValue"] for value in session.get_lookup_values(name, lookup)
            }
        if resource["has_objects"]:
            found["objects"][name] = [
                [each["ObjectType"], each["MIMEType"]] for each in session.get_object_metadata(name)
            ]
    return found


def objects(session: Any, each: dict[str, Any]) -> Iterator[list[str]]:
    """What came of one request."""
    numbers = each["numbers"] if isinstance(each["numbers"], str) else list(each["numbers"])
    for item in session.get_object(
        each["resource"], each["type"], list(each["keys"]), numbers, location=int(each["location"])
    ):
        # It takes the headers of parts for Latin-1.
        description = (item["content_description"] or "").encode("latin-1").decode()
        about = [item["content_id"], item["object_id"], description]
        if item["location"]:
            yield [*about, item["location"]]
        else:
            yield [*about, item["content_type"], hashlib.sha256(item["content"]).hexdigest()]


main()
