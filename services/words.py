"""Commands with a word that may be left out."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class Usual(TyperGroup):
    """A group whose first command is meant where the first word is none of its commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the usual command before the arguments that lack one."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)
