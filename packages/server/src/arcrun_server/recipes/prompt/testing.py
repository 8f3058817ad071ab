"""The tests that a recipe brings with it: assembled and compared, without a model (docs/prompt-recipes.md#tests)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from arcrun_server.engine import ComponentError
from arcrun_server.engine.conditions import same
from arcrun_server.engine.templates import MISSING, find

from .assembly import AssemblyError, FragmentText, assemble
from .output import OutputError, describe_violations, parse_json_off_loop
from .transforms import as_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_server.engine import JsonObject

    from .assembly import LookUp, ResolvedRecipe
    from .record import Output, RecipeTest

_SHOWN = 200

SchemaCheck: TypeAlias = "Callable[[Any, Any], Awaitable[list[JsonObject]]]"
"""Takes a schema and a value; returns where the value does not fit."""


@dataclass(frozen=True)
class Outcome:
    """How one test ended.

    Attributes:
        name: The test.
        failures: What was not as expected; none if it passed.
    """

    name: str
    failures: tuple[str, ...] = ()

    def as_json(self) -> JsonObject:
        """Return it as responses show it."""
        return {"name": self.name, "passed": not self.failures, "failures": list(self.failures)}


def context_look_up(context: JsonObject) -> LookUp:
    """Return the look-up of paths in a context that is given: `ctx.a`, `input.a` and `a` are its `a`.

    Example:
        >>> look_up = context_look_up({"read": {"text": "甲"}, "loop": {"item": 1}})
        >>> look_up("ctx.read.text"), look_up("loop.item"), look_up("input.nothing")
        ((True, '甲'), (True, 1), (False, None))
    """

    def look_up(path: str) -> tuple[bool, Any]:
        steps = tuple(path.split("."))
        value = find(context, steps)
        if value is MISSING and steps[0] in ("ctx", "input"):
            value = find(context, steps[1:])
        return (False, None) if value is MISSING else (True, value)

    return look_up


def with_fragments(resolved: ResolvedRecipe, texts: dict[str, str]) -> ResolvedRecipe:
    """Return a resolved recipe in which some fragments have other texts."""
    given = {var: FragmentText(text, {"given": True}, "given") for var, text in texts.items()}
    return replace(resolved, fragments={**resolved.fragments, **given})


async def run_test(
    resolved: ResolvedRecipe,
    test: RecipeTest,
    check: SchemaCheck,
) -> Outcome:
    """Run one test.

    Args:
        resolved: The recipe with its fragments.
        test: The test.
        check: Returns where a value does not fit a schema.
    """
    try:
        # In a thread: the prompt may be large, and there may be many tests.
        failures = await asyncio.to_thread(_message_failures, resolved, test)
    except AssemblyError as error:
        return Outcome(test.name, (str(error),))
    if test.reply is not None:
        failures += await _reply_failures(resolved.recipe.output, test, check)
    return Outcome(test.name, tuple(failures))


def _message_failures(resolved: ResolvedRecipe, test: RecipeTest) -> list[str]:
    prompt = assemble(
        with_fragments(resolved, test.fragments),
        context_look_up(test.context or {}),
        test.values or {},
    )
    got = {message.role: message.content for message in prompt.messages}
    failures = [
        _difference(f"the {role} message", text, got.get(role))
        for role, text in (test.messages or {}).items()
        if got.get(role) != text
    ]
    missing = [text for text in test.contains if not any(text in one for one in got.values())]
    return failures + [f"no message holds '{_shown(text)}'" for text in missing]


async def check_fits(output: Output, value: Any, check: SchemaCheck) -> None:
    """Check that a value fits the schema of what is expected, if there is one.

    Raises:
        OutputError: It does not fit, or that can't be found out, for which no model is to blame.
    """
    if output.schema is None:
        return
    try:
        violations = await check(output.schema, value)
    except (ValueError, ComponentError) as error:
        reason = f"the answer can't be checked: {error}"
        raise OutputError(reason, is_repairable=False) from None
    if violations:
        raise OutputError(describe_violations(violations))


async def _reply_failures(
    output: Output,
    test: RecipeTest,
    check: SchemaCheck,
) -> list[str]:
    value: Any = test.reply
    try:
        if output.format == "json":
            value = await parse_json_off_loop(test.reply or "")
            await check_fits(output, value, check)
    except OutputError as error:
        return [str(error)]
    if test.expects_output and not same(test.output, value):
        return [_difference("the output", _as_json(test.output), _as_json(value))]
    return []


def _as_json(value: Any) -> str:
    """Return a value as JSON, so that the text `"1"` does not look like the number 1."""
    return as_text([value])[1:-1]


def _difference(what: str, expected: str, got: str | None) -> str:
    """Return where two texts begin to differ, with some of what stands there."""
    if got is None:
        return f"{what} is missing; expected '{_shown(expected)}'"
    place = next(
        (n for n, (one, other) in enumerate(zip(expected, got, strict=False)) if one != other),
        min(len(expected), len(got)),
    )
    start = max(0, place - 20)
    return (
        f"{what} differs at character {place}: expected '{_shown(expected[start:])}', "
        f"got '{_shown(got[start:])}'"
    )


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
