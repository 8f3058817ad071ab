"""A language model: messages in, text out. It does not know that there are recipes (docs/components.md#claude_api)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError
from arcrun_server.engine.characters import no_character
from arcrun_server.llm.provider import (
    DEFAULT_MAX_TOKENS,
    DEFAULT_MODEL,
    LlmError,
    LlmReply,
    LlmRequest,
    LlmTask,
    Models,
)

from .contract import describe, optional, require

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_server.engine import JsonObject
    from arcrun_server.llm.provider import Provider

    from .contract import ComponentContract

MAX_TOKENS = 128_000
_OF_A_MESSAGE = frozenset({"role", "content"})

CONTRACT: ComponentContract = {
    "canonical_id": "claude_api",
    "display_name": "語言模型 Language model",
    "category": "api",
    "version": "1.0.0",
    "description": "Asks a language model: with a `recipe`, with a `prompt`, or with `messages`.",
    "input_schema": {
        "type": "object",
        "properties": {
            "recipe": {
                "type": "string",
                "description": "A prompt recipe: `prompt_recipe:NAME`, `…@LABEL` or `…@VERSION`.",
            },
            "prompt": {"type": "string", "description": "The user's message, without a recipe."},
            "messages": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["role", "content"],
                    "additionalProperties": False,
                    "properties": {
                        "role": {"enum": ["user", "assistant"]},
                        "content": {"type": "string"},
                    },
                },
            },
            "system": {"type": "string"},
            "model": {"type": "string", "description": "haiku, sonnet, opus or a model id."},
            "max_tokens": {"type": "integer", "minimum": 1, "maximum": MAX_TOKENS},
            "mira_token": {"type": "string", "description": "For the provider `mira`."},
        },
    },
    "output_schema": {
        "type": "object",
        "required": ["success"],
        "properties": {
            "success": {"type": "boolean"},
            "text": {"type": "string"},
            "output": {"description": "What was read from the answer."},
            "error": {"type": "string"},
            "raw_text": {"type": "string", "description": "The answer, if it is not as expected."},
            "llm": {
                "type": "object",
                "description": "Provider, model, tokens, cost, milliseconds; with a recipe its version and fragments.",
            },
        },
    },
    "config_example": {"recipe": "prompt_recipe:wiki_synthesis@production"},
}


class Model:
    """Calls the provider for a node.

    Args:
        provider: The provider of this server.
        models: Its models.
    """

    def __init__(self, provider: Provider, models: Models | None = None) -> None:
        self._provider = provider
        self._models = models or Models()

    async def ask(
        self,
        given: JsonObject,
        secret: Callable[[str], Awaitable[str | None]],
        deadline: float | None = None,
    ) -> tuple[str | LlmTask, JsonObject]:
        """Return the answer's text, or the task that will bring it, and what the run records of the call.

        Args:
            given: `{messages, system?, model?, max_tokens?, schema?, mira_token?, callback_token?}`.
            secret: Returns one of the account's credentials, or None.
            deadline: When the run's time is over, on the clock of `time.monotonic`.

        Raises:
            ComponentError: A parameter can't be used.
            LlmError: There is no answer that can be read; its `record` is what the run records.
        """
        request = self._request(given, deadline)
        started = time.monotonic()
        try:
            reply = await self._provider.complete(request, secret)
        except LlmError as error:
            error.record = self._record(error.reply or request, request, started)
            raise
        text = reply.text if isinstance(reply, LlmReply) else reply
        return text, self._record(reply, request, started)

    def _request(self, given: JsonObject, deadline: float | None) -> LlmRequest:
        model = optional(given, "model", str, DEFAULT_MODEL)
        max_tokens = optional(given, "max_tokens", int, DEFAULT_MAX_TOKENS)
        if not 1 <= max_tokens <= MAX_TOKENS:
            raise ComponentError(f"`max_tokens` must be from 1 to {MAX_TOKENS:,}")
        return LlmRequest(
            model=self._models.ids.get(model, model),
            messages=tuple(_messages(given["messages"])),
            system=_text(given["system"], "system") if given.get("system") is not None else None,
            max_tokens=max_tokens,
            schema=given.get("schema"),
            deadline=deadline,
            mira_token=given.get("mira_token"),
            callback_token=given.get("callback_token"),
        )

    def _record(
        self, reply: LlmReply | LlmTask | LlmRequest, request: LlmRequest, started: float
    ) -> JsonObject:
        record: JsonObject = {"provider": self._provider.name, "model": reply.model}
        if isinstance(reply, LlmReply) and reply.input_tokens is not None:
            record["input_tokens"] = reply.input_tokens
            record["output_tokens"] = reply.output_tokens
            record["cached_tokens"] = reply.cache_read_tokens
            # A service may name the model that answered more exactly than the one that was asked.
            prices = self._models.prices
            price = prices.get(reply.model) or prices.get(request.model)
            if price is not None:
                record["cost_usd"] = price.of(reply)
        record["duration_ms"] = round((time.monotonic() - started) * 1000)
        return record


def _messages(value: Any) -> list[JsonObject]:
    messages = require(value, list, "messages")
    if not messages:
        raise ComponentError("`messages` is empty")
    for number, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("user", "assistant"):
            raise ComponentError(f"`messages[{number}].role` must be user or assistant")
        unknown = next((name for name in message if name not in _OF_A_MESSAGE), None)
        if unknown is not None:
            raise ComponentError(
                f"`messages[{number}]` has a field {describe(unknown)}; a message is a role and a content"
            )
        _text(message.get("content"), f"messages[{number}].content")
    return messages


def _text(value: Any, name: str) -> str:
    """Return a text that can be sent: a prompt without a recipe is checked nowhere else."""
    if not isinstance(value, str):
        raise ComponentError(f"`{name}` must be a text")
    if no_character(value):
        raise ComponentError(
            f"`{name}` holds what is no character: NUL, or half of a surrogate pair"
        )
    return value
