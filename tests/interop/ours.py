"""What our own client gets, in the shape that strangers answer in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from shared.rets.answer import Answer
from shared.rets.compact import CompactReader
from shared.rets.dmql.grammar import parse
from shared.rets.objects import ObjectRequest, RetsObject, read_all
from shared.rets.schema.fetch import fetch_metadata
from shared.rets.schema.types import System
from shared.rets.search import Search, SearchFormat
from shared.rets.session import RetsSession
from shared.rets.settings import RetsSettings
from tests.interop.asked import FORMATS, PASSWORD, USER_AGENT, USERNAME, Objects, Way


def opened(login_url: str, way: Way) -> RetsSession:
    """A session that speaks this way."""
    proof = SecretStr(way.agent_password) if way.agent_password else None
    return RetsSession(
        RetsSettings(
            login_url, USERNAME, SecretStr(PASSWORD), user_agent=USER_AGENT, user_agent_password=proof,
            rets_version=way.version,
        )
    )  # fmt: skip


def system_of(login_url: str, way: Way) -> System:
    """The metadata."""
    session = opened(login_url, way)
    try:
        return fetch_metadata(session).system
    finally:
        session.logout()


def ours(login_url: str, way: Way, system: System, wanted: Sequence[Objects]) -> dict[str, Any]:
    """Metadata, rows and objects."""
    session = opened(login_url, way)
    try:
        return {
            "metadata": _metadata(system),
            "rows": {
                f"{resource.name}:{each.name} {form}": _rows(session, resource.name, each.name, resource.key_field,
                                                             [field.system_name for field in each.fields], form)
                for resource in system.resources for each in resource.classes for form in FORMATS
            },
            "objects": {str(number): _objects(session, each) for number, each in enumerate(wanted)},
        }  # fmt: skip
    finally:
        session.logout()


def _metadata(system: System) -> dict[str, Any]:
    return {
        "resources": {resource.name: resource.key_field for resource in system.resources},
        "classes": {resource.name: [each.name for each in resource.classes] for resource in system.resources},
        "fields": {
            f"{resource.name}:{each.name}": [
                [field.system_name, field.standard_name, field.data_type, field.interpretation, field.lookup_name]
                for field in each.fields
            ]
            for resource in system.resources
            for each in resource.classes
        },
        "lookups": {
            f"{resource.name}:{lookup.name}": {value.value: value.long_value for value in lookup.values}
            for resource in system.resources
            for lookup in resource.lookups
        },
        "objects": {
            resource.name: [[each.object_type, each.mime_type] for each in resource.objects]
            for resource in system.resources
            if resource.objects
        },
    }


def _rows(
    session: RetsSession, resource: str, name: str, key: str, fields: Sequence[str], form: SearchFormat
) -> list[dict[str, str]]:
    search = Search(resource, name, parse(f"({key}=0+)"), tuple(fields), format=form)

    def read(answer: Answer) -> list[dict[str, str]]:
        reader = CompactReader()
        found = list(reader.stream(answer.chunks(), session.mender()))
        answer.reply = reader.reply
        return found

    return session.ask("Search", search.arguments(), read)


def _objects(session: RetsSession, wanted: Objects) -> list[list[str]]:
    numbers = [] if isinstance(wanted.numbers, str) else [int(number) for number in wanted.numbers]
    request = ObjectRequest(
        wanted.resource, wanted.type, dict.fromkeys(wanted.keys, numbers), location=wanted.location,
        preferred=wanted.numbers == "0",
    )  # fmt: skip
    with session.get_object(request.arguments()) as answer:
        return sorted(_shown(item) for item in read_all(answer, wanted.keys, images=False) if item.error is None)


def _shown(item: RetsObject) -> list[str]:
    if item.url is not None:
        return [item.key, str(item.order), item.description, item.url]
    assert item.data is not None
    return [item.key, str(item.order), item.description, item.content_type, hashlib.sha256(item.data).hexdigest()]
