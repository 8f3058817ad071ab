"""All mutants of a Python module, by the operators of cosmic-ray.

Of its operators those are used whose mutants differ in what they show: `<` becomes `<=` and `>=`, but not each of the
five other comparisons, since a test that notices one of them notices the rest. What can't matter is left out: see
`scripts/mutation/skipped.py`.
"""

from __future__ import annotations

import ast
import difflib
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider

from scripts.mutation.skipped import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPARISONS = (
    *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is", "Lt_LtE", "Lt_GtE"),
    *("LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
)
_BINARY = (
    *("Add_Sub", "Sub_Add", "Mul_FloorDiv", "Div_Mul", "FloorDiv_Mul", "Mod_Mul", "Pow_Mul"),
    *("BitOr_BitAnd", "BitAnd_BitOr", "BitXor_BitOr", "LShift_RShift", "RShift_LShift"),
)
OPERATORS = (
    *(f"ReplaceComparisonOperator_{name}" for name in _COMPARISONS),
    *(f"ReplaceBinaryOperator_{name}" for name in _BINARY),
    *("ReplaceUnaryOperator_USub_UAdd", "ReplaceUnaryOperator_Delete_Not", "AddNot"),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ExceptionReplacer"),
    *("NumberReplacer", "RemoveDecorator", "ZeroIterationForLoop"),
)
_TESTING_EXCEPTION = re.compile(r"(?<![\w.])CosmicRayTestingException(?![\w.])")


@dataclass(frozen=True)
class Mutant:
    """One defect.

    Attributes:
        area: The name of its area.
        path: The file, below the repository.
        line: Where it is.
        operator: What made it; for Python the name of cosmic-ray's operator.
        occurrence: The how-manieth place of this operator in the file.
        old: The changed lines before.
        new: The changed lines after.
    """

    area: str
    path: str
    line: int
    operator: str
    occurrence: int
    old: str = ""
    new: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def places(area: str, path: str, source: str) -> Iterator[Mutant]:
    """Yield a mutant for each place of each operator, without the text that it makes."""
    nodes = list(ast_nodes(get_ast(source)))
    skipped = Skipped(source)
    for name in OPERATORS:
        operator = _operator(name)
        found = [place for node in nodes for place in operator.mutation_positions(node)]
        for occurrence, ((line, column), _) in enumerate(found):
            if not skipped.at(name, line, column):
                yield Mutant(area, path, line, name, occurrence)


def mutated(mutant: Mutant, source: str) -> str | None:
    """Return the module with the defect; `None` if that is no Python, or the same program."""
    try:
        text = mutate_code(source, _operator(mutant.operator), mutant.occurrence)
    except AttributeError:  # cosmic-ray replaces no dotted name among several exceptions
        return None
    if mutant.operator == "ExceptionReplacer" and text is not None:
        # cosmic-ray names a class of its own, which mutated modules would have to import; of a
        # dotted name it replaces a part only, and what that makes is left out.
        text = _TESTING_EXCEPTION.sub("ZeroDivisionError", text)
        text = None if "CosmicRayTestingException" in text else text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            same = text is None or ast.dump(ast.parse(text)) == ast.dump(ast.parse(source))
    except SyntaxError:
        return None
    return None if same else text


def changed_lines(old: str, new: str) -> tuple[str, str]:
    """Return the lines that differ, before and after."""
    matcher = difflib.SequenceMatcher(
        None, before := old.splitlines(), after := new.splitlines(), autojunk=False
    )
    changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
    first, last = changes[0], changes[-1]
    return _joined(before[first[1] : last[2]]), _joined(after[first[3] : last[4]])


def _joined(lines: list[str]) -> str:
    return " ⏎ ".join(line.strip() for line in lines)


def _operator(name: str) -> Any:
    kind: Any = OperatorProvider()[name]
    return kind()
