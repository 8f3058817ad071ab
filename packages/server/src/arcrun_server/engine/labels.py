"""Edge labels: what stands between the arrows of a flow line (docs/contract.md#workflow-graphs)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .condition_parser import parse_condition
from .edges import EDGE_KINDS, LABELS
from .nearest import nearest

if TYPE_CHECKING:
    from .model import EdgeType

DEFAULT_ITERATOR = "item"

# People also type simplified characters; the suggestion then is the label that they meant.
_TRADITIONAL = str.maketrans("后败时对个条满为则", "後敗時對個條滿為則")
_LABEL = re.compile(r"(?P<head>[^\s(（]+)\s*(?:[(（](?P<inside>.*)[)）]|(?P<after>.+))?", re.DOTALL)


@dataclass(frozen=True)
class EdgeLabel:
    """A parsed edge label: the edge's type, and what belongs to that type."""

    type: EdgeType
    condition: str | None = None
    iterator: str | None = None
    branch: str | None = None


class LabelError(ValueError):
    """A label that is not valid.

    Attributes:
        suggestion: What was probably meant, if a label is similar.
    """

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.suggestion = suggestion


def read_label(text: str) -> EdgeLabel:
    """Parse an edge label: `完成後`, `on_fail`, `對每個 草稿`, `分支（急件）`, `IF(n > 3)`.

    Raises:
        LabelError: The label is unknown, or what it needs is missing.

    Example:
        >>> read_label("對每個 草稿")
        EdgeLabel(type='FOREACH', condition=None, iterator='草稿', branch=None)
    """
    parts = _LABEL.fullmatch(text)
    edge_type = LABELS.get(parts["head"].upper()) if parts else None
    if parts is None or edge_type is None:
        raise _unknown(text, parts["head"] if parts else text)
    argument = (parts["inside"] or parts["after"] or "").strip()
    wanted = EDGE_KINDS[edge_type].argument
    if wanted == "condition":
        whole = text[len(parts["head"]) :].strip()
        return EdgeLabel(edge_type, condition=_condition(text, argument, whole))
    if wanted == "iterator":
        return EdgeLabel(edge_type, iterator=_iterator(text, argument))
    if wanted == "branch":
        return EdgeLabel(edge_type, branch=_branch(text, argument))
    if argument or parts["inside"] is not None:
        raise LabelError(
            f"'{parts['head']}' takes no argument, but '{text}' has '{argument}'.",
            parts["head"],
        )
    return EdgeLabel(edge_type)


def _condition(text: str, argument: str, whole: str) -> str:
    """Return the condition: the argument, or if its parentheses are no pair, as in `IF (a) or (b)`, all of it."""
    if not argument:
        raise LabelError(
            f"'{text}' has no condition; an IF without one would always run. "
            f"Write the condition behind it, as in '{text}(分數 > 60)'."
        )
    try:
        parse_condition(argument)
    except ValueError as problem:
        if whole.count("(") + whole.count("（") > 1 and _is_condition(whole):
            return whole
        raise LabelError(str(problem)) from None
    return argument


def _is_condition(text: str) -> bool:
    try:
        parse_condition(text)
    except ValueError:
        return False
    return True


def _iterator(text: str, argument: str) -> str:
    iterator = argument or DEFAULT_ITERATOR
    if not re.fullmatch(r"\w+", iterator):
        raise LabelError(
            f"'{iterator}' in '{text}' can't name an element; use one word, as in '對每個 草稿'.",
            "對每個 " + re.sub(r"\W+", "_", iterator).strip("_"),
        )
    return iterator


def _branch(text: str, argument: str) -> str:
    if not argument or re.search(r"[()（）]", argument):
        raise LabelError(
            f"'{text}' names no branch, so it could never run; write it as in '分支(急件)'.",
            None if argument else f"{text.rstrip('()（） ')}(name)",
        )
    return argument


def _unknown(text: str, head: str) -> LabelError:
    near = nearest(head.translate(_TRADITIONAL), LABELS, least=0.4)
    if near is None:
        common = "完成後 (PIPE), ON_SUCCESS, 失敗時, 條件滿足時, 成立時, 不成立時, 分支(…), 對每個"
        return LabelError(f"'{text}' is not an edge label. Some labels are: {common}.")
    return LabelError(
        f"'{text}' is not an edge label; did you mean '{near}'?", near + text[len(head) :]
    )
