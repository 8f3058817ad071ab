"""Reads JSON files that somebody else has made: reports, lists of artifacts, recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .cleaning import MAX_DEPTH, parsed_json
from .documents import DocumentError, Problem, shown
from .resources import validator

if TYPE_CHECKING:
    from pathlib import Path

# A report has what adapters and engines have returned, which may be as deep as it may be, in some levels of its own.
_MAX_DEPTH = 2 * MAX_DEPTH


def read_json(
    path: Path, schema_name: str, what: str, definition: str | None = None, hint: str = ""
) -> Any:
    """Return the value of a JSON file that matches one of the package's schemas.

    Lone surrogates in its texts become U+FFFD, so that it can be written again.

    Args:
        path: The file.
        schema_name: The schema.
        what: What the file should be, for the message.
        definition: One of the schema's `$defs`, instead of the schema.
        hint: Where to get such a file.

    Raises:
        DocumentError: The file is missing, is not JSON, is nested too deep, or does not match the schema.
    """
    try:
        value = parsed_json(path.read_bytes(), _MAX_DEPTH)
    except (OSError, ValueError) as error:
        problem = f"can't be read: {shown(str(error))}"
        raise DocumentError([Problem(path, None, problem, hint)]) from error
    for broken in validator(schema_name, definition).iter_errors(value):
        where = ".".join(map(str, broken.absolute_path)) or "the file"
        problem = f"is no {what}: {shown(where)}: {shown(broken.message)}"
        raise DocumentError([Problem(path, None, problem, hint)])
    return value
