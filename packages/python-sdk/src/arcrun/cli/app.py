"""The command line, made from the table of commands: each command is loaded when it is called."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import click

from arcrun._core.errors import ArcrunError
from arcrun._version import __version__
from arcrun.commands.errors import CommandError, command_error
from arcrun.commands.parameters import Contents, Fields, Hidden, Parameter, parameters_of
from arcrun.commands.table import COMMANDS, Command

from .arguments import fields_of, secret_from, text_of
from .console import Console, Source
from .exits import FAILED, INTERRUPTED, OK, USAGE, exit_code


class Call:
    """What the options before a command say."""

    def __init__(self, *, as_json: bool, profile: str | None) -> None:
        self.console = Console(as_json=as_json)
        self.profile = profile
        self.source: Source | None = None


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code.

    Args:
        arguments: as typed after `acr`.
    """
    # Also for errors that come before the options are read.
    as_json = "--json" in arguments or os.environ.get("ARCRUN_OUTPUT") == "json"
    call = Call(as_json=as_json, profile=None)
    warnings.showwarning = _show_warning
    try:
        return application().main(list(arguments), "acr", standalone_mode=False, obj=call) or 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        call.console.failure(CommandError("invalid_argument", _usage(error)))
        return USAGE
    except (CommandError, ArcrunError) as error:
        failure = error if isinstance(error, CommandError) else command_error(error)
        call.console.failure(failure, call.source)
        return exit_code(failure.code)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def application() -> click.Group:
    """Return the application: its groups and commands, without what they do."""

    @click.group(context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(__version__, prog_name="acr")
    @click.option("--json", "as_json", is_flag=True, help="print JSON; also ARCRUN_OUTPUT=json")
    @click.option("--profile", help="the profile of the config file; also ARCRUN_PROFILE")
    @click.pass_context
    def acr(context: click.Context, as_json: bool, profile: str | None) -> None:
        """Work with an arcrun engine."""
        context.obj.profile = profile
        context.obj.console.as_json |= as_json

    for command in COMMANDS:
        group: click.Group = acr
        *parents, name = command.name.split()
        for parent in parents:
            group = _group(group, parent)
        group.add_command(LazyCommand(name, command))
    return acr


def _group(parent: click.Group, name: str) -> click.Group:
    found = parent.commands.get(name)
    if isinstance(found, click.Group):
        return found
    group = click.Group(name)
    parent.add_command(group)
    return group


class LazyCommand(click.Command):
    """A command whose function is loaded when it is called, or its help shown."""

    def __init__(self, name: str, command: Command) -> None:
        super().__init__(name, short_help=command.summary, callback=self._call)
        self._command = command
        self._taken: list[Parameter] | None = None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the options, of which the function says which there are."""
        if self._taken is None:
            function = self._command.load()
            self._taken = parameters_of(function)
            self.help = (function.__doc__ or "").split("\n", 1)[0]
            self.params = [each for found in self._taken for each in _options(found)]
            self.params.append(click.Option(["--json", "as_json"], is_flag=True, hidden=True))
            if self._command.effect == "destroys":
                self.params.append(click.Option(["--yes", "-y"], is_flag=True, help="don't ask"))
        return super().get_params(ctx)

    def _call(self, **given: Any) -> int:
        call: Call = click.get_current_context().obj
        call.console.as_json |= bool(given.pop("as_json"))
        confirmed = given.pop("yes", True) or given.get("dry_run", False)
        arguments = _values(self._taken or [], given, call)
        if not confirmed:
            _confirm(self._command, arguments)
        from arcrun.commands.settings import client_of

        function = self._command.load()
        with client_of(call.profile) as client:
            if "report" in signature(function).parameters:
                from .following import reporter

                arguments["report"] = reporter(call.console)
            result = function(client, **arguments)
        call.console.result(result, self._command.shown)
        return OK


def _options(parameter: Parameter) -> list[click.Parameter]:
    """Return how a parameter is typed."""
    name = parameter.name
    option = f"--{name.replace('_', '-')}"
    help_text = parameter.description
    if isinstance(parameter.mark, Hidden):
        return []
    if isinstance(parameter.mark, Fields):
        if parameter.positional:
            return [
                click.Argument([name], nargs=-1, metavar="[KEY=VALUE]..."),
                click.Option(
                    ["-f", "--file", f"{name}_file"],
                    metavar="FILE",
                    help="JSON or YAML; - for standard input",
                ),
            ]
        return [click.Option([option, f"{name}_file"], metavar="FILE", help=help_text)]
    if parameter.type == "flag":
        default = parameter.default
        switch = f"{option}/--no-{option[2:]}" if default is not False else option
        return [click.Option([switch, name], is_flag=True, default=default, help=help_text)]
    kind: Any = click.Choice(parameter.choices) if parameter.choices else None
    kind = kind or {"integer": click.INT}.get(parameter.type, click.STRING)
    metavar = "FILE" if isinstance(parameter.mark, Contents) else None
    if parameter.positional:
        return [click.Argument([name], type=kind, required=parameter.required, metavar=metavar)]
    return [
        click.Option(
            [option, name], type=kind, default=parameter.default, help=help_text, metavar=metavar
        )
    ]


def _values(
    parameters: Sequence[Parameter], given: Mapping[str, Any], call: Call
) -> dict[str, Any]:
    """Return the function's arguments: texts of files, objects of KEY=VALUE, secrets of a prompt."""
    values: dict[str, Any] = {}
    for parameter in parameters:
        value = given.get(parameter.name)
        if isinstance(parameter.mark, Hidden):
            value = secret_from(parameter.name)
        elif isinstance(parameter.mark, Contents) and value is not None:
            call.source = Source(value, text_of(value))
            value = call.source.text
        elif isinstance(parameter.mark, Fields):
            value = fields_of(value or (), given.get(f"{parameter.name}_file"))
        if value is not None:
            values[parameter.name] = value
    return values


def _confirm(command: Command, arguments: Mapping[str, Any]) -> None:
    """Ask whether to go on; without a terminal, say how to.

    Raises:
        CommandError: there is nobody to ask.
    """
    what = next(iter(arguments.values()), "")
    if not sys.stdin.isatty():
        raise CommandError(
            "invalid_argument", f"acr {command.name} {what} can't be undone: confirm it with --yes"
        )
    click.confirm(f"acr {command.name} {what} can't be undone. Go on?", abort=True, err=True)


def _usage(error: click.ClickException) -> str:
    hint = ""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"; see {error.ctx.command_path} --help"
    return f"{error.format_message().rstrip('.')}{hint}"


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)
