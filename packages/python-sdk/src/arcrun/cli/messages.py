"""What `acr` says, in English or Traditional Chinese; engines write their messages themselves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal, TextIO

from arcrun.commands.sentences import Sentence, filled

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

_chosen: Language = "en"


def use(language: Language) -> None:
    """Say everything in this language from now on."""
    global _chosen  # noqa: PLW0603 - a process has one user
    _chosen = language


def language() -> Language:
    """Return the language in use."""
    return _chosen


def text(english: str, **values: object) -> str:
    """Return a text in the language in use, with values for its `{names}`.

    Example:
        >>> text("the argument {name} is missing", name="FILE")
        'the argument FILE is missing'
    """
    template = english
    if _chosen == "zh":
        from .chinese import CHINESE

        template = CHINESE.get(english, english)
    return filled(template, values)


def translated(value: object) -> str:
    """Return a text that a command made, in the language in use: if it is a sentence, with its values."""
    if isinstance(value, Sentence):
        return text(
            value.template, **{name: translated(each) for name, each in value.values.items()}
        )
    return str(value)


def language_of(arguments: Sequence[str], stream: TextIO) -> Language:
    """Return the language that was asked for: by `--lang`, else by ARCRUN_LANG, else by the locale.

    A locale counts only where the terminal can show its characters.

    Args:
        arguments: as typed after `acr`.
        stream: where messages go.
    """
    for asked in (_option(arguments), os.environ.get("ARCRUN_LANG")):
        if asked in LANGUAGES:
            return asked
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, names), "").replace("-", "_").partition(".")[0]
    if not locale.startswith(("zh_TW", "zh_HK", "zh_MO", "zh_Hant")):
        return "en"
    try:
        "繁體中文".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "en"
    return "zh"


def _option(arguments: Sequence[str]) -> str | None:
    """Return what `--lang` says: it counts also for errors of the arguments before it."""
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--lang":
            return value if equals else next(iter(arguments[position + 1 :]), None)
        if argument == "--":
            break
    return None
