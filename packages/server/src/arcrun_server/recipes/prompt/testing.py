"""The tests that a recipe brings with it: assembled and compared, without a model (docs/prompt-recipes.md#tests)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from arcrun_server.engine import ComponentError
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


async def _reply_failures(
    output: Output,
    test: RecipeTest,
    check: SchemaCheck,
) -> list[str]:
    value: Any = test.reply
    if output.format == "json":
        try:
            value = await parse_json_off_loop(test.reply or "")
        except OutputError as error:
            return [str(error)]
        try:
            violations = [] if output.schema is None else await check(output.schema, value)
        except (ValueError, ComponentError) as error:  # no schema, or one that takes too long
            return [f"the reply can't be checked against the schema: {error}"]
        if violations:
            return [describe_violations(violations)]
    if test.expects_output and (value != test.output or type(value) is not type(test.output)):
        return [_difference("the output", as_text(test.output), as_text(value))]
    return []


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
