"""The tools of `arcrun-mcp`: the commands of the table that have a tool."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from arcrun import Arcrun
from arcrun._core.errors import ArcrunError
from arcrun.commands.capabilities import require
from arcrun.commands.errors import CommandError, Next, command_error
from arcrun.commands.parameters import Parameter, check_arguments, parameters_of
from arcrun.commands.table import COMMANDS, Command

from .hiding import run_ids, without_tokens
from .result_schemas import result_schema
from .schemas import arguments_schema, effects_of, offered

_TOOL_OF_COMMAND = {command.name: command.tool for command in COMMANDS if command.tool}


class Tool:
    """A tool: a command, under the name that models know."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.name = command.tool
        self._function = command.load()
        self._parameters: Sequence[Parameter] = offered(parameters_of(self._function))

    def definition(self) -> dict[str, Any]:
        """Return what `tools/list` shows of it."""
        return {
            "name": self.name,
            "description": self.command.for_agents,
            "inputSchema": arguments_schema(self._parameters),
            "outputSchema": result_schema(self._function),
            "annotations": effects_of(self.command),
        }

    def call(self, client: Arcrun, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the command's result.

        Raises:
            CommandError: it failed, or an argument is not valid.
        """
        checked = check_arguments(list(self._parameters), arguments)
        try:
            require(client, self.command, checked)
            return self._function(client, **checked)
        except ArcrunError as error:
            raise command_error(error) from None


def tools(*, read_only: bool = False, only: Sequence[str] | None = None) -> dict[str, Tool]:
    """Return the tools by name.

    Args:
        read_only: leave out those that change something.
        only: the names of those to keep; None for all.

    Raises:
        CommandError: `only` names none, or one that does not exist.
    """
    with_tool = {command.tool: command for command in COMMANDS if command.tool}
    names = ", ".join(with_tool)
    # As an unset variable leaves it: to offer all of them would be more than was meant.
    if only is not None and not only:
        raise CommandError(
            "invalid_argument",
            f"--tools names no tool: leave it out for all; the tools are: {names}",
        )
    unknown = set(only or ()) - set(with_tool)
    if unknown:
        raise CommandError(
            "invalid_argument", f"there is no tool {min(unknown)!r}; the tools are: {names}"
        )
    writing = [name for name in only or () if with_tool[name].effect != "reads"]
    if read_only and writing:
        raise CommandError(
            "invalid_argument",
            f"{writing[0]} changes something: leave out --read-only, or the tool",
        )
    return {
        name: Tool(command)
        for name, command in with_tool.items()
        if (command.effect == "reads" or not read_only) and (only is None or name in only)
    }


def failure_of(error: CommandError, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return a failure as `acr --json` prints it, but for `next`, which names tools.

    Args:
        error: the failure.
        arguments: as given; what may be a secret among them is not repeated.
    """
    failure: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "next": [step for step in map(next_tool, error.next) if step],
        **({"details": error.details} if error.details else {}),
    }
    ids = run_ids(error.code, arguments)
    hidden: dict[str, Any] = without_tokens(failure, arguments, ids)
    return hidden


def failure_text(failure: Mapping[str, Any]) -> str:
    """Return what a model reads of a failure: what is wrong, where, and which tool to call next."""
    lines = [f"{failure['code']}: {failure['message']}"]
    lines += [
        f"line {detail['line']}, column {detail['column']}: {detail['message']}"
        for detail in failure.get("details", [])
        if "line" in detail and "column" in detail and detail["message"] not in failure["message"]
    ]
    lines += [f"next: {step}" for step in failure["next"]]
    return "\n".join(lines)


def next_tool(step: Next) -> str:
    """Return what can be done next, in the words of MCP; empty for what no tool does."""
    if not step.command:
        return step.text
    tool = _TOOL_OF_COMMAND.get(step.command, "")
    if not tool:
        return ""
    named = [
        f"{name}: {json.dumps(value) if value is True else value}" for name, value in step.named
    ]
    given = ", ".join([*([shlex.join(step.arguments)] if step.arguments else []), *named])
    return f"{step.text}: {tool} {given}".rstrip()
