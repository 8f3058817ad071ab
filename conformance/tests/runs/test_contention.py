"""Limits on time: how busy the machine is, and what a step may take then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from mini_sdk import MiniSdk
from push_scenario import PUSH

from arcrun_conformance.adapters.adapter import InMemoryConnection
from arcrun_conformance.runs import contention, steps
from arcrun_conformance.runs.runner import RunConfig, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from mini_engine import MiniEngine

    from arcrun_conformance.runs.results import Run
    from arcrun_conformance.scenarios.scenario import Scenario


class Clocks:
    """Two clocks: of each second that passes, the thread computes for a part."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._now = 0.0

    def perf_counter(self) -> float:
        return self._now

    def thread_time(self) -> float:
        self._now += 0.001
        return self._now * self._share


@pytest.mark.parametrize(
    ("share", "factor"), [(1.0, 1.0), (0.5, 2.0), (0.25, 4.0), (0.001, contention.MOST)]
)
async def test_contention_is_the_time_that_passes_for_a_second_of_computing(
    monkeypatch: pytest.MonkeyPatch, share: float, factor: float
) -> None:
    monkeypatch.setattr(contention, "time", Clocks(share))
    assert await contention.contention() == pytest.approx(factor, rel=0.2)


async def run(engine: MiniEngine, scenario: Scenario) -> Run:
    async def opener() -> InMemoryConnection:
        return InMemoryConnection(MiniSdk(""))

    return await execute(RunConfig(engine.target, [scenario], {"mini": opener}))


def busy(monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    async def measured() -> float:
        return factor

    monkeypatch.setattr(steps, "contention", measured)


async def test_a_busy_machine_may_take_longer_by_as_much_as_it_is_busy(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PUSH.replace("  - id: pushed\n", "  - id: pushed\n    within: 0.000001\n")
    busy(monkeypatch, 1e9)
    assert (await run(engine, scenario_of(text))).cells[0].outcome == "passed"
    busy(monkeypatch, 2.5)
    done = await run(engine, scenario_of(text))
    (failing,) = [check for check in done.cells[0].checks if check.outcome == "failed"]
    assert failing.message.startswith(
        "expected within 1e-06 s (× 2.5, as this machine is busy), took "
    )


async def test_a_step_that_takes_longer_than_it_may_fails(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario], monkeypatch: pytest.MonkeyPatch
) -> None:
    busy(monkeypatch, 1.0)
    text = PUSH.replace("  - id: pushed\n", "  - id: pushed\n    within: 0.000001\n")
    done = await run(engine, scenario_of(text))

    (failing,) = [check for check in done.cells[0].checks if check.outcome == "failed"]
    assert failing.id == "pushed"
    assert failing.message.startswith("expected within 1e-06 s, took ")


async def test_a_step_that_takes_no_longer_than_it_may_passes(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    text = PUSH.replace("  - id: pushed\n", "  - id: pushed\n    within: 60\n")
    done = await run(engine, scenario_of(text))
    assert done.cells[0].outcome == "passed"


@pytest.mark.parametrize(("factor", "seconds"), [(1.0, 0.5), (2.0, 1.0), (9.0, 1.5)])
async def test_a_busy_machine_cancels_later_but_within_time_outs(
    engine: MiniEngine,
    scenario_of: Callable[[str], Scenario],
    monkeypatch: pytest.MonkeyPatch,
    factor: float,
    seconds: float,
) -> None:
    """The request that is to be cancelled must have been sent by then."""
    busy(monkeypatch, factor)
    text = PUSH.replace("  - id: pushed\n", "  - id: pushed\n    cancel_after: 0.5\n")
    done = await run(engine, scenario_of(text))
    sent = {step.id: step.command for step in done.cells[0].steps}
    assert sent["pushed"]["cancel_after"] == seconds
