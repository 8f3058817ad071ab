"""The end of a segment whose run was given to another executor: the execution that counts writes it all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from arcrun_server.components.registry import Registry
from arcrun_server.engine import RunLimits
from arcrun_server.outbound import Outbound
from arcrun_server.runs.durable import SegmentLostError
from arcrun_server.runs.progress import Progress
from arcrun_server.runs.segments import Segments
from arcrun_server.store.runs import queued_run

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    import pytest

    from arcrun_server.store import Store

RUN = "1" * 32
GRAPH = {"nodes": [{"id": "input", "type": "Input"}], "edges": []}


class Execution:
    """Records no steps; says whether this execution of a segment counts."""

    def __init__(self, *, counts: bool) -> None:
        self._counts = counts

    async def step(self, place: str, work: Callable[[], Coroutine[Any, Any, str]]) -> str:
        if not self._counts:
            raise SegmentLostError
        return await work()


class NoRecipes:
    """Finds no recipes: the graph names none."""

    def of_run(self, _pinned: object) -> NoRecipes:
        return self


async def executed(store: Store, monkeypatch: pytest.MonkeyPatch, *, counts: bool) -> bool:
    """Execute a run that another process is given just before its end is written; return whether it was."""
    store.accounts.create("ak_" + "1" * 48)
    account = await store.accounts.of_key("ak_" + "1" * 48)
    assert account is not None
    plan = {"graph": GRAPH, "strict": False, "pins": {}}
    options: Any = {"run_input": {"n": 1}, "workflow": None, "trigger": "api"}
    await store.runs.accept(queued_run(RUN, account, plan=plan, executor="this", **options))
    end, given = store.runs.end, iter([True])

    async def end_of_another(*arguments: Any) -> Any:
        if next(given, False):
            await store.runs.take_over("this", "another")
        return await end(*arguments)

    monkeypatch.setattr(store.runs, "end", end_of_another)
    registry, recipes = Registry(Outbound()), NoRecipes()
    segments = Segments(
        *(store, registry, cast("Any", recipes), RunLimits(), Progress()),
        start=lambda run, segment: None,
    )
    execution: Any = Execution(counts=counts)
    return await segments.execute(execution, "this", RUN, 0)


async def test_the_execution_that_counts_takes_the_run_back_and_ends_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await executed(store, monkeypatch, counts=True)
    run = await store.runs.get(RUN)
    assert run is not None
    assert (run.status, run.executor, run.result["data"]) == ("succeeded", "this", {"n": 1})


async def test_an_execution_that_counts_no_more_leaves_the_run_to_the_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not await executed(store, monkeypatch, counts=False)
    run = await store.runs.get(RUN)
    assert run is not None
    assert (run.status, run.executor) == ("running", "another")
