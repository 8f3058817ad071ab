"""Mutants: engines and SDKs with one defect each, which the suite must detect."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .adapters.adapter import SubprocessConnection
from .documents import Document, DocumentError, Problem, read
from .local_engine import local_engine
from .report import describe
from .runs.engine_suite import EngineRunConfig, execute_engine_suite
from .runs.runner import Opener, RunConfig, execute
from .runs.workers import run_workers
from .scenarios.patterns import differences
from .target import Target, target_of
from .wire.faults import FaultInjector
from .wire.journal import Exchange, Journal, Response
from .wire.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from .javascript_mutant import JavaScriptSdk
    from .runs.results import Run
    from .scenarios.scenario import Scenario


# The kinds of mutants, and the keys under which a file lists them.
KINDS = {"engine": "engines", "server": "servers", "sdk": "sdks", "javascript": "javascript"}
# Accounts of an engine with a defect: the first, a second, a revoked one, and fresh ones.
ACCOUNTS = 6


@dataclass(frozen=True)
class Mutant:
    """One defect and the check that must catch it.

    Attributes:
        id: A name for the defect.
        kind: `engine` (its exchanges are altered on the way), `server` (the reference engine with a
            defect in its code), `sdk` (the Python SDK) or `javascript` (the JavaScript SDK).
        scenario: The scenario that is run.
        check: The check of that scenario that must fail.
        alteration: How an engine's responses are altered, or a text of the JavaScript SDK.
    """

    id: str
    kind: str
    scenario: str
    check: str
    alteration: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True)
class Trial:
    """The result for a mutant, or for engine and SDK without a defect (`mutant` is `None`)."""

    mutant: Mutant | None
    failed: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Return whether the mutant was caught by its check, or nothing failed without a defect."""
        if self.mutant is None:
            return not self.failed
        return f"{self.mutant.scenario}/{self.mutant.check}" in self.failed


def load_all(directory: Path, scenarios: Mapping[str, Scenario]) -> list[Mutant]:
    """Read the mutants of all files of a folder.

    Raises:
        DocumentError: A file is invalid, or names a scenario that does not exist.
    """
    return [mutant for path in sorted(directory.glob("*.yaml")) for mutant in load(path, scenarios)]


def load(path: Path, scenarios: Mapping[str, Scenario]) -> list[Mutant]:
    """Read the mutants of one file.

    Raises:
        DocumentError: The file is invalid, or names a scenario that does not exist.
    """
    document = read(path, "mutants")
    problems = list(_unknown_scenarios(document, scenarios))
    if problems:
        raise DocumentError(problems)
    found = []
    for kind, key in KINDS.items():
        for entry in document.value.get(key, ()):
            scenario, check = entry["caught_by"].split("/")
            found.append(Mutant(entry["id"], kind, scenario, check, entry))
    return found


def _unknown_scenarios(document: Document, scenarios: Mapping[str, Scenario]) -> Iterator[Problem]:
    for kind in KINDS.values():
        for index, entry in enumerate(document.value.get(kind, ())):
            scenario = entry["caught_by"].split("/")[0]
            if scenario not in scenarios:
                pointer: list[str | int] = [kind, index, "caught_by"]
                yield document.problem(pointer, f"the scenario {scenario} does not exist")


class MutantEngine(Proxy):
    """An engine that gets some requests altered, or whose responses to them are."""

    def __init__(self, target: str, alteration: Mapping[str, Any]) -> None:
        super().__init__(target, Journal(), FaultInjector())
        self._alteration = alteration

    async def respond(self, exchange: Exchange) -> Response:
        """Return the target's response, altered if the request matches."""
        if differences(self._alteration["where"], exchange.request.value()):
            return await super().respond(exchange)
        if "send" in self._alteration:
            body = json.loads(exchange.request.body)
            _set(body, self._alteration["send"])
            altered = json.dumps(body, ensure_ascii=False).encode()
            exchange.request = replace(exchange.request, body=altered)
        response = await super().respond(exchange)
        return alter(response, self._alteration, exchange.request.body)


def alter(response: Response, alteration: Mapping[str, Any], request_body: bytes) -> Response:
    """Return an altered response (schema `mutants`, definition `engine`)."""
    headers: dict[str, str | None] = {name.lower(): value for name, value in response.headers}
    headers |= alteration.get("headers", {})
    body = alteration["body"] if "body" in alteration else json.loads(response.body)
    _set(body, alteration.get("set", {}))
    for path in alteration.get("remove", ()):
        for parent, key in _parents(body, path.split(".")):
            parent.pop(key, None)
    if "echo" in alteration:
        body[alteration["echo"]] = request_body.decode()
    return Response(
        alteration.get("status", response.status),
        [(name, value) for name, value in headers.items() if value is not None],
        json.dumps(body, ensure_ascii=False).encode(),
    )


def _set(body: Any, fields: Mapping[str, Any]) -> None:
    for path, value in fields.items():
        for parent, key in _parents(body, path.split(".")):
            parent[key] = value


def _parents(value: Any, path: Sequence[str]) -> Iterator[tuple[Any, str]]:
    """Yield the objects that a path leads to, with its last key; `*` stands for every element."""
    if len(path) == 1:
        if isinstance(value, dict):
            yield value, path[0]
    elif path[0] == "*" and isinstance(value, list):
        for item in value:
            yield from _parents(item, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from _parents(value[path[0]], path[1:])


@dataclass(frozen=True)
class Programs:
    """The commands of SDK and engine.

    Attributes:
        sdk: The adapter of the SDK without a defect.
        sdk_with: The adapter of the SDK with the defect whose name follows.
        server: The reference engine.
        server_with: The reference engine with the defect whose name follows.
        javascript: The JavaScript SDK; None if no mutant needs it.
    """

    sdk: Sequence[str]
    sdk_with: Sequence[str]
    server: Sequence[str]
    server_with: Sequence[str]
    javascript: JavaScriptSdk | None = None


class Trials:
    """Runs mutants, each with the one scenario that must catch it.

    Args:
        target: An engine without a defect.
        scenarios: All scenarios, by id.
        programs: The commands of SDK and engine.
        jobs: How many mutants are tried at the same time.
    """

    def __init__(
        self,
        target: Target,
        scenarios: Mapping[str, Scenario],
        programs: Programs,
        jobs: int = 1,
    ) -> None:
        self._target = target
        self._scenarios = scenarios
        self._programs = programs
        self._jobs = jobs

    async def run(
        self, mutants: Sequence[Mutant], on_trial: Callable[[Trial], None] = lambda _: None
    ) -> list[Trial]:
        """Run all scenarios that mutants name without a defect, then each mutant with its own.

        Returns:
            The trial without a defect, then those of the mutants in their order; `on_trial` gets each as it ends.
        """
        without = Trial(None, await self._try_without_defect(mutants))
        on_trial(without)
        trials: dict[int, Trial] = {}
        waiting = iter(enumerate(mutants))

        async def try_next() -> None:
            for number, mutant in waiting:
                trials[number] = Trial(mutant, await self._try(mutant))
                on_trial(trials[number])

        await run_workers(self._jobs, try_next)
        return [without, *(trials[number] for number in sorted(trials))]

    async def _try_without_defect(self, mutants: Sequence[Mutant]) -> tuple[str, ...]:
        javascript, server = self._programs.javascript, self._programs.server
        failed: tuple[str, ...] = ()
        for in_javascript in (False, True):
            chosen = [m for m in mutants if (m.kind == "javascript") is in_javascript]
            names = list(dict.fromkeys(mutant.scenario for mutant in chosen))
            command = javascript.adapter.command if in_javascript and javascript else None
            failed += await self._failing(
                self._target, command or self._programs.sdk, server, names
            )
        return failed

    async def _try(self, mutant: Mutant) -> tuple[str, ...]:
        names = [mutant.scenario]
        javascript = self._programs.javascript
        if mutant.kind == "javascript" and javascript is not None:
            with javascript.with_defect({"id": mutant.id, **mutant.alteration}) as command:
                return await self._failing(self._target, command, self._programs.server, names)
        if mutant.kind == "sdk":
            command = [*self._programs.sdk_with, mutant.id]
            return await self._failing(self._target, command, self._programs.server, names)
        if mutant.kind == "server":
            program = [*self._programs.server_with, mutant.id]
            revoke = self._scenarios[mutant.scenario].uses("revoked_api_key")
            async with local_engine(program, keys=ACCOUNTS) as process:
                defective = await target_of(process, revoke=revoke)
                return await self._failing(defective, self._programs.sdk, program, names)
        async with MutantEngine(self._target.url, mutant.alteration) as engine:
            target = replace(self._target, name="mutant", url=engine.origin)
            return await self._failing(target, self._programs.sdk, self._programs.server, names)

    async def _failing(
        self,
        target: Target,
        command: Sequence[str],
        program: Sequence[str],
        names: Sequence[str],
    ) -> tuple[str, ...]:
        chosen = [self._scenarios[name] for name in names]
        of_sdks = [scenario for scenario in chosen if scenario.suite == "sdk"]
        of_engines = [scenario for scenario in chosen if scenario.suite == "engine"]
        failed: tuple[str, ...] = ()
        if of_sdks:
            opener: Opener = functools.partial(SubprocessConnection.open, command)
            run = RunConfig(target, of_sdks, {"sdk": opener}, jobs=self._jobs)
            failed += _failed(await execute(run))
        if of_engines:
            config = EngineRunConfig(target, of_engines, program, jobs=self._jobs)
            failed += _failed(await execute_engine_suite(config))
        return failed


def _failed(run: Run) -> tuple[str, ...]:
    """Return the checks of a run that failed, the scenarios that were skipped, and what was left or leaked."""
    report = describe(run)
    failed = [
        f"{cell['scenario']}/{check['id']}"
        for cell in report["cells"]
        for check in cell["checks"]
        if check["outcome"] == "failed"
    ]
    skipped = [f"{c['scenario']}/skipped" for c in report["cells"] if c["outcome"] == "skipped"]
    leaked = [f"{s.id}/no-secret-on-disk" for s in run.scenarios if run.leftovers.secrets_on_disk]
    return (*failed, *skipped, *leaked)
