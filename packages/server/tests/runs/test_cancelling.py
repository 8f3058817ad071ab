"""What is cancelled is what a run has come to, not what it was when it was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from arcrun_server.engine import RunLimits
from arcrun_server.runs.accepted import AcceptedRuns
from arcrun_server.store.callbacks import AwaitedTask
from arcrun_server.store.run_tokens import Callback, waiting_at
from arcrun_server.store.runs import PAUSED, StoredRun, queued_run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from arcrun_server.store import Store

RUN = "1" * 32


@dataclass
class Execution:
    """Durable execution of segments that never end."""

    cancelled: list[tuple[str, int]] = field(default_factory=list)

    async def launch(self, execute: Callable[[str, int], Awaitable[None]]) -> None: ...

    room = 1

    async def start(self, run: str, segment: int) -> None: ...

    async def cancel(self, run: str, segment: int) -> None:
        self.cancelled.append((run, segment))

    async def forget(self, segments: Sequence[tuple[str, int]]) -> None: ...

    async def aclose(self) -> None: ...


class ResumedWhenRead(AcceptedRuns):
    """Runs to which a callback comes between the moment at which one is read and that at which it is cancelled."""

    async def get(self, account: str, run_id: str) -> StoredRun:
        run = await super().get(account, run_id)
        if run.status == PAUSED:
            await self.resume(Callback(run_id, waiting_at("ask")), {"data": {}})
        return run


async def test_a_run_that_is_resumed_meanwhile_is_cancelled_in_its_new_segment(
    store: Store,
) -> None:
    store.accounts.create("ak_" + "1" * 48)
    account = await store.accounts.of_key("ak_" + "1" * 48)
    assert account is not None
    run = queued_run(
        RUN, account, plan={}, run_input={}, workflow="w", executor="local", trigger="api"
    )
    await store.runs.accept(run)
    begun = await store.runs.begin(RUN, 0, "local")
    assert begun is not None
    await store.callbacks.pause(
        begun, plan={}, continuation={}, tasks=[AwaitedTask("t", "ask")], result={}, trace=[]
    )
    execution = Execution()
    unused: Any = None
    runs = ResumedWhenRead(
        *(store, unused, unused, RunLimits(), lambda _: execution), days=1, kept=1
    )
    cancelled = await runs.cancel(account, RUN)
    await runs.aclose()

    assert cancelled.status == "cancelled"
    assert execution.cancelled == [(RUN, 1)]
