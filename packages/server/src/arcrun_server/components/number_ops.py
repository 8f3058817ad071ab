"""Operations on numbers."""

from __future__ import annotations

import math
import operator
import re
from functools import reduce
from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError

from .contract import describe, given_value, one_of, optional, require
from .operations import Operation, operations_contract, run_operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from arcrun_server.engine import Invocation, JsonObject

LARGEST = 1e300
DECIMALS = (".", ",")
GROUPS = (",", ".", " ", "'", "_")
# A separator that nobody said is a guess: `1,5` is one and a half in one country and 15 in none.
_NO_SEPARATORS = {ord("."): ";", ord(","): ";"}
_SEPARATOR_HINT = (
    "; say what its separators are: `decimal_separator` (. or ,) and `group_separator`"
)
_NUMBER_TEXT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_THREE = re.compile(r"\d{3}")
_MAX_DIGITS = 15


def _number(given: JsonObject, name: str) -> float:
    return require(given_value(given, name), float, name)


def _numbers(given: JsonObject) -> list[float]:
    """Return `values`, or `a` and `b`."""
    if given.get("values") is None:
        return [_number(given, "a"), _number(given, "b")]
    values = require(given["values"], list, "values")
    if not values:
        raise ComponentError("`values` is empty; give at least one number")
    return [require(value, float, f"values.{number}") for number, value in enumerate(values)]


def _folded(fold: Callable[[float, float], float]) -> Callable[[JsonObject], float]:
    return lambda given: _usable(reduce(lambda a, b: _usable(fold(a, b)), _numbers(given)))


def _divided(divide: Callable[[float, float], float]) -> Callable[[JsonObject], float]:
    def compute(given: JsonObject) -> float:
        a, b = _number(given, "a"), _number(given, "b")
        if b == 0:
            raise ComponentError("`b` is 0, and nothing can be divided by 0")
        return _usable(divide(a, b))

    return compute


def _power(given: JsonObject) -> float:
    a, b = _number(given, "a"), _number(given, "b")
    try:
        result = float(a) ** b
    except (OverflowError, ZeroDivisionError):
        raise ComponentError(f"{a:g} to the power of {b:g} is not a number") from None
    if isinstance(result, complex):
        raise ComponentError(f"{a:g} to the power of {b:g} is not a real number")
    return _usable(result)


def _root(given: JsonObject) -> float:
    a = _number(given, "a")
    if a < 0:
        raise ComponentError(f"`a` is {a:g}, and a negative number has no square root")
    return _usable(math.sqrt(a))


def _round(given: JsonObject) -> float:
    digits = optional(given, "digits", int, 0)
    if not -_MAX_DIGITS <= digits <= _MAX_DIGITS:
        raise ComponentError(f"`digits` is -{_MAX_DIGITS} to {_MAX_DIGITS}, but it is {digits}")
    return _usable(round(_number(given, "a"), digits))


def _clamp(given: JsonObject) -> float:
    least, most = _number(given, "min"), _number(given, "max")
    if least > most:
        raise ComponentError(f"`min` ({least:g}) is greater than `max` ({most:g})")
    return _usable(min(max(_number(given, "a"), least), most))


def _parse(given: JsonObject) -> float:
    text = require(given_value(given, "text"), str, "text").strip()
    decimal = one_of(given.get("decimal_separator", "."), DECIMALS, "decimal_separator")
    group = given.get("group_separator")
    if group is not None:
        one_of(group, GROUPS, "group_separator")
        if group == decimal:
            raise ComponentError("`group_separator` and `decimal_separator` are the same")
        text = _without_groups(text, group)
    number = text.replace(decimal, "\0").translate(_NO_SEPARATORS).replace("\0", ".")
    if not _NUMBER_TEXT.fullmatch(number):
        hint = _SEPARATOR_HINT if any(sign in text for sign in GROUPS) else ""
        raise ComponentError(f"`text` is not a number: {describe(given['text'])}{hint}")
    return _usable(
        int(number) if number.lstrip("+-").isdigit() and len(number) < 300 else float(number)
    )


def _without_groups(text: str, group: str) -> str:
    """Remove the separators of thousands; where no group of three follows, they stay."""
    head, *groups = text.split(group)
    last = groups[-1] if groups else ""
    whole = [*groups[:-1], last[:3]]
    ends = not last[3:4].isdigit()
    if 1 <= len(head.lstrip("+-")) <= 3 and ends and all(map(_THREE.fullmatch, whole)):
        return "".join((head, *groups))
    return text


def _compared(compare: Callable[[float, float], bool]) -> Callable[[JsonObject], bool]:
    return lambda given: compare(_number(given, "a"), _number(given, "b"))


def _usable(result: float) -> float:
    """Return a result as JSON represents it: 2 for 2.0, and nothing infinite."""
    if abs(result) > LARGEST or result != result:  # noqa: PLR0124 - NaN is not itself
        raise ComponentError("the result is too large to be a number in JSON")
    return int(result) if abs(result) < 2**53 and result == int(result) else result


OPERATIONS: dict[str, Operation] = {
    "add": Operation(_folded(operator.add), "`a` + `b`, or the sum of `values`"),
    "subtract": Operation(_folded(operator.sub), "`a` - `b`"),
    "multiply": Operation(_folded(operator.mul), "`a` x `b`, or the product of `values`"),
    "divide": Operation(_divided(operator.truediv), "`a` / `b`"),
    "integer_divide": Operation(_divided(operator.floordiv), "`a` / `b`, rounded down"),
    "modulo": Operation(_divided(operator.mod), "the remainder of `a` / `b`"),
    "power": Operation(_power, "`a` to the power of `b`"),
    "root": Operation(_root, "the square root of `a`"),
    "round": Operation(_round, "`a` rounded to `digits` after the decimal point (half to even)"),
    "floor": Operation(lambda given: math.floor(_finite(given)), "`a` rounded down"),
    "ceil": Operation(lambda given: math.ceil(_finite(given)), "`a` rounded up"),
    "abs": Operation(lambda given: _usable(abs(_number(given, "a"))), "`a` without its sign"),
    "min": Operation(lambda given: _usable(min(_numbers(given))), "the smallest"),
    "max": Operation(lambda given: _usable(max(_numbers(given))), "the largest"),
    "average": Operation(
        lambda given: _usable(math.fsum(_numbers(given)) / len(_numbers(given))), "the mean"
    ),
    "clamp": Operation(_clamp, "`a`, but at least `min` and at most `max`"),
    "parse": Operation(_parse, "the number that `text` holds"),
    "equal": Operation(_compared(operator.eq), "whether `a` = `b`"),
    "greater": Operation(_compared(operator.gt), "whether `a` > `b`"),
    "less": Operation(_compared(operator.lt), "whether `a` < `b`"),
}


def _finite(given: JsonObject) -> float:
    return _usable(_number(given, "a"))


_NUMBER: JsonObject = {"type": "number"}

CONTRACT = operations_contract(
    "number_ops",
    OPERATIONS,
    display_name="數字運算 Number",
    description="Computes with `a` and `b`, or with `values`.",
    parameters={
        "a": _NUMBER,
        "b": _NUMBER,
        "values": {"type": "array", "items": _NUMBER, "minItems": 1},
        "digits": {"type": "integer", "default": 0},
        "min": _NUMBER,
        "max": _NUMBER,
        "text": {"type": "string"},
        "decimal_separator": {"enum": [*DECIMALS], "default": "."},
        "group_separator": {
            "enum": [*GROUPS],
            "description": "Of thousands; left out, there is none.",
        },
    },
    config_example={"operation": "multiply", "a": "{{input.單價}}", "b": "{{input.數量}}"},
)


async def run(given: JsonObject, _invocation: Invocation) -> Any:
    """Run the operation.

    Example:
        >>> import asyncio
        >>> asyncio.run(run({"operation": "divide", "a": 6, "b": 2}, None))["data"]["result"]
        3
    """
    return run_operation(OPERATIONS, given)
