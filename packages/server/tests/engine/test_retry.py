"""Repeating failed invocations, ending slow ones, and going on or not after a failure."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.engine import (
    ComponentError,
    InvocationFailure,
    MemoryEnvironment,
    RunLimits,
    Step,
    StepResult,
    compile_flow,
    resume_graph,
    run_graph,
)
from arcrun_server.engine.attempts import MAX_WAIT_SECONDS, waiting_time
from arcrun_server.engine.policy import Retry

if TYPE_CHECKING:
    from arcrun_server.engine import Invoke, RunResult

    from .conftest import RecordingEngine

GOOD = {"success": True, "data": 1}
BUSY = {"success": False, "status": 503, "error": "維護中"}


@dataclass(frozen=True)
class Attempts(MemoryEnvironment):
    """An environment in which a component's attempts end one after the other as it is told, and nobody waits."""

    outcomes: list[Any] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    pauses: list[tuple[str, int, float]] = field(default_factory=list)

    async def resolve(self, component_id: str) -> Any:
        async def next_outcome(_given: Any, _invocation: Any) -> Any:
            outcome = self.outcomes.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return next_outcome

    async def step(self, step: Step, invoke: Invoke) -> StepResult:
        self.steps.append(step)
        return StepResult(await invoke(None))

    async def pause(self, step: Step, seconds: float) -> None:
        self.pauses.append((step.place(), step.attempt, seconds))


async def attempt(
    outcomes: list[Any], limits: RunLimits | None = None, **fields: Any
) -> tuple[RunResult, Attempts]:
    """Run a node whose attempts end like this; `fields` are those of the node."""
    graph: Any = compile_flow(["input >> PIPE >> 查"], {"查": {"component": "x", **fields}})
    environment = Attempts(outcomes=outcomes, limits=limits or RunLimits())
    return await run_graph(graph, {}, environment), environment


async def test_a_failure_is_repeated_until_it_is_none() -> None:
    result, environment = await attempt([BUSY, BUSY, GOOD], retry={"times": 5})
    assert result.data == GOOD
    assert [(step.place(), step.attempt) for step in environment.steps] == [
        ("查", 1),
        ("查", 2),
        ("查", 3),
    ]
    assert [(place, number) for place, number, _ in environment.pauses] == [("查", 2), ("查", 3)]
    assert [entry.get("attempts") for entry in result.trace] == [None, 3]
    assert result.failed_nodes == []


async def test_a_node_is_repeated_so_often_and_no_more() -> None:
    result, environment = await attempt(
        [BUSY, BUSY, {**BUSY, "error": "還在忙"}], retry={"times": 2}
    )
    assert result.data == {**BUSY, "error": "還在忙"}
    assert result.failed_nodes == ["查"]
    assert environment.outcomes == []
    assert len(environment.pauses) == 2


async def test_an_exception_is_repeated_and_the_last_one_is_the_reason() -> None:
    first, last = (ComponentError(text, kind="connection") for text in ("斷線", "又斷線"))
    result, _ = await attempt([first, last], retry={"times": 1})
    assert result.error == "Node 查 failed: 又斷線"
    assert result.trace[-1].get("attempts") == 2


@pytest.mark.parametrize(
    ("on", "outcome", "repeated"),
    [
        (None, {"success": False, "status": 429}, True),
        (None, {"success": False, "status": 500}, True),
        (None, {"success": False, "status": 599}, True),
        (None, {"success": False, "status": 408}, True),
        (None, {"success": False, "error": "x", "error_type": "connection"}, True),
        (None, {"success": False, "error": "x", "error_type": "timeout"}, True),
        (None, ComponentError("x", kind="timeout"), True),
        (None, ComponentError("x", kind="rate_limited"), True),
        (None, {"success": False, "status": 404}, False),
        (None, {"success": False, "status": 600}, False),
        (None, {"success": False, "status": True}, False),
        (None, {"success": False, "error_type": ["timeout"]}, False),
        (None, {"success": False, "error": "x"}, False),
        (None, ComponentError("x"), False),
        (None, RuntimeError("x"), False),
        (None, {"success": True, "status": 503}, False),
        (["any"], {"success": False, "error": "x"}, True),
        (["any"], RuntimeError("x"), True),
        (["any"], {"success": True}, False),
        ([404], {"success": False, "status": 404}, True),
        ([404], {"success": False, "status": 503}, False),
        (["server_error"], {"success": False, "status": 429}, False),
        (["rate_limited"], {"success": False, "status": 429}, True),
        (["connection"], ComponentError("x", kind="timeout"), False),
    ],
)
async def test_which_failures_are_repeated(on: Any, outcome: Any, repeated: bool) -> None:
    retry = {"times": 1} if on is None else {"times": 1, "on": on}
    _, environment = await attempt([outcome, GOOD], retry=retry)
    assert (environment.outcomes == []) == repeated


async def test_a_kind_is_known_by_its_name_only() -> None:
    result, environment = await attempt(
        [{"success": False, "error_type": "any"}], retry={"times": 1}
    )
    assert environment.pauses == []
    assert result.failed_nodes == ["查"]


async def test_the_time_to_wait_doubles_and_differs_from_place_to_place() -> None:
    retry = {"times": 3, "backoff_seconds": 2}
    waits = []
    for _ in range(2):
        _, environment = await attempt([BUSY] * 3 + [GOOD], retry=retry)
        waits.append([seconds for _, _, seconds in environment.pauses])
    for seconds, least in zip(waits[0], (2, 4, 8), strict=True):
        assert least <= seconds <= least * 1.25
    other = [waiting_time(Retry(9, 2.0), number, "elsewhere") for number in (1, 2, 3)]
    assert other != waits[0]
    assert other == [waiting_time(Retry(9, 2.0), number, "elsewhere") for number in (1, 2, 3)]


def test_no_wait_is_longer_than_the_limit() -> None:
    assert waiting_time(Retry(20, 300.0), 20, "x") == MAX_WAIT_SECONDS
    assert waiting_time(Retry(20, 0.0), 20, "x") == 0


@pytest.mark.parametrize(
    "failure",
    [
        {**BUSY, "retry_after": 7},
        ComponentError("忙", kind="server_error", retry_after=7.0),
    ],
)
async def test_a_service_is_not_asked_again_before_it_wants_to_be(failure: Any) -> None:
    _, environment = await attempt([failure, GOOD], retry={"times": 1, "backoff_seconds": 0})
    assert environment.pauses == [("查", 2, 7.0)]
    _, environment = await attempt([failure, GOOD], retry={"times": 1, "backoff_seconds": 50})
    assert environment.pauses[0][2] >= 50


@pytest.mark.parametrize("said", ["7", None, True, -3, float("nan")])
async def test_a_retry_after_that_is_no_time_is_none(said: Any) -> None:
    retry = {"times": 1, "backoff_seconds": 0}
    _, environment = await attempt([{**BUSY, "retry_after": said}, GOOD], retry=retry)
    assert environment.pauses == [("查", 2, 0.0)]


async def test_a_service_that_wants_more_time_than_a_run_has_is_not_asked_again() -> None:
    failure = {**BUSY, "retry_after": 120.5}
    result, environment = await attempt([failure, GOOD], RunLimits(seconds=120), retry={"times": 1})
    assert environment.pauses == []
    assert result.data == failure


async def test_each_attempt_is_a_step_of_the_run() -> None:
    result, _ = await attempt([BUSY] * 9, RunLimits(steps=3), retry={"times": 8})
    assert result.error == "Node 查 failed: the run has taken 3 steps, which is the limit"


async def test_waiting_takes_time_of_the_run(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(seconds=0.02)
    config = {"component": "give", "value": BUSY, "retry": {"times": 1, "backoff_seconds": 9}}
    result = await engine.run(["input >> PIPE >> 查"], {"查": config})
    assert result.error == "Node 查 failed: the run's time is over (0.02 seconds)"


async def test_what_can_not_be_filled_is_not_repeated(engine: RecordingEngine) -> None:
    config = {"component": "give", "value": "{{無}}", "retry": {"times": 3, "on": ["any"]}}
    graph = engine.compile(["input >> PIPE >> 查"], {"查": config})
    result = await run_graph(graph, {}, engine.environment, strict=True)
    assert result.failed_node == "查"
    assert engine.order == []


async def test_a_step_says_whether_it_may_be_repeated() -> None:
    _, environment = await attempt([GOOD], repeatable=False)
    assert [step.repeatable for step in environment.steps] == [False]
    _, environment = await attempt([GOOD])
    assert [step.repeatable for step in environment.steps] == [True]


async def test_a_recorded_failure_is_repeated_like_the_failure_itself() -> None:
    class Replayed(Attempts):
        async def step(self, step: Step, invoke: Invoke) -> StepResult:
            self.steps.append(step)
            if step.attempt == 1:
                raise InvocationFailure("那時斷線", kind="connection", retry_after=3)
            return StepResult(GOOD, 12.5)

    graph: Any = compile_flow(
        ["i >> PIPE >> 查"], {"查": {"component": "x", "retry": {"times": 1, "backoff_seconds": 0}}}
    )
    environment = Replayed()
    result = await run_graph(graph, {}, environment)
    assert result.data == GOOD
    assert environment.pauses == [("查", 2, 3.0)]


async def test_a_node_that_takes_too_long_fails_and_its_component_is_cancelled(
    engine: RecordingEngine,
) -> None:
    cancelled = asyncio.Event()

    async def slow(_given: Any, _invocation: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    engine.components = {"slow": slow}
    config = {"慢": {"component": "slow", "timeout_seconds": 0.01}}
    result = await engine.run(["input >> PIPE >> 慢"], config)
    assert result.error == "Node 慢 failed: it took longer than its timeout_seconds (0.01)"
    assert cancelled.is_set()
    lines = ["input >> PIPE >> 慢", "慢 >> 失敗時 >> 警"]
    result = await engine.run(lines, {**config, "警": {"component": "give", "value": "晚了"}})
    assert result.data == "晚了"


async def test_the_time_counts_for_each_attempt_and_a_time_out_is_repeated(
    engine: RecordingEngine,
) -> None:
    attempts = 0

    async def slow_once(_given: Any, _invocation: Any) -> Any:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            await asyncio.Event().wait()
        return attempts

    engine.components = {"slow_once": slow_once}
    config = {"component": "slow_once", "timeout_seconds": 0.02}
    retry = {"times": 1, "backoff_seconds": 0.03, "on": ["timeout"]}
    result = await engine.run(["input >> PIPE >> 慢"], {"慢": {**config, "retry": retry}})
    assert result.data == 2


async def test_a_time_out_of_the_component_itself_is_its_own(engine: RecordingEngine) -> None:
    async def impatient(_given: Any, _invocation: Any) -> Any:
        raise TimeoutError("伺服器沒回應")

    engine.components = {"impatient": impatient}
    config = {"component": "impatient", "timeout_seconds": 9}
    result = await engine.run(["input >> PIPE >> 查"], {"查": config})
    assert result.error == "Node 查 failed: TimeoutError: 伺服器沒回應"


async def test_the_time_of_the_run_ends_a_node_before_its_own(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(seconds=0.01)
    config = {"component": "hang", "timeout_seconds": 9}
    result = await engine.run(["input >> PIPE >> 掛"], {"掛": config})
    assert result.error == "Node 掛 failed: the run's time is over (0.01 seconds)"


LINES = ["input >> PIPE >> 查", "查 >> PIPE >> 後"]
AFTER = {"後": {"component": "give", "value": "{{prev.error}}"}}


async def test_continue_goes_on_after_an_exception(engine: RecordingEngine) -> None:
    failing = {"component": "fail", "on_failure": "continue"}
    result = await engine.run(LINES, {"查": failing, **AFTER})
    assert (result.success, result.data, result.failed_nodes) == (True, "壞了", ["查"])
    assert result.verdict == "partial"
    assert [entry["status"] for entry in result.trace_summary()] == ["ok", "failed", "ok"]


async def test_stop_ends_the_run_after_a_failure_that_was_returned(engine: RecordingEngine) -> None:
    failing = {"component": "give", "value": BUSY, "on_failure": "stop"}
    result = await engine.run(LINES, {"查": failing, **AFTER}, {"q": 1})
    assert (result.error, result.failed_node) == ("Node 查 failed: 維護中", "查")
    assert result.failed_input == {"q": 1, "value": BUSY, "input": {"q": 1}}
    assert engine.order == ["查"]
    assert [entry["status"] for entry in result.trace_summary()] == ["ok", "failed"]


async def test_without_either_a_returned_failure_goes_on_and_an_exception_ends(
    engine: RecordingEngine,
) -> None:
    result = await engine.run(LINES, {"查": {"component": "give", "value": BUSY}, **AFTER})
    assert (result.data, result.failed_nodes) == ("維護中", ["查"])
    result = await engine.run(LINES, {"查": {"component": "fail"}, **AFTER})
    assert result.error == "Node 查 failed: 壞了"


@pytest.mark.parametrize("on_failure", ["continue", "stop"])
async def test_an_on_fail_edge_takes_a_failure_before_either(
    engine: RecordingEngine, on_failure: str
) -> None:
    failing = {"component": "give", "value": BUSY, "on_failure": on_failure}
    lines = ["input >> PIPE >> 查", "查 >> 失敗時 >> 後"]
    result = await engine.run(lines, {"查": failing, **AFTER})
    assert (result.data, result.failed_nodes) == ("維護中", [])


async def test_stop_ends_the_element_of_a_foreach(engine: RecordingEngine) -> None:
    async def picky(given: Any, _invocation: Any) -> Any:
        return BUSY if given["item"] == "壞" else given["item"]

    engine.components = {"picky": picky}
    lines = ["input >> PIPE >> 列", "列 >> FOREACH >> 查", "查 >> PIPE >> 記"]
    config = {
        "列": {"component": "give", "value": {"items": ["壞", "好"]}},
        "查": {"component": "picky", "on_failure": "stop"},
        "記": {"component": "give", "value": "{{prev}}"},
    }
    result = await engine.run(lines, config)
    failed = {"success": False, "error": "Node 查 failed: 維護中"}
    assert result.data["results"] == [failed, "好"]
    assert result.failed_nodes == ["查"]


async def test_continue_skips_a_foreach_without_a_list_or_whose_elements_all_failed(
    engine: RecordingEngine,
) -> None:
    lines = ["input >> PIPE >> 列", "列 >> FOREACH >> 做", "列 >> PIPE >> 後"]
    config = {"做": {"component": "fail"}, "後": {"component": "give", "value": "到了"}}
    for value in ({}, {"items": [1, 2]}):
        giving = {"component": "give", "value": value, "on_failure": "continue"}
        result = await engine.run(lines, {**config, "列": giving})
        assert result.data == "到了"
        assert "列" in result.failed_nodes


@pytest.mark.parametrize("by_edge", [True, False])
async def test_a_called_workflow_that_failed_goes_on_or_not(
    engine: RecordingEngine, by_edge: bool
) -> None:
    engine.workflows = {"子": compile_flow(["a >> PIPE >> 壞"], {"壞": {"component": "fail"}})}
    edge, call = "PIPE", {"component": "trigger_workflow", "workflow_name": "子"}
    if by_edge:
        edge, call = "SUBFLOW", {}
    lines = [f"input >> {edge} >> 子", "子 >> PIPE >> 後"]
    after = {"後": {"component": "give", "value": "到了"}}
    result = await engine.run(lines, {"子": {**call, "on_failure": "continue"}, **after})
    assert (result.data, result.failed_nodes) == ("到了", ["子"])
    result = await engine.run(lines, {"子": {**call, "on_failure": "stop"}, **after})
    assert result.failed_node == "子"


async def test_a_task_that_failed_goes_on_or_not(engine: RecordingEngine) -> None:
    for on_failure, expected in (("continue", "逾期"), ("stop", None)):
        asking = {"component": "ask", "on_failure": on_failure}
        graph = engine.compile(LINES, {"查": asking, **AFTER})
        paused = (await run_graph(graph, {}, engine.environment)).paused
        assert paused is not None
        result = await resume_graph(
            paused.continuation, engine.environment, success=False, error="逾期"
        )
        assert result.data == expected
    failure = {"success": False, "error": "駁回"}
    result = await resume_graph(paused.continuation, engine.environment, data=failure)
    assert result.error == "Node 查 failed: 駁回"
