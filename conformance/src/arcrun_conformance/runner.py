"""A run: all cells, then the removal of everything that they created."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import httpx

from .adapter import Adapter, Connection
from .cell import is_skipped, run_cell
from .checks import Check
from .cleanup import PREFIX, Cleaner, Created, created_in
from .exemptions import lacking, suited
from .protocol import AdapterFailure, Identity
from .results import Cell, CellOutcome, Run

if TYPE_CHECKING:
    from .scenario import Scenario
    from .target import Target

Opener = Callable[[], Awaitable[Connection]]


@dataclass
class Plan:
    """What is to be run.

    Attributes:
        target: The engine.
        scenarios: The scenarios, in order.
        openers: For each SDK, how to open a connection to an adapter of it.
        answer_seconds: How long an adapter may take for one answer.
        jobs: How many cells are run at a time.
        on_cell: Called with each cell that is done.
    """

    target: Target
    scenarios: Sequence[Scenario]
    openers: Mapping[str, Opener]
    answer_seconds: float = 30.0
    jobs: int = 1
    on_cell: Callable[[Cell], None] = lambda _: None


async def execute(plan: Plan) -> Run:
    """Run the plan, remove what it created, and verify that nothing is left.

    Ctrl-C ends the cells; the removal is done all the same, and the run says `interrupted`.
    """
    run = Run(
        id=PREFIX + secrets.token_hex(4),
        target=plan.target,
        scenarios=list(plan.scenarios),
        sdks=dict.fromkeys(plan.openers),
        started=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )
    began = time.perf_counter()
    work = _Work(plan, run)
    try:
        await work.do()
    except asyncio.CancelledError:
        run.interrupted = True
    finally:
        # Shielded: a second Ctrl-C during the removal must not leave things behind either.
        await asyncio.shield(_remove(run, work.created))
    order = {(s.id, sdk): n for n, (s, sdk) in enumerate(work.cells())}
    run.cells.sort(key=lambda cell: order[cell.scenario, cell.sdk])
    run.seconds = time.perf_counter() - began
    return run


async def _remove(run: Run, created: Sequence[Created]) -> None:
    cleaner = Cleaner(run.target)
    try:
        run.leftovers.created = len(created)
        run.leftovers.problems = await cleaner.remove(created)
        run.leftovers.left = [str(thing) for thing in await cleaner.left(run.id)]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        run.leftovers.problems.append(f"whether anything is left can't be told: {error!r}")
    finally:
        await cleaner.close()


class _Work:
    """The cells of a run, handed out to workers that keep an adapter process for each SDK."""

    def __init__(self, plan: Plan, run: Run) -> None:
        self.created: list[Created] = []
        self._plan = plan
        self._run = run
        self._waiting = list(enumerate(self.cells(), start=1))
        self._waiting.sort(key=lambda item: list(plan.openers).index(item[1][1]))

    def cells(self) -> list[tuple[Scenario, str]]:
        """All cells, in the order of the report."""
        return [(s, sdk) for s in self._plan.scenarios for sdk in self._plan.openers]

    async def do(self) -> None:
        """Do all cells."""
        workers = [asyncio.ensure_future(self._worker()) for _ in range(self._plan.jobs)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _worker(self) -> None:
        pool = _AdapterPool(self._plan)
        try:
            while self._waiting:
                number, (scenario, sdk) = self._waiting.pop(0)
                cell = await self._cell(pool, number, scenario, sdk)
                self._run.cells.append(cell)
                self._plan.on_cell(cell)
            await pool.stop()
        finally:
            await asyncio.shield(pool.abandon())

    async def _cell(self, pool: _AdapterPool, number: int, scenario: Scenario, sdk: str) -> Cell:
        try:
            adapter, identity = await pool.adapter(sdk)
        except AdapterFailure as failure:
            message = f"{failure}\n{failure.stderr}".rstrip()
            failed = Check(f"adapter-{failure.kind}", "failed", message)
            outcome: CellOutcome = "unavailable" if failure.kind == "not-available" else "error"
            return Cell(scenario.id, sdk, outcome, message, [failed])
        self._run.sdks[sdk] = identity
        cell = Cell(scenario.id, sdk)
        if is_skipped(cell, scenario, self._plan.target, identity):
            return cell
        cell.lacks = lacking(scenario, identity.capabilities)
        try:
            await run_cell(
                cell,
                suited(scenario, identity.capabilities),
                adapter,
                self._plan.target,
                run=f"{self._run.id}_{number}",
                capabilities=identity.capabilities,
            )
        finally:
            self.created += created_in(cell.exchanges)
        if cell.outcome == "error":
            await pool.discard(sdk)
        return cell


class _AdapterPool:
    """One worker's adapters, started when first needed and again after a failure."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._running: dict[str, tuple[Adapter, Identity]] = {}
        self._broken: dict[str, AdapterFailure] = {}

    async def adapter(self, sdk: str) -> tuple[Adapter, Identity]:
        """The adapter of an SDK.

        Raises:
            AdapterFailure: It can't be started; it is not tried again.
        """
        if sdk in self._broken:
            raise self._broken[sdk]
        if sdk not in self._running:
            await self.stop()  # cells come SDK by SDK: the one before is not needed any more
            try:
                self._running[sdk] = await self._start(sdk)
            except AdapterFailure as failure:
                self._broken[sdk] = failure
                raise
        return self._running[sdk]

    async def _start(self, sdk: str) -> tuple[Adapter, Identity]:
        connection = await self._plan.openers[sdk]()
        adapter = Adapter(connection, self._plan.answer_seconds)
        try:
            return adapter, await adapter.start()
        except AdapterFailure as failure:
            await adapter.abandon()
            failure.stderr = await adapter.take_stderr()
            raise
        except asyncio.CancelledError:
            await adapter.abandon()
            raise

    async def discard(self, sdk: str) -> None:
        """End an adapter that has failed; the next cell gets a new one."""
        adapter, _ = self._running.pop(sdk)
        await adapter.abandon()

    async def stop(self) -> None:
        """Stop all adapters politely."""
        while self._running:
            _, (adapter, _) = self._running.popitem()
            await adapter.stop()

    async def abandon(self) -> None:
        """End those that still run, by force."""
        while self._running:
            _, (adapter, _) = self._running.popitem()
            await adapter.abandon()
