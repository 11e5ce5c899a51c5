"""The lines of a login answer as each version has them (RETS 1.7.2 §4.7; RETS 1.5; RETS 1.8)."""

from __future__ import annotations

from collections.abc import Iterable

from ..edition import Edition
from ..faults import Faults

USER = ("demo", "AGENT", "4", "A-77")
"""Id, class, level and agent code, in the order that most servers give them."""


def lines(version: str, edition: Edition, addresses: Iterable[str], faults: Faults) -> list[str]:
    """``key=value`` lines for a client of this RETS-Version; ``addresses`` are those of the transactions."""
    name, kind, level, agent = USER
    if faults.on("login-form") == "null":
        kind = agent = "NULL"
    level_first = faults.on("user-order") is not None
    user = ",".join((name, level, kind, agent) if level_first else (name, kind, level, agent))
    plain = ["MemberName=Dana Example", f"User={user}", "Broker=EXB,2", "TimeoutSeconds=1800"]
    if version.startswith("RETS/1.8"):
        told = {
            "MEMBERNAME;Character": "Dana Example",
            "USER;Character": user,
            "USERID;Character": name,
            **({} if level_first else {"USERCLASS;Character": kind, "USERLEVEL;Int": level}),
            "AGENTCODE;Character": agent,
            "BROKERCODE;Character": "EXB",
            "BROKERBRANCH;Character": "2",
            "METADATAID;Character": "DEMO",
            "METADATAVERSION;Character": edition.version,
            "METADATATIMESTAMP;DateTime": edition.date,
            "MINMETADATATIMESTAMP;DateTime": edition.date,
            "TimeoutSeconds;Int": "1800",
        }
        return [*(f"Info={name};{value}" for name, value in told.items()), *addresses]
    if version.startswith("RETS/1.5"):
        return [*plain, f"MetadataVersion={edition.version}", f"MinMetadataVersion={edition.version}", *addresses]
    return [
        *plain,
        f"MetadataVersion={edition.version}",
        f"MetadataTimestamp={edition.date}",
        f"MinMetadataTimestamp={edition.date}",
        *addresses,
    ]
