"""The client of an engine."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Literal, NoReturn, ParamSpec, TypeVar

from arcrun._core import operations
from arcrun._core.config import Settings, Source, check_headers
from arcrun._core.decoding import MAX_RESPONSE_BYTES
from arcrun._core.errors import ConfigurationError, InvalidArgumentError
from arcrun._core.resources import resource
from arcrun._core.retry import MAX_RETRIES, check_flag, check_retries, check_size
from arcrun._core.secret import Secret
from arcrun._core.types import CredentialFormat, Health, RawResponse
from arcrun._http import (
    HEADERS,
    MAX_CONNECTIONS,
    TIMEOUT,
    check_next_hop,
    check_url,
    httpx,
    limits,
    time_out_of,
)
from arcrun._local import KeyringStore, load_settings, log_to_stderr

from .auth import AsyncAuth
from .components import AsyncComponents
from .connection import AsyncConnection, responses
from .creds import AsyncCreds
from .recipes import AsyncRecipes
from .runs import AsyncRuns
from .transport import AsyncEnvironmentTransport
from .workflows import AsyncWorkflows

P = ParamSpec("P")
T = TypeVar("T")


class AsyncArcrun:
    """A client of an arcrun engine.

    Attributes:
        auth: sign in to services: `list_services`, `setup`, `bind`, `get_token`.
        creds: credentials: `push`, `list`, `delete`.
        workflows: workflows: `push`, `list`, `get`, `delete`, `run`, `executions`, `resume`.
        runs: runs that the engine has accepted: `get`, `list`, `cancel`, `retry`.
        recipes: prompt recipes: `push`, `list`, `get`, `delete`, `render`, `test`, `backtest`, `label`, `unlabel`,
            `versions`, `diff`.
        components: the catalog of components: `list`, `get`, `search`.

    Example:
        >>> async with AsyncArcrun() as client:
        ...     health = await client.health()
        >>> health["ok"]
        True
    """

    auth: AsyncAuth = resource(AsyncAuth)
    creds: AsyncCreds = resource(AsyncCreds)
    workflows: AsyncWorkflows = resource(AsyncWorkflows)
    runs: AsyncRuns = resource(AsyncRuns)
    recipes: AsyncRecipes = resource(AsyncRecipes)
    components: AsyncComponents = resource(AsyncComponents)

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        credential_format: CredentialFormat | None = None,
        timeout: float | httpx.Timeout | None = None,
        max_retries: int = MAX_RETRIES,
        max_connections: int = MAX_CONNECTIONS,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        allow_insecure_http: bool = False,
        http_client: httpx.AsyncClient | None = None,
        default_headers: Mapping[str, str] | None = None,
        config_file: str | os.PathLike[str] | None = None,
        secret_cache: Literal["memory", "keyring"] = "memory",  # noqa: S107 - not a password
    ) -> None:
        """Make a client. No request is made yet.

        Args:
            api_key: `ak_…`; else `ARCRUN_API_KEY`, else `api_key` in the config file.
            base_url: the engine; else `ARCRUN_BASE_URL`, else the config file, else the hosted one.
            credential_format: `sealed` or `plain`; else `ARCRUN_CREDENTIAL_FORMAT`, else the config
                file, else `sealed`.
            timeout: seconds for each attempt, 60 by default, of which 5 at most to connect; or an
                `httpx.Timeout`. By default an `http_client` keeps its own.
            max_retries: how often a failed request is retried, where that is safe.
            max_connections: how many requests are sent at the same time; others wait.
            max_response_bytes: the largest response, decoded.
            allow_insecure_http: send the key over plain http to other machines too.
            http_client: your own `httpx.AsyncClient` for requests to the engine; you close it.
            default_headers: sent with each request to the engine.
            config_file: instead of `~/.arcrun/config.yaml`.
            secret_cache: where secrets are remembered: `memory`, or also the system's `keyring`.

        Raises:
            ConfigurationError: a setting is not valid; the message says where it came from.
        """
        given = Source(
            {"api_key": api_key, "base_url": base_url, "credential_format": credential_format},
            "the argument {name}",
        )
        del api_key  # tools print the locals of frames
        settings = load_settings(given, config_file)
        check_url(settings.base_url)
        if http_client is not None:
            _check_client(http_client, settings)
        if timeout is None:
            timeout = TIMEOUT if http_client is None else time_out_of(http_client)
        if secret_cache not in {"memory", "keyring"}:
            raise ConfigurationError(
                f"secret_cache must be 'memory' or 'keyring', not {secret_cache!r}"
            )
        log_to_stderr()
        own_headers = check_headers(
            {} if default_headers is None else default_headers, "default_headers"
        )
        check_flag("allow_insecure_http", allow_insecure_http)
        store = None if secret_cache == "memory" else KeyringStore(settings)  # noqa: S105
        retries = check_retries(max_retries)
        check_size("max_connections", max_connections)
        check_size("max_response_bytes", max_response_bytes)
        http = http_client or httpx.AsyncClient(
            headers=HEADERS, transport=AsyncEnvironmentTransport(max_connections)
        )
        self._owns_http = http_client is None
        self._use(
            AsyncConnection(
                settings,
                http,
                # An own client has ours as defaults.
                headers={} if self._owns_http else HEADERS,
                timeout=limits(timeout),
                max_retries=retries,
                max_response_bytes=max_response_bytes,
                allow_insecure_http=allow_insecure_http,
                store=store,
            ).with_headers(own_headers)
        )

    def _use(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.creds = AsyncCreds(connection)
        self.auth = AsyncAuth(connection)
        self.workflows = AsyncWorkflows(connection)
        self.runs = AsyncRuns(connection)
        self.recipes = AsyncRecipes(connection)
        self.components = AsyncComponents(connection)

    async def health(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Health:
        """Check the engine's health. Needs no API key.

        Args:
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            APIConnectionError: the engine could not be reached.

        Example:
            >>> health = await client.health()
            >>> health["ok"]
            True
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        health = await connection.send(operations.health())
        connection.memory.learn_capabilities(health)
        return health

    def with_options(
        self,
        *,
        timeout: float | httpx.Timeout | None = None,
        max_retries: int | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        default_headers: Mapping[str, str] | None = None,
    ) -> AsyncArcrun:
        """Return a client with other options, which shares connections and memory with this one.

        Args:
            timeout: seconds for each attempt, or an `httpx.Timeout`; None to keep this client's.
            max_retries: None to keep this client's.
            api_key: another account's key; then, and with another `base_url`, no memory is shared.
            base_url: another engine.
            default_headers: sent besides this client's.

        Example:
            >>> patient = client.with_options(timeout=300, max_retries=5)
        """
        other = object.__new__(type(self))
        other._owns_http = False
        key = None if api_key is None else Secret.of(api_key) or Secret("")
        del api_key  # tools print the locals of frames
        connection = self._connection.with_options(timeout, max_retries)
        if key is not None or base_url is not None:
            connection = connection.elsewhere(key, base_url)
        own_headers = check_headers(default_headers or {}, "default_headers")
        other._use(connection.with_headers(own_headers))
        return other

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a request to a route of the engine that has no method yet, and return its JSON object.

        It carries the API key, if there is one; a POST or PATCH is not retried.

        Args:
            method: `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
            path: the path with its query, percent-encoded.
            body: sent as JSON.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            InvalidArgumentError: the method, path or body is not valid.
            APIStatusError: the engine refused.

        Example:
            >>> answer = await client.request("GET", "/health")
            >>> answer["ok"]
            True
        """
        with_key = self._connection.settings.api_key is not None
        request = operations.own_request(method, path, body, with_key=with_key)
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        return await connection.send(request)

    def with_raw_response(
        self, method: Callable[P, Awaitable[T]]
    ) -> Callable[P, Awaitable[RawResponse[T]]]:
        """Return a method that returns the raw response together with its usual result.

        Args:
            method: a method of this client, such as `client.workflows.run`.

        Example:
            >>> raw = await client.with_raw_response(client.creds.list)()
            >>> raw.status, [credential["name"] for credential in raw.result]
            (200, ['notion_token'])
        """

        async def with_response(*args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
            token = responses.set([])
            try:
                result = await method(*args, **kwargs)
                received = responses.get()
            finally:
                responses.reset(token)
            if not received:
                raise InvalidArgumentError(
                    f"{method!r} made no request: pass a method of the client, without calling it"
                )
            last, attempts = received[-1]
            return RawResponse(result, last.status, last.headers, last.content, attempts)

        return with_response

    async def close(self) -> None:
        """Close the connections, unless they belong to an `http_client` that you passed."""
        if self._owns_http:
            await self._connection.http.aclose()

    async def __aenter__(self) -> AsyncArcrun:  # noqa: PYI034 - Self is not in Python 3.10
        """Return the client."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.close()

    def __repr__(self) -> str:
        connection = self.__dict__.get("_connection")  # missing while __init__ runs
        where = f" of {connection.settings.base_url}" if connection else ""
        return f"<{type(self).__name__}{where}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client cannot be pickled: make one in the process that needs it")


def _check_client(client: object, settings: Settings) -> None:
    """Check an HTTP client that the user made.

    Raises:
        ConfigurationError: it is of another kind.
        InsecureTransportError: it would send the API key to a proxy over plain http.
    """
    if not isinstance(client, httpx.AsyncClient):
        raise ConfigurationError(
            f"http_client must be an {httpx.AsyncClient.__name__} of httpx, not {type(client).__name__}"
        )
    check_next_hop(client, settings.base_url)
