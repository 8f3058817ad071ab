"""Requests of the engine to identity providers: their hosts come from settings; time and size are limited."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx

from arcrun_server._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 10.0
MOST_BYTES = 256 * 1024
_HEADERS = {"Accept": "application/json", "User-Agent": f"arcrun-server/{__version__}"}


class ProviderError(Exception):
    """A provider did not log the person in; the message is for the person and the log, without any secret."""


class LoginRefused(ProviderError):
    """The person, or the provider, has refused the log-in."""


class ProviderClient:
    """Asks providers for JSON.

    Args:
        transport: Another way to send, for tests.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport

    async def get(self, url: str, token: str | None = None) -> Any:
        """Return the JSON at a URL.

        Args:
            url: What to read.
            token: The access token to read it with.

        Raises:
            ProviderError: It can't be had.
        """
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        return await self._json("GET", url, headers=authorization)

    async def post(self, url: str, form: Mapping[str, str], auth: tuple[str, str] | None) -> Any:
        """Return the JSON with which a form is answered.

        Args:
            url: Where to send it.
            form: The form.
            auth: Client id and secret, as HTTP Basic.

        Raises:
            ProviderError: It can't be had.
        """
        return await self._json("POST", url, data=dict(form), auth=auth and httpx.BasicAuth(*auth))

    async def _json(self, method: str, url: str, **options: Any) -> Any:
        headers = _HEADERS | options.pop("headers", {})
        try:
            async with (
                httpx.AsyncClient(
                    timeout=SECONDS, transport=self._transport, trust_env=False
                ) as client,
                client.stream(method, url, headers=headers, **options) as response,
            ):
                content = await _read(response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ProviderError(f"the provider can't be reached ({type(error).__name__})") from None
        if not response.is_success:
            raise ProviderError(f"the provider answered with status {response.status_code}")
        try:
            return json.loads(content)
        except ValueError:
            raise ProviderError("the provider did not answer with JSON") from None


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for part in response.aiter_bytes():
        content += part
        if len(content) > MOST_BYTES:
            raise ProviderError(f"the provider's answer is larger than {MOST_BYTES} bytes")
    return bytes(content)
