"""The tools of `arcrun-mcp`: the commands of the table that have a tool."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from arcrun import Arcrun
from arcrun._core.errors import ArcrunError
from arcrun.commands.capabilities import require
from arcrun.commands.errors import CommandError, Next, command_error
from arcrun.commands.parameters import Parameter, check_arguments, input_schema, parameters_of
from arcrun.commands.table import COMMANDS, Command

_TOOL_OF_COMMAND = {command.name: command.tool for command in COMMANDS if command.tool}


class Tool:
    """A tool: a command, under the name that models know."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.name = command.tool
        self._function = command.load()
        self._parameters: Sequence[Parameter] = parameters_of(self._function)

    def definition(self) -> dict[str, Any]:
        """Return what `tools/list` shows of it."""
        reads = self.command.effect == "reads"
        annotations = {"readOnlyHint": reads}
        if not reads:
            annotations["destructiveHint"] = self.command.effect == "destroys"
            annotations["idempotentHint"] = self.command.repeatable
        return {
            "name": self.name,
            "description": self.command.for_agents,
            "inputSchema": input_schema(list(self._parameters)),
            "outputSchema": {"type": "object"},
            "annotations": annotations,
        }

    def call(self, client: Arcrun, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the command's result.

        Raises:
            CommandError: it failed, or an argument is not valid.
        """
        checked = check_arguments(list(self._parameters), arguments)
        try:
            require(client, self.command.needs)
            return self._function(client, **checked)
        except ArcrunError as error:
            raise command_error(error) from None


def tools(*, read_only: bool = False, only: Sequence[str] = ()) -> dict[str, Tool]:
    """Return the tools by name.

    Args:
        read_only: leave out those that change something.
        only: the names of those to keep; empty for all.

    Raises:
        CommandError: `only` names one that does not exist.
    """
    offered = [command for command in COMMANDS if command.tool]
    unknown = set(only) - {command.tool for command in offered}
    if unknown:
        names = ", ".join(command.tool for command in offered)
        raise CommandError(
            "invalid_argument", f"there is no tool {min(unknown)!r}; the tools are: {names}"
        )
    return {
        command.tool: Tool(command)
        for command in offered
        if (command.effect == "reads" or not read_only) and (not only or command.tool in only)
    }


def failure_text(error: CommandError) -> str:
    """Return what a model reads of a failure: what is wrong, where, and which tool to call next."""
    lines = [f"{error.code}: {error.message}"]
    lines += [
        f"line {detail['line']}, column {detail['column']}: {detail['message']}"
        for detail in error.details
        if "line" in detail and "column" in detail and detail["message"] not in error.message
    ]
    lines += [f"next: {step}" for step in map(next_tool, error.next) if step]
    return "\n".join(lines)


def next_tool(step: Next) -> str:
    """Return what can be done next, in the words of MCP; empty for what no tool does."""
    if not step.command:
        return step.text
    tool = _TOOL_OF_COMMAND.get(step.command, "")
    if not tool:
        return ""
    return f"{step.text}: {tool}{' ' + shlex.join(step.arguments) if step.arguments else ''}"
