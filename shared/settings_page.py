"""Writes docs/settings.md from the settings themselves: ``python -m shared.settings_page``."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from shared.settings import FeedSettings, GeocoderSettings, MediaSettings, Override, Settings

HEAD = """\
# Settings

Written by `make docs` from the settings themselves.

Settings come from `mlsync.yaml` in the working folder (or the file that `--config` or `MLSYNC_CONFIG` names) and from
the environment, which wins and merges with the file. `mlsync check` prints every setting in force with its meaning
and tries what it names. Durations are seconds, or a number with `s`, `m`, `h` or `d`.
"""


def render() -> str:
    """The page."""
    lines = [
        HEAD,
        *_table("", "MLSYNC_", Settings, skip=("feeds", "media", "geocoder")),
        "\n## The media service: `media`\n",
        *_table("media.", "MLSYNC_MEDIA__", MediaSettings),
        "\n## The geocoder: `geocoder`\n",
        *_table("geocoder.", "MLSYNC_GEOCODER__", GeocoderSettings),
        "\n## A feed: `feeds.<name>`\n",
        "A feed is one credential at one MLS. Its name is yours to choose: lower-case letters, digits, `-` and `_`.\n",
        *_table("feeds.<name>.", "MLSYNC_FEEDS__<NAME>__", FeedSettings),
        "\n## What metadata do not say: `feeds.<name>.overrides.<resource>`\n",
        "For the protocol rets; `<resource>` is `property`, `member`, `office` or `open_house`.\n",
        *_table("feeds.<name>.overrides.<resource>.", "MLSYNC_FEEDS__<NAME>__OVERRIDES__<RESOURCE>__", Override),
    ]
    return "\n".join(lines) + "\n"


def _table(path: str, prefix: str, model: type[BaseModel], skip: tuple[str, ...] = ()) -> Iterator[str]:
    yield "| setting | variable | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in model.model_fields.items():
        if name not in skip:
            yield f"| `{path}{name}` | `{prefix}{name.upper()}` | {_default(field)} | {field.description} |"


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "none"
    if field.default is PydanticUndefined:
        return "*needed*"
    if isinstance(field.default, list):
        return f"`{','.join(field.default)}`"
    return (
        "unset"
        if field.default in (None, "")
        else f"`{field.default}`".replace("True", "true").replace("False", "false")
    )


if __name__ == "__main__":
    print(render(), end="")
