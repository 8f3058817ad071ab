"""The component `claude_api`: a recipe (or a prompt) is assembled, the model asked, its answer read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from arcrun_server.engine import ComponentError, InvocationFailure
from arcrun_server.engine.destinations import model_problem
from arcrun_server.engine.parameters import asked_credentials
from arcrun_server.engine.policy import CONNECTION, RATE_LIMITED, SERVER_ERROR
from arcrun_server.engine.templates import parse_value, placeholders
from arcrun_server.errors import StorageUnavailableError
from arcrun_server.llm.provider import LlmError, LlmTask
from arcrun_server.recipes.prompt.assembly import AssemblyError, FragmentText, ResolvedRecipe
from arcrun_server.recipes.prompt.output import (
    OUTPUT,
    OutputError,
    failed_result,
    node_result,
    parse_json_off_loop,
    parse_text,
    repair_messages,
)
from arcrun_server.recipes.prompt.reading import read_recipe
from arcrun_server.recipes.prompt.reference import parse_prompt_reference
from arcrun_server.recipes.prompt.testing import check_fits
from arcrun_server.recipes.prompts import assembled
from arcrun_server.recipes.recorded_prompt import RecordedPrompt, recorded_answer, recorded_inputs
from arcrun_server.recipes.versions import SHIPPED, RecipeNotFoundError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_server.engine import Component, Invocation, JsonObject
    from arcrun_server.recipes.prompt.assembly import Prompt
    from arcrun_server.recipes.prompt.record import Output
    from arcrun_server.recipes.prompt.testing import SchemaCheck
    from arcrun_server.recipes.prompts import Prompts
    from arcrun_server.recipes.reference import Reference


class Model(Protocol):
    """What the container does: messages in, text out."""

    async def ask(
        self,
        given: JsonObject,
        secret: Callable[[str], Awaitable[str | None]],
        deadline: float | None = None,
    ) -> tuple[str | LlmTask, JsonObject]:
        """Return the answer's text, or the task that will bring it, and what the run records of the call.

        Raises:
            LlmError: There is no answer that can be read.
        """
        ...


class NoAnswerError(ComponentError):
    """A model gave no answer.

    Attributes:
        llm: What the run records of the calls.
    """

    def __init__(self, message: str, llm: JsonObject, error: LlmError) -> None:
        kind = _KINDS.get(error.kind)
        super().__init__(message, {"llm": llm}, kind=kind, retry_after=error.retry_after)
        self.llm = llm


_INLINE, _ = read_recipe(
    {
        "name": "inline",
        "inputs": [{"var": "prompt", "from": "input.prompt"}],
        "prompt_assembly": {"user": "{{prompt}}"},
    }
)
_INLINE_WITH_SYSTEM, _ = read_recipe(
    {
        "name": "inline",
        "inputs": [
            {"var": "prompt", "from": "input.prompt"},
            {"var": "system", "from": "input.system"},
        ],
        "prompt_assembly": {"system": "{{system}}", "user": "{{prompt}}"},
    }
)
_ONE_OF = ("recipe", "prompt", "messages")
# As `retry` of a node names what the provider says.
_KINDS = {
    "unreachable": CONNECTION,
    "rate_limited": RATE_LIMITED,
    "overloaded": SERVER_ERROR,
    "service_error": SERVER_ERROR,
}


def prompt_component(
    prompts: Prompts,
    model: Model,
    check: SchemaCheck,
    *,
    secret: Callable[[str], Awaitable[str | None]],
    callback_token: Callable[[Invocation], str | None],
    record: Callable[[str, RecordedPrompt], None],
) -> Component:
    """Return the component, for one run: it keeps the versions of the recipes that it has used.

    Args:
        prompts: The account's recipes.
        model: The container.
        check: Returns where a value does not fit a schema.
        secret: Returns one of the account's credentials, or None.
        callback_token: Returns what whoever calls back for an invocation identifies itself with, or None.
        record: Takes the prompt that was assembled at a place of the run from a stored recipe.
    """
    recipes = _RecipesOfRun(prompts)

    async def run(_given: JsonObject, invocation: Invocation) -> JsonObject:
        problem = model_problem(asked_credentials(invocation.written))
        if problem is not None:  # of a graph that was stored before pushes were checked for this
            raise ComponentError(problem)
        _check_found(invocation)
        try:
            call = await _assembled_call(recipes, invocation)
        except (AssemblyError, RecipeNotFoundError) as error:
            raise ComponentError(str(error)) from None
        except StorageUnavailableError as error:
            raise ComponentError(f"the recipe can't be read now: {error.reason}") from None
        call.given["callback_token"] = callback_token(invocation)
        try:
            result = await call.run(model, check, secret, invocation.deadline)
        except NoAnswerError:
            await keep(call, invocation, {})
            raise
        await keep(call, invocation, result)
        return result

    async def keep(call: _Call, invocation: Invocation, result: JsonObject) -> None:
        if call.resolved is not None:
            record(invocation.place(), await _recorded(call.resolved, invocation, result))

    return run


async def _recorded(
    resolved: ResolvedRecipe, invocation: Invocation, result: JsonObject
) -> RecordedPrompt:
    """Return what is kept of a prompt, whatever came of it."""
    return RecordedPrompt(
        recipe=resolved.recipe.name,
        version=resolved.version or SHIPPED,
        node=invocation.node_id,
        inputs=await recorded_inputs(resolved, invocation),
        answer=await recorded_answer(result[OUTPUT]) if OUTPUT in result else None,
    )


async def ask(
    resolved: ResolvedRecipe,
    prompt: Prompt,
    node: JsonObject,
    *,
    model: Model,
    check: SchemaCheck,
    secret: Callable[[str], Awaitable[str | None]],
    deadline: float,
) -> JsonObject:
    """Return the result of a node for a prompt that is assembled already.

    Args:
        resolved: The recipe.
        prompt: The prompt.
        node: What a node may say besides its recipe: `model`, `max_tokens`.
        model: The container.
        check: Returns where a value does not fit a schema.
        secret: Returns one of the account's credentials, or None.
        deadline: When the time is over, on the clock of `time.monotonic`.

    Raises:
        NoAnswerError: No answer came.
        ComponentError: A parameter can't be used.
    """
    passed = _some_of(node, "max_tokens")
    return await _call_of(resolved, prompt, node, passed).run(model, check, secret, deadline)


async def delivered_answer(
    prompts: Prompts, check: SchemaCheck, pending: Any, data: Any
) -> JsonObject:
    """Return the result of a node whose answer a callback has brought.

    Args:
        prompts: The account's recipes.
        check: Returns where a value does not fit a schema.
        pending: What the component returned when it began to wait.
        data: The answer: a text, an object with a `text`, or a result that needs no reading.

    Raises:
        InvocationFailure: The recipe can't be read.
    """
    text = data.get("text") if isinstance(data, dict) else data
    record = pending.get("llm", {}) if isinstance(pending, dict) else {}
    if not isinstance(text, str):
        return data if isinstance(data, dict) else {"success": True, OUTPUT: data, "llm": record}
    output, place = _INLINE.output, ""
    try:
        if "recipe" in record:
            reference = parse_prompt_reference(record["recipe"])
            if record["version"]:  # one that is shipped has none
                reference = replace(reference, version=record["version"])
            resolved = await prompts.resolve(reference)
            output, place = resolved.recipe.output, f"{resolved.name}: "
        return {**await read_answer(output, text, check), "llm": record}
    except OutputError as error:
        return {**failed_result(f"{place}{error}", text), "llm": record}
    except (AssemblyError, RecipeNotFoundError) as error:
        raise InvocationFailure(str(error)) from None
    except StorageUnavailableError as error:
        raise InvocationFailure(f"the recipe can't be read now: {error.reason}") from None


async def read_answer(output: Output, text: str, check: SchemaCheck) -> JsonObject:
    """Return the result of a node for a model's answer.

    Raises:
        OutputError: It is not what the recipe expects.
    """
    if output.format == "text":
        return {"success": True, "text": parse_text(text), OUTPUT: text}
    value = await parse_json_off_loop(text)
    await check_fits(output, value, check)
    return node_result(value)


class _Call:
    """One node's conversation with the model.

    Args:
        given: What the container is given.
        output: What is expected.
        record: What the run records, besides what the container says.
        resolved: The recipe, which errors name; None if the node has none.
    """

    def __init__(
        self,
        given: JsonObject,
        output: Output,
        record: JsonObject,
        resolved: ResolvedRecipe | None = None,
    ) -> None:
        self.given = given
        self.resolved = resolved
        self._output = output
        self._record = record
        self._place = f"{resolved.name}: " if resolved else ""

    async def run(
        self,
        model: Model,
        check: SchemaCheck,
        secret: Callable[[str], Awaitable[str | None]],
        deadline: float | None = None,
    ) -> JsonObject:
        """Ask, and ask again as often as the recipe allows if the answer does not fit.

        Raises:
            NoAnswerError: No answer came; the message says what was used of tokens. It is not asked for again.
        """
        repairs = 0
        while True:
            try:
                text, record = await model.ask(self.given, secret, deadline)
            except LlmError as error:
                self._add(error.record, repairs)
                reason = f"{self._place}the model gave no answer: {error}{self._used()}"
                raise NoAnswerError(reason, self._record, error) from None
            except ComponentError as error:
                raise ComponentError(f"{self._place}{error}") from None
            self._add(record, repairs)
            if isinstance(text, LlmTask):
                task = {"pending": True, "task_id": text.task_id}
                return {"success": True, **task, "llm": self._record}
            try:
                return {**await read_answer(self._output, text, check), "llm": self._record}
            except OutputError as error:
                if repairs == self._output.repair or not error.is_repairable:
                    failed = failed_result(f"{self._place}{error}", text)
                    return {**failed, "llm": self._record}
                repairs += 1
                self._ask_again(text, str(error))

    def _ask_again(self, text: str, error: str) -> None:
        self.given = {
            **self.given,
            "messages": [
                *self.given["messages"],
                *repair_messages(text, error),
            ],
        }

    def _used(self) -> str:
        """Return what was used, for an error."""
        if "input_tokens" not in self._record:
            return ""
        tokens = f"{self._record['input_tokens']} tokens in, {self._record['output_tokens']} out"
        cost = self._record.get("cost_usd")
        return f" ({tokens})" if cost is None else f" ({tokens}, {cost:g} USD)"

    def _add(self, record: JsonObject, repairs: int) -> None:
        """Add up the tokens and the time of all calls."""
        for name, value in record.items():
            self._record[name] = _added(self._record.get(name), value)
        if repairs:
            self._record["repairs"] = repairs


def _added(before: Any, value: Any) -> Any:
    """Return the sum of two numbers, and of other values the later one."""
    numbers = isinstance(before, (int, float)) and isinstance(value, (int, float))
    return before + value if numbers else value


class _RecipesOfRun:
    """The recipes of one run, each as it was when a node first named it.

    Args:
        prompts: The account's recipes.
    """

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts
        self._resolved: dict[Reference, ResolvedRecipe] = {}

    async def resolve(self, reference: Reference) -> ResolvedRecipe:
        resolved = self._resolved.get(reference)
        if resolved is None:
            resolved = self._resolved[reference] = await self._prompts.resolve(reference)
        return resolved


async def _assembled_call(recipes: _RecipesOfRun, invocation: Invocation) -> _Call:
    own = invocation.own
    given = [name for name in _ONE_OF if own.get(name) is not None]
    if len(given) != 1:
        raise ComponentError("give one of `recipe`, `prompt` and `messages` in the node's config")
    own = {name: value for name, value in own.items() if value is not None}
    passed = _some_of(own, "max_tokens", "mira_token")
    if given == ["messages"]:
        texts = _some_of(own, "messages", "system", "model")
        return _Call({**texts, **passed}, _INLINE.output, {})
    resolved = await _resolved(recipes, own)
    if given == ["recipe"]:
        for name in ("system", "schema"):
            if name in own:
                raise ComponentError(f"`{name}` is the recipe's own; leave it out beside `recipe`")
        prompt = await assembled(resolved, invocation.look_up)
    else:
        values = _some_of(own, "prompt", "system")
        prompt = await assembled(resolved, invocation.look_up, values)
    if given == ["prompt"]:
        texts = _messages(prompt) | _some_of(own, "model")
        return _Call({**texts, **passed}, resolved.recipe.output, {})
    return _call_of(resolved, prompt, own, passed)


def _call_of(
    resolved: ResolvedRecipe, prompt: Prompt, own: JsonObject, passed: JsonObject
) -> _Call:
    """Return the conversation for a prompt of a recipe: what the node says of the model counts first."""
    recipe = resolved.recipe
    call = {**_messages(prompt), **passed}
    model = own.get("model") or recipe.model
    if model is not None:
        call["model"] = model
    if is_closed(recipe.output.schema):
        call["schema"] = recipe.output.schema
    return _Call(call, recipe.output, _provenance(resolved), resolved)


def _check_found(invocation: Invocation) -> None:
    """Check that every placeholder of the node has a value: a model would be sent the braces.

    Raises:
        ComponentError: One has none; the message names the parameter and the placeholder.
    """
    for name, written in invocation.written.items():
        for placeholder in placeholders(parse_value(written)):
            if placeholder.credential is None and not invocation.look_up(placeholder.name)[0]:
                raise ComponentError(
                    f"`{name}`: {placeholder.source[:200]} has no value; there is nothing at "
                    f"'{placeholder.name[:200]}'"
                )


def _some_of(own: JsonObject, *names: str) -> JsonObject:
    return {name: own[name] for name in names if name in own}


async def _resolved(recipes: _RecipesOfRun, own: JsonObject) -> ResolvedRecipe:
    if "recipe" not in own:
        return ResolvedRecipe(_INLINE_WITH_SYSTEM if "system" in own else _INLINE, None)
    if not isinstance(own["recipe"], str):
        raise ComponentError("`recipe` must be a text, as `prompt_recipe:wiki_synthesis`")
    try:
        reference = parse_prompt_reference(own["recipe"])
    except ValueError as error:
        raise ComponentError(f"`recipe` is no prompt recipe: {error}") from None
    return await recipes.resolve(reference)


def _messages(prompt: Prompt) -> JsonObject:
    texts = {message.role: message.content for message in prompt.messages}
    call: JsonObject = {"messages": [{"role": "user", "content": texts["user"]}]}
    if texts.get("system", "").strip():
        call["system"] = texts["system"]
    return call


def _provenance(resolved: ResolvedRecipe, named_before: set[int] | None = None) -> JsonObject:
    """Return versions; of a recipe that is held several times, those of its fragments once."""
    named_before = set() if named_before is None else named_before
    named: JsonObject = {"recipe": resolved.recipe.id, "version": resolved.version}
    if id(resolved) in named_before:
        return named
    named_before.add(id(resolved))
    fragments: list[JsonObject] = []
    for var, fragment in resolved.fragments.items():
        if isinstance(fragment, ResolvedRecipe):
            fragments.append({"var": var, **_provenance(fragment, named_before)})
        elif isinstance(fragment, FragmentText):  # one that is missing was not used
            fragments.append({"var": var, **fragment.origin})
    return {**named, "fragments": fragments}


def is_closed(schema: Any) -> bool:
    """Tell whether a schema allows nothing that it does not name: only such a one can be sent to a model.

    Example:
        >>> is_closed({"type": "object", "required": ["a"]})
        False
        >>> is_closed({"type": "object", "properties": {"a": {}}, "additionalProperties": False})
        True
    """
    return isinstance(schema, dict) and schema.get("type") == "object" and _is_closed(schema)


def _is_closed(schema: Any) -> bool:
    """Tell whether all objects in a schema are closed: a model could put nothing into an open one."""
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            is_object = part.get("type") == "object"
            if is_object and not (
                part.get("properties") and part.get("additionalProperties") is False
            ):
                return False
            waiting += part.values()
    return True
