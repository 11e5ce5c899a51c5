"""Writes deploy/helm/README.md from values.yaml: ``python -m deploy.generate.values_table``."""

from __future__ import annotations

import json

from deploy.generate.values import documented

HEAD = """\
# The mlsync chart

Written by `make docs` from [values.yaml](values.yaml). How to install it, and what to choose, is in
[mlsync on Kubernetes](../../docs/kubernetes.md).

| value | default | meaning |
|---|---|---|
"""


def render() -> str:
    """The page."""
    return HEAD + "".join(
        f"| `{value.name}` | {_shown(value.default)} | {value.about.replace('|', chr(92) + '|')} |\n"
        for value in documented()
    )


def _shown(default: object) -> str:
    return "–" if default in ("", [], {}) else f"`{default if isinstance(default, str) else json.dumps(default)}`"


if __name__ == "__main__":
    print(render(), end="")
