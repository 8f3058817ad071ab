"""The provider `scripted`: answers from a file, for tests and for trying out; it never invents an answer.

The file is YAML or JSON, a list of replies; the first one whose texts all stand in the request is given:

    - contains: ["wiki", "小明"]
      reply: '{"triplets": []}'
    - reply: any other request gets this
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from arcrun_server.errors import StartupError

from .provider import LlmError, LlmReply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from .provider import LlmRequest

_FIELDS = frozenset({"contains", "reply", "model"})
NOT_CONFIGURED = (
    "no language model is configured: set ARCRUN_SERVER_LLM=anthropic and push the credential "
    "`anthropic_api_key`, or name a file with replies in ARCRUN_SERVER_LLM_SCRIPT"
)


@dataclass(frozen=True)
class ScriptedReply:
    """One reply of a script.

    Attributes:
        text: The answer.
        contains: Texts that must all stand in the request.
        model: The model that the request must name, or None.
    """

    text: str
    contains: tuple[str, ...] = ()
    model: str | None = None

    def fits(self, request: LlmRequest) -> bool:
        """Tell whether it answers a request."""
        texts = [request.system or "", *(str(one["content"]) for one in request.messages)]
        return (self.model is None or self.model == request.model) and all(
            any(wanted in text for text in texts) for wanted in self.contains
        )


class ScriptedProvider:
    """Answers from a list of replies.

    Args:
        replies: The replies; with none, every request fails with how to configure a provider.

    Example:
        >>> import asyncio
        >>> from arcrun_server.llm.provider import LlmRequest
        >>> provider = ScriptedProvider([ScriptedReply("Hi 小明", ("小明",))])
        >>> request = LlmRequest("m", ({"role": "user", "content": "Greet 小明"},))
        >>> asyncio.run(provider.complete(request, None)).text
        'Hi 小明'
    """

    name = "scripted"

    def __init__(self, replies: list[ScriptedReply]) -> None:
        self._replies = replies

    async def complete(
        self, request: LlmRequest, secret: Callable[[str], Awaitable[str | None]] | None
    ) -> LlmReply:
        """Return the first reply that fits.

        Raises:
            LlmError: None does.
        """
        del secret
        if not self._replies:
            raise LlmError("not_configured", NOT_CONFIGURED)
        for reply in self._replies:
            if reply.fits(request):
                return LlmReply(reply.text, request.model)
        raise LlmError(
            "not_configured",
            f"none of the {len(self._replies)} replies in the script fits this request; "
            "add one without `contains` for all others",
        )


def read_script(path: Path) -> list[ScriptedReply]:
    """Read a file of replies.

    Raises:
        StartupError: It can't be read, or has another form.
    """
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise StartupError(f"cannot read the replies in {path}: {error}") from None
    if not isinstance(document, list):
        raise StartupError(f"{path} must be a list of replies, as `- reply: text`")
    return [_reply(path, number, entry) for number, entry in enumerate(document, 1)]


def _reply(path: Path, number: int, entry: Any) -> ScriptedReply:
    where = f"{path}, reply {number}"
    if not isinstance(entry, dict) or not isinstance(entry.get("reply"), str):
        raise StartupError(f"{where}: `reply` must be a text")
    unknown = sorted(map(str, set(entry) - _FIELDS))
    if unknown:
        raise StartupError(
            f"{where}: there is no field `{unknown[0]}`; the fields are: contains, model, reply"
        )
    contains = entry.get("contains", [])
    if isinstance(contains, str):
        contains = [contains]
    if not (isinstance(contains, list) and all(isinstance(one, str) for one in contains)):
        raise StartupError(f"{where}: `contains` must be a list of texts")
    return ScriptedReply(entry["reply"], tuple(contains), entry.get("model"))
