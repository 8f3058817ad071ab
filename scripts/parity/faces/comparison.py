"""Compare the two faces of the table of commands: `acr … --json` and the tools of `arcrun-mcp`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from arcrun.commands.parameters import Contents, Fields, parameters_of
from arcrun.commands.table import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from arcrun.commands.parameters import Parameter

# Why a field differs. An excuse that is not needed fails, but for what may be the same by chance.
OWN_TIME = "each face does it at a time of its own"
OWN_ID = "each face makes one of its own"
DURATION = "how long it took"
RACE = "the engine may have begun by then, or not yet"
OWN_WORDS = "each face checks what it is given, and calls it by the words of the face"
HIDDEN = "a model must not read again what may be a secret; a person has typed it"

_STEP = re.compile(r"(?P<text>.*): acr (?P<command>.*)", re.DOTALL)
_COMMANDS = {command.tool: command for command in COMMANDS if command.tool}
_TOOLS = {command.name: command.tool for command in COMMANDS}


@dataclass(frozen=True)
class Case:
    """A call of a tool, and of its command.

    Attributes:
        tool: The tool.
        arguments: What it is given; `$NAME` is a text that `before` has found.
        code: The code of the error; empty if it succeeds.
        before: The calls that come first, on each account: tool and arguments.
        excuses: The fields that differ, each with the reason; `*` stands for each item of a list.
    """

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    before: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    excuses: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return a short name."""
        given = "-".join(self.arguments)
        return f"{self.tool}-{self.code or 'done'}-{given}"


def typed(tool: str, arguments: Mapping[str, Any]) -> tuple[list[str], str]:
    """Return what is typed after `acr` for the same as a tool's call, and what stands on standard input.

    Example:
        >>> typed("workflow_get", {"name": "greet"})
        (['workflows', 'get', 'greet'], '')
    """
    command = _COMMANDS[tool]
    words, stdin = command.name.split(), ""
    known = {each.name: each for each in parameters_of(command.load())}
    for name in [*(name for name in known if name in arguments), *(arguments.keys() - known)]:
        value, parameter = arguments[name], known.get(name)
        if parameter is not None and isinstance(parameter.mark, Contents):
            stdin, value = value, "-"
        words += _words(name, value, parameter)
    return ([*words, "--yes"] if command.effect == "destroys" else words), stdin


def _words(name: str, value: Any, parameter: Parameter | None) -> list[str]:
    option = f"--{name.replace('_', '-')}"
    if parameter is None:
        return [option, str(value)]
    if isinstance(parameter.mark, Fields):
        return [f"{key}:={json.dumps(each)}" for key, each in value.items()]
    if parameter.type == "flag" and isinstance(value, bool):
        return [option if value else f"--no-{option[2:]}"]
    return [str(value)] if parameter.positional else [option, str(value)]


def expected_of(error: Mapping[str, Any]) -> dict[str, Any]:
    """Return the error of a tool for one that `acr` has printed: steps name tools, and those without one are left out."""
    return {**error, "next": [step for step in map(_step_of_tool, error["next"]) if step]}


def _step_of_tool(step: str) -> str:
    found = _STEP.fullmatch(step)
    if found is None:
        return step
    typed_words = found["command"].split(" ")
    for count in (2, 1):
        name, rest = " ".join(typed_words[:count]), typed_words[count:]
        if name in _TOOLS:
            tool = _TOOLS[name]
            return f"{found['text']}: {tool} {_given(rest)}".rstrip() if tool else ""
    raise ValueError(f"{step!r} names no command")


def _given(typed_words: list[str]) -> str:
    """Return the arguments of a step as a tool has them: `hello --force` is `hello, force: true`."""
    text = " ".join(typed_words)
    before, *options = re.split(r"(?:^| )--", text)
    named = []
    for option in options:
        name, _, value = option.partition(" ")
        named.append(f"{name.replace('-', '_')}: {value or 'true'}")
    return ", ".join([*([before] if before else []), *named])


def differences(command: Any, tool: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of the fields in which two results differ, with `*` for positions."""
    if isinstance(command, dict) and isinstance(tool, dict):
        for name in sorted(command.keys() | tool.keys()):
            inner = f"{path}.{name}".lstrip(".")
            if name not in command or name not in tool:
                yield f"{inner} (only in one)"
            else:
                yield from differences(command[name], tool[name], inner)
    elif isinstance(command, list) and isinstance(tool, list) and len(command) == len(tool):
        for one, other in zip(command, tool, strict=True):
            yield from differences(one, other, f"{path}.*".lstrip("."))
    elif command != tool or type(command) is not type(tool):
        yield path


def unexplained(command: Any, tool: Any, excuses: Mapping[str, str]) -> list[str]:
    """Return what differs without an excuse, and the excuses that nothing needs."""
    found = set(differences(command, tool))
    problems = [f"{path} differs" for path in sorted(found - excuses.keys())]
    unused = {path for path, why in excuses.items() if why not in {DURATION, RACE}} - found
    return problems + [f"{path} does not differ: remove the excuse" for path in sorted(unused)]


def closed(schema: Any) -> Any:
    """Return a JSON schema that also refuses fields that it does not name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(each) for name, each in schema.items()}
    return {"additionalProperties": False, **inner} if "properties" in schema else inner
