"""What a run asks of its environment, and what it hands to components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.engine import (
    InvocationFailure,
    MemoryEnvironment,
    Step,
    StepResult,
    run_graph,
)

if TYPE_CHECKING:
    from arcrun_server.engine import Invoke

    from .conftest import RecordingEngine


async def test_an_environment_can_say_why_a_component_or_a_secret_is_unusable(
    engine: RecordingEngine,
) -> None:
    class Strict(MemoryEnvironment):
        async def resolve(self, component_id: str) -> Any:
            if component_id == "鎖":
                raise InvocationFailure("此元件已停用")
            return await engine.environment.resolve(component_id)

        async def secret(self, name: str) -> Any:
            raise InvocationFailure(f"credential '{name}' is damaged; push it again")

    for config, reason in [
        ({"component": "鎖"}, "此元件已停用"),
        (
            {"component": "give", "value": "{{secret.tok}}"},
            "credential 'tok' is damaged; push it again",
        ),
    ]:
        result = await run_graph(engine.compile(["i >> PIPE >> a"], {"a": config}), {}, Strict())
        assert result.error == f"Node a failed: {reason}"


async def test_a_failure_of_the_environment_itself_is_raised(engine: RecordingEngine) -> None:
    class Broken(MemoryEnvironment):
        async def resolve(self, component_id: str) -> Any:
            raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        await run_graph(
            engine.compile(["a >> PIPE >> b"], {"b": {"component": "give", "value": 0}}),
            {},
            Broken(),
        )


async def test_a_component_is_handed_its_invocation(engine: RecordingEngine) -> None:
    seen = []

    async def curious(given: Any, invocation: Any) -> Any:
        seen.append(
            (
                invocation.node_id,
                invocation.started.year,
                invocation.look_up("input.q"),
                invocation.look_up("無"),
            )
        )
        return {}

    engine.components = {"curious": curious}
    await engine.run(["input >> PIPE >> 好奇"], {"好奇": {"component": "curious"}}, {"q": "問"})
    assert seen == [("好奇", 2026, (True, "問"), (False, None))]


async def test_a_component_is_resolved_once_a_run(engine: RecordingEngine) -> None:
    asked: list[str] = []

    class Asked(MemoryEnvironment):
        async def resolve(self, component_id: str) -> Any:
            asked.append(component_id)
            return await super().resolve(component_id)

    async def same(given: Any, invocation: Any) -> Any:
        return {}

    graph = engine.compile(["a >> PIPE >> b"], {"a": {"component": "s"}, "b": {"component": "s"}})
    assert (await run_graph(graph, {}, Asked(components={"s": same}))).success
    assert asked == ["s"]


async def test_each_invocation_has_a_place_of_its_own(engine: RecordingEngine) -> None:
    places: list[str] = []

    class Recorded(MemoryEnvironment):
        async def step(self, step: Step, invoke: Invoke) -> StepResult:
            places.append(step.place())
            return await super().step(step, invoke)

    async def each(given: Any, invocation: Any) -> Any:
        return {"items": ["a", "b"]}

    async def same(given: Any, invocation: Any) -> Any:
        return {}

    inner = engine.compile(["寫/出 >> PIPE >> end"], {"寫/出": {"component": "same"}})
    graph = engine.compile(
        ["list >> FOREACH(items) >> inner", "list >> FOREACH(items) >> one"],
        {
            "list": {"component": "each"},
            "inner": {"component": "trigger_workflow", "workflow_name": "inner"},
            "one": {"component": "same"},
        },
    )
    environment = Recorded(components={"each": each, "same": same}, workflows={"inner": inner})
    result = await run_graph(graph, {}, environment)

    assert result.error is None
    assert places == [
        "list",
        "list.0[0]/inner()/寫%2F出",
        "list.0[1]/inner()/寫%2F出",
        "list.1[0]/one",
        "list.1[1]/one",
    ]


async def test_a_step_may_return_the_result_and_the_duration_of_an_earlier_execution(
    engine: RecordingEngine,
) -> None:
    class Replayed(MemoryEnvironment):
        async def step(self, step: Step, invoke: Invoke) -> StepResult:
            return StepResult({"from": step.component}, 12.5)

    graph = engine.compile(["a >> PIPE >> b"], {"a": {"component": "x"}, "b": {"component": "y"}})
    result = await run_graph(graph, {}, Replayed())

    assert result.data == {"from": "y"}
    assert [entry["duration_ms"] for entry in result.trace] == [12.5, 12.5]


async def test_an_invocation_carries_the_key_of_its_repetitions(engine: RecordingEngine) -> None:
    class Keyed(MemoryEnvironment):
        async def step(self, step: Step, invoke: Invoke) -> StepResult:
            return StepResult(await invoke(f"key of {step.place()}"))

    async def key(given: Any, invocation: Any) -> Any:
        return {"key": invocation.repeat_key}

    graph = engine.compile(["a >> PIPE >> b"], {"b": {"component": "key"}})
    result = await run_graph(graph, {}, Keyed(components={"key": key}))

    assert result.data == {"key": "key of b"}
