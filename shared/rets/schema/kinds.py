"""What a field's values are, by its DataType and Interpretation (RETS 1.7.2 §11.3.2), for queries and for values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Final

from shared.rets.dmql import binding
from shared.rets.dmql.binding import Kind
from shared.rets.schema.types import Field, Lookup, ResourceClass, System

_INTERPRETATIONS: Final = {"lookup": Kind.LOOKUP, "lookupmulti": Kind.LOOKUP_MULTI}
_DATA_TYPES: Final = {
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "time": Kind.TIME,
    **dict.fromkeys(("tiny", "small", "int", "long", "decimal"), Kind.NUMBER),
}
INTEGERS: Final = {"tiny": 8, "small": 16, "int": 32, "long": 64}
"""Bits of each."""


def kind_of(field: Field) -> Kind:
    """Words of the server's own are texts, as are the deprecated bit strings."""
    looked_up = _INTERPRETATIONS.get(field.interpretation.lower())
    return looked_up or _DATA_TYPES.get(field.data_type.lower(), Kind.CHARACTER)


def askable(
    described: ResourceClass, lookups: Iterable[Lookup] = (), *, standard_names: bool = False
) -> Mapping[str, binding.Field]:
    """The fields that a query may name, by SystemName or by StandardName. With ``lookups`` their values are checked."""
    values = {lookup.lookup_name: frozenset(each.value for each in lookup.values) for lookup in lookups}
    return {
        name: binding.Field(kind, values.get(field.lookup_name) if kind in {Kind.LOOKUP, Kind.LOOKUP_MULTI} else None)
        for field in described.fields
        if (name := field.standard_name if standard_names else field.system_name)
        for kind in (kind_of(field),)
    }


def zone_of(system: System) -> tzinfo:
    """Where the server's clock hangs, UTC when it does not say."""
    found = re.fullmatch(r"([+-])([0-9]{2}):?([0-9]{2})", system.time_zone_offset.strip())
    if found is None or int(found[2]) > 14 or int(found[3]) > 59:
        return UTC
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset)
