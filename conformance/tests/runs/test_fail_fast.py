"""Runs that end with the first cell that does not pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from mini_sdk import MiniSdk
from push_scenario import PUSH

from arcrun_conformance.adapters.adapter import InMemoryConnection
from arcrun_conformance.report import describe, failed
from arcrun_conformance.runs.runner import RunConfig, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mini_engine import MiniEngine

    from arcrun_conformance.runs.results import Run
    from arcrun_conformance.scenarios.scenario import Scenario


async def run(engine: MiniEngine, scenarios: Sequence[Scenario], *, fail_fast: bool) -> Run:
    async def opener() -> InMemoryConnection:
        return InMemoryConnection(MiniSdk())

    config = RunConfig(engine.target, scenarios, {"mini": opener}, fail_fast=fail_fast)
    return await execute(config)


@pytest.mark.parametrize(("fail_fast", "begun"), [(True, 1), (False, 4)])
async def test_with_fail_fast_no_cell_is_begun_after_one_that_failed(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario], fail_fast: bool, begun: int
) -> None:
    wrong = PUSH.replace('"${run}_token"', "PRECIOUS")  # fails: the name is not the run's
    scenarios = [scenario_of(wrong.replace("id: push\n", f"id: push-{n}\n")) for n in range(4)]
    done = await run(engine, scenarios, fail_fast=fail_fast)

    assert [cell.outcome for cell in done.cells] == ["failed"] * begun
    assert failed(describe(done))


async def test_with_fail_fast_everything_runs_as_long_as_nothing_fails(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    scenarios = [scenario_of(PUSH.replace("id: push\n", f"id: push-{n}\n")) for n in range(3)]
    done = await run(engine, scenarios, fail_fast=True)

    assert [cell.outcome for cell in done.cells] == ["passed"] * 3
