"""Responses with JSON bodies."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from arcrun_server.json_text import encode


class JsonResponse(Response):
    """A response with a JSON body.

    Args:
        content: What to encode; bytes are sent as they are, as JSON that is encoded already.
        status_code: HTTP status.
        headers: Further headers.
    """

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return content if isinstance(content, bytes) else encode(content)
