"""In which form a feed's rows are: what they were made with, by resource, as told in the store.

A form is a line of text: mapping, its version, media policy. While rows are made anew the line names the run too, and
whoever writes a row in another form meanwhile, a process of before an upgrade, takes the line away: then they are made
anew once more.
"""

from __future__ import annotations

from shared.store.base import Tx

MAKING = " since "


def told(tx: Tx, feed: str) -> dict[str, str]:
    """The line of each resource that has one."""
    return {line.partition(" ")[0]: line for line in (tx.records.form(feed) or "").splitlines()}


def begin(tx: Tx, feed: str, resource: str, form: str, run_id: str) -> None:
    """From now on the run makes the resource's rows anew in this form."""
    _tell(tx, feed, {**told(tx, feed), resource: f"{form}{MAKING}{run_id}"})


def end(tx: Tx, feed: str, resource: str, form: str, run_id: str) -> None:
    """It has made them; all are in this form, unless one was written in another meanwhile."""
    known = told(tx, feed)
    if known.get(resource) == f"{form}{MAKING}{run_id}":
        _tell(tx, feed, {**known, resource: form})


def written(tx: Tx, feed: str, resource: str, form: str) -> None:
    """Rows of the resource are written in this form: if others are in another, nothing can be told of it."""
    known = told(tx, feed)
    if known.get(resource, form).partition(MAKING)[0] != form:
        _tell(tx, feed, {name: line for name, line in known.items() if name != resource})


def _tell(tx: Tx, feed: str, lines: dict[str, str]) -> None:
    tx.records.set_form(feed, "\n".join(lines.values()))
