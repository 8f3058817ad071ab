"""What a run asks of its environment, and what it hands to components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.engine import InvocationFailure, MemoryEnvironment, run_graph

if TYPE_CHECKING:
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
