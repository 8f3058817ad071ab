"""Requests that carry no API key: log-in of a device, webhooks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from arcrun._core.errors import APIConnectionError
from arcrun._http import HEADERS, httpx

from .errors import CommandError, Next, command_error

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
        return CommandError(
            str(self.body.get("code", "refused")),
            f"{what}: {self.status} {self.body.get('error', 'without a reason')}",
            next=[Next(str(action)) for action in self.body.get("next_actions", [])],
        )


def send(
    method: str, url: str, body: Mapping[str, Any] | None = None, *, timeout: float = _TIMEOUT
) -> Reply:
    """Send a request with a JSON object."""
    content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    return send_content(method, url, content, {}, timeout=timeout)


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
    except httpx.TransportError as error:
        reason = f"{method} {url}: {str(error) or type(error).__name__}"
        raise command_error(APIConnectionError(reason)) from None
    try:
        decoded = response.json()
    except ValueError:
        decoded = None
    return Reply(response.status_code, decoded if isinstance(decoded, dict) else {})
