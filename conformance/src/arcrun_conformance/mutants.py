"""Mutants: engines and SDKs with one defect each, to show that the suite would notice."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .adapter import SubprocessConnection
from .documents import Document, DocumentError, Problem, read
from .faults import FaultPlan
from .journal import Answer, Exchange, Journal
from .matching import differences
from .proxy import Proxy
from .report import describe
from .runner import Opener, Plan, execute
from .target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from .scenario import Scenario


@dataclass(frozen=True)
class Mutant:
    """One defect and the check that must catch it.

    Attributes:
        id: What is wrong, in a few words.
        kind: `engine` or `sdk`.
        scenario: The scenario that is run.
        check: The check of it that must fail.
        order: How an engine's answers are altered.
    """

    id: str
    kind: str
    scenario: str
    check: str
    order: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True)
class Trial:
    """What became of a mutant, or of the sound pair (`mutant` is `None`)."""

    mutant: Mutant | None
    failed: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether the mutant was caught by its check, or the sound pair by none."""
        if self.mutant is None:
            return not self.failed
        return f"{self.mutant.scenario}/{self.mutant.check}" in self.failed


def load(path: Path, scenarios: Mapping[str, Scenario]) -> list[Mutant]:
    """Read the mutants.

    Raises:
        DocumentError: The file can't be used, or names a scenario that does not exist.
    """
    document = read(path, "mutants")
    problems = list(_unknown_scenarios(document, scenarios))
    if problems:
        raise DocumentError(problems)
    found = []
    for kind in ("engine", "sdk"):
        for entry in document.value[f"{kind}s"]:
            scenario, check = entry["caught_by"].split("/")
            found.append(Mutant(entry["id"], kind, scenario, check, entry))
    return found


def _unknown_scenarios(document: Document, scenarios: Mapping[str, Scenario]) -> Iterator[Problem]:
    for kind in ("engines", "sdks"):
        for index, entry in enumerate(document.value[kind]):
            scenario = entry["caught_by"].split("/")[0]
            if scenario not in scenarios:
                pointer = [kind, index, "caught_by"]
                yield document.problem(pointer, f"there is no scenario {scenario}")


class MutantEngine(Proxy):
    """An engine whose answers to some requests are not as they should be."""

    def __init__(self, target: str, order: Mapping[str, Any]) -> None:
        super().__init__(target, Journal(), FaultPlan())
        self._order = order

    async def answer(self, exchange: Exchange) -> Answer:
        """The target's answer, altered where the order says so."""
        answer = await super().answer(exchange)
        if differences(self._order["where"], exchange.request.value()):
            return answer
        return altered(answer, self._order, exchange.request.body)


def altered(answer: Answer, order: Mapping[str, Any], request_body: bytes) -> Answer:
    """An answer with a defect (schema `mutants`, definition `engine`)."""
    headers: dict[str, str | None] = {name.lower(): value for name, value in answer.headers}
    headers |= order.get("headers", {})
    body = order["body"] if "body" in order else json.loads(answer.body)
    for path, value in order.get("set", {}).items():
        for parent, key in _places(body, path.split(".")):
            parent[key] = value
    for path in order.get("remove", ()):
        for parent, key in _places(body, path.split(".")):
            parent.pop(key, None)
    if "echo" in order:
        body[order["echo"]] = request_body.decode()
    return Answer(
        order.get("status", answer.status),
        [(name, value) for name, value in headers.items() if value is not None],
        json.dumps(body, ensure_ascii=False).encode(),
    )


def _places(value: Any, path: Sequence[str]) -> Iterator[tuple[Any, str]]:
    """The objects that a path leads to, with the last key; `*` stands for every element."""
    if len(path) == 1:
        if isinstance(value, dict):
            yield value, path[0]
    elif path[0] == "*" and isinstance(value, list):
        for item in value:
            yield from _places(item, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from _places(value[path[0]], path[1:])


class Trials:
    """Runs mutants, each on the one scenario that must catch it.

    Args:
        target: A sound engine.
        scenarios: All scenarios, by id.
        sound: The command of the sound SDK's adapter.
        broken: The command of the broken SDK's adapter, less the defect's name.
    """

    def __init__(
        self,
        target: Target,
        scenarios: Mapping[str, Scenario],
        sound: Sequence[str],
        broken: Sequence[str],
    ) -> None:
        self._target = target
        self._scenarios = scenarios
        self._sound = sound
        self._broken = broken

    async def run(
        self, mutants: Sequence[Mutant], on_trial: Callable[[Trial], None] = lambda _: None
    ) -> list[Trial]:
        """Try the sound pair on all scenarios that mutants name, then each mutant on its own."""
        names = dict.fromkeys(mutant.scenario for mutant in mutants)
        failed = await self._failing(self._target, self._sound, list(names))
        trials = [Trial(None, failed)]
        on_trial(trials[0])
        for mutant in mutants:
            trial = Trial(mutant, await self._try(mutant))
            trials.append(trial)
            on_trial(trial)
        return trials

    async def _try(self, mutant: Mutant) -> tuple[str, ...]:
        if mutant.kind == "sdk":
            command = [*self._broken, mutant.id]
            return await self._failing(self._target, command, [mutant.scenario])
        async with MutantEngine(self._target.url, mutant.order) as engine:
            target = Target("mutant", engine.origin, self._target.api_key, self._target.health)
            return await self._failing(target, self._sound, [mutant.scenario])

    async def _failing(
        self, target: Target, command: Sequence[str], names: Sequence[str]
    ) -> tuple[str, ...]:
        opener: Opener = functools.partial(SubprocessConnection.open, command)
        chosen = [self._scenarios[name] for name in names]
        report = describe(await execute(Plan(target, chosen, {"sdk": opener})))
        return tuple(
            f"{cell['scenario']}/{check['id']}"
            for cell in report["cells"]
            for check in cell["checks"]
            if check["outcome"] == "failed"
        ) + tuple(
            f"{cell['scenario']}/skipped"
            for cell in report["cells"]
            if cell["outcome"] == "skipped"
        )
