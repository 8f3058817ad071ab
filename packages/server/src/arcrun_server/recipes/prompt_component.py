"""The component `claude_api`: a recipe (or a prompt) is assembled, the model asked, its answer read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from arcrun_server.engine import ComponentError, InvocationFailure
from arcrun_server.errors import StorageUnavailableError
from arcrun_server.llm.provider import LlmError, LlmTask
from arcrun_server.recipes.prompt.assembly import AssemblyError, FragmentText, ResolvedRecipe
from arcrun_server.recipes.prompt.output import (
    OUTPUT,
    OutputError,
    describe_violations,
    failed_result,
    node_result,
    parse_json,
    repair_request,
)
from arcrun_server.recipes.prompt.reading import read_recipe
from arcrun_server.recipes.prompt.reference import parse_reference
from arcrun_server.recipes.prompts import RecipeNotFoundError, assembled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_server.engine import Component, Invocation, JsonObject
    from arcrun_server.recipes.prompt.assembly import Prompt
    from arcrun_server.recipes.prompt.record import Output
    from arcrun_server.recipes.prompt.testing import SchemaCheck
    from arcrun_server.recipes.prompts import Prompts


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


def prompt_component(
    prompts: Prompts,
    model: Model,
    check: SchemaCheck,
    secret: Callable[[str], Awaitable[str | None]],
    callback_token: Callable[[Invocation], str | None],
) -> Component:
    """Return the component.

    Args:
        prompts: The account's recipes.
        model: The container.
        check: Returns where a value does not fit a schema.
        secret: Returns one of the account's credentials, or None.
        callback_token: Returns what whoever calls back for an invocation identifies itself with, or None.
    """

    async def run(_given: JsonObject, invocation: Invocation) -> JsonObject:
        try:
            call = await _assembled_call(prompts, invocation)
        except (AssemblyError, RecipeNotFoundError) as error:
            raise ComponentError(str(error)) from None
        except StorageUnavailableError as error:
            raise ComponentError(f"the recipe can't be read now: {error.reason}") from None
        call.given["callback_token"] = callback_token(invocation)
        return await call.run(model, check, secret, invocation.deadline)

    return run


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
    try:
        output = _INLINE.output
        if "recipe" in record:
            reference = replace(parse_reference(record["recipe"]), version=record["version"])
            output = (await prompts.resolve(reference)).recipe.output
        return {**await read_answer(output, text, check), "llm": record}
    except OutputError as error:
        return {**failed_result(str(error), text), "llm": record}
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
        return {"success": True, "text": text, OUTPUT: text}
    value = parse_json(text)
    if output.schema is not None:
        violations = await check(output.schema, value)
        if violations:
            raise OutputError(describe_violations(violations))
    return node_result(value)


class _Call:
    """One node's conversation with the model.

    Args:
        given: What the container is given.
        output: What is expected.
        record: What the run records, besides what the container says.
    """

    def __init__(self, given: JsonObject, output: Output, record: JsonObject) -> None:
        self.given = given
        self._output = output
        self._record = record

    async def run(
        self,
        model: Model,
        check: SchemaCheck,
        secret: Callable[[str], Awaitable[str | None]],
        deadline: float | None = None,
    ) -> JsonObject:
        """Ask, and ask again as often as the recipe allows if the answer does not fit.

        Raises:
            ComponentError: No answer came; the message says what was used of tokens. It is not asked for again.
        """
        repairs = 0
        while True:
            try:
                text, record = await model.ask(self.given, secret, deadline)
            except LlmError as error:
                self._add(error.record, repairs)
                raise ComponentError(f"the model gave no answer: {error}{self._used()}") from None
            self._add(record, repairs)
            if isinstance(text, LlmTask):
                task = {"pending": True, "task_id": text.task_id}
                return {"success": True, **task, "llm": self._record}
            try:
                return {**await read_answer(self._output, text, check), "llm": self._record}
            except OutputError as error:
                if repairs == self._output.repair:
                    return {**failed_result(str(error), text), "llm": self._record}
                repairs += 1
                self._ask_again(text, str(error))

    def _ask_again(self, text: str, error: str) -> None:
        self.given = {
            **self.given,
            "messages": [
                *self.given["messages"],
                {"role": "assistant", "content": text},
                {"role": "user", "content": repair_request(error)},
            ],
        }

    def _used(self) -> str:
        """Return what was used, for an error: a node that fails has no result that could record it."""
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


async def _assembled_call(prompts: Prompts, invocation: Invocation) -> _Call:
    own = invocation.own
    given = [name for name in _ONE_OF if own.get(name) is not None]
    if len(given) != 1:
        raise ComponentError("give one of `recipe`, `prompt` and `messages` in the node's config")
    passed = _some_of(own, "max_tokens", "mira_token")
    if given == ["messages"]:
        texts = _some_of(own, "messages", "system", "model")
        return _Call({**texts, **passed}, _INLINE.output, {})
    resolved = await _resolved(prompts, own)
    if given == ["recipe"]:
        for name in ("system", "schema"):
            if name in own:
                raise ComponentError(f"`{name}` is the recipe's own; leave it out beside `recipe`")
        prompt = await assembled(resolved, invocation.look_up)
    else:
        values = _some_of(own, "prompt", "system")
        prompt = await assembled(resolved, invocation.look_up, values)
    recipe = resolved.recipe
    call = {**_messages(prompt), **passed}
    model = own.get("model") or recipe.model
    if model is not None:
        call["model"] = model
    if is_closed(recipe.output.schema):
        call["schema"] = recipe.output.schema
    record = {} if given == ["prompt"] else _provenance(resolved)
    return _Call(call, recipe.output, record)


def _some_of(own: JsonObject, *names: str) -> JsonObject:
    return {name: own[name] for name in names if name in own}


async def _resolved(prompts: Prompts, own: JsonObject) -> ResolvedRecipe:
    if "recipe" not in own:
        return ResolvedRecipe(_INLINE_WITH_SYSTEM if "system" in own else _INLINE, None)
    if not isinstance(own["recipe"], str):
        raise ComponentError("`recipe` must be a text, as `prompt_recipe:wiki_synthesis`")
    try:
        reference = parse_reference(own["recipe"])
    except ValueError as error:
        raise ComponentError(f"`recipe` is no prompt recipe: {error}") from None
    return await prompts.resolve(reference)


def _messages(prompt: Prompt) -> JsonObject:
    texts = {message.role: message.content for message in prompt.messages}
    call: JsonObject = {"messages": [{"role": "user", "content": texts["user"]}]}
    if texts.get("system", "").strip():
        call["system"] = texts["system"]
    return call


def _provenance(resolved: ResolvedRecipe) -> JsonObject:
    fragments: list[JsonObject] = []
    for var, fragment in resolved.fragments.items():
        if isinstance(fragment, ResolvedRecipe):
            fragments.append({"var": var, **_provenance(fragment)})
        elif isinstance(fragment, FragmentText):  # one that is missing was not used
            fragments.append({"var": var, **fragment.origin})
    return {"recipe": resolved.recipe.id, "version": resolved.version, "fragments": fragments}


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
