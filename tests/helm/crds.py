"""Custom resources held against the definitions that a cluster would hold them against, unknown fields refused.

``TEST_CRDS_DIR`` names a folder with the CRDs as YAML files: those of KEDA's release (keda-*-crds.yaml) and of
Prometheus Operator's (stripped-down-crds.yaml, or one file for each).
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

Json = dict[str, Any]


class NoDefinitionError(LookupError):
    """There is no CRD to hold it against; the text says what to do."""


@cache
def _definitions() -> dict[tuple[str, str], Json]:
    folder = os.environ.get("TEST_CRDS_DIR", "")
    if not folder or not Path(folder).is_dir():
        raise NoDefinitionError(
            f"TEST_CRDS_DIR ({folder or 'unset'}) is no folder: name one that holds the CRDs of KEDA and of Prometheus "
            "Operator, as YAML files (release files keda-*-crds.yaml and stripped-down-crds.yaml)"
        )
    found = {}
    for path in sorted(Path(folder).glob("*.yaml")):
        for crd in yaml.safe_load_all(path.read_text()):
            if crd and crd["kind"] == "CustomResourceDefinition":
                for version in crd["spec"]["versions"]:
                    name = f"{crd['spec']['group']}/{version['name']}"
                    found[name, crd["spec"]["names"]["kind"]] = _strict(version["schema"]["openAPIV3Schema"])
    return found


def check(item: Json) -> None:
    """Raise jsonschema.ValidationError where a cluster would refuse or drop a field; NoDefinitionError."""
    key = item["apiVersion"], item["kind"]
    if key not in _definitions():
        raise NoDefinitionError(f"the folder TEST_CRDS_DIR ({os.environ['TEST_CRDS_DIR']}) has no CRD of {key}")
    jsonschema.Draft4Validator(_definitions()[key]).validate({k: v for k, v in item.items() if k != "metadata"})


def _strict(schema: Any) -> Any:
    """A structural schema as JSON Schema: what it does not name is refused, an int-or-string is either."""
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _strict(value) for key, value in schema.items() if key not in ("description", "default", "format")}
    if isinstance(made.get("properties"), dict):
        made["properties"] = {name: _strict(value) for name, value in schema["properties"].items()}
        if "type" in made and not schema.get("x-kubernetes-preserve-unknown-fields"):
            made.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("anyOf", None)
        made["type"] = ["integer", "string"]
    return made
