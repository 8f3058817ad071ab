"""A run: all cells, and the removal of everything that they have created."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from arcrun_conformance.adapters.adapter import Adapter, Connection
from arcrun_conformance.adapters.protocol import AdapterFailure, Identity
from arcrun_conformance.checks.check import Check
from arcrun_conformance.checks.exemptions import apply_alternatives, missing_capabilities
from arcrun_conformance.cleaning import visible

from .cell import is_skipped, run_cell
from .cleanup import PREFIX, Cleaner, Created, created_in
from .crashes import crashed_cell, crashed_run
from .results import Cell, CellOutcome, Run, timestamp
from .workers import run_workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arcrun_conformance.scenarios.scenario import Scenario
    from arcrun_conformance.target import Target

Opener = Callable[[], Awaitable[Connection]]


@dataclass
class RunConfig:
    """The settings of a run.

    Attributes:
        target: The engine.
        scenarios: The scenarios, in order.
        openers: For each SDK, a function that opens a connection to its adapter.
        reply_seconds: How long to wait for a reply of an adapter.
        jobs: How many cells are run at the same time.
        on_cell: Called with each finished cell.
        fail_fast: Begin no further cell after one that did not pass.
    """

    target: Target
    scenarios: Sequence[Scenario]
    openers: Mapping[str, Opener]
    reply_seconds: float = 30.0
    jobs: int = 1
    on_cell: Callable[[Cell], None] = lambda _: None
    fail_fast: bool = False


async def execute(config: RunConfig) -> Run:
    """Run all cells, remove what they have created, and verify that nothing is left.

    Ctrl-C ends the cells; the removal is done nevertheless, and the run is marked `interrupted`.
    """
    run = Run(
        id=PREFIX + secrets.token_hex(4),
        target=config.target,
        scenarios=list(config.scenarios),
        sdks=dict.fromkeys(config.openers),
        started=timestamp(),
    )
    began = time.perf_counter()
    queue = _CellQueue(config, run)
    try:
        await queue.run_all()
    except asyncio.CancelledError:
        run.interrupted = True
    except Exception as error:  # noqa: BLE001 -- what was found until then is reported
        crashed_run(run, error)
    finally:
        # Shielded: a second Ctrl-C during the removal must not leave things behind either.
        await asyncio.shield(_remove(run, queue.created, queue.removed))
    positions = {(s.id, sdk): n for n, (s, sdk) in enumerate(queue.cells())}
    run.cells.sort(key=lambda cell: positions[cell.scenario, cell.sdk])
    run.seconds = time.perf_counter() - began
    return run


async def _remove(run: Run, created: Sequence[Created], removed: Collection[Created]) -> None:
    cleaner = Cleaner(run.target)
    try:
        run.leftovers.created = len(created)
        problems = await cleaner.remove(thing for thing in created if thing not in removed)
        run.leftovers.problems = [visible(text) for text in problems]
        run.leftovers.left = [visible(str(thing)) for thing in await cleaner.left(run.id)]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        problem = f"can't list what is left at the target: {type(error).__name__}: {error}"
        run.leftovers.problems.append(visible(problem))
    finally:
        await cleaner.close()


@dataclass
class _Column:
    """The cells of one SDK that are waiting, and how many workers are at them."""

    sdk: str
    waiting: deque[tuple[int, Scenario]]
    workers: int = 0

    @contextlib.contextmanager
    def worked_on(self) -> Iterator[None]:
        self.workers += 1
        try:
            yield
        finally:
            self.workers -= 1


def _columns(config: RunConfig) -> list[_Column]:
    """Return the columns of a run; each begins with another scenario.

    So cells that wait for a time-out are run beside cells that compute, and not beside the same cells of
    other SDKs. Registries list the runtimes that take longest to start last: they come first, so that none
    is started again for the last cells.
    """
    width, height = len(config.openers), len(config.scenarios)
    columns = []
    for index, sdk in enumerate(config.openers):
        cells = deque((n * width + index + 1, s) for n, s in enumerate(config.scenarios))
        cells.rotate(-(index * height // width))
        columns.append(_Column(sdk, cells))
    return columns[::-1]


class _CellQueue:
    """The cells of a run, distributed to workers.

    A worker keeps its adapter for as long as its column has cells, and no two workers are in one column
    while others wait: an adapter is started as seldom as possible.
    """

    def __init__(self, config: RunConfig, run: Run) -> None:
        self.created: list[Created] = []
        self.removed: set[Created] = set()
        self._config = config
        self._run = run
        self._columns = _columns(config)

    def cells(self) -> list[tuple[Scenario, str]]:
        """Return all cells, in the order of the report."""
        return [(s, sdk) for s in self._config.scenarios for sdk in self._config.openers]

    async def run_all(self) -> None:
        """Run all cells."""
        await run_workers(self._config.jobs, self._worker)

    async def _worker(self) -> None:
        pool = _AdapterPool(self._config)
        try:
            while column := self._next_column():
                with column.worked_on():
                    await self._work_on(column, pool)
            await pool.stop()
        finally:
            await asyncio.shield(pool.abandon())

    def _next_column(self) -> _Column | None:
        """Return the column in which a worker has most to do; `None` if no cell is waiting."""
        return max(
            (column for column in self._columns if column.waiting),
            key=lambda column: len(column.waiting) / (column.workers + 1),
            default=None,
        )

    async def _work_on(self, column: _Column, pool: _AdapterPool) -> None:
        while column.waiting:
            number, scenario = column.waiting.popleft()
            cell = await self._cell(pool, number, scenario, column.sdk)
            self._run.cells.append(cell)
            self._config.on_cell(cell)
            if self._config.fail_fast and cell.failed:
                for column_left in self._columns:
                    column_left.waiting.clear()

    async def _cell(self, pool: _AdapterPool, number: int, scenario: Scenario, sdk: str) -> Cell:
        try:
            adapter, identity = await pool.adapter(sdk)
        except AdapterFailure as failure:
            return _without_adapter(scenario, sdk, failure)
        self._run.sdks[sdk] = identity
        cell = Cell(scenario.id, sdk)
        if is_skipped(cell, scenario, self._config.target, identity):
            return cell
        cell.lacks = missing_capabilities(scenario, identity.capabilities)
        try:
            adapter = await pool.cleared(sdk)
        except AdapterFailure as failure:
            return _without_adapter(scenario, sdk, failure)
        try:
            await run_cell(
                cell,
                apply_alternatives(scenario, identity.capabilities),
                adapter,
                self._config.target,
                run=f"{self._run.id}_{number:04}",
                capabilities=identity.capabilities,
            )
        except Exception as error:  # noqa: BLE001 -- one cell must not take the others with it
            crashed_cell(cell, error)
        finally:
            self.created += created_in(cell.exchanges)
        if cell.outcome == "error":
            await pool.discard(sdk)
        await self._remove(created_in(cell.exchanges))
        return cell

    async def _remove(self, created: Sequence[Created]) -> None:
        """Remove what a cell has created, so that the next finds short lists, as every SDK does."""
        cleaner = Cleaner(self._config.target)
        try:
            if not await cleaner.remove(created):
                self.removed.update(created)
        finally:
            await cleaner.close()


def _without_adapter(scenario: Scenario, sdk: str, failure: AdapterFailure) -> Cell:
    """Return the cell of a scenario whose adapter could not be started or cleared."""
    message = visible(f"{failure}\n{failure.stderr}".rstrip())
    failed = Check(f"adapter-{failure.kind}", "failed", message)
    outcome: CellOutcome = "unavailable" if failure.kind == "not-available" else "error"
    return Cell(scenario.id, sdk, outcome, message, [failed])


class _AdapterPool:
    """One worker's adapters, started on first use and again after a failure."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._running: dict[str, tuple[Adapter, Identity]] = {}
        self._broken: dict[str, AdapterFailure] = {}
        self._used: set[str] = set()

    async def adapter(self, sdk: str) -> tuple[Adapter, Identity]:
        """Return the running adapter of an SDK, started if necessary.

        Raises:
            AdapterFailure: The adapter can't be started; it is not tried again.
        """
        if sdk in self._broken:
            raise self._broken[sdk]
        if sdk not in self._running:
            await self.stop()  # cells come SDK by SDK: the previous adapter is no longer needed
            try:
                self._running[sdk] = await self._start(sdk)
            except AdapterFailure as failure:
                self._broken[sdk] = failure
                raise
        return self._running[sdk]

    async def cleared(self, sdk: str) -> Adapter:
        """Return the running adapter of an SDK, with nothing left of the scenario before.

        Raises:
            AdapterFailure: It can be neither cleared nor started again.
        """
        if sdk in self._used:
            try:
                await self._running[sdk][0].send("reset")
            except AdapterFailure as failure:
                await self.discard(sdk)
                if failure.kind != "failure":
                    raise
                await self.adapter(sdk)
        self._used.add(sdk)
        return self._running[sdk][0]

    async def _start(self, sdk: str) -> tuple[Adapter, Identity]:
        connection = await self._config.openers[sdk]()
        adapter = Adapter(connection, self._config.reply_seconds)
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
        """Kill an adapter that has failed; the next cell gets a new one."""
        adapter, _ = self._running.pop(sdk)
        self._used.discard(sdk)
        await adapter.abandon()

    async def stop(self) -> None:
        """Stop all adapters."""
        self._used.clear()
        while self._running:
            _, (adapter, _) = self._running.popitem()
            await adapter.stop()

    async def abandon(self) -> None:
        """Kill the adapters that are still running."""
        while self._running:
            _, (adapter, _) = self._running.popitem()
            await adapter.abandon()
