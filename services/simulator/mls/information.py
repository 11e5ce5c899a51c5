"""What this MLS says besides data: its notice after login (the Action address) and ServerInformation (§4.10, §15)."""

from __future__ import annotations

from ..answers import Answer, Call, RefusedError, envelope
from ..faults import Faults
from ..formats import escape, iso
from ..world import World
from .records import records
from .tables import RESOURCES, Class

NOTICE = (
    "<html><head><title>Notice</title></head><body><h1>Notice</h1>"
    "<p>The board's data are for its members. Maintenance is on Sundays at 03:00&#160;UTC.</p></body></html>"
)


def action(method: str) -> Answer:
    """What whoever logs in is to read: HTML, and by GET alone."""
    if method != "GET":
        return Answer(b"Method Not Allowed", "text/plain", 405, {"Allow": "GET"})
    return Answer(NOTICE.encode(), "text/html; charset=utf-8")


def server_information(world: World, call: Call, faults: Faults) -> Answer:
    """Answer a ServerInformation, of all or of a resource or class. Raises RefusedError with 20602."""
    resource, name = call.get("resource"), call.get("class")
    found = [each for each in RESOURCES if not resource or each == resource]
    kinds = [kind for each in found for kind in world.schema.of(each) if not name or kind.name == name]
    if not kinds:
        raise RefusedError(20602, "No such resource or class")
    lines = [f'<Parameter name="CurrentTimeStamp">{iso(int(world.clock.now()))}</Parameter>\n']
    for kind in kinds:
        lines += _of_class(world, kind, faults)
    return Answer(envelope(0, "Success", f"\n<ServerInformation>\n{''.join(lines)}</ServerInformation>\n"))


def _of_class(world: World, kind: Class, faults: Faults) -> list[str]:
    stamps = [row["MOD_TS"] for row in records(world.view(), kind, world.schema) if "MOD_TS" in row]
    told = {
        "LastTimeStamp": max((stamp.strftime("%Y-%m-%dT%H:%M:%SZ") for stamp in stamps), default=""),  # type: ignore[union-attr]
        "MinimumLimit": (faults.on("row-cap") or "NONE").partition(":")[0],
        "ReplicationSupport": "N",
    }
    where = f'resource="{escape(kind.resource)}" class="{escape(kind.name)}"'
    return [f'<Parameter name="{name}" {where}>{text}</Parameter>\n' for name, text in told.items() if text]
