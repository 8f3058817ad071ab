"""Scenarios: what to call, what the SDK must return, and what must have gone over the wire."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from arcrun_conformance.documents import Document, DocumentError, Problem, read

from . import template
from .patterns import OPERATORS, TIME_OPERATORS

if TYPE_CHECKING:
    from pathlib import Path

Suite = Literal["sdk", "engine"]
StepKind = Literal["call", "construct", "request", "send", "list", "advance"]
SUITES: tuple[Suite, ...] = ("sdk", "engine")
_SCHEMAS = {"sdk": "scenario", "engine": "engine-scenario"}
_PATTERN_KEYS = ("expect", "wire", "faults", "rewrite", "standin")


@dataclass(frozen=True)
class Step:
    """One command to the adapter and the reply that is expected.

    Attributes:
        id: The step's id, which is also the id of its check.
        kind: `call` (a method of a client), `construct` (a client), `request` (through a bound
            client), `send` (by the runner itself), and in the engine suite `list` (all pages of a
            list) and `advance` (the engine's clock).
        subject: The method, the client's name, the bound client's name, the path, or the seconds.
        definition: The whole step as written.
    """

    id: str
    kind: StepKind
    subject: str
    definition: Mapping[str, Any]

    @property
    def expect(self) -> Mapping[str, Any]:
        """Return `{"result": pattern}` or `{"error": pattern}`; of `send` and `list`, the patterns themselves."""
        expected: Mapping[str, Any] = self.definition["expect"]
        return expected


@dataclass(frozen=True)
class Secret:
    """A secret value and the locations where it may appear."""

    value: str
    may_appear: frozenset[str]


STANDIN = "${standin}"


@dataclass(frozen=True)
class EngineSettings:
    """The engine of its own that a scenario of the engine suite needs.

    Attributes:
        settings: Environment variables of the engine.
        clock: Whether steps advance the engine's clock.
    """

    settings: tuple[tuple[str, str], ...] = ()
    clock: bool = False

    @property
    def names_standin(self) -> bool:
        """Whether a setting leads the engine to the stand-in, which then needs a port that is known beforehand."""
        return any(STANDIN in value for _, value in self.settings)


@dataclass(frozen=True)
class Scenario:
    """A scenario as read from its file; its placeholders are not filled in yet."""

    id: str
    title: str
    spec: tuple[str, ...]
    path: Path
    needs: tuple[str, ...]
    adapter_needs: tuple[str, ...]
    variables: Mapping[str, Any]
    secrets: Mapping[str, Secret]
    client: Mapping[str, Any]
    steps: tuple[Step, ...]
    wire: tuple[Mapping[str, Any], ...]
    faults: tuple[Mapping[str, Any], ...] = ()
    rewrite: tuple[Mapping[str, Any], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    standin: tuple[Mapping[str, Any], ...] = ()
    source: str = field(default="", repr=False)
    suite: Suite = "sdk"
    engine: EngineSettings | None = None
    covers: tuple[str, ...] = ()
    clock: str | None = None

    def adapter_capabilities(self) -> list[str]:
        """Return the capabilities that an adapter needs to run it, in order, each once."""
        methods = [step.subject for step in self.steps if step.kind == "call"]
        clock = ["clock"] if self.clock else []
        return list(dict.fromkeys([*methods, *self.adapter_needs, *clock]))

    def capabilities_of_checks(self) -> list[str]:
        """Return the capabilities that single checks need, in order, each once.

        An adapter without one of them is exempt from the check, or the check is replaced.
        """
        definitions = [*(step.definition for step in self.steps), *self.wire]
        named = ((*each.get("adapter_needs", ()), *each.get("without", ())) for each in definitions)
        return list(dict.fromkeys(name for names in named for name in names))

    def uses(self, placeholder: str) -> bool:
        """Return whether the file contains a placeholder."""
        return f"${{{placeholder}}}" in self.source

    def covering_checks(self) -> list[tuple[str, str]]:
        """Return the requirements that it checks, each with the scenario or the check that says so."""
        definitions = [*(step.definition for step in self.steps), *self.wire]
        found = [(name, self.id) for name in self.covers]
        for definition in definitions:
            found += [
                (name, f"{self.id}/{definition['id']}") for name in definition.get("covers", ())
            ]
        return found

    def check_ids(self) -> list[str]:
        """Return the ids of its own checks, without those that the runner adds to every scenario."""
        return [step.id for step in self.steps] + [check["id"] for check in self.wire]


def load(path: Path, suite: Suite = "sdk") -> Scenario:
    """Read one scenario of a suite.

    Raises:
        DocumentError: The file is invalid; each problem has its line and what to do.
    """
    document = read(path, _SCHEMAS[suite])
    problems = list(_problems(document, suite))
    if problems:
        raise DocumentError(problems)
    value = document.value
    return Scenario(
        id=value["id"],
        title=value["title"],
        spec=tuple(value["spec"]),
        path=path,
        needs=tuple(value.get("needs", ())),
        adapter_needs=tuple(value.get("adapter_needs", ())),
        variables=value.get("variables", {}),
        secrets={
            name: Secret(secret["value"], frozenset(secret.get("may_appear", ())))
            for name, secret in value.get("secrets", {}).items()
        },
        client=value.get("client", {}),
        steps=tuple(map(_step, value["steps"])),
        wire=tuple(value.get("wire", ())),
        faults=tuple(value.get("faults", ())),
        rewrite=tuple(value.get("rewrite", ())),
        files=value.get("files", {}),
        standin=tuple(value.get("standin", ())),
        source=path.read_text("utf-8"),
        suite=suite,
        engine=_engine(value["engine"]) if "engine" in value else None,
        covers=tuple(value.get("covers", ())),
        clock=value.get("clock"),
    )


def load_all(directory: Path, suite: Suite = "sdk") -> list[Scenario]:
    """Read all scenarios of a folder and those below it, sorted by id.

    Raises:
        DocumentError: Some files are invalid, or two have the same id; holds all problems.
    """
    found: dict[str, Scenario] = {}
    problems: list[Problem] = []
    for path in sorted(directory.rglob("*.yaml")):
        try:
            scenario = load(path, suite)
        except DocumentError as error:
            problems += error.problems
            continue
        if scenario.id in found:
            other = found[scenario.id].path
            problems.append(
                Problem(path, 1, f"the id {scenario.id} is already used by {other.name}")
            )
        found[scenario.id] = scenario
    if not found and not problems:
        problems.append(Problem(directory, None, "contains no scenarios (*.yaml)"))
    if problems:
        raise DocumentError(problems)
    return [found[identifier] for identifier in sorted(found)]


def select(scenarios: Sequence[Scenario], globs: Sequence[str]) -> list[Scenario]:
    """Return the scenarios whose id matches one of the patterns; all of them without a pattern."""
    if not globs:
        return list(scenarios)
    return [s for s in scenarios if any(fnmatch.fnmatchcase(s.id, glob) for glob in globs)]


def _engine(definition: Mapping[str, Any]) -> EngineSettings:
    settings = tuple(sorted(definition.get("settings", {}).items()))
    return EngineSettings(settings, definition.get("clock", False))


def _step(definition: Mapping[str, Any]) -> Step:
    kinds: tuple[StepKind, ...] = ("call", "construct", "request", "send", "list", "advance")
    kind: StepKind = next(kind for kind in kinds if kind in definition)
    return Step(definition["id"], kind, definition[kind], definition)


def _problems(document: Document, suite: Suite) -> Iterator[Problem]:
    value = document.value
    if document.path.stem != value["id"]:
        yield document.problem(
            ["id"],
            f"the id is {value['id']}, the file is named {document.path.name}",
            f"Rename the file to {value['id']}.yaml: a scenario is looked up by its id.",
        )
    seen: set[str] = set()
    for part in ("steps", "wire"):
        for index, entry in enumerate(value.get(part, ())):
            if entry["id"] in seen:
                yield document.problem(
                    [part, index, "id"],
                    f"the id {entry['id']} is used twice in this scenario",
                    "Give each step and each wire check its own id.",
                )
            seen.add(entry["id"])
    yield from _unknown_placeholders(document)
    for key in _PATTERN_KEYS:
        yield from _unknown_operators(document, value.get(key), (key,))
    for index, step in enumerate(value["steps"]):
        for key in ("expect", "without", "among", "waited", "warned"):
            yield from _unknown_operators(document, step.get(key), ("steps", index, key))
    if suite == "engine":
        yield from _problems_of_engine_steps(document)
    else:
        yield from _problems_of_sdk_steps(document)


def _problems_of_sdk_steps(document: Document) -> Iterator[Problem]:
    value = document.value
    for index, step in enumerate(value["steps"]):
        if "clock" not in value and (used := [key for key in ("waited", "advance") if key in step]):
            message = f"{used[0]} needs a clock that nobody waits for"
            hint = 'Add `clock: "2026-01-01T00:00:00Z"` to the scenario.'
            yield document.problem(["steps", index, used[0]], message, hint)
    yield from _missing_clients(document)
    if all("adapter_needs" in step for step in value["steps"]):
        yield document.problem(
            ["steps"],
            "every step has adapter_needs: an adapter that is exempt from all would pass untested",
            "Move adapter_needs to the top of the scenario: then it is skipped instead.",
        )


def _missing_clients(document: Document) -> Iterator[Problem]:
    """Yield a problem for each step that needs a client which no step before it creates."""
    steps = document.value["steps"]
    clients: set[str] = set() if "construct" in steps[0] else {"main"}
    bound: set[str] = set()
    for index, step in enumerate(steps):
        used = step.get("from" if "construct" in step else "client", "main")
        if used not in clients and ("call" in step or "from" in step):
            message, hint = f"no client is named {used}", "Construct it in a step before this one."
            yield document.problem(["steps", index], message, hint)
        if "request" in step and step["request"] not in bound:
            message = f"no bound client is named {step['request']}"
            yield document.problem(["steps", index], message, "Bind it with `as` in a step before.")
        clients |= {step["construct"]} if "construct" in step else set()
        bound |= {step.get("as", "main")} if "call" in step else set()


def _problems_of_engine_steps(document: Document) -> Iterator[Problem]:
    value = document.value
    clock = value.get("engine", {}).get("clock", False)
    for index, step in enumerate(value["steps"]):
        pointer: list[str | int] = ["steps", index]
        several = [key for key in ("concurrent", "same", "distinct", "among") if key in step]
        if several and "repeat" not in step:
            message = f"{several[0]} is about several replies, but the step has no repeat"
            yield document.problem([*pointer, several[0]], message)
        if "advance" in step and not clock:
            message = "advance needs an engine with a clock that can be moved"
            yield document.problem(pointer, message, "Add `engine: {clock: true}`.")


def _unknown_placeholders(document: Document) -> Iterator[Problem]:
    value = document.value
    known = [*template.BUILT_IN, *value.get("variables", {})]
    known += [f"secret.{name}" for name in value.get("secrets", {})]
    known += [name for step in value["steps"] for name in step.get("save", ())]
    for name, pointer in template.placeholders(value):
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean ${{{close[0]}}}?" if close else f"Known: {', '.join(known)}."
            yield document.problem(pointer, f"${{{name}}} is not defined", hint)


def _unknown_operators(
    document: Document, value: Any, pointer: tuple[str | int, ...]
) -> Iterator[Problem]:
    known = (*OPERATORS, *TIME_OPERATORS, "$repeat", "$sealed")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if str(key).startswith("$") and not str(key).startswith("${") and key not in known:
                close = difflib.get_close_matches(key, OPERATORS, 1)
                hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(OPERATORS)}."
                yield document.problem([*pointer, key], f"unknown operator {key}", hint)
            yield from _unknown_operators(document, item, (*pointer, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown_operators(document, item, (*pointer, index))
