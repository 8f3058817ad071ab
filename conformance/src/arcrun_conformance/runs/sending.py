"""Requests that the runner itself sends to the engine, for routes that SDKs have no method for."""

from __future__ import annotations

from typing import Any

import httpx

from arcrun_conformance.checks.leaks import KEY_HEADER
from arcrun_conformance.target import USER_AGENT
from arcrun_conformance.wire.journal import Response

SECONDS = 60.0


async def send_to_engine(
    base_url: str,
    api_key: str,
    *,
    method: str,
    path: str,
    query: dict[str, str] | None = None,
    json: Any = None,
) -> dict[str, Any]:
    """Send a request with the key, by way of the proxy, and return `status`, `headers` and `body`."""
    headers = {KEY_HEADER: api_key, "user-agent": USER_AGENT}
    async with httpx.AsyncClient(
        base_url=base_url, headers=headers, timeout=SECONDS, trust_env=False
    ) as client:
        received = await client.request(method, path, params=query, json=json)
    return Response(
        received.status_code, list(received.headers.multi_items()), received.content
    ).value()
