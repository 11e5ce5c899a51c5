"""The lines of a login answer as each version has them (RETS 1.7.2 §4.7; RETS 1.5; RETS 1.8)."""

from __future__ import annotations

from collections.abc import Iterable

from ..edition import Edition

USER = ("demo", "AGENT", "4", "A-77")
"""Id, class, level and agent code, in the order that most servers give them."""


def lines(version: str, edition: Edition, addresses: Iterable[str]) -> list[str]:
    """``key=value`` lines for a client of this RETS-Version; ``addresses`` are those of the transactions."""
    plain = ["MemberName=Dana Example", f"User={','.join(USER)}", "Broker=EXB,2", "TimeoutSeconds=1800"]
    if version.startswith("RETS/1.8"):
        told = {
            "MEMBERNAME;Character": "Dana Example",
            "USER;Character": ",".join(USER),
            "USERID;Character": USER[0],
            "USERCLASS;Character": USER[1],
            "USERLEVEL;Int": USER[2],
            "AGENTCODE;Character": USER[3],
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
