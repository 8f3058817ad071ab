"""The provider `anthropic`: the Messages API, by Anthropic's SDK (docs/prompt-recipes.md#providers).

The SDK is the extra `arcrun-server[anthropic]`. It is imported on first use, in a thread: that takes a while.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
import time
from typing import TYPE_CHECKING, Any, cast

from arcrun_server.engine import ComponentError
from arcrun_server.outbound.errors import Unreachable

from .answers import Answer
from .failures import failure_of, unreadable
from .provider import LlmError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_server.engine import JsonObject
    from arcrun_server.outbound import Outbound

    from .failures import StatusError
    from .provider import LlmReply, LlmRequest

CREDENTIAL = "anthropic_api_key"
BASE_URL = "https://api.anthropic.com"
MAX_WAIT = 30.0
"""How long the provider waits, in seconds, before it asks once more because the service wants that."""

SILENCE = 60.0
"""How long a service may be silent, in seconds; while a model thinks, it sends a sign of life."""

MISSING = (
    "the provider `anthropic` needs Anthropic's SDK and Python 3.11: "
    "python -m pip install 'arcrun-server[anthropic]'"
)
_NO_KEY = (
    f"there is no key for the model: push the credential `{CREDENTIAL}`, or start the engine with "
    "ANTHROPIC_API_KEY in its environment"
)


class AnthropicProvider:
    """Asks the Messages API. A key is neither kept nor shown.

    Args:
        outbound: The engine's HTTP client, which checks where requests go.
        base_url: Where the API is.
        api_key: The key for accounts that have none of their own.
        silence: Seconds to wait for each part of an answer.
    """

    name = "anthropic"

    def __init__(
        self,
        outbound: Outbound,
        base_url: str | None = None,
        api_key: str | None = None,
        silence: float = SILENCE,
    ) -> None:
        self._outbound = outbound
        self._base_url = base_url or BASE_URL
        self._api_key = api_key
        self._silence = silence
        self._sdk: Any = None
        self._http: Any = None

    async def complete(
        self, request: LlmRequest, secret: Callable[[str], Awaitable[str | None]]
    ) -> LlmReply:
        """Ask the model, and once more if the service is busy and says when.

        Raises:
            LlmError: There is no answer that can be read.
        """
        key = (await secret(CREDENTIAL) or self._api_key or "").strip()
        if not key:
            raise LlmError("not_configured", _NO_KEY)
        if not (key.isascii() and key.isprintable()):
            raise LlmError("not_configured", f"`{CREDENTIAL}` holds what no key holds")
        await self._load()
        try:
            return await self._ask(request, key)
        except LlmError as error:
            wait = error.retry_after
            if wait is None or not _may_wait(wait, request.deadline):
                raise
        await asyncio.sleep(wait)
        return await self._ask(request, key)

    async def _load(self) -> None:
        if self._http is None:
            try:
                self._sdk, transport = await asyncio.to_thread(_import_sdk)
            except ImportError:
                raise LlmError("not_configured", MISSING) from None
            self._http = transport.client(self._outbound, self._silence)

    async def _ask(self, request: LlmRequest, key: str) -> LlmReply:
        client = self._sdk.AsyncAnthropic(
            api_key=key,
            base_url=self._base_url,
            max_retries=0,
            http_client=self._http,
            open_telemetry=False,
        )
        parameters = self._parameters(request)
        answer = Answer(request, key)
        try:
            async with await client.messages.create(stream=True, **parameters) as stream:
                async for event in stream:
                    answer.add(event)
        except Exception as error:  # noqa: BLE001 - whatever a library raises may hold the key or the prompt
            failure = self._failure(error, request, key)
        else:
            return answer.read()
        raise failure  # outside of the handler: the library's error must not be its context

    def _failure(self, error: Exception, request: LlmRequest, key: str) -> LlmError:
        cause = error.__cause__ if isinstance(error, self._sdk.APIConnectionError) else error
        if isinstance(cause, (Unreachable, ComponentError)):
            return LlmError("unreachable", str(cause))
        if isinstance(error, self._sdk.APIStatusError):
            return failure_of(cast("StatusError", error), request, key)
        return unreadable()

    def _parameters(self, request: LlmRequest) -> JsonObject:
        parameters: JsonObject = {
            "model": request.model,
            "max_tokens": request.max_tokens,
            "messages": list(request.messages),
        }
        if request.system and request.system.strip():
            cached = {"type": "ephemeral"}  # a workflow that asks for each of a list sends it again
            parameters["system"] = [
                {"type": "text", "text": request.system, "cache_control": cached}
            ]
        schema = self._accepted(request.schema)
        if schema is not None:
            parameters["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        return parameters

    def _accepted(self, schema: JsonObject | None) -> JsonObject | None:
        """Return a schema in the part of JSON Schema that the API takes, or None.

        The engine checks the answer against the whole schema in any case.
        """
        if schema is None:
            return None
        try:
            transformed: JsonObject = self._sdk.transform_schema(schema)
        except (ValueError, TypeError, AssertionError, RecursionError):
            return None
        return transformed


def is_installed() -> bool:
    """Tell whether the SDK is there, without importing it."""
    return importlib.util.find_spec("anthropic") is not None


def _import_sdk() -> tuple[Any, Any]:
    sdk = importlib.import_module("anthropic")
    # At the level DEBUG, which ANTHROPIC_LOG sets too, it logs prompts.
    logging.getLogger("anthropic._base_client").setLevel(logging.WARNING)
    return sdk, importlib.import_module("arcrun_server.llm.sdk_transport")


def _may_wait(seconds: float, deadline: float | None) -> bool:
    if seconds > MAX_WAIT:
        return False
    return deadline is None or time.monotonic() + seconds < deadline
