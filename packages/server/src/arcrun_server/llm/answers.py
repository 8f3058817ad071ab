"""An answer of the Messages API, put together from the events of its stream.

The SDK does this too, but writes warnings that quote what does not fit its types: a service could so put the key or
the prompt, which it was sent, into the log.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from arcrun_server.engine.redaction import Redactor

from .failures import unreadable
from .provider import LlmError, LlmReply

if TYPE_CHECKING:
    from .provider import LlmRequest

_ENDED = {
    "refusal": ("refused", "the model refuses to answer"),
    "max_tokens": (
        "cut_off",
        "the answer is longer than `max_tokens` and was cut off; raise `max_tokens`, or ask for less",
    ),
    "model_context_window_exceeded": (
        "context_full",
        "prompt and answer together are longer than the model's context; shorten the prompt",
    ),
}
_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)
_MOST_TOKENS = 10**9
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}")


class Answer:
    """Collects the events of one answer.

    Args:
        request: What was asked.
        key: The key, which may not stand in what is read.
    """

    def __init__(self, request: LlmRequest, key: str) -> None:
        self._request = request
        self._redactor = Redactor([key])
        self._texts: dict[Any, list[Any]] = {}
        self._counts: dict[str, Any] = {}
        self._model: Any = None
        self._stop_reason: Any = None
        self._has_begun = False

    def add(self, event: Any) -> None:
        """Add an event. Those of other types, as of what a model thinks, are passed over."""
        kind = getattr(event, "type", None)
        if kind == "message_start":
            message = getattr(event, "message", None)
            self._has_begun = True
            self._model = getattr(message, "model", None)
            self._count(getattr(message, "usage", None))
        elif kind == "content_block_start":
            self._add_text(event, getattr(event, "content_block", None), "text")
        elif kind == "content_block_delta":
            self._add_text(event, getattr(event, "delta", None), "text_delta")
        elif kind == "message_delta":
            self._stop_reason = getattr(getattr(event, "delta", None), "stop_reason", None)
            self._count(getattr(event, "usage", None))

    def _add_text(self, event: Any, part: Any, kind: str) -> None:
        if getattr(part, "type", None) == kind:
            texts = self._texts.setdefault(getattr(event, "index", None), [])
            texts.append(getattr(part, "text", None))

    def _count(self, usage: Any) -> None:
        """Keep the counts that are given: later ones are totals."""
        for name in _COUNTS:
            value = getattr(usage, name, None)
            if value is not None:
                self._counts[name] = value

    def read(self) -> LlmReply:
        """Return the answer, if it is complete.

        Raises:
            LlmError: It is not: the model stopped for another reason than that it has said all. Or it is none.
        """
        reply = self._reply()
        if self._stop_reason in ("end_turn", "stop_sequence"):
            return reply
        if self._stop_reason is None:
            raise LlmError("unreachable", "the connection ended before the answer did", reply=reply)
        named = self._stop_reason if isinstance(self._stop_reason, str) else ""
        said = self._redactor.text(named)[:60] if _NAME.fullmatch(named) else "for another reason"
        kind, reason = _ENDED.get(named, ("service_error", f"the model stopped: {said}"))
        raise LlmError(kind, reason, reply=reply)

    def _reply(self) -> LlmReply:
        texts = [text for block in self._texts.values() for text in block]
        counts = [self._counts.get(name) for name in _COUNTS]
        given, written, *cached = counts
        if not (
            self._has_begun
            and all(isinstance(text, str) for text in texts)
            and all(map(_is_count, [given, written, *(one or 0 for one in cached)]))
        ):
            raise unreadable()
        read, stored = (one or 0 for one in cached)
        return LlmReply(
            text=self._redactor.text("".join(texts)),
            model=self._answering_model(),
            input_tokens=(given or 0) + read + stored,
            output_tokens=written,
            cache_read_tokens=read,
            cache_write_tokens=stored,
        )

    def _answering_model(self) -> str:
        """Return the model that the service names; the one that was asked if that is no name, or shows the key."""
        named = self._model
        is_name = isinstance(named, str) and _NAME.fullmatch(named)
        if not is_name or self._redactor.text(named) != named:
            return self._request.model
        return str(named)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MOST_TOKENS
