"""What came of a command that failed: each exception becomes one error, with its exit code."""

from __future__ import annotations

import errno
import io
import os
import traceback
from collections.abc import Sequence

import click

from arcrun._core.errors import ArcrunError
from arcrun._core.secret import Secret, blank_out
from arcrun.commands.errors import CommandError, Next, command_error
from arcrun.commands.parameters import Hidden, Parameter

from .messages import text

REPORT_TO = "https://arcrun.dev"


class NoSuchCommandError(click.UsageError):
    """There is no command of this name.

    Args:
        name: As it was typed.
        known: The commands that there are.
        context: That of the group.
    """

    def __init__(self, name: str, known: Sequence[str], context: click.Context) -> None:
        super().__init__(name, context)
        self.name = name
        self.known = known


class OutputClosedError(Exception):
    """Who read the output has gone away."""


def failure_of(error: BaseException) -> CommandError:
    """Return what an exception means to the person who typed a command."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, ArcrunError):
        return command_error(error)
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return CommandError("interrupted", text("interrupted"))
    return _of_output(error) or _defect(error)


def _of_output(error: BaseException) -> CommandError | None:
    """Return what is wrong with the output, if anything is: of a help text; results have their own check."""
    if isinstance(error, (OutputClosedError, BrokenPipeError)):
        return CommandError("output_closed", text("the output was closed before all was written"))
    if isinstance(error, io.UnsupportedOperation):  # of the stream that stands for a closed one
        return CommandError("output_failed", text("there is no standard output: it is closed"))
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return CommandError(
            "output_failed",
            text("the result can't be written: {reason}", reason=error.strerror or error),
        )
    return None


def _usage(error: click.ClickException) -> CommandError:
    """Return what is wrong with what was typed. Values are not repeated: one may be a secret."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path.split()[1:] if context else []
    help_of = Next(text("see its arguments and options"), " ".join([*path, "--help"]))
    return CommandError("invalid_argument", _usage_text(error, context), next=[help_of])


def _usage_text(error: click.ClickException, context: click.Context | None) -> str:
    if isinstance(error, (NoSuchCommandError, click.NoSuchOption)):
        return _unknown_name(error, context)
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return text("the argument {name} is missing", name=_shown(error.param, context))
    if isinstance(error, click.BadParameter) and error.param is not None:
        return _bad_value(error, error.param, context)
    if isinstance(error, click.BadOptionUsage):
        return _bad_option(error, context)
    if type(error) is click.UsageError and context is not None:
        return _too_many_arguments(context)
    return error.format_message().rstrip(".")


def _unknown_name(
    error: NoSuchCommandError | click.NoSuchOption, context: click.Context | None
) -> str:
    command = context.command_path if context else "acr"
    if isinstance(error, NoSuchCommandError):
        message = text("there is no command {command} {name}", command=command, name=error.name)
        return message + _near(error.name, error.known)
    message = text("{command} has no option {name}", command=command, name=error.option_name)
    known = [name for each in _parameters(context) for name in each.opts]
    return message + _near(error.option_name, known)


def _bad_option(error: click.BadOptionUsage, context: click.Context | None) -> str:
    named = [each for each in _parameters(context) if error.option_name in each.opts]
    if any(not getattr(each, "is_flag", False) for each in named):
        return text("the option {name} needs a value", name=error.option_name)
    return text("the option {name} takes no value", name=error.option_name)


def _too_many_arguments(context: click.Context) -> str:
    message = text("{command} takes no more arguments", command=context.command_path)
    if _takes_secret(context):
        message += text(
            ": a secret is asked for, or read from standard input, and never typed as an argument"
        )
    return message


def _bad_value(
    error: click.BadParameter, parameter: click.Parameter, context: click.Context | None
) -> str:
    name = _shown(parameter, context)
    if isinstance(parameter.type, click.Choice):
        choices = ", ".join(map(str, parameter.type.choices))
        return text("{name} must be one of: {choices}", name=name, choices=choices)
    if parameter.type is click.INT:
        return text("{name} must be a whole number", name=name)
    return error.format_message().rstrip(".")


def _shown(parameter: click.Parameter, context: click.Context | None) -> str:
    if isinstance(parameter, click.Option):
        return parameter.opts[0]
    return parameter.make_metavar(context) if context else str(parameter.name)


def _parameters(context: click.Context | None) -> list[click.Parameter]:
    return context.command.get_params(context) if context else []


def _takes_secret(context: click.Context) -> bool:
    taken: Sequence[Parameter] = getattr(context.command, "taken", None) or ()
    return any(isinstance(each.mark, Hidden) for each in taken)


def _near(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 3)
    return text("; did you mean {names}?", names=", ".join(near)) if near else ""


def _defect(error: BaseException) -> CommandError:
    """Return what is said of a defect of `acr`: neither values nor the exception's text, which may hold secrets."""
    kind = type(error).__name__
    message = text(
        "this is a defect of acr ({kind}); please report it at {where}", kind=kind, where=REPORT_TO
    )
    if os.environ.get("ARCRUN_DEBUG") != "1":
        hint = Next(text("with ARCRUN_DEBUG=1 it shows where in its code this happened"))
        return CommandError("internal", message, next=[hint])
    lines = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return CommandError("internal", message, details=[{"message": _scrubbed(lines).rstrip()}])


def _scrubbed(lines: str) -> str:
    """Return a traceback without the secrets that the environment and the config file hold."""
    names = [
        name
        for name in os.environ
        if name.startswith(("ARCRUN_API_KEY", "ARCRUN_SECRET_", "ARCRUN_MCP_"))
    ]
    secrets = [Secret(os.environ[name]) for name in names if os.environ[name]]
    try:
        from arcrun._local import read_config

        key = read_config(None).get("api_key")
        secrets += [Secret(key)] if isinstance(key, str) else []
    except Exception:  # noqa: BLE001 - the first error is the one to show
        secrets += []
    return blank_out(lines, tuple(secrets))
