"""Measure what requests cost the engine: growing bodies of every kind, while `/health` is asked all the time.

`nox -s fuzz -- --cost` fails if the time of a request grows worse than its size, or if the engine does
not answer others meanwhile. Only the time counts in which the engine computed: what it waited for a processor is the
machine's doing. A second engine, which has nothing else to do, is asked at the same time: what holds that up too is
the machine.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from typing_extensions import Self

from scripts.fuzz import cost_cases, cost_recipes
from scripts.fuzz.cost_watchdog import HELD_SECONDS

if TYPE_CHECKING:
    from scripts.engine import Engine
    from scripts.fuzz.cost_cases import Case
    from scripts.fuzz.cost_watchdog import Findings

HELD_MS = 100.0
# Times below this say nothing of growth.
NOISE_MS = 60.0
# How much faster than size × log(size) a time may grow: the machine has more to do than this.
TOLERANCE = 2.0
ATTEMPTS = 3
_EVERY_SECONDS = 0.02
_TIMEOUT = 60.0
# The kernel counts the time of a process in these.
_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 10.0


@dataclass
class Cost:
    """What one case cost.

    Attributes:
        case: The case.
        kilobytes: Size of the bodies, for each size of the case.
        milliseconds: Time until the response, for each.
        held: The longest that the engine computed while `/health` waited, in milliseconds.
        statuses: Status of each response.
        machine: The longest that `/health` took at the engine that has nothing else to do.
        held_by: The functions that held the event loop for longer than the watchdog allows.
        waited: The longest that `/health` took, whatever the engine did.
    """

    case: Case
    kilobytes: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    held: float = 0.0
    statuses: list[int] = field(default_factory=list)
    machine: float = 0.0
    held_by: Counter[str] = field(default_factory=Counter)
    waited: float = 0.0

    @property
    def growth(self) -> float:
        """How much faster than size × log(size) the time grew, from the first size to the last."""
        sizes, times = self.case.sizes, self.milliseconds
        allowed = sizes[-1] * math.log2(sizes[-1]) / (sizes[0] * math.log2(sizes[0]))
        return times[-1] / max(times[0], NOISE_MS / allowed) / allowed

    @property
    def holders(self) -> str:
        """What was most often seen to hold the event loop."""
        return ", ".join(f"{function} ({times})" for function, times in self.held_by.most_common(3))

    @property
    def problems(self) -> list[str]:
        """What is wrong with it, if anything."""
        found = []
        if self.held > HELD_MS + self.machine:
            found.append(
                f"/health took {self.held:.0f} ms of computing meanwhile, and {self.machine:.0f} ms at an idle engine; "
                f"{HELD_MS:.0f} ms more are allowed; held by {self.holders or 'nothing that was seen'}"
            )
        if self.milliseconds[-1] > NOISE_MS and self.growth > TOLERANCE:
            found.append(f"its time grew {self.growth:.1f} times faster than size × log(size)")
        if any(status >= 500 and not self.case.may_fail for status in self.statuses):
            found.append(f"the engine answered {max(self.statuses)}")
        return found


class Pulse:
    """Asks `/health` all the time, on a connection of its own.

    Attributes:
        times: How long each answer took, in milliseconds.
        computed: How much of each of these times the engine computed.
    """

    def __init__(self, engine: Engine) -> None:
        self._pid = engine.pid
        self._client = httpx.Client(base_url=engine.url, timeout=_TIMEOUT)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.times: list[float] = []
        self.computed: list[float] = []

    def __enter__(self) -> Self:
        self._client.get("/health")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_SECONDS):
            began, computed = time.perf_counter(), processor_ms(self._pid)
            self._client.get("/health")
            self.times.append((time.perf_counter() - began) * 1000)
            self.computed.append(min(self.times[-1], processor_ms(self._pid) - computed + _TICK_MS))


def processor_ms(pid: int) -> float:
    """Return how long a process has computed, in all its threads, to a tick; where that isn't known, the time."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return time.perf_counter() * 1000
    return (int(fields[11]) + int(fields[12])) * _TICK_MS


def measure(engine: Engine, idle: Engine, findings: Findings, only: str = "") -> list[Cost]:
    """Measure every case; one with a problem again, as the machine does other things too.

    Args:
        engine: The engine that is measured.
        idle: Another one on the same machine.
        findings: What the watchdog of the first one writes.
        only: Measure only the cases with this in their name.
    """
    headers = {"X-Arcrun-API-Key": engine.keys[0]}
    with httpx.Client(base_url=engine.url, headers=headers, timeout=_TIMEOUT) as client:
        cost_cases.prepare(client)
        cost_recipes.prepare(client)
        costs = []
        for case in (*cost_cases.CASES, *cost_recipes.CASES):
            if only not in f"{case.operation}, {case.kind}":
                continue
            findings.holders()
            cost = _measured(case, client, engine, idle)
            cost.held_by = findings.holders()
            for _ in range(ATTEMPTS - 1):
                if not cost.problems:
                    break
                again = _measured(case, client, engine, idle)
                again.held_by = findings.holders()
                cost = min(cost, again, key=_badness)
            costs.append(cost)
    return costs


def table(costs: list[Cost]) -> str:
    """Return the costs as a table."""
    head = f"{'operation':34} {'kind':34} {'KiB':>7} {'ms':>7} {'growth':>6} {'held ms':>7} {'waited':>7} {'idle ms':>7}  status  held for {HELD_SECONDS * 1000:.0f} ms by"
    rows = [
        f"{cost.case.operation:34} {cost.case.kind:34} {cost.kilobytes[-1]:7.0f} "
        f"{cost.milliseconds[-1]:7.0f} {cost.growth:6.2f} {cost.held:7.0f} {cost.waited:7.0f} {cost.machine:7.0f}  {cost.statuses[-1]:6}  {cost.holders}"
        for cost in costs
    ]
    held = sorted(cost.held for cost in costs)[int(len(costs) * 0.95)]
    return "\n".join(
        [head, *rows, f"{len(costs)} cases; of the longest holds, 95 % are below {held:.0f} ms"]
    )


def problems(costs: list[Cost]) -> list[str]:
    """Return what is wrong with the costs."""
    return [
        f"{cost.case.operation}, {cost.case.kind}: {problem}"
        for cost in costs
        for problem in cost.problems
    ]


def _badness(cost: Cost) -> tuple[int, float]:
    return len(cost.problems), cost.held


def _measured(case: Case, client: httpx.Client, engine: Engine, idle: Engine) -> Cost:
    cost = Cost(case)
    for size in case.sizes:
        content = case.content(size)
        with Pulse(engine) as pulse, Pulse(idle) as control:
            began = time.perf_counter()
            response = client.request(
                case.method,
                case.path_of(size),
                content=content,
                headers={"Content-Type": "application/json"} if content is not None else None,
            )
            cost.milliseconds.append((time.perf_counter() - began) * 1000)
        cost.held = max(cost.held, max(pulse.computed, default=0.0))
        cost.waited = max(cost.waited, max(pulse.times, default=0.0))
        cost.machine = max(cost.machine, max(control.times, default=0.0))
        cost.kilobytes.append(len(content or b"") / 1024)
        cost.statuses.append(response.status_code)
    return cost
