"""The least of a history that still goes wrong in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.simulation.plan import Plan, Setup, changed

MOST_TRIES = 1_500
PLAINER: dict[str, list[Any]] = {
    "form": ["embedded"],
    "listings": [1, 2, 3, 4, 5],
    "fetchers": [1],
    "workers": [1],
    "sessions": [1],
    "range_size": [100, 3, 2],
    "page_size": [100, 4, 2],
    "skewed": [False],
    "lagging": [False],
    "faulty": [False],
    "guard": [None],
    "people": [False],
    "incremental": [False],
    "begun": [False],
    "alike": [False],
}


def shrunk(plan: Plan, wrong: Callable[[Plan], bool], tries: int = MOST_TRIES) -> Plan:
    """As plain as it gets: fewer events, a plainer setup, shorter stretches of work. ``wrong`` plays a plan."""
    left = tries

    def try_one(candidate: Plan) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and wrong(candidate)

    while True:
        before = plan
        for plainer in (_without_events, _plainer_setups, _shorter_work):
            plan = _first(plan, plainer, try_one)
        if plan == before or left <= 0:
            return plan


def _first(plan: Plan, plainer: Callable[[Plan], Iterator[Plan]], wrong: Callable[[Plan], bool]) -> Plan:
    """What ``plainer`` offers is taken as long as it goes wrong."""
    while True:
        found = next((candidate for candidate in plainer(plan) if wrong(candidate)), None)
        if found is None:
            return plan
        plan = found


def _without_events(plan: Plan) -> Iterator[Plan]:
    """Large pieces first; from the end, since what follows depends on what was before."""
    places = [place for place, _ in plan.events]
    size = len(places)
    while size:
        for end in range(len(places), 0, -size):
            yield changed(plan, without=places[max(0, end - size) : end])
        size //= 2


def _plainer_setups(plan: Plan) -> Iterator[Plan]:
    for name, values in PLAINER.items():
        now = getattr(plan.setup, name)
        for value in values:
            if value == now:
                break
            yield changed(plan, **{name: value})


def _shorter_work(plan: Plan) -> Iterator[Plan]:
    for place, event in plan.events:
        for size in sorted({1, event.size // 2, event.size - 1} - {0, event.size}):
            if size < event.size:
                yield changed(plan, sizes={place: size})


def as_arguments(plan: Plan, seed_plan: Plan) -> str:
    """What to add to ``--seed`` to play a plan that was made of the seed's by leaving out."""
    drawn = dict(seed_plan.events)
    kept = ",".join(
        str(place) if event.size == drawn[place].size else f"{place}:{event.size}" for place, event in plan.events
    )
    differ = [
        f"{name}={getattr(plan.setup, name)}"
        for name in Setup.__dataclass_fields__
        if getattr(plan.setup, name) != getattr(seed_plan.setup, name)
    ]
    words = f" --keep {kept or 'none'}" if plan.events != seed_plan.events else ""
    return words + (f" --setup {','.join(differ)}" if differ else "")


def from_arguments(plan: Plan, keep: str | None, setup: str | None) -> Plan:
    """The inverse of ``as_arguments``. Raises ValueError, KeyError."""
    if keep is not None:
        kept = [item.partition(":") for item in keep.split(",") if item != "none"]
        sizes = {int(place): int(size) for place, _, size in kept if size}
        places = {int(place) for place, _, _ in kept}
        plan = changed(plan, without=[place for place, _ in plan.events if place not in places], sizes=sizes)
    if setup is not None:
        values: dict[str, Any] = {}
        for item in setup.split(","):
            name, _, text = item.partition("=")
            kinds: dict[str, Any] = {"True": True, "False": False, "None": None}
            values[name] = kinds[text] if text in kinds else int(text) if text.isdigit() else text
        plan = changed(plan, **values)
    return plan
