"""Elements of a FOREACH that are run at the same time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.engine import (
    ComponentError,
    MemoryEnvironment,
    RunLimits,
    Step,
    StepResult,
    compile_flow,
    run_graph,
)
from arcrun_server.engine.budget import OMITTED

if TYPE_CHECKING:
    from arcrun_server.engine import Invoke, RunResult

    from .conftest import RecordingEngine

LINES = ["input >> PIPE >> 列", "列 >> FOREACH >> 做", "做 >> PIPE >> 記", "列 >> PIPE >> 報"]


class Gates:
    """A component whose invocations end when they are told to."""

    def __init__(self) -> None:
        self.begun: list[Any] = []
        self.cancelled: list[Any] = []
        self._came = asyncio.Condition()
        self._ends: dict[Any, asyncio.Future[Any]] = {}

    async def component(self, given: Any, _invocation: Any) -> Any:
        item = given["item"]
        end = self._ends.setdefault(item, asyncio.get_running_loop().create_future())
        async with self._came:
            self.begun.append(item)
            self._came.notify_all()
        try:
            return await end
        except asyncio.CancelledError:
            self.cancelled.append(item)
            raise

    async def wait_for(self, number: int) -> None:
        """Wait until so many have begun."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.begun) >= number)

    def end(self, item: Any, result: Any = None) -> None:
        if isinstance(result, Exception):
            self._ends[item].set_exception(result)
        else:
            self._ends[item].set_result(f"{item}!" if result is None else result)


def config(items: list[Any], concurrency: int, doing: Any = None) -> dict[str, Any]:
    return {
        "列": {"component": "give", "value": {"items": items}, "concurrency": concurrency},
        "做": doing or {"component": "gate"},
        "記": {"component": "give", "value": "{{loop.index}}{{prev}}"},
        "報": {"component": "give", "value": "{{results}}"},
    }


@pytest.fixture
def gates(engine: RecordingEngine) -> Gates:
    gates = Gates()
    engine.components = {"gate": gates.component}
    return gates


async def test_so_many_elements_run_at_the_same_time_and_results_are_in_order(
    engine: RecordingEngine, gates: Gates
) -> None:
    run = asyncio.create_task(engine.run(LINES, config(list("甲乙丙丁"), 3)))
    await gates.wait_for(3)
    assert gates.begun == ["甲", "乙", "丙"]
    gates.end("丙")
    await gates.wait_for(4)
    for item in "丁甲乙":
        gates.end(item)
    result = await run
    assert result.data == ["0甲!", "1乙!", "2丙!", "3丁!"]
    shown = [
        (entry["nodeId"], entry["output"]) for entry in result.trace if entry["nodeId"] == "記"
    ]
    assert shown == [("記", "0甲!"), ("記", "1乙!"), ("記", "2丙!"), ("記", "3丁!")]


async def test_one_after_the_other_is_the_default(engine: RecordingEngine, gates: Gates) -> None:
    given = config(list("甲乙"), 1)
    del given["列"]["concurrency"]
    run = asyncio.create_task(engine.run(LINES, given))
    await gates.wait_for(1)
    gates.end("甲")
    await gates.wait_for(2)
    assert gates.begun == ["甲", "乙"]
    gates.end("乙")
    assert (await run).data == ["0甲!", "1乙!"]


async def test_an_environment_may_allow_fewer(engine: RecordingEngine, gates: Gates) -> None:
    engine.limits = RunLimits(concurrency=1)
    run = asyncio.create_task(engine.run(LINES, config(list("甲乙"), 20)))
    await gates.wait_for(1)
    gates.end("甲")
    await gates.wait_for(2)
    gates.end("乙")
    assert (await run).data == ["0甲!", "1乙!"]


async def test_elements_that_fail_are_in_their_places_with_their_reasons(
    engine: RecordingEngine, gates: Gates
) -> None:
    run = asyncio.create_task(engine.run(LINES, config(list("甲乙丙"), 3)))
    await gates.wait_for(3)
    gates.end("丙", ComponentError("丙壞"))
    gates.end("乙", {"success": False, "error": "乙壞"})
    gates.end("甲")
    result = await run
    good, returned, raised = result.data
    assert (good, returned) == ("0甲!", '1{"success":false,"error":"乙壞"}')
    assert raised == {"success": False, "error": "Node 做 failed: 丙壞"}
    assert result.failed_nodes == ["做"]


async def test_the_first_failure_is_the_first_of_the_list(
    engine: RecordingEngine, gates: Gates
) -> None:
    run = asyncio.create_task(engine.run(LINES, config(list("甲乙"), 2)))
    await gates.wait_for(2)
    gates.end("乙", ComponentError("乙壞"))
    await asyncio.sleep(0)
    gates.end("甲", ComponentError("甲壞"))
    result = await run
    assert result.error == "Node 做 failed: all 2 elements of '列' failed; the first: 甲壞"
    assert result.failed_input["item"] == "甲"


async def test_the_end_of_the_runs_time_ends_all_elements(
    engine: RecordingEngine, gates: Gates
) -> None:
    engine.limits = RunLimits(seconds=0.05)
    result = await engine.run(LINES, config(list("甲乙丙"), 2))
    assert result.error == "Node 做 failed: the run's time is over (0.05 seconds)"
    assert result.failed_input["item"] == "甲"
    assert gates.cancelled == ["甲", "乙"]


async def test_a_cancelled_run_ends_all_elements(engine: RecordingEngine, gates: Gates) -> None:
    run = asyncio.create_task(engine.run(LINES, config(list("甲乙"), 2)))
    await gates.wait_for(2)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert gates.cancelled == ["甲", "乙"]


async def test_the_limits_of_the_run_are_those_of_all_elements(
    engine: RecordingEngine, gates: Gates
) -> None:
    engine.limits = RunLimits(steps=5)
    run = asyncio.create_task(engine.run(LINES, config(list("甲乙丙"), 3)))
    await gates.wait_for(3)
    gates.end("甲")
    result = await run
    assert result.error == "Node 記 failed: the run has taken 5 steps, which is the limit"
    assert sorted(gates.cancelled) == ["丙", "乙"]
    # What ran before the run ended is in the trace, in the order of the list.
    assert [entry["nodeId"] for entry in result.trace] == ["input", "列", "做"]


async def test_the_results_of_all_elements_count_together(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(total_bytes=1000)
    doing = {"component": "give", "value": "字" * 100}
    result = await engine.run(LINES, config([1, 2, 3, 4], 4, doing))
    assert "results together have more than 1,000 bytes" in str(result.error)


async def test_a_failure_of_the_environment_ends_all_elements(
    engine: RecordingEngine, gates: Gates
) -> None:
    run = asyncio.create_task(engine.run(LINES, config(list("甲乙"), 2)))
    await gates.wait_for(2)

    class Broken(MemoryEnvironment):
        async def step(self, step: Step, invoke: Invoke) -> StepResult:
            if step.node_id == "做":
                raise OSError("disk")
            return await super().step(step, invoke)

    graph = engine.compile(LINES, config([1, 2, 3], 3))
    with pytest.raises(OSError, match="disk"):
        await run_graph(graph, {}, Broken(components=engine.environment.components))
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


async def test_what_runs_inside_an_element_runs_one_after_the_other(
    engine: RecordingEngine,
) -> None:
    busy: dict[Any, int] = {}

    async def alone(given: Any, _invocation: Any) -> Any:
        group = given["組"]["名"]
        busy[group] = busy.get(group, 0) + 1
        assert busy[group] == 1
        await asyncio.sleep(0)
        busy[group] -= 1
        return f"{group}{given['人']}"

    engine.components = {"alone": alone}
    lines = ["input >> PIPE >> 列", "列 >> FOREACH 組 >> 拆", "拆 >> FOREACH 人 >> 做"]
    groups = [{"名": name, "人": [1, 2, 3]} for name in "甲乙"]
    given = {
        "列": {"component": "give", "value": {"組": groups}, "concurrency": 2},
        "拆": {"component": "give", "value": "{{組}}", "concurrency": 3},
        "做": {"component": "alone"},
    }
    result = await engine.run(lines, given)
    assert [inner["results"] for inner in result.data["results"]] == [
        ["甲1", "甲2", "甲3"],
        ["乙1", "乙2", "乙3"],
    ]


async def test_a_foreach_inside_one_that_runs_alone_may_run_several(
    engine: RecordingEngine, gates: Gates
) -> None:
    lines = ["input >> PIPE >> 列", "列 >> FOREACH 組 >> 拆", "拆 >> FOREACH >> 做"]
    given = {
        "列": {"component": "give", "value": {"組": [{"items": ["甲", "乙"]}, {"items": ["丙"]}]}},
        "拆": {"component": "give", "value": "{{組}}", "concurrency": 2},
        "做": {"component": "gate"},
    }
    run = asyncio.create_task(engine.run(lines, given))
    await gates.wait_for(2)
    gates.end("乙")
    gates.end("甲")
    await gates.wait_for(3)
    gates.end("丙")
    assert [inner["results"] for inner in (await run).data["results"]] == [["甲!", "乙!"], ["丙!"]]


async def test_called_workflows_run_inside_elements(engine: RecordingEngine, gates: Gates) -> None:
    engine.workflows = {
        "子": compile_flow(["input >> PIPE >> 內"], {"內": {"component": "gate"}}, name="子")
    }
    doing = {
        "component": "trigger_workflow",
        "workflow_name": "子",
        "input": {"item": "{{item}}"},
    }
    graph = engine.compile(
        LINES[:2], {k: v for k, v in config(list("甲乙"), 2, doing).items() if k in "列做"}
    )
    environment = engine.environment
    run = asyncio.create_task(run_graph(graph, {}, environment))
    await gates.wait_for(2)
    gates.end("乙", ComponentError("壞"))
    gates.end("甲")
    first, second = (await run).data["results"]
    assert first["sub_result"]["data"] == "甲!"
    assert second["error"] == "Node 內 failed: 壞"
    assert sorted((name, ended.success) for name, ended in environment.sub_runs) == [
        ("子", False),
        ("子", True),
    ]


async def test_called_workflows_that_the_end_of_the_run_cuts_off_are_reported(
    engine: RecordingEngine,
) -> None:
    engine.limits = RunLimits(seconds=0.05)
    engine.workflows = {
        "子": compile_flow(["input >> PIPE >> 內"], {"內": {"component": "hang"}}, name="子")
    }
    doing = {"component": "trigger_workflow", "workflow_name": "子"}
    environment = engine.environment
    graph = engine.compile(LINES, config([1, 2], 2, doing))
    result = await run_graph(graph, {}, environment)
    assert result.failed_node == "內"
    assert [(name, ended.success) for name, ended in environment.sub_runs] == [("子", False)] * 2


async def test_foreach_that_is_nested_too_deep_ends_the_run(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(depth=0)
    result = await engine.run(LINES, config([1], 2))
    assert "nested deeper than 0 levels" in str(result.error)


async def test_a_list_without_elements_has_no_results(engine: RecordingEngine) -> None:
    assert (await engine.run(LINES, config([], 3))).data == []


async def test_the_trace_is_the_same_in_any_order_if_it_is_shortened(
    engine: RecordingEngine,
) -> None:
    engine.limits = RunLimits(trace_bytes=6000)
    traces = []
    for order in ("甲乙丙丁戊己", "乙丙丁戊己甲", "乙甲丁丙己戊"):
        gates = Gates()
        engine.components = {"gate": gates.component}
        run = asyncio.create_task(engine.run(LINES, config(list("甲乙丙丁戊己"), 2)))
        ends = {item: {"字": item * (700 if item in "甲乙" else 20)} for item in order}
        for number, item in enumerate(order):
            await gates.wait_for(min(number + 2, 6))
            gates.end(item, ends[item])
        traces.append(shown(await run))
    assert traces[0] == traces[1] == traces[2]
    outputs = [entry["output"] for entry in traces[0]]
    assert 0 < outputs.count(OMITTED) < len(outputs)


def shown(result: RunResult) -> list[dict[str, Any]]:
    """What the trace says but for times."""
    return [{**entry, "duration_ms": 0} for entry in result.trace]


async def test_what_ended_out_of_order_is_held_within_a_bound(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(trace_bytes=3000)
    first = asyncio.Event()
    begun = 0

    async def first_waits(given: Any, _invocation: Any) -> Any:
        nonlocal begun
        begun += 1
        if given["item"] == 0:
            await first.wait()
        return "x" * 1000

    engine.components = {"first_waits": first_waits}
    lines = ["input >> PIPE >> 列", "列 >> FOREACH >> 做"]
    given = config(list(range(100)), 2, {"component": "first_waits"})
    run = asyncio.create_task(engine.run(lines, {name: given[name] for name in ("列", "做")}))
    for _ in range(1000):
        await asyncio.sleep(0)
    assert 2 < begun < 10
    first.set()
    assert len((await run).data["results"]) == 100


async def test_places_and_attempts_are_the_same_in_any_order(engine: RecordingEngine) -> None:
    class Recorded(MemoryEnvironment):
        async def step(self, step: Step, invoke: Invoke) -> StepResult:
            steps.append((step.place(), step.attempt))
            return await super().step(step, invoke)

        async def pause(self, step: Step, seconds: float) -> None:
            pauses.append((step.place(), seconds))

    seen = []
    for order in ("甲乙丙", "乙丙甲"):
        steps: list[Any] = []
        pauses: list[Any] = []
        gates = Gates()
        failed: set[Any] = set()

        async def once(
            given: Any, invocation: Any, gates: Gates = gates, failed: Any = failed
        ) -> Any:
            result = await gates.component(given, invocation)
            if given["item"] in failed:
                return result
            failed.add(given["item"])
            raise ComponentError("x", kind="connection")

        engine.components = {"once": once}
        doing = {"component": "once", "retry": {"times": 1}}
        graph = engine.compile(LINES, config(list("甲乙丙"), 3, doing))
        components = engine.environment.components
        environment = Recorded(components=components, clock=engine.environment.clock)
        run = asyncio.create_task(run_graph(graph, {}, environment))
        await gates.wait_for(3)
        for item in order:
            gates.end(item)
            await asyncio.sleep(0)
        assert (await run).success
        seen.append((sorted(steps), sorted(pauses)))
    assert seen[0] == seen[1]
    assert ("列.0[1]/做", 2) in seen[0][0]
    assert len({seconds for _, seconds in seen[0][1]}) == 3
