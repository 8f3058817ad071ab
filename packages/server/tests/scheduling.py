"""A scheduler for tests, on a clock that is set, whose runs are accepted and not executed."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from arcrun_server.components.registry import Registry
from arcrun_server.engine import RunLimits
from arcrun_server.outbound import Outbound
from arcrun_server.recipes.catalog import load_catalog
from arcrun_server.recipes.resolver import RecipeResolver
from arcrun_server.runs.accepted import AcceptedRuns
from arcrun_server.runs.account_schedules import first_ms
from arcrun_server.runs.schedules import Scheduler
from arcrun_server.runs.service import RunService
from arcrun_server.store.pages import PageRequest
from arcrun_server.store.schedules import Tick

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from arcrun_server.engine.schedule import Schedule
    from arcrun_server.store import Store


class NoExecution:
    """Starts no segment, so that what was accepted stays as it was accepted."""

    room = 1

    async def launch(self, execute: Any) -> None:
        pass

    async def start(self, run: str, segment: int) -> None:
        pass

    async def forget(self, segments: Any) -> None:
        pass

    async def aclose(self) -> None:
        pass


class SetClock:
    """The engine's clock, which a test sets.

    Args:
        path: The file that the clock follows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def set(self, moment: str) -> None:
        """Set the clock to a moment, in ISO 8601."""
        ahead = datetime.fromisoformat(moment).timestamp() - time.time()
        self.path.write_text(str(ahead), "ascii")


@dataclass
class Scheduling:
    """A process with a scheduler, of which there may be several on one database."""

    store: Store
    account: str
    accepted: AcceptedRuns
    scheduler: Scheduler

    async def push(
        self, workflow: str, schedule: Schedule | None, *, start: str = "input", **fields: Any
    ) -> None:
        """Push a workflow with a schedule, a start node of this name, and further fields of the graph."""
        first = None
        if schedule is not None:
            first = Tick(self.account, workflow, schedule, first_ms(schedule))
        graph = {"nodes": [{"id": start, "type": "Input"}], "edges": [], **fields}
        await self.store.workflows.push(
            *(self.account, workflow), description="a test's", graph=graph, config=None, first=first
        )

    async def runs(self, workflow: str | None = None) -> list[dict[str, Any]]:
        """Return the runs that were accepted, oldest first."""
        page = await self.store.runs.list(
            self.account, PageRequest(200), workflow=workflow, status=None
        )
        return page.entries[::-1]

    async def times(self, workflow: str | None = None) -> list[str]:
        """Return the `scheduled_at` of the runs that were accepted, oldest first."""
        times = []
        for entry in await self.runs(workflow):
            run = await self.store.runs.get(entry["run_id"])
            assert run is not None
            times.append(run.input["scheduled_at"])
        return times


@asynccontextmanager
async def scheduling(store: Store, account: str, executor: str) -> AsyncIterator[Scheduling]:
    """Yield a process that executes runs under a name."""
    registry = Registry(Outbound())
    recipes = RecipeResolver(registry.outbound, load_catalog(), store, "")
    accepted = AcceptedRuns(
        *(store, registry, recipes, RunLimits(), lambda _executor: NoExecution()),
        days=30,
        kept=10_000,
    )
    await accepted.launch_as(executor)
    runs = RunService(store, registry, recipes, accepted=accepted)
    scheduler = Scheduler(store, runs, accepted)
    yield Scheduling(store, account, accepted, scheduler)
    await scheduler.aclose()
    await accepted.aclose()
    await registry.outbound.aclose()
