"""Problems of graphs and recipes as the details of an error response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine.model import MAX_PROBLEMS, readable
from arcrun_server.engine.nearest import Suggestions
from arcrun_server.errors import ApiError, Detail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arcrun_server.engine import Problem


def details_of(problems: Sequence[Problem], prefix: str = "") -> list[Detail]:
    """Return problems as details.

    Args:
        problems: What is wrong.
        prefix: The path in the body of what was checked.
    """
    return [
        Detail(
            problem.message,
            path=join_path(prefix, problem.path) if problem.line is None else None,
            line=problem.line,
            column=problem.column,
            suggestion=problem.suggestion,
        )
        for problem in problems
    ]


def join_path(prefix: str, path: str | None) -> str | None:
    """Return a path below a prefix, or None for the whole body.

    Example:
        >>> join_path("graph", "edges[0].to"), join_path("", None)
        ('graph.edges[0].to', None)
    """
    if path == "graph":  # the engine's path of the graph as a whole
        path = None
    return ".".join(part for part in (prefix, path) if part) or None


def graph_error(problems: Sequence[Problem], *, prefix: str) -> ApiError:
    """Return the error response for what the engine found wrong."""
    details = details_of(problems, prefix)
    text = sentence_of(details[0])
    if len(details) > 1:
        text += f" (and {len(details) - 1} more, see details)"
    return ApiError(400, problems[0].code, text, details=details)


def check_known(given: Mapping[str, Any], known: Sequence[str], path: str, what: str) -> None:
    """Refuse an object that names what there is not.

    Args:
        given: The object.
        known: The names that it may have.
        path: Where it stands in the body.
        what: What the names are of, as "an input of the recipe".

    Raises:
        ApiError: It has another name.
    """
    suggestions = Suggestions()
    known_names = set(known)
    unknown = [name for name in given if name not in known_names]
    details = [
        Detail(
            f"this is no {what}",
            path=f"{path}.{readable(name[:60])}",
            suggestion=suggestions.nearest(name, known),
        )
        for name in unknown[:MAX_PROBLEMS]
    ]
    if not details:
        return
    text = sentence_of(details[0])
    if details[0].suggestion:
        text += f"; did you mean {details[0].suggestion!r}?"
    if len(unknown) > 1:
        text += f" (and {len(unknown) - 1} more, see details)"
    raise ApiError(400, "invalid_request", text, details=details)


def sentence_of(detail: Detail) -> str:
    """Return a detail as one sentence, with its place."""
    if detail.line is not None:
        where = f"line {detail.line}" + (f", column {detail.column}" if detail.column else "")
        return f"{where}: {detail.message}"
    return f"{detail.path}: {detail.message}" if detail.path else detail.message
