"""Read the files that are compared: whatever is in one, the error is a sentence that names it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from scripts.release import foreign

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LONGEST = 200  # characters of a reason; that of a validator may quote the whole file


class PartUnreadable(Exception):
    """A file that is compared can't be read; the message names it, says why, and what to do.

    Attributes:
        root: The checkout that it is in.
        file: Its path in there.
        why: What it is or lacks, to be read after its name.
    """

    def __init__(self, root: Path, file: str, why: str) -> None:
        shown = foreign.in_a_line(why)
        self.why = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
        self.root, self.file = root, foreign.in_a_line(file)
        super().__init__(
            f"{self.file} {self.why}: correct it, git diff HEAD -- {self.file} shows what was changed"
        )

    def at_commit(self, name: str, commit: str) -> PartUnreadable:
        """Return the error for a file as an earlier commit holds it, where it can't be corrected."""
        problem = PartUnreadable(self.root, self.file, self.why)
        where = f"{self.file} of {foreign.in_a_line(name)} ({commit[:12]})"
        remedy = "compare with another commit: nox -s next_version -- --against REV"
        problem.args = (f"{where} {self.why}: {remedy}",)
        return problem


def read_text(root: Path, file: str) -> str:
    """Return the text of a file in a checkout.

    Raises:
        PartUnreadable: It can't be read, or is not UTF-8.
    """
    path = root / file
    try:
        return foreign.read_text(path)
    except foreign.NotReadable as problem:
        raise PartUnreadable(root, file, str(problem).removeprefix(f"{path} ")) from None


def read_yaml(root: Path, file: str, form: Mapping[str, Any]) -> Any:
    """Return the value in a YAML file in a checkout.

    Args:
        root: The checkout.
        file: The path of the file in there.
        form: The JSON schema of what is read of it.

    Raises:
        PartUnreadable: It can't be read, is not YAML, contains itself, or has another form.
    """
    text = read_text(root, file)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        value = yaml.load(text, Loader=loader)  # noqa: S506 - a safe one
        json.dumps(value, default=str, skipkeys=True)  # it refuses what contains itself
        wrong = best_match(Draft202012Validator(form).iter_errors(value))
    except RecursionError:
        raise PartUnreadable(root, file, "is nested too deeply") from None
    except yaml.YAMLError as error:
        raise PartUnreadable(root, file, f"is not valid YAML: {_reason(error)}") from None
    except ValueError as error:  # a day that does not exist, an alias inside of what it stands for
        raise PartUnreadable(root, file, f"is not valid YAML: {error}") from None
    if wrong is not None:
        raise PartUnreadable(root, file, f"has another form, at {wrong.json_path}: {wrong.message}")
    return value


def _reason(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem} in line {error.problem_mark.line + 1}"
    return str(error)
