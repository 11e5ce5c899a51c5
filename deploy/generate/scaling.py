"""How many media pods follow a backlog: KEDA's and the autoscaler's arithmetic, minute by minute, on made-up loads.

``python -m deploy.generate.scaling`` prints the table of docs/scaling.md and draws docs/pictures/scaling.png. The rules
are those of KEDA (messages over ``messagesPerReplica``, rounded up; the last pod only after ``cooldownPeriod``) and of
the HorizontalPodAutoscaler (so many pods up in a period; down only to the most wanted within the window, so
many in a period). What a pod does and how fast photos are asked for are parameters, said with each result.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from deploy.generate.values import CHART, default_values

MEASURED = Path(__file__).with_name("scaling.json")
"""A real course, from ``python -m bench.pods``."""
PICTURE = Path(__file__).parents[2] / "docs/pictures/scaling.png"
STEP = 15
"""Seconds: how often KEDA and the autoscaler look."""
START_SECONDS = 30
"""From wanting a pod to its first photo."""


@dataclass(frozen=True)
class Scaler:
    """What the chart gives KEDA."""

    least: int
    most: int
    messages: int
    up: int
    up_seconds: int
    window: int
    down: int
    down_seconds: int
    cooldown: int

    @staticmethod
    def of(autoscaling: Mapping[str, Any]) -> Scaler:
        """From the chart's values."""
        keda, up, down = autoscaling["keda"], autoscaling["scaleUp"], autoscaling["scaleDown"]
        return Scaler(
            autoscaling["minReplicas"], autoscaling["maxReplicas"], keda["messagesPerReplica"], up["pods"],
            up["periodSeconds"], down["stabilizationWindowSeconds"], down["pods"], down["periodSeconds"],
            keda["cooldownPeriod"],
        )  # fmt: skip


@dataclass(frozen=True)
class Load:
    """Listings that come a second at a second, the photos each has, what a pod fetches, what the host allows."""

    name: str
    comes: Callable[[int], float]
    hours: float
    photos: float = 20
    pod: float = 40
    """Photos a second."""
    host: float = 120
    """Photos a second that the photo host gives to all together."""


@dataclass
class Course:
    """What happened, a point a step."""

    hours: list[float] = field(default_factory=list)
    backlog: list[float] = field(default_factory=list)
    pods: list[int] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    """Pods that the host lets work."""
    came: float = 0.0
    """Listings."""

    @property
    def pod_hours(self) -> float:
        """What it cost."""
        return sum(self.pods) * STEP / 3600

    @property
    def changes(self) -> int:
        """How often the number of pods changed."""
        return sum(a != b for a, b in zip(self.pods, self.pods[1:], strict=False))

    @property
    def mean_wait(self) -> float:
        """Seconds a listing waited, by Little's law."""
        return sum(self.backlog) * STEP / self.came

    @property
    def done_at(self) -> float:
        """Hours until the last listing that came was done with."""
        return max(hour for hour, busy in zip(self.hours, self.busy, strict=True) if busy > 0)


class Autoscaler:
    """KEDA and the HorizontalPodAutoscaler together: how many pods there are after each look."""

    def __init__(self, scaler: Scaler) -> None:
        self._scaler = scaler
        self._wanted_lately: deque[int] = deque(maxlen=max(1, scaler.window // STEP))
        remembered = max(scaler.up_seconds, scaler.down_seconds, START_SECONDS) // STEP + 1
        self._history: deque[int] = deque([scaler.least] * remembered, maxlen=remembered)
        self._quiet = 0
        self.pods = scaler.least

    @property
    def ready(self) -> int:
        """Those of them that have had the time to start."""
        return min(self.pods, self._history[-1 - START_SECONDS // STEP])

    def look(self, messages: float) -> int:
        """The pods from now on, where so many messages wait or are in hand. To be called every ``STEP`` seconds."""
        scaler = self._scaler
        self._quiet = 0 if messages >= 1 else self._quiet + STEP
        wanted = min(scaler.most, max(scaler.least, math.ceil(messages / scaler.messages)))
        self._wanted_lately.append(wanted)
        if wanted > self.pods:
            self.pods = min(wanted, self._history[-1 - scaler.up_seconds // STEP] + scaler.up, scaler.most)
        elif (lower := max(self._wanted_lately)) < self.pods:
            fewest = self._history[-1 - scaler.down_seconds // STEP] - scaler.down
            last = 0 if self._quiet >= scaler.cooldown else 1
            self.pods = max(lower, min(self.pods, fewest), last, scaler.least)
        self._history.append(self.pods)
        return self.pods


def simulate(scaler: Scaler, load: Load) -> Course:
    """The course of one load."""
    course, backlog, autoscaler = Course(), 0.0, Autoscaler(scaler)
    for now in range(0, int(load.hours * 3600), STEP):
        backlog += load.comes(now) * STEP
        course.came += load.comes(now) * STEP
        done = min(backlog, autoscaler.ready * load.pod / load.photos * STEP, load.host / load.photos * STEP)
        backlog -= done
        course.hours.append(now / 3600)
        course.backlog.append(backlog)
        course.pods.append(autoscaler.look(backlog + done))
        course.busy.append(done / STEP * load.photos / load.pod)
    return course


def first_load(now: int) -> float:
    """150,000 listings, as many a second as 2 requests a second of 100 and 5,000 an hour let come."""
    return 5000 * 100 / 3600 if now < 150_000 / (5000 * 100 / 3600) else 0.0


def a_day(now: int) -> float:
    """8 % of 150,000 listings a day, two fifths of them with new photos, in daytime, a sync each 15 minutes."""
    hour = now / 3600 % 24
    daily = 150_000 * 0.08 * 0.4
    return daily / (13 * 4) / 60 if 8 <= hour < 21 and now % 900 < 60 else 0.0


LOADS = (
    Load("first load: 150,000 listings, 3 million photos", first_load, 10),
    Load("a day: 4,800 listings with new photos", a_day, 24),
)


def scalers() -> dict[str, Scaler]:
    """What is compared: the example of DDF's size, and what it would be without."""
    defaults, values = default_values(), yaml.safe_load((CHART / "examples/ddf.yaml").read_text())
    media: dict[str, Any] = defaults["defaults"]["autoscaling"]
    for over in (defaults["services"]["media"]["autoscaling"], values["services"]["media"]["autoscaling"]):
        media = {**media, **over, "keda": {**media["keda"], **over.get("keda", {})}}
    hasty = {
        **media, "keda": {**media["keda"], "messagesPerReplica": 10},
        "scaleDown": {**media["scaleDown"], "stabilizationWindowSeconds": 0, "pods": 20},
    }  # fmt: skip
    return {
        "recommended (examples/ddf.yaml)": Scaler.of(media),
        "hasty: 10 messages a pod, no window": Scaler.of(hasty),
        "cooldown of 10 minutes": Scaler.of({**media, "keda": {**media["keda"], "cooldownPeriod": 600}}),
        "ceiling of 30, above the host's": Scaler.of({**media, "maxReplicas": 30}),
        "fixed: 6 pods": Scaler.of({**media, "minReplicas": 6, "maxReplicas": 6}),
    }


def table() -> str:
    """What docs/scaling.md shows."""
    lines = [
        "| load | settings | done after | mean wait | most pods | pod hours | changes of the number |",
        "|---|---|---|---|---|---|---|",
    ]
    for load in LOADS:
        for name, scaler in scalers().items():
            course = simulate(scaler, load)
            lines.append(
                f"| {load.name} | {name} | {course.done_at:.1f} h | "
                f"{course.mean_wait:.0f} s | {max(course.pods)} | {course.pod_hours:.0f} | "
                f"{course.changes} |"
            )
    return "\n".join(lines)


@dataclass(frozen=True)
class Real:
    """What real processes did by real queues, and what the simulation says of the same load."""

    course: Course
    simulated: Course
    photos: int
    """Stored in all."""
    pod: float
    """Photos a second that one process stored alone."""


def real() -> Real:
    """From ``MEASURED``."""
    found: dict[str, Any] = json.loads(MEASURED.read_text())
    course = Course()
    for seconds, messages, pods, _ in found["samples"]:
        course.hours.append(seconds / 3600)
        course.backlog.append(messages)
        course.pods.append(pods)
    load = Load(
        "measured", lambda now: found["comes"] if now < found["comes_for"] else 0.0, course.hours[-1],
        photos=found["photos"], pod=found["pod"], host=math.inf,
    )  # fmt: skip
    return Real(
        course, simulate(Scaler(**found["scaler"]), load), found["samples"][-1][3], found["pod"] * found["speed"]
    )


def draw() -> None:
    """The picture: backlog above, pods below, a column a load, and one of what was measured."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, len(LOADS) + 1, figsize=(16, 6), sharex="col", layout="constrained")
    measured = real()
    for name, course in (("real", measured.course), ("simulated", measured.simulated)):
        minutes = [60 * hour for hour in course.hours]
        axes[0][-1].plot(minutes, course.backlog, label=name)
        axes[1][-1].step(minutes, course.pods, label=name)
    axes[0][-1].set(
        title=f"measured: {measured.photos:,} photos, real queues and processes", ylabel="listings that wait"
    )
    axes[1][-1].set(xlabel="minutes, as told", ylabel="media pods")
    axes[0][-1].legend(fontsize=7)
    for column, load in enumerate(LOADS):
        above, below = axes[0][column], axes[1][column]
        for name, scaler in scalers().items():
            course = simulate(scaler, load)
            above.plot(course.hours, course.backlog, label=name, linewidth=1)
            below.step(course.hours, course.pods, label=name, linewidth=1)
        above.set(title=load.name, ylabel="listings that wait")
        below.set(xlabel="hours", ylabel="media pods")
        below.axhline(load.host / load.pod, color="grey", linestyle=":", linewidth=1, label="the photo host's limit")
    axes[0][0].legend(fontsize=7)
    axes[1][1].legend(fontsize=7)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=70)
    pyplot.close(figure)


if __name__ == "__main__":
    print(table())
    draw()
