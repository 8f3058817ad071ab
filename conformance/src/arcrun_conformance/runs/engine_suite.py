"""A run of the engine suite: all its scenarios, on one engine or on engines of their own."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
from typing_extensions import Self

from arcrun_conformance._version import __version__
from arcrun_conformance.adapters.protocol import Identity
from arcrun_conformance.cancellation import end_tasks
from arcrun_conformance.cleaning import visible
from arcrun_conformance.local_engine import EngineNotStarted, local_engine
from arcrun_conformance.scenarios.scenario import STANDIN
from arcrun_conformance.secrets import SecretSearch, encodings
from arcrun_conformance.target import Target, http_client, target_of

from .cleanup import PREFIX, Cleaner, created_in
from .crashes import crashed_cell, crashed_run
from .engine_cell import run_engine_cell, why_skipped
from .results import Cell, Run, timestamp
from .values import free_port
from .workers import run_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from arcrun_conformance.local_engine import LocalEngine
    from arcrun_conformance.scenarios.scenario import EngineSettings, Scenario
    from arcrun_conformance.wire.journal import Exchange

# The column of the report: no SDK, plain HTTP.
COLUMN = "http"
# How many keys an engine of a scenario's own has: the first, a second, and fresh ones.
OWN_KEYS = 6
# How many engines start at the same time: each computes for as long.
STARTED_AT_ONCE = 2


@dataclass
class EngineRunConfig:
    """The settings of a run of the engine suite.

    Attributes:
        target: The engine.
        scenarios: The scenarios, in order.
        program: The command of `arcrun-server`, for scenarios with an engine of their own.
        jobs: How many scenarios are run at the same time.
        on_cell: Called with each finished scenario.
        fail_fast: Begin no further scenario after one that did not pass.
    """

    target: Target
    scenarios: Sequence[Scenario]
    program: Sequence[str]
    jobs: int = 1
    on_cell: Callable[[Cell], None] = lambda _: None
    fail_fast: bool = False


@dataclass
class _OwnEngine:
    """An engine with other settings; scenarios that move its clock, or are its stand-in, use it one at a time.

    Attributes:
        target: The engine.
        standin_port: Where its settings say that the stand-in is; 0 if they don't name it.
        lock: Held by the scenario that has the engine for itself.
    """

    target: Target
    standin_port: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class _OwnEngines:
    """Starts an engine for each combination of settings that scenarios need, two at the same time."""

    def __init__(self, program: Sequence[str]) -> None:
        self._program = program
        self._stack = contextlib.AsyncExitStack()
        self._starting: dict[EngineSettings, asyncio.Task[_OwnEngine]] = {}
        self._places = asyncio.Semaphore(STARTED_AT_ONCE)

    def start(self, settings: Iterable[EngineSettings | None]) -> None:
        """Begin to start engines; nothing waits for them yet."""
        for each in dict.fromkeys(settings):
            if each is not None:
                self._starting[each] = asyncio.ensure_future(self._start(each))

    def is_free(self, settings: EngineSettings) -> bool:
        """Tell whether a scenario with these settings would not wait: for the engine, nor for its clock."""
        task = self._starting[settings]
        if not task.done():
            return False
        failed = task.cancelled() or task.exception() is not None
        return failed or not task.result().lock.locked()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await end_tasks(self._starting.values())
        await self._stack.aclose()

    async def of(self, settings: EngineSettings) -> _OwnEngine:
        return await asyncio.shield(self._starting[settings])

    async def _start(self, settings: EngineSettings) -> _OwnEngine:
        port = free_port() if settings.names_standin else 0
        standin = f"http://127.0.0.1:{port}"
        filled = {name: value.replace(STANDIN, standin) for name, value in settings.settings}
        async with self._places:
            engine = await self._stack.enter_async_context(
                local_engine(self._program, keys=OWN_KEYS, settings=filled, clock=settings.clock)
            )
        return _OwnEngine(await target_of(engine), port)

    def targets(self) -> list[Target]:
        """Return the targets of all engines that have started."""
        done = [task for task in self._starting.values() if task.done() and not task.cancelled()]
        return [task.result().target for task in done if task.exception() is None]


async def execute_engine_suite(config: EngineRunConfig) -> Run:
    """Run all scenarios, remove what they have created, and look for secrets in what engines wrote.

    Ctrl-C ends the scenarios; the removal is done nevertheless, and the run is marked `interrupted`.
    """
    identity = Identity("arcrun-conformance", __version__, "-", "plain HTTP", frozenset())
    run = Run(
        id=PREFIX + secrets.token_hex(4),
        target=config.target,
        scenarios=list(config.scenarios),
        sdks={COLUMN: identity},
        suite="engine",
        started=timestamp(),
    )
    began = time.perf_counter()
    async with _OwnEngines(config.program) as engines:
        queue = _Queue(config, run, engines)
        try:
            await queue.run_all()
        except asyncio.CancelledError:
            run.interrupted = True
        except Exception as error:  # noqa: BLE001 -- what was found until then is reported
            crashed_run(run, error)
        finally:
            await asyncio.shield(_conclude(run, engines.targets()))
    positions = {scenario.id: number for number, scenario in enumerate(config.scenarios)}
    run.cells.sort(key=lambda cell: positions[cell.scenario])
    run.seconds = time.perf_counter() - began
    return run


class _Queue:
    """The scenarios of a run, distributed to workers."""

    def __init__(self, config: EngineRunConfig, run: Run, engines: _OwnEngines) -> None:
        self._config = config
        self._run = run
        self._engines = engines
        self._waiting = list(enumerate(config.scenarios, start=1))
        self._of_standin = asyncio.Lock()

    async def run_all(self) -> None:
        """Run all scenarios."""
        needed = (scenario for _, scenario in self._waiting if not self._skipped(scenario))
        self._engines.start(self._own(scenario) for scenario in needed)
        await run_workers(self._config.jobs, self._worker)

    def _skipped(self, scenario: Scenario) -> str:
        return why_skipped(scenario, self._config.target)

    def _own(self, scenario: Scenario) -> EngineSettings | None:
        """Return the settings of the engine that is started for a scenario; None if it uses the target."""
        return None if self._config.target.engine is None else scenario.engine

    def _next(self) -> tuple[int, Scenario]:
        """Take the scenario to be run next: one whose own engine is free, or else one that needs none."""
        waits = {number: self._waits(scenario) for number, scenario in self._waiting}
        found = min(self._waiting, key=lambda item: waits[item[0]])
        self._waiting.remove(found)
        return found

    def _waits(self, scenario: Scenario) -> int:
        own = self._own(scenario)
        if own is None or self._skipped(scenario):
            return 1
        return 0 if self._engines.is_free(own) else 2

    async def _worker(self) -> None:
        while self._waiting:
            number, scenario = self._next()
            cell = Cell(scenario.id, COLUMN)
            self._run.cells.append(cell)
            await self._run_one(cell, scenario, f"{self._run.id}_{number:04}")
            self._config.on_cell(cell)
            if self._config.fail_fast and cell.failed:
                self._waiting.clear()

    async def _run_one(self, cell: Cell, scenario: Scenario, run: str) -> None:
        if reason := self._skipped(scenario):
            cell.outcome, cell.reason = "skipped", reason
        elif scenario.engine is None:
            await self._run_on(cell, scenario, self._config.target, run)
        elif self._config.target.engine is None:  # one that asks the stand-in as its model
            target = self._config.target
            async with self._of_standin:
                await self._run_on(cell, scenario, target, run, target.standin_port or 0)
        else:
            try:
                own = await self._engines.of(scenario.engine)
            except EngineNotStarted as problem:
                cell.outcome, cell.reason = "error", visible(str(problem))
                return
            is_alone = scenario.engine.clock or own.standin_port
            async with own.lock if is_alone else contextlib.nullcontext():
                await self._run_on(cell, scenario, own.target, run, own.standin_port)

    async def _run_on(
        self, cell: Cell, scenario: Scenario, target: Target, run: str, standin_port: int = 0
    ) -> None:
        try:
            await run_engine_cell(cell, scenario, target, run, standin_port)
        except Exception as error:  # noqa: BLE001 -- one scenario must not take the others with it
            crashed_cell(cell, error)
        finally:
            if self._own(scenario) is None:  # an engine of its own forgets everything
                await asyncio.shield(self._remove(cell))

    async def _remove(self, cell: Cell) -> None:
        cleaner = Cleaner(self._config.target)
        try:
            # What the engine has refused was not created; some of it could not be: a reserved name.
            created = created_in(e for e in cell.exchanges if not _is_refused(e))
            self._run.leftovers.created += len(created)
            problems = await cleaner.remove(created)
            self._run.leftovers.problems += [visible(problem) for problem in problems]
        finally:
            await cleaner.close()


def _is_refused(exchange: Exchange) -> bool:
    return exchange.response is not None and 400 <= exchange.response.status < 500


async def _conclude(run: Run, further: Sequence[Target]) -> None:
    """Record what is left at the target, and which secrets engines have written to disk."""
    cleaner = Cleaner(run.target)
    try:
        run.leftovers.left = [visible(str(thing)) for thing in await cleaner.left(run.id)]
    except (OSError, ValueError, KeyError, TypeError, httpx.HTTPError) as error:
        run.leftovers.problems.append(visible(f"can't list what is left at the target: {error}"))
    finally:
        await cleaner.close()
    values = {f"{name} of {c.scenario}": v for c in run.cells for name, v in c.secrets.items()}
    for target in (run.target, *further):
        if target.engine is not None:
            run.leftovers.problems += await _unwritten(target, target.engine)
            folder = target.engine.folder
            paths = [path for path in folder.rglob("*") if path.is_file()]
            texts = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
            run.leftovers.secrets_on_disk += secrets_on_disk(texts, values)


async def _unwritten(target: Target, engine: LocalEngine) -> list[str]:
    """Wait until an engine has written to its log all that it had to; return what is wrong if it does not.

    A request that comes last is logged last, by its id.
    """
    try:
        async with http_client() as client:
            response = await client.get(f"{target.url}/health")
    except httpx.HTTPError:
        return []  # it has ended, and its log with it
    if await engine.logged(response.headers.get("x-request-id", "")):
        return []
    return ["the engine has not written its log to the end, so a secret in it may be missed"]


def secrets_on_disk(files: dict[str, bytes], secrets: dict[str, str]) -> list[str]:
    """Return a line for each secret that one of an engine's files contains, in any encoding."""
    owners: dict[str, set[str]] = {}
    for name, value in secrets.items():
        for form in encodings(value):
            # A byte for a character: a file is no text, and may contain the form of one nevertheless.
            owners.setdefault(form.encode().decode("latin-1"), set()).add(name)
    search = SecretSearch(owners)
    lines = []
    for file, content in files.items():
        found = search.found_in(content.decode("latin-1"))
        names = {name for form in found for name in owners[form]}
        lines += [
            f"the engine has written the secret {name} to its {file}"
            for name in secrets
            if name in names
        ]
    return lines
