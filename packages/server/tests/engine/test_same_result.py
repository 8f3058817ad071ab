"""A run ends the same, whether it is cut into segments by pauses or not, and in whatever order its elements end."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from arcrun_server.engine import (
    InvocationFailure,
    MemoryEnvironment,
    Step,
    StepResult,
    compile_flow,
    resume_graph,
    run_graph,
)

if TYPE_CHECKING:
    from arcrun_server.engine import Invoke, RunResult

INNER = compile_flow(
    ["input >> FOREACH 人 >> 問", "問 >> PIPE >> 內"],
    {
        "問": {"component": "x", "on_failure": "continue"},
        "內": {"component": "x"},
        "input": {"concurrency": 2},
    },
    name="子",
)
LINES = [
    "input >> PIPE >> 前",
    "前 >> PIPE >> 列",
    "列 >> FOREACH 組 >> 做",
    "做 >> ON_SUCCESS >> 甲",
    "做 >> 失敗時 >> 乙",
    "甲 >> PIPE >> 合",
    "乙 >> PIPE >> 合",
    "合 >> FOREACH 人 >> 細",
    "合 >> PIPE >> 子",
    "列 >> PIPE >> 報",
    "報 >> PIPE >> 尾",
]


def graph_of(concurrency: int, groups: int) -> Any:
    """A graph with lists in lists, branches that meet, and another workflow in each element."""
    lists = [{"人": list(range(number % 3)), "名": number} for number in range(groups)]
    config = {
        "前": {"component": "x", "on_failure": "continue"},
        "列": {"component": "set", "values": {"組": lists}, "concurrency": concurrency},
        "做": {"component": "x", "retry": {"times": 2, "on": ["connection", 503]}},
        "甲": {"component": "x", "value": "{{組.名}}{{無}}"},
        "乙": {"component": "x", "on_failure": "stop"},
        "合": {"component": "echo", "value": {"人": "{{組.人}}", "前": "{{prev.v}}"}},
        "細": {"component": "x"},
        "子": {
            "component": "trigger_workflow",
            "workflow_name": "子",
            "input": {"人": "{{組.人}}"},
        },
        "報": {"component": "echo", "value": "{{results}}"},
        "尾": {"component": "x"},
    }
    return compile_flow(LINES, config, name="主")


@dataclass(frozen=True)
class Scripted(MemoryEnvironment):
    """An environment in which it is chance, made of a seed and the place, how a step ends.

    Args:
        seed: What the ends of steps are made of.
        order: What the order in which they end is made of.
        waits: Whether some of them wait for a callback, which brings how they end.
    """

    seed: int = 0
    order: int = 0
    waits: bool = False
    steps: list[tuple[str, int]] = field(default_factory=list)

    async def resolve(self, component_id: str) -> Any:
        async def pass_on(given: Any, _invocation: Any) -> Any:
            return given.get("values", given.get("value"))

        return pass_on

    async def step(self, step: Step, invoke: Invoke) -> StepResult:
        place = step.place()
        self.steps.append((place, step.attempt))
        for _ in range(random.Random(f"{self.order} {place}").randrange(6)):
            await asyncio.sleep(0)
        if step.component != "x":
            return StepResult(await invoke(None))
        kind = random.Random(f"{self.seed} {place}").random()
        if self.waits and kind < 0.5:
            return StepResult({"pending": True, "task_id": "同一個"})
        return StepResult(self.ends(place, step.attempt))

    async def pause(self, _step: Step, seconds: float) -> None:
        assert seconds >= 1

    def ends(self, place: str, attempt: int = 1) -> Any:
        """Return the result of a step, or raise its failure."""
        chance = random.Random(f"end {self.seed} {place}")
        kind = chance.random()
        if kind < 0.1:
            raise InvocationFailure(f"{place} 壞")
        if kind < 0.3:
            return {"success": False, "error": f"{place} 不行"}
        if kind < 0.4 and attempt == 1 and not self.may_wait(place):
            return {"success": False, "status": 503, "error": "忙"}
        return {"v": f"{place} 好", "人": [1, 2]} if kind < 0.7 else [place]

    def may_wait(self, place: str) -> bool:
        """Whether the step waits in a run that waits: what a callback brings is not repeated."""
        return random.Random(f"{self.seed} {place}").random() < 0.5


def ended(result: RunResult) -> dict[str, Any]:
    """How a run ended, but for its times."""
    text = json.dumps(
        [result.success, result.data, result.error, result.failed_node], ensure_ascii=False
    )
    for word in text.split('"duration_ms": ')[1:]:
        text = text.replace(
            f'"duration_ms": {word.split("}")[0].split(",")[0]}', '"duration_ms": 0'
        )
    return {
        "ended": json.loads(text),
        "warnings": result.warnings,
        "failed_nodes": result.failed_nodes,
    }


def trace_of(result: RunResult) -> list[Any]:
    return [(entry["nodeId"], entry.get("error"), entry.get("attempts")) for entry in result.trace]


def environment(seed: int, order: int = 0, *, waits: bool = False) -> Scripted:
    return Scripted(workflows={"子": INNER}, seed=seed, order=order, waits=waits)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(0, 6), st.integers(1, 10**6))
def test_the_order_in_which_elements_end_makes_no_difference(
    seed: int, concurrency: int, groups: int, order: int
) -> None:
    one, several, again = environment(seed), environment(seed), environment(seed, order)
    alone = asyncio.run(run_graph(graph_of(1, groups), {}, one))
    together = asyncio.run(run_graph(graph_of(concurrency, groups), {}, several))
    other = asyncio.run(run_graph(graph_of(concurrency, groups), {}, again))
    assert ended(alone) == ended(together) == ended(other)
    assert trace_of(alone) == trace_of(together) == trace_of(other)
    assert sorted(one.steps) == sorted(several.steps) == sorted(again.steps)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10**6),
    st.integers(1, 4),
    st.integers(0, 5),
    st.randoms(use_true_random=False),
)
def test_a_run_that_pauses_ends_like_one_that_does_not(
    seed: int, concurrency: int, groups: int, chance: random.Random
) -> None:
    graph = graph_of(concurrency, groups)
    straight = asyncio.run(run_graph(graph, {}, environment(seed)))
    paused = asyncio.run(run_graph(graph, {}, environment(seed, waits=True)))
    while paused.paused is not None:
        state = json.loads(json.dumps(paused.paused.continuation))
        place = chance.choice(paused.paused.tasks).place
        there = environment(seed, chance.randrange(100), waits=True)
        try:
            delivered: dict[str, Any] = {"data": there.ends(place)}
        except InvocationFailure as problem:
            delivered = {"success": False, "error": str(problem)}
        paused = asyncio.run(resume_graph(state, there, place=place, **delivered))
    assert ended(paused) == ended(straight)
