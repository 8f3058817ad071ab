"""What is kept of a prompt that a run has assembled: the values of its inputs, and what the model answered.

Values are kept by path, as the run had them: another version of the recipe looks its own paths up among them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arcrun_server.engine.shorten import redacted
from arcrun_server.engine.sizes import rough_size
from arcrun_server.engine.templates import MISSING, find
from arcrun_server.json_text import encode
from arcrun_server.recipes.prompt.resolved import ResolvedRecipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from arcrun_server.engine import Invocation, JsonObject
    from arcrun_server.recipes.prompt.record import Input

MAX_VALUES = 128 * 1024
"""How many characters the values of a prompt's inputs may have, as JSON, to be kept."""

MAX_ANSWER = 64 * 1024
"""How many characters an answer may have, as JSON, to be kept."""

# What is measured to be larger by far is not written to be counted.
_ROUGHLY = 2
# From here on writing JSON may take long.
_LARGE = 64 * 1024
# What a node says of the call besides its recipe.
_OF_NODES = ("model", "max_tokens")


@dataclass(frozen=True)
class RecordedPrompt:
    """A prompt that a run has assembled from a stored recipe.

    Attributes:
        recipe: The recipe's name.
        version: The version; 0 if it is shipped.
        node: The node.
        inputs: `{"values": {PATH: value}, "missing": [PATH], "node": {"model"?, "max_tokens"?}}` as JSON text, without
            secrets. None if it was too large to be kept, or no JSON.
        answer: What was read from the model's answer, as JSON text, without secrets; None if there was none, it did not
            fit, or was too large to be kept.
    """

    recipe: str
    version: int
    node: str
    inputs: str | None
    answer: str | None = None


@dataclass(frozen=True)
class RecordedValues:
    """The values of one prompt.

    Attributes:
        values: What was found, by path.
        missing: Where nothing was found.
        node: What the node said of the call.
    """

    values: JsonObject
    missing: frozenset[str]
    node: JsonObject

    def look_up(self, path: str) -> tuple[bool, Any]:
        """Find a path that was recorded, or one below it; return whether there is a value, and the value.

        Example:
            >>> recorded = RecordedValues({"ctx.read": {"blocks": [1]}}, frozenset(), {})
            >>> recorded.look_up("ctx.read.blocks.0"), recorded.look_up("ctx.other")
            ((True, 1), (False, None))
        """
        for known, below in _prefixes(path):
            if known in self.values:
                value = find(self.values[known], below)
                return (False, None) if value is MISSING else (True, value)
        return False, None

    def knows(self, path: str) -> bool:
        """Tell whether the run has looked a path up, or one above it, whatever it found."""
        return any(known in self.values or known in self.missing for known, _ in _prefixes(path))


async def recorded_inputs(resolved: ResolvedRecipe, invocation: Invocation) -> str | None:
    """Return the values of a recipe's inputs as they are kept, or None if they are not.

    Args:
        resolved: The recipe.
        invocation: The invocation for which it was assembled.
    """
    values, missing = {}, []
    size = 0
    for path in dict.fromkeys(item.path for item in all_inputs(resolved)):
        found, value = invocation.look_up(path)
        if not found:
            missing.append(path)
            continue
        size += invocation.measure(value, _ROUGHLY * MAX_VALUES)
        if size > _ROUGHLY * MAX_VALUES:
            return None
        values[path] = value
    node = {name: invocation.own[name] for name in _OF_NODES if invocation.own.get(name)}
    return await _json({"values": values, "missing": missing, "node": node}, MAX_VALUES, size)


async def recorded_answer(answer: Any) -> str | None:
    """Return an answer as it is kept, or None if it is not."""
    most = _ROUGHLY * MAX_ANSWER
    size = rough_size(answer, most)
    return None if size > most else await _json(answer, MAX_ANSWER, size)


def all_inputs(resolved: ResolvedRecipe) -> Iterator[Input]:
    """Yield the inputs of a recipe, and of the recipes that it takes texts from."""
    waiting, seen = [resolved], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield from one.recipe.inputs
        waiting += [part for part in one.fragments.values() if isinstance(part, ResolvedRecipe)]


async def _json(value: Any, most: int, size: int) -> str | None:
    """Return a JSON text without the secrets of the node that runs; None if it is too long, or no JSON."""
    write: Callable[[], str] = lambda: encode(redacted(value)).decode()  # noqa: E731
    try:
        text = await asyncio.to_thread(write) if size > _LARGE else write()
    except (ValueError, RecursionError):
        return None
    return text if len(text) <= most else None


def _prefixes(path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield a path and what is above it, each with the steps that lead back."""
    steps = path.split(".")
    for length in range(len(steps), 0, -1):
        yield ".".join(steps[:length]), tuple(steps[length:])
