"""The command line, made from the table of commands: each command is loaded when it is called."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Container, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from inspect import signature
from pathlib import Path
from typing import Any

import click

from arcrun._core.errors import ArcrunWarning
from arcrun._version import __version__
from arcrun.commands.capabilities import require
from arcrun.commands.errors import CommandError
from arcrun.commands.parameters import Contents, Fields, Hidden, Parameter, parameters_of
from arcrun.commands.table import COMMANDS, GROUPS, Command

from .arguments import fields_of, secret_from, text_of
from .console import Console
from .exits import FAILED, OK, USAGE, exit_code
from .failures import failure_of
from .help import TranslatedCommand, TranslatedGroup
from .messages import LANGUAGES, language, language_of, text, use
from .source import Source
from .terminal import escaped


class Call:
    """What the options before a command say."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.profile: str | None = None
        self.source: Source | None = None


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code.

    Args:
        arguments: as typed after `acr`.
    """
    has_output = _open_closed_streams()
    # Also for errors that come before the options are read.
    as_json = "--json" in arguments or os.environ.get("ARCRUN_OUTPUT") == "json"
    use(language_of(arguments, sys.stderr))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # no character that it lacks may end a command
            stream.reconfigure(errors="backslashreplace")
    call = Call(Console(as_json=as_json, has_output=has_output))
    warnings.simplefilter(
        "always", ArcrunWarning
    )  # never an exception, whatever PYTHONWARNINGS says
    warnings.showwarning = lambda warning, *_, **__: call.console.warning(warning)
    try:
        _check_environment()
        return application().main(list(arguments), "acr", standalone_mode=False, obj=call) or 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        call.console.usage(error.format_message())
        return USAGE
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - what nobody expects is an error of `acr` itself
        failure = failure_of(error)
        call.console.failure(failure, call.source)
        return exit_code(failure.code)


# The variables that stand for an option, with what they can be.
_VARIABLES = {"ARCRUN_OUTPUT": ("json", "text"), "ARCRUN_LANG": LANGUAGES}


def _check_environment() -> None:
    """Refuse values of variables that would be refused as those of an option.

    Raises:
        CommandError: one is.
    """
    for name, allowed in _VARIABLES.items():
        if os.environ.get(name) and os.environ[name] not in allowed:
            choices = ", ".join(allowed)
            raise CommandError(
                "invalid_argument",
                text("{name} must be one of: {choices}", name=name, choices=choices),
            )


def _open_closed_streams() -> bool:
    """Open the standard streams that a caller has closed (`>&-`) on nothing, and tell whether stdout was open.

    Python has None for them, and the next file or connection would get their number. A stdout that was closed takes
    nothing: who asked for help must not think that it was shown.
    """
    is_open = sys.stdout is not None
    for name, mode in (("stdin", "r"), ("stdout", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - until the process ends
            setattr(sys, name, stream)
    return is_open


def application() -> click.Group:
    """Return the application: its groups and commands, without what they do."""

    @click.group(
        cls=TranslatedGroup,
        help=text("Work with an arcrun engine."),
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    @click.version_option(__version__, prog_name="acr", help=text("show the version"))
    @click.option(
        "--json", "as_json", is_flag=True, help=text("print JSON; also ARCRUN_OUTPUT=json")
    )
    @click.option("--profile", help=text("the profile of the config file; also ARCRUN_PROFILE"))
    @click.option(
        "--lang",
        type=click.Choice(LANGUAGES),
        help=text("the language of messages; also ARCRUN_LANG"),
    )
    @click.pass_context
    def acr(context: click.Context, as_json: bool, profile: str | None, lang: str | None) -> None:  # noqa: ARG001 - read before
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
    group = TranslatedGroup(name, help=text(GROUPS[name]))
    parent.add_command(group)
    return group


class LazyCommand(TranslatedCommand):
    """A command whose function is loaded when it is called, or its help shown."""

    def __init__(self, name: str, command: Command) -> None:
        super().__init__(name, short_help=text(command.summary), callback=self._call)
        self._command = command
        self.taken: list[Parameter] | None = None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the options, of which the function says which there are."""
        if self.taken is None:
            function = self._command.load()
            self.taken = parameters_of(function)
            self.help = text((function.__doc__ or "").split("\n", 1)[0])
            self.params = [each for found in self.taken for each in _options(found)]
            self.params.append(click.Option(["--json", "as_json"], is_flag=True, hidden=True))
            self.params.append(click.Option(["--lang"], type=click.Choice(LANGUAGES), hidden=True))
            self.params.append(click.Option(["--profile"], hidden=True))
            if self._command.effect == "destroys":
                self.params.append(
                    click.Option(["--yes", "-y"], is_flag=True, help=text("don't ask"))
                )
        return super().get_params(ctx)

    def _call(self, **given: Any) -> int:
        call: Call = click.get_current_context().obj
        call.console.as_json |= bool(given.pop("as_json"))
        given.pop("lang")  # read before
        call.profile = given.pop("profile") or call.profile
        confirmed = given.pop("yes", True) or given.get("dry_run", False)
        arguments = _values(self.taken or [], given, call)
        if not confirmed:
            _confirm(self._command, arguments)
        function = self._command.load()
        with ExitStack() as stack:
            injected = _injected(signature(function).parameters, call, stack)
            if "client" in injected:
                require(injected["client"], self._command, arguments)
            return _show(self._command, function(**arguments, **injected), call)


def _injected(names: Container[str], call: Call, stack: ExitStack) -> dict[str, Any]:
    """Return what the command line gives to a command's function besides what was typed."""
    given: dict[str, Any] = {}
    if "client" in names:
        from arcrun.commands.settings import client_of

        given["client"] = stack.enter_context(client_of(call.profile))
    if "report" in names:
        from .following import reporter

        given["report"] = reporter(call.console)
    if "ask" in names:
        from .asking import ask

        given["ask"] = ask
    if "profile" in names:
        given["profile"] = call.profile
    if "language" in names:
        given["language"] = language()
    return given


def _show(command: Command, result: Any, call: Call) -> int:
    """Print what a command returns, or each object that it yields, and return the exit code."""
    from .views import view_of

    view, console = view_of(command.name), call.console
    if isinstance(result, Generator):
        with closing(result):
            for item in result:
                console.item(item, view)
        return OK
    console.result(result, command.shown, call.source, view)
    return OK if result.get(command.verdict, True) else FAILED


# Flags that have a letter, too.
_SHORT = {"follow": ("-f",)}


def _options(parameter: Parameter) -> list[click.Parameter]:
    """Return how a parameter is typed."""
    name = parameter.name
    option = f"--{name.replace('_', '-')}"
    help_text = text(parameter.description)
    if isinstance(parameter.mark, Hidden):
        return []
    if isinstance(parameter.mark, Fields):
        if parameter.positional:
            return [
                click.Argument([name], nargs=-1, metavar="[KEY=VALUE]..."),
                click.Option(
                    ["-f", "--file", f"{name}_file"],
                    metavar="FILE",
                    help=text("JSON or YAML; - for standard input"),
                ),
            ]
        return [click.Option([option, f"{name}_file"], metavar="FILE", help=help_text)]
    if parameter.type == "flag":
        default = parameter.default
        switch = f"{option}/--no-{option[2:]}" if default is not False else option
        names = [*_SHORT.get(name, ()), switch, name]
        return [click.Option(names, is_flag=True, default=default, help=help_text)]
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
    document: Source | None = None
    for parameter in parameters:
        value = given.get(parameter.name)
        if isinstance(parameter.mark, Hidden):
            # What is only looked at needs no secret.
            value = "" if given.get("dry_run") else secret_from(parameter.name)
        elif isinstance(parameter.mark, Contents) and value is not None:
            document = Source(value, text_of(value))
            value = document.text
        elif isinstance(parameter.mark, Fields):
            file = given.get(f"{parameter.name}_file")
            call.source = None if file is None else Source(file, text_of(file))
            value = fields_of(value or (), call.source)
        if value is not None:
            values[parameter.name] = value
    call.source = document  # what the command itself finds is about the document
    return values


def _confirm(command: Command, arguments: Mapping[str, Any]) -> None:
    """Ask whether to go on; without a terminal, say how to.

    Raises:
        CommandError: there is nobody to ask.
    """
    what = f"acr {command.name} {next(iter(arguments.values()), '')}".rstrip()
    undone = text("{what} can't be undone", what=what)
    if not sys.stdin.isatty():
        raise CommandError("invalid_argument", undone + text(": confirm it with --yes"))
    click.confirm(escaped(undone) + text(". Go on?"), abort=True, err=True)
