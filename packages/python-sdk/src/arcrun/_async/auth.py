"""Services: set up once, then bound to an HTTP client whose requests are signed in.

What is behind these methods is loaded when one is called: to import it takes time, and a program that
runs workflows needs none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, overload

from arcrun._core import operations
from arcrun._core.types import AuthRecipe, SetupResult
from arcrun._http import httpx

from .connection import AsyncConnection


class AsyncAuth:
    """`client.auth`: sign in to services without handling their secrets in each request."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def list_services(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> list[AuthRecipe]:
        """List the services that have an auth recipe. Needs no API key.

        Args:
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            APIConnectionError: the engine could not be reached.

        Example:
            >>> services = await client.auth.list_services()
            >>> "notion" in [recipe["service"] for recipe in services]
            True
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        return await connection.send_all(operations.list_services)

    # For type checkers: of `**secrets` they ask that each value fits each argument that has a default.
    @overload
    async def setup(
        self, service: str, *, account: str | None = None, **more_secrets: str
    ) -> SetupResult: ...
    @overload
    async def setup(
        self,
        service: str,
        *,
        account: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        **more_secrets: str,
    ) -> SetupResult: ...
    async def setup(
        self,
        service: str,
        *,
        account: str | None = None,
        timeout: Any = None,
        max_retries: Any = None,
        extra_headers: Any = None,
        secrets: Any = None,
        **more_secrets: str,
    ) -> SetupResult:
        """Store a service's secrets, each as a credential under its key.

        Args:
            service: the service's name.
            account: one of several accounts; its secrets are stored as `KEY__account`.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.
            secrets: each of the recipe's `required_secrets`, by key.
            **more_secrets: the same, as arguments, except keys that are names of arguments here.

        Raises:
            UnknownServiceError: there is no recipe for the service.
            InvalidArgumentError: a secret is missing, given twice, unknown or empty, or has characters that its
                place in the request can't carry; nothing was stored.
            ArcrunError: storing failed; `stored` names what was stored before. Call it again.

        Example:
            >>> result = await client.auth.setup("notion", notion_token="ntn_123")
            >>> result["stored"]
            ['notion_token']
        """
        from arcrun._core.setup import wrapped

        from .services import AsyncService

        try:
            given = wrapped(service, secrets, more_secrets)
        finally:
            del secrets, more_secrets  # tools print the locals of frames, those of an error too
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        return await AsyncService(connection, self._connection, service, account).set_up(given)

    async def bind(
        self,
        service: str,
        *,
        account: str | None = None,
        trust_origin: str | None = None,
        trust_recipe: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> httpx.AsyncClient:
        """Return an `httpx.AsyncClient` whose requests to the service are signed in.

        A transport below the client adds the secrets, to requests to the service's own origin only:
        the client, its requests, responses, logs and errors never hold them. Close it after use.

        Args:
            service: the service's name.
            account: one of several accounts, as named in `setup`.
            trust_origin: the origin that the recipe may send secrets to, if the SDK does not know
                it; plain http for loopback only.
            trust_recipe: accept the engine's recipe, though it is not the one that the SDK knows, or
                asks for secrets that were stored without a service.
            transport: sends the requests after the secrets were added; by default a new one that
                uses the environment's proxies.
            timeout: seconds for each attempt here, and the new client's own time-out.
            max_retries: how often a request here is retried; None for the client's own.
            extra_headers: sent with each request to the engine here, over the client's own.

        Raises:
            UnknownServiceError: there is no recipe for the service.
            MissingSecretError: a secret was neither set up here, nor stored sealed in the engine, nor
                set in the environment.
            RecipeOriginError: the recipe leads to an origin that is not known to be the service's.
            RecipeChangedError: the recipe of a shipped service is not the known one.

        Example:
            >>> notion = await client.auth.bind("notion")
            >>> async with notion:
            ...     str(notion.base_url)
            'https://api.notion.com/v1/'
        """
        from .services import AsyncService

        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        chosen = AsyncService(connection, self._connection, service, account)
        return await chosen.client(trust_origin, transport, trust_recipe=trust_recipe)

    async def get_token(
        self,
        service: str,
        *,
        account: str | None = None,
        trust_origin: str | None = None,
        trust_recipe: bool = False,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> str:
        """Return a service's token, for use without httpx.

        It is the one secret that the recipe injects, or the access token fetched with it.

        Args:
            service: the service's name.
            account: one of several accounts, as named in `setup`.
            trust_origin: as for `bind`; used only if a token is fetched.
            trust_recipe: as for `bind`.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            InvalidArgumentError: the service signs in with several secrets: use `bind`.
            MissingSecretError: the secret was neither set up here, nor stored sealed in the engine,
                nor set in the environment.
            RecipeChangedError: the recipe of a shipped service is not the known one.
            TokenExchangeError: the token endpoint returned no token.

        Example:
            >>> token = await client.auth.get_token("notion")
            >>> token[:4]
            'ntn_'
        """
        from .services import AsyncService

        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        chosen = AsyncService(connection, self._connection, service, account)
        return await chosen.token(trust_origin, trust_recipe=trust_recipe)
