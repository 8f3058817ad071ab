"""A language model: messages in, text out. It does not know that there are recipes (docs/components.md#claude_api)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError
from arcrun_server.llm.provider import DEFAULT_MAX_TOKENS, DEFAULT_MODEL, MODELS, LlmRequest

from .contract import optional, require

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from arcrun_server.engine import JsonObject
    from arcrun_server.llm.provider import Provider

    from .contract import ComponentContract

MAX_TOKENS = 128_000

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
                "description": "Provider, model, tokens, milliseconds; with a recipe its version and fragments.",
            },
        },
    },
    "config_example": {"recipe": "prompt_recipe:wiki_synthesis@production"},
}


class Model:
    """Calls the provider for a node.

    Args:
        provider: The provider of this server.
        models: Model ids by short name.
    """

    def __init__(self, provider: Provider, models: Mapping[str, str] = MODELS) -> None:
        self._provider = provider
        self._models = models

    async def ask(
        self, given: JsonObject, secret: Callable[[str], Awaitable[str | None]]
    ) -> tuple[str, JsonObject]:
        """Return the answer's text, and what the run records of the call.

        Args:
            given: `{messages, system?, model?, max_tokens?, schema?}`.
            secret: Returns one of the account's credentials, or None.

        Raises:
            ComponentError: A parameter can't be used.
            LlmError: There is no answer that can be read.
        """
        model = optional(given, "model", str, DEFAULT_MODEL)
        max_tokens = optional(given, "max_tokens", int, DEFAULT_MAX_TOKENS)
        if not 1 <= max_tokens <= MAX_TOKENS:
            raise ComponentError(f"`max_tokens` must be from 1 to {MAX_TOKENS:,}")
        request = LlmRequest(
            model=self._models.get(model, model),
            messages=tuple(_messages(given["messages"])),
            system=given.get("system"),
            max_tokens=max_tokens,
            schema=given.get("schema"),
        )
        started = time.monotonic()
        reply = await self._provider.complete(request, secret)
        record = {
            "provider": self._provider.name,
            "model": reply.model,
            "input_tokens": reply.input_tokens,
            "output_tokens": reply.output_tokens,
            "duration_ms": round((time.monotonic() - started) * 1000),
        }
        return reply.text, {name: value for name, value in record.items() if value is not None}


def _messages(value: Any) -> list[JsonObject]:
    messages = require(value, list, "messages")
    if not messages:
        raise ComponentError("`messages` is empty")
    for number, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("user", "assistant"):
            raise ComponentError(f"`messages[{number}].role` must be user or assistant")
        if not isinstance(message.get("content"), str):
            raise ComponentError(f"`messages[{number}].content` must be a text")
    return messages
