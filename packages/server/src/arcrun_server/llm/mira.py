"""The provider `mira`: a daemon is given the prompt, and calls back with the answer (docs/prompt-recipes.md#providers)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from arcrun_server.engine import ComponentError
from arcrun_server.outbound.client import json_content
from arcrun_server.outbound.errors import Unreachable

from .provider import LlmError, LlmTask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_server.engine import JsonObject
    from arcrun_server.outbound import Outbound

    from .provider import LlmRequest

CALLBACK = "/workflows/resume"
SEPARATORS = {"user": "\n\n--- USER ---\n\n", "assistant": "\n\n--- ASSISTANT ---\n\n"}
"""Stands before a message in the one text that a daemon takes (docs/prompt-recipes.md#assembly)."""


class MiraProvider:
    """Posts prompts to a daemon.

    Args:
        outbound: The engine's HTTP client.
        base_url: Where the daemon takes prompts.
        public_url: Where the engine is reached.
    """

    name = "mira"

    def __init__(self, outbound: Outbound, base_url: str, public_url: str) -> None:
        self._outbound = outbound
        self._base_url = base_url
        self._callback_url = f"{public_url.rstrip('/')}{CALLBACK}"

    async def complete(
        self, request: LlmRequest, secret: Callable[[str], Awaitable[str | None]] | None
    ) -> LlmTask:
        """Hand the prompt over, and return the task that the callback will name.

        Raises:
            LlmError: The daemon did not take it.
        """
        del secret
        if not isinstance(request.mira_token, str) or not request.mira_token:
            raise LlmError("not_configured", 'the node needs `mira_token: "{{secret.mira_token}}"`')
        if request.callback_token is None:
            raise LlmError(
                "not_configured",
                "this engine has no durable runs, which it needs to be called back",
            )
        # A run that is executed again asks for the same task.
        task_id = hashlib.sha256(request.callback_token.encode()).hexdigest()[:32]
        try:
            response = await self._outbound.send(
                "POST",
                self._base_url,
                headers={
                    "authorization": f"Bearer {request.mira_token}",
                    "content-type": "application/json",
                    "idempotency-key": task_id,
                },
                content=json_content(self._body(request, task_id)),
                follows=False,  # a redirect would be asked without the prompt
            )
        except (Unreachable, ComponentError) as error:
            raise LlmError("unreachable", str(error)) from None
        if not response.ok:
            raise _refused(response.status)
        return LlmTask(task_id, request.model)

    def _body(self, request: LlmRequest, task_id: str) -> JsonObject:
        return {
            "task_id": task_id,
            "prompt": _one_text(request),
            "model": request.model,
            "max_tokens": request.max_tokens,
            "callback_url": f"{self._callback_url}?token={request.callback_token}",
        }


def _one_text(request: LlmRequest) -> str:
    """Return the messages as one text; a user's message that begins it has nothing before it."""
    text = request.system if request.system and request.system.strip() else ""
    for number, message in enumerate(request.messages):
        begins = number == 0 and not text and message["role"] == "user"
        text += ("" if begins else SEPARATORS[message["role"]]) + str(message["content"])
    return text


def _refused(status: int) -> LlmError:
    if status in {401, 403}:
        return LlmError("rejected", f"the daemon does not accept `mira_token` (HTTP {status})")
    if status == 429:
        return LlmError("rate_limited", "the daemon limits requests (HTTP 429)")
    kind = "service_error" if status >= 500 else "rejected"
    return LlmError(kind, f"the daemon did not take the prompt (HTTP {status})")
