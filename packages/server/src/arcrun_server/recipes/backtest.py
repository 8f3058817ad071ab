"""What another version of a prompt recipe would have made of the runs that were (docs/prompt-recipes.md#backtest).

For each recorded prompt, the version that the run used and the candidate are assembled from the recorded values, and
compared. Nothing is written, and no model is asked unless the caller wants it.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol

from arcrun_server.engine import ComponentError, InvocationFailure
from arcrun_server.engine.conditions import same
from arcrun_server.recipes.differences import unified_diff
from arcrun_server.recipes.prompt.assembly import AssemblyError, assemble
from arcrun_server.recipes.prompt.output import OUTPUT
from arcrun_server.recipes.prompt_component import NoAnswerError
from arcrun_server.recipes.recorded_prompt import RecordedValues, all_inputs
from arcrun_server.recipes.versions import RecipeNotFoundError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from arcrun_server.engine import JsonObject
    from arcrun_server.recipes.prompt.assembly import Prompt, ResolvedRecipe
    from arcrun_server.recipes.recorded_prompt import RecordedPrompt

CHANGED, UNCHANGED, FAILED, SKIPPED = "changed", "unchanged", "failed", "skipped"
STATUSES = (CHANGED, UNCHANGED, FAILED, SKIPPED)
UNKNOWN = "unknown"
"""Of an answer with which no recorded one can be compared."""

MAX_DIFF = 16_000
"""How many characters of differences are shown of a run's messages, and of its answer."""

# How many prompts are worked on at a time: assembled in threads, and while models are asked.
_AT_ONCE, _ASKED_AT_ONCE = 1, 4


class Recorded(Protocol):
    """A recorded prompt, and where it is from."""

    @property
    def prompt(self) -> RecordedPrompt:
        """Return the prompt."""
        ...

    @property
    def run(self) -> str | None:
        """Return the id of the run."""
        ...

    @property
    def created_at(self) -> str:
        """Return when it was recorded."""
        ...


@dataclass(frozen=True)
class Difference:
    """What the candidate changes of one recorded prompt.

    Attributes:
        status: `changed`, `unchanged`, `failed` (the candidate can't be assembled) or `skipped` (there is nothing to
            compare it with).
        messages: A unified diff of each message that changes, by role.
        truncated: Whether there is more of these.
        error: Why it failed or was skipped.
        prompt: The candidate's prompt.
    """

    status: str
    messages: dict[str, str] = field(default_factory=dict)
    truncated: bool = False
    error: str | None = None
    prompt: Prompt | None = field(default=None, repr=False)

    def as_json(self) -> JsonObject:
        """Return it as responses show it."""
        shown: JsonObject = {"status": self.status}
        if self.messages:
            diffs = [{"role": role, "diff": diff} for role, diff in self.messages.items()]
            shown |= {"messages": diffs, "truncated": self.truncated}
        return shown if self.error is None else shown | {"error": self.error}


class Backtest:
    """Compares a candidate with the versions that runs have used.

    Args:
        candidate: The candidate.
        baseline: Returns a version of the recipe as a run used it.
        seconds: How long it may take; what is left then is skipped.
        ask: Returns the result of a node for the candidate's prompt, given what the node said of the call and when
            the time is over; None to ask no model.
    """

    def __init__(
        self,
        candidate: ResolvedRecipe,
        baseline: Callable[[int], Awaitable[ResolvedRecipe]],
        *,
        seconds: float,
        ask: Callable[[Prompt, JsonObject, float], Awaitable[JsonObject]] | None = None,
    ) -> None:
        self._candidate = candidate
        self._baseline = baseline
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._ask = ask
        self._turns = asyncio.Semaphore(_AT_ONCE if ask is None else _ASKED_AT_ONCE)

    async def run(self, recorded: Sequence[Recorded]) -> list[JsonObject]:
        """Return what the candidate changes of each, in their order."""
        numbered = sorted(enumerate(recorded), key=lambda one: one[1].prompt.version)
        outcomes: dict[int, JsonObject] = {}
        # One version after the other: the texts of its fragments may be large.
        for version, group in groupby(numbered, key=lambda one: one[1].prompt.version):
            of_version = list(group)
            baseline = await self._resolved(version)
            found = await asyncio.gather(
                *(self._outcome(baseline, one.prompt) for _, one in of_version)
            )
            outcomes |= {
                number: {
                    "run_id": one.run,
                    "node": one.prompt.node,
                    "version": version,
                    "created_at": one.created_at,
                    **outcome,
                }
                for (number, one), outcome in zip(of_version, found, strict=True)
            }
        return [outcomes[number] for number in range(len(recorded))]

    async def _resolved(self, version: int) -> ResolvedRecipe | str:
        """Return a version, or why it can't be read."""
        try:
            return await self._baseline(version)
        except (AssemblyError, RecipeNotFoundError) as error:
            return str(error)

    async def _outcome(
        self, baseline: ResolvedRecipe | str, recorded: RecordedPrompt
    ) -> JsonObject:
        if isinstance(baseline, str):
            return _skipped(f"the version that the run used can't be read: {baseline}")
        if recorded.inputs is None:
            return _skipped("the values of its inputs were too large to be kept")
        async with self._turns:
            if time.monotonic() >= self._deadline:
                return _skipped(f"the backtest has taken {self._seconds:g} seconds")
            values = await asyncio.to_thread(_values_of, recorded.inputs)
            difference = await asyncio.to_thread(compare, baseline, self._candidate, values)
            shown = difference.as_json()
            asks = difference.status == CHANGED or not self._asks_alike(baseline)
            if self._ask is not None and difference.prompt is not None and asks:
                shown["answer"] = await self._answer(difference.prompt, recorded, values.node)
            return shown

    def _asks_alike(self, baseline: ResolvedRecipe) -> bool:
        """Tell whether both versions ask the same of the model, but for the messages."""
        one, other = baseline.recipe, self._candidate.recipe
        return one.model == other.model and one.output == other.output

    async def _answer(
        self, prompt: Prompt, recorded: RecordedPrompt, node: JsonObject
    ) -> JsonObject:
        assert self._ask is not None, "only a backtest that asks has answers"  # noqa: S101
        try:
            result = await self._ask(prompt, node, self._deadline)
        except NoAnswerError as error:
            return {"status": FAILED, "error": str(error), "llm": error.llm}
        except (ComponentError, InvocationFailure) as error:
            return {"status": FAILED, "error": str(error)}
        llm = {"llm": result["llm"]}
        if OUTPUT not in result:
            return {"status": FAILED, "error": result["error"], **llm}
        return await asyncio.to_thread(_compared_answers, recorded.answer, result[OUTPUT]) | llm


def compare(
    baseline: ResolvedRecipe, candidate: ResolvedRecipe, values: RecordedValues
) -> Difference:
    """Compare what two recipes make of the same values.

    Args:
        baseline: The version that the run used.
        candidate: The other one.
        values: What the run recorded.
    """
    try:
        new = assemble(candidate, values.look_up)
    except AssemblyError as error:
        return Difference(FAILED, error=_reason(error, candidate, values))
    try:
        old = assemble(baseline, values.look_up)
    except AssemblyError as error:
        reason = f"the version that the run used can't be assembled any more: {error}"
        return Difference(SKIPPED, error=reason)
    before = {message.role: message.content for message in old.messages}
    after = {message.role: message.content for message in new.messages}
    roles = [role for role in ("system", "user") if before.get(role) != after.get(role)]
    if not roles:
        return Difference(UNCHANGED, prompt=new)
    names = (baseline.name, candidate.name if candidate.version else f"{candidate.name} (new)")
    diffs, left = {}, MAX_DIFF
    for role in roles:
        diff = unified_diff(before.get(role, ""), after.get(role, ""), *names)
        diffs[role] = diff[: max(0, left)]
        left -= len(diff)
    return Difference(CHANGED, diffs, truncated=left < 0, prompt=new)


def _reason(error: AssemblyError, candidate: ResolvedRecipe, values: RecordedValues) -> str:
    """Return why a candidate can't be assembled: of an input that no run has looked up, that."""
    if error.code == "missing_value":
        for item in all_inputs(candidate):
            if item.var == error.variable and not values.knows(item.path):
                return (
                    f"{error.recipe}: the run recorded no value for '{item.var}': the version that it used has no "
                    f"input from '{item.path}'. Give the input a `default` to backtest it"
                )
    return str(error)


def _values_of(inputs: str) -> RecordedValues:
    read = json.loads(inputs)
    return RecordedValues(read["values"], frozenset(read["missing"]), read["node"])


def _skipped(reason: str) -> JsonObject:
    return Difference(SKIPPED, error=reason).as_json()


def _compared_answers(recorded: str | None, answer: Any) -> JsonObject:
    """Compare an answer with the recorded one, by type."""
    before = None if recorded is None else json.loads(recorded)
    if recorded is not None and same(before, answer):
        return {"status": UNCHANGED}
    status, old = (UNKNOWN, "") if recorded is None else (CHANGED, _readable(before))
    diff = unified_diff(old, _readable(answer), "recorded", "new")
    return {"status": status, "diff": diff[:MAX_DIFF], "truncated": len(diff) > MAX_DIFF}


def _readable(answer: Any) -> str:
    """Return an answer as a text of lines."""
    if isinstance(answer, str):
        return answer
    return json.dumps(answer, ensure_ascii=False, indent=2, sort_keys=True)
