"""Recovering what a process has left: what has begun is queued before others can take its runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from arcrun_server.engine import RunLimits
from arcrun_server.runs.accepted import ALONE, AcceptedRuns
from arcrun_server.store.runs import queued_run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from arcrun_server.store import Store

GONE = "a process that has ended"


@dataclass
class Execution:
    """Durable execution with room for one segment; it notes who has the runs when it recovers them."""

    store: Store
    room: int = 1
    recovered: list[tuple[Sequence[str], int]] = field(default_factory=list)
    started: list[str] = field(default_factory=list)

    async def launch(self, execute: Callable[[str, int], Awaitable[None]]) -> None: ...

    async def start(self, run: str, segment: int) -> None:
        self.started.append(run)

    async def executors(self) -> set[str]:
        return {ALONE, "who has begun"}

    async def recover(self, executors: Sequence[str]) -> None:
        left = await self.store.runs.left_by(GONE)
        self.recovered.append((executors, len(left)))

    async def aclose(self) -> None: ...


async def prepared(store: Store, count: int) -> tuple[AcceptedRuns, Execution, list[str]]:
    """Return accepted runs whose executor has ended, with what executes them now."""
    store.accounts.create("ak_" + "1" * 48)
    account = await store.accounts.of_key("ak_" + "1" * 48)
    assert account is not None
    ids = [f"{number:032x}" for number in range(count)]
    for run in ids:
        options: Any = {"plan": {}, "run_input": {}, "workflow": "w", "trigger": "api"}
        await store.runs.accept(queued_run(run, account, executor=GONE, **options))
    execution = Execution(store)
    unused: Any = None
    runs = AcceptedRuns(*(store, unused, unused, RunLimits(), lambda _: execution), days=1, kept=1)
    return runs, execution, ids


async def test_what_has_begun_is_queued_before_its_runs_have_another_executor(
    store: Store,
) -> None:
    runs, execution, ids = await prepared(store, 3)
    await runs.launch_as("this process")
    await runs.recover(GONE)
    await runs.aclose()
    assert execution.recovered == [([GONE], len(ids))]


async def test_a_process_takes_what_it_has_room_for_and_leaves_the_rest_to_all(
    store: Store,
) -> None:
    runs, execution, ids = await prepared(store, 3)
    await runs.launch_as("this process")
    await runs.recover(GONE)
    left = [run for run, _ in await store.runs.left_by(ALONE)]
    assert (execution.started, left) == (ids[:1], ids[1:])

    assert await runs.take_unowned()
    assert execution.started == ids[:2]
    execution.room = 0
    assert await runs.take_unowned()
    assert execution.started == ids[:2]
    execution.room = 5
    assert await runs.take_unowned()
    assert not await runs.take_unowned()
    await runs.aclose()
    assert execution.started == ids


async def test_whoever_has_runs_or_has_begun_some_is_working(store: Store) -> None:
    runs, _, ids = await prepared(store, 2)
    assert await runs.working() == {GONE, "who has begun"}
    for run in ids:
        stored = await store.runs.get(run)
        assert stored is not None
        await store.runs.cancel(stored, "this process")
    assert await runs.working() == {"who has begun"}
