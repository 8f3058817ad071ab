"""Secrets that a command asks for: from a prompt that shows nothing, or from standard input."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence

from arcrun.commands.asking import Question
from arcrun.commands.errors import CommandError

from .arguments import text_of
from .messages import text as message
from .terminal import escaped


def ask(questions: Sequence[Question]) -> dict[str, str]:
    """Return the secrets by key.

    Standard input that is no terminal has the secret alone if there is one question, else lines of KEY=VALUE.

    Raises:
        CommandError: one is missing, or not asked for. No message shows a value.
    """
    given = _prompted(questions) if sys.stdin.isatty() else _piped(questions, text_of("-"))
    for question in questions:
        if not given.get(question.key) and not question.is_optional:
            raise CommandError(
                "invalid_argument",
                message("{name} is empty: {how}", name=question.key, how=_how(questions)),
            )
    return {key: value for key, value in given.items() if value}


def _prompted(questions: Sequence[Question]) -> dict[str, str]:
    given: dict[str, str] = {}
    for question in questions:
        optional = message(" (optional)") if question.is_optional else ""
        print(f"{escaped(question.label)}{optional}", file=sys.stderr)
        if question.help:
            print(f"  {escaped(question.help)}", file=sys.stderr)
        given[question.key] = getpass.getpass(
            "  " + escaped(message("{name} (not shown): ", name=question.key)), sys.stderr
        ).strip()
    return given


def _piped(questions: Sequence[Question], text: str) -> dict[str, str]:
    keys = [question.key for question in questions]
    lines = [line for line in text.splitlines() if line.strip()]
    if len(keys) == 1 and not (lines and lines[0].startswith(f"{keys[0]}=")):
        return {keys[0]: text.strip()}
    given: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        key, separator, value = line.partition("=")
        key = key.strip()
        if not separator or key not in keys:
            raise CommandError(
                "invalid_argument",
                message(
                    "line {number} of standard input: {how}", number=number, how=_how(questions)
                ),
            )
        given[key] = value.strip()
    return given


def _how(questions: Sequence[Question]) -> str:
    if len(questions) == 1:
        return message(
            "type it at the prompt, or pipe it in: acr … < FILE, where FILE has the {label}",
            label=questions[0].label,
        )
    keys = ", ".join(f"{question.key}=…" for question in questions)
    return message("pipe in lines of KEY=VALUE: {keys}", keys=keys)
