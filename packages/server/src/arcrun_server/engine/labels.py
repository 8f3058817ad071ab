"""Edge labels: the words between the arrows of a flow line (CONTRACT.md §5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, get_args

from .conditions import parse_condition
from .model import EdgeType

if TYPE_CHECKING:
    from collections.abc import Iterable

EDGE_TYPES: frozenset[str] = frozenset(get_args(EdgeType))
STRUCTURE_TYPES = frozenset({"CONTINUE", "IS_A", "CONTAINS", "HAS_STYLE", "HAS_BEHAVIOR"})
DEFAULT_ITERATOR = "item"
_LONGEST_WORD = 256  # comparing longer ones takes long, and helps nobody

_SYNONYMS: dict[str, EdgeType] = {
    "完成後": "PIPE",
    "SUCCESS": "ON_SUCCESS",
    "失敗時": "ON_FAIL",
    "FAIL": "ON_FAIL",
    "條件滿足時": "IF",
    "成立時": "ON_TRUE",
    "為真時": "ON_TRUE",
    "TRUE": "ON_TRUE",
    "不成立時": "ON_FALSE",
    "為假時": "ON_FALSE",
    "否則": "ON_FALSE",
    "FALSE": "ON_FALSE",
    "ELSE": "ON_FALSE",
    "分支": "ON_BRANCH",
    "BRANCH": "ON_BRANCH",
    "對每個": "FOREACH",
    "SUBFLOW": "CALLS_SUBFLOW",
    "CLICK": "ON_CLICK",
}
LABELS: dict[str, EdgeType] = {**{name: name for name in get_args(EdgeType)}, **_SYNONYMS}
"""Every label (English ones in capitals) and the edge type that it stands for."""

# People also type simplified characters; the suggestion then is the label that they meant.
_TRADITIONAL = str.maketrans("后败时对个条满为则", "後敗時對個條滿為則")
_SHAPE = re.compile(r"(?P<head>[^\s(（]+)\s*(?:[(（](?P<inside>.*)[)）]|(?P<after>.+))?", re.DOTALL)


@dataclass(frozen=True)
class EdgeLabel:
    """An edge label, understood: the edge's type and what belongs to that type."""

    type: EdgeType
    condition: str | None = None
    iterator: str | None = None
    branch: str | None = None


class LabelError(ValueError):
    """A label that means nothing here.

    Attributes:
        suggestion: What was probably meant, if something is near.
    """

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.suggestion = suggestion


def read_label(text: str) -> EdgeLabel:
    """Understand an edge label: `完成後`, `on_fail`, `對每個 草稿`, `分支（急件）`, `IF(n > 3)`.

    Raises:
        LabelError: The label is unknown, or what it needs is missing.

    Example:
        >>> read_label("對每個 草稿")
        EdgeLabel(type='FOREACH', condition=None, iterator='草稿', branch=None)
    """
    shape = _SHAPE.fullmatch(text)
    kind = LABELS.get(shape["head"].upper()) if shape else None
    if shape is None or kind is None:
        raise _unknown(text, shape["head"] if shape else text)
    argument = (shape["inside"] or shape["after"] or "").strip()
    if kind == "IF":
        return EdgeLabel("IF", condition=_condition(text, argument))
    if kind == "FOREACH":
        return EdgeLabel("FOREACH", iterator=_iterator(text, argument))
    if kind == "ON_BRANCH":
        return EdgeLabel("ON_BRANCH", branch=_branch(text, argument))
    if argument or shape["inside"] is not None:
        raise LabelError(
            f"'{shape['head']}' takes nothing behind it, but '{text}' has '{argument}'.",
            shape["head"],
        )
    return EdgeLabel(kind)


def nearest(word: str, candidates: Iterable[str], least: float = 0.5) -> str | None:
    """Find the candidate that looks most like a word, or None if none does.

    Args:
        word: What was written.
        candidates: What there is.
        least: How alike they must be, from 0 to 1.

    Example:
        >>> nearest("comp_upercase", ["comp_counter", "comp_uppercase"])
        'comp_uppercase'
    """
    if len(word) > _LONGEST_WORD:
        return None
    best, best_ratio = None, least
    matcher = SequenceMatcher(b=word.casefold(), autojunk=False)
    for candidate in candidates:
        matcher.set_seq1(candidate.casefold())
        if matcher.real_quick_ratio() < best_ratio or matcher.quick_ratio() < best_ratio:
            continue
        ratio = matcher.ratio()
        if ratio > best_ratio or (best is None and ratio == best_ratio):
            best, best_ratio = candidate, ratio
    return best


def _condition(text: str, argument: str) -> str:
    if not argument:
        raise LabelError(
            f"'{text}' has no condition; an IF without one would always run. "
            f"Write the condition behind it, as in '{text}(分數 > 60)'."
        )
    try:
        parse_condition(argument)
    except ValueError as problem:
        raise LabelError(str(problem)) from None
    return argument


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
        return LabelError(f"'{text}' is no edge label. Some that are: {common}.")
    return LabelError(
        f"'{text}' is no edge label; did you mean '{near}'?", near + text[len(head) :]
    )
