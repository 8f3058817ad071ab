"""What a provider is: messages in, text out."""

from __future__ import annotations

from dataclasses import dataclass, field
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
        deadline: When the run's time is over, on the clock of `time.monotonic`; None if there is no end.
        mira_token: What the provider `mira` identifies itself with.
        callback_token: What whoever calls back identifies itself with; None if nobody can.
    """

    model: str
    messages: tuple[JsonObject, ...]
    system: str | None = None
    max_tokens: int = DEFAULT_MAX_TOKENS
    schema: JsonObject | None = None
    deadline: float | None = None
    mira_token: str | None = None
    callback_token: str | None = None

    def __repr__(self) -> str:
        return f"LlmRequest(model={self.model!r}, {len(self.messages)} messages)"


@dataclass(frozen=True)
class LlmReply:
    """What a model answered. Its text is not part of its representation.

    Attributes:
        text: The answer.
        model: The model that answered.
        input_tokens: Of the whole request; None if nobody counted.
        output_tokens: Of the answer.
        cache_read_tokens: How many of the request's came from the provider's cache.
        cache_write_tokens: How many of the request's were put into it.
    """

    text: str
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def __repr__(self) -> str:
        return f"LlmReply(model={self.model!r}, {len(self.text)} characters)"


@dataclass(frozen=True)
class LlmTask:
    """An answer that comes later, by a callback.

    Attributes:
        task_id: What the callback will name.
        model: The model that was asked.
    """

    task_id: str
    model: str


class LlmError(Exception):
    """A model that gave no answer that can be read; the message is for the author of the workflow.

    Attributes:
        kind: `not_configured`, `refused`, `cut_off`, `context_full`, `rate_limited`, `overloaded`, `rejected`,
            `service_error` or `unreachable`.
        retry_after: In how many seconds the service wants to be asked again, if it says so.
        reply: What was used of tokens, if the model did answer.
        record: What the run records of the call.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        retry_after: float | None = None,
        reply: LlmReply | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        self.reply = reply
        self.record: JsonObject = {}


@dataclass(frozen=True)
class Price:
    """What a million tokens of a model cost, in US dollars.

    Attributes:
        input: Of the request.
        output: Of the answer.
        cache_write: Of the request, put into the provider's cache.
        cache_read: Of the request, from the cache.
    """

    input: float
    output: float
    cache_write: float
    cache_read: float

    def of(self, reply: LlmReply) -> float:
        """Return what an answer cost, in US dollars.

        Example:
            >>> Price(3.0, 15.0, 4.0, 0.5).of(LlmReply("", "m", 1_200_000, 100_000, cache_read_tokens=200_000))
            4.6
        """
        cached = reply.cache_read_tokens + reply.cache_write_tokens
        millionths = (
            self.input * ((reply.input_tokens or 0) - cached)
            + self.output * (reply.output_tokens or 0)
            + self.cache_write * reply.cache_write_tokens
            + self.cache_read * reply.cache_read_tokens
        )
        return round(millionths / 1_000_000, 9)


@dataclass(frozen=True)
class Models:
    """The models of a server.

    Attributes:
        ids: Their ids by short name.
        prices: What they cost, by id.
    """

    ids: dict[str, str] = field(default_factory=lambda: dict(MODELS))
    prices: dict[str, Price] = field(default_factory=dict)


class Provider(Protocol):
    """Calls models."""

    @property
    def name(self) -> str:
        """Return its name, as in settings."""
        ...

    async def complete(
        self, request: LlmRequest, secret: Callable[[str], Awaitable[str | None]]
    ) -> LlmReply | LlmTask:
        """Return a model's answer, or the task that will bring it.

        Args:
            request: The request.
            secret: Returns one of the account's credentials, or None.

        Raises:
            LlmError: There is no answer that can be read.
        """
        ...
