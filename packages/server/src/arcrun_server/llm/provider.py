"""What a provider is: messages in, text out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_server.engine import JsonObject

DEFAULT_MODEL = "sonnet"
DEFAULT_MAX_TOKENS = 8192

MODELS = {
    "haiku": "claude-haiku-5-5",
    "sonnet": "claude-sonnet-5-5",
    "opus": "claude-opus-5-5",
}
"""The ids of the models by their short names; settings can override them."""


@dataclass(frozen=True)
class LlmRequest:
    """One request to a model. Its texts are not part of its representation.

    Attributes:
        model: A model id.
        messages: `{role, content}` with the roles `user` and `assistant`, in turn.
        system: The system's text, or None.
        max_tokens: How long the answer may be.
        schema: JSON Schema of the answer, if the model is to be held to it; only a closed one.
    """

    model: str
    messages: tuple[JsonObject, ...]
    system: str | None = None
    max_tokens: int = DEFAULT_MAX_TOKENS
    schema: JsonObject | None = None

    def __repr__(self) -> str:
        return f"LlmRequest(model={self.model!r}, {len(self.messages)} messages)"


@dataclass(frozen=True)
class LlmReply:
    """What a model answered. Its text is not part of its representation.

    Attributes:
        text: The answer.
        model: The model that answered.
        input_tokens: Of the request; None if nobody counted.
        output_tokens: Of the answer.
    """

    text: str
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None

    def __repr__(self) -> str:
        return f"LlmReply(model={self.model!r}, {len(self.text)} characters)"


class LlmError(Exception):
    """A model that gave no answer that can be read; the message is for the author of the workflow.

    Attributes:
        kind: `not_configured`, `refused`, `cut_off`, `rate_limited`, `overloaded`, `rejected` or `unreachable`.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Provider(Protocol):
    """Calls models."""

    @property
    def name(self) -> str:
        """Return its name, as in settings."""
        ...

    async def complete(
        self, request: LlmRequest, secret: Callable[[str], Awaitable[str | None]]
    ) -> LlmReply:
        """Return a model's answer.

        Args:
            request: The request.
            secret: Returns one of the account's credentials, or None.

        Raises:
            LlmError: There is no answer that can be read.
        """
        ...
