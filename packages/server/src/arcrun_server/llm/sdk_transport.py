"""The transport of Anthropic's SDK: its requests go through the engine's own guarded client.

Only `anthropic.py` imports this module, on first use: httpx2 comes with the SDK, which is an extra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from arcrun_server.outbound import Outbound
    from arcrun_server.outbound.streams import OpenResponse


class _Body(httpx2.AsyncByteStream):
    def __init__(self, response: OpenResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._response.parts():
            yield part

    async def aclose(self) -> None:
        await self._response.aclose()


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Sends requests by the engine's client, which checks where they go.

    Args:
        outbound: The engine's client. Closing it is left to the caller.
        silence: Seconds to wait for each part of a response.
    """

    def __init__(self, outbound: Outbound, silence: float) -> None:
        self._outbound = outbound
        self._silence = silence

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request.

        Raises:
            ForbiddenAddress: It must not be sent to there.
            Unreachable: No response came.
        """
        response = await self._outbound.open(
            request.method,
            str(request.url),
            request.headers.raw,
            await request.aread(),
            silence=self._silence,
        )
        return httpx2.Response(response.status, headers=response.headers, stream=_Body(response))


def client(outbound: Outbound, silence: float) -> httpx2.AsyncClient:
    """Return a client for the SDK: no proxies of the environment, no redirects."""
    return httpx2.AsyncClient(
        transport=GuardedTransport(outbound, silence),
        headers={"accept-encoding": "identity"},
        follow_redirects=False,
        trust_env=False,
    )
