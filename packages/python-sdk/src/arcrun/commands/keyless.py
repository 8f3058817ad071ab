"""Requests that carry no API key: log-in of a device, webhooks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from arcrun._core.errors import APIConnectionError, UnexpectedResponseError
from arcrun._core.shapes import text, texts
from arcrun._http import HEADERS, httpx

from .answers import check_answer
from .engine_words import message_of, step_of
from .errors import CommandError, command_error
from .sentences import sentence

_TIMEOUT = 60.0  # seconds


class Reply(NamedTuple):
    """A response.

    Attributes:
        status: its HTTP status.
        body: its JSON object; empty if it has none.
    """

    status: int
    body: dict[str, Any]

    @property
    def is_success(self) -> bool:
        """Tell whether the engine did what was asked."""
        return 200 <= self.status < 300

    def error(self, what: str) -> CommandError:
        """Return what a command says of a response that is none of success.

        Args:
            what: the request, as `POST URL`.
        """
        said = message_of(text(self.body.get("error")) or "", None) or sentence("without a reason")
        return CommandError(
            text(self.body.get("code")) or "refused",
            sentence("{what}: {status} {said}", what=what, status=self.status, said=said),
            next=[step for step in map(step_of, texts(self.body.get("next_actions"))) if step],
        )


def send(
    method: str, url: str, body: Mapping[str, Any] | None = None, *, timeout: float = _TIMEOUT
) -> Reply:
    """Send a request with a JSON object.

    Raises:
        CommandError: `unreachable`; or a success that is not what the contract says.
    """
    content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    reply = send_content(method, url, content, {}, timeout=timeout)
    if reply.is_success:
        try:
            check_answer(method, urlsplit(url).path, reply.body)
        except UnexpectedResponseError as error:
            raise command_error(error) from None
    return reply


def send_content(
    method: str,
    url: str,
    content: bytes | None,
    headers: Mapping[str, str],
    *,
    timeout: float = _TIMEOUT,
) -> Reply:
    """Send a request with these bytes, which are JSON.

    Raises:
        CommandError: `unreachable`.
    """
    sent = {**HEADERS, "Content-Type": "application/json", **headers}
    try:
        response = httpx.request(method, url, content=content, headers=sent, timeout=timeout)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise CommandError(
            "unexpected_response",
            sentence("{url} is no address that a request can be sent to", url=repr(url)),
        ) from None
    except httpx.TransportError as error:
        reason = f"{method} {url}: {str(error) or type(error).__name__}"
        raise command_error(APIConnectionError(reason)) from None
    try:
        decoded = response.json()
    except ValueError:
        decoded = None
    return Reply(response.status_code, decoded if isinstance(decoded, dict) else {})
