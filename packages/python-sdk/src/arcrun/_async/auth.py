"""Services: set up once, then bound to a client that signs every request in."""

from __future__ import annotations

from typing import Any

from arcrun._concurrency import async_in_thread
from arcrun._core import api, injection, recipes
from arcrun._core.errors import (
    APIStatusError,
    ArcrunError,
    MissingSecretError,
)
from arcrun._core.names import check_account, check_service, credential_name
from arcrun._core.origins import OWN, SHIPPED, check_origins, check_trusted, origin_of
from arcrun._core.sealing import unseal
from arcrun._core.secret import Secret
from arcrun._core.templates import render_base_url
from arcrun._core.tokens import endpoint_of, read_account
from arcrun._core.types import AuthRecipe, SetupResult
from arcrun._http import USER_AGENT, httpx, limits
from arcrun._local import secret_from_environment, variable

from .connection import AsyncConnection
from .creds import AsyncCreds
from .tokens import AsyncSignIn, AsyncTokenSource
from .transport import AsyncEnvironmentTransport, AsyncInjectingTransport


class AsyncAuth:
    """`client.auth`: sign in to services without handling their secrets in every call."""

    def __init__(self, connection: AsyncConnection, creds: AsyncCreds) -> None:
        self._connection = connection
        self._creds = creds

    async def list_services(self, *, timeout: float | None = None) -> list[AuthRecipe]:
        """List the services that there are auth recipes for. Needs no API key.

        Args:
            timeout: seconds for each attempt; None for the client's own.

        Raises:
            APIConnectionError: the engine could not be reached.

        Example:
            >>> services = await client.auth.list_services()
            >>> "notion" in [recipe["service"] for recipe in services]
            True
        """
        return await self._connection.call(api.list_services(), timeout)

    async def setup(
        self,
        service: str,
        *,
        account: str | None = None,
        timeout: float | None = None,
        **secrets: str,
    ) -> SetupResult:
        """Store a service's secrets, each as a credential under its key.

        Args:
            service: the service's name.
            account: stores them apart, as `KEY__account`, for one of several accounts.
            timeout: seconds for each attempt; None for the client's own.
            **secrets: each of the recipe's `required_secrets`, by key.

        Raises:
            UnknownServiceError: there is no recipe for the service.
            InvalidArgumentError: a secret is missing, unknown, empty, or can't stand where the
                recipe puts it; nothing was stored.
            ArcrunError: storing failed; `stored` names what was stored before. Run it again.

        Example:
            >>> result = await client.auth.setup("notion", notion_token="ntn_123")
            >>> result["stored"]
            ['notion_token']
        """
        given = {key: Secret.of(text) for key, text in secrets.items()}
        del secrets  # tools print the locals of frames
        check_service(service)
        check_account(account)
        self._connection.key()
        recipe = await self._recipe(service, timeout, again=True)
        recipes.check_secrets(recipe, given)
        values = {key: value for key, value in given.items() if value}
        _check_fit(recipe, values)
        stored: list[str] = []
        for key, value in values.items():
            name = credential_name(key, account)
            try:
                await self._creds.push_secret(name, value, service=service, timeout=timeout)
            except ArcrunError as error:
                raise _half_way(error, service, stored) from None
            stored.append(name)
        for key, value in values.items():
            await self._remember(credential_name(key, account), value)
        self._pin(recipe)
        return {"service": service, "account": account, "stored": stored}

    async def bind(
        self,
        service: str,
        *,
        account: str | None = None,
        trust_origin: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float | None = None,
    ) -> httpx.AsyncClient:
        """Return an `httpx.AsyncClient` whose requests to the service are signed in.

        The secrets are put in below the client, on the way to the service's own origin only: the
        client, its requests, responses, logs and errors never hold them. Close it after use.

        Args:
            service: the service's name.
            account: one of several accounts, as named in `setup`.
            trust_origin: the origin that the recipe may send secrets to, if the SDK does not know
                it; plain http for loopback only.
            transport: what carries the requests after the secrets were put in; left out, a new one
                that follows the environment's proxies and shares its SSL context.
            timeout: seconds for each attempt here, and the new client's own time-out.

        Raises:
            UnknownServiceError: there is no recipe for the service.
            MissingSecretError: a secret is neither set up here, nor readable, nor in the environment.
            RecipeOriginError: the recipe leads to an origin that is not known to be the service's.

        Example:
            >>> notion = await client.auth.bind("notion")
            >>> async with notion:
            ...     str(notion.base_url)
            'https://api.notion.com/v1/'
        """
        recipe, values = await self._prepare(service, account, timeout)
        base_url = render_base_url(recipe["base_url"], values)
        own = self._check_origins(recipe, base_url, check_trusted(trust_origin))
        present = recipes.without_unfilled(recipes.injected(recipe), values)
        constants, inject = injection.split_constants(present)
        sign_in = AsyncSignIn(inject, values, self._token_source(recipe, account, values))
        return httpx.AsyncClient(
            base_url=base_url,
            headers={"User-Agent": USER_AGENT, **constants},
            timeout=limits(self._connection.timeout if timeout is None else timeout),
            transport=AsyncInjectingTransport(
                own, sign_in, transport or AsyncEnvironmentTransport()
            ),
        )

    async def get_token(
        self,
        service: str,
        *,
        account: str | None = None,
        trust_origin: str | None = None,
        timeout: float | None = None,
    ) -> str:
        """Return a service's token itself, for clients other than httpx.

        That is the one secret that the recipe injects, or the access token fetched with it.

        Args:
            service: the service's name.
            account: one of several accounts, as named in `setup`.
            trust_origin: as for `bind`; matters where a token is fetched.
            timeout: seconds for each attempt; None for the client's own.

        Raises:
            InvalidArgumentError: the service signs in with several secrets: use `bind`.
            MissingSecretError: the secret is neither set up here, nor readable, nor in the
                environment.
            TokenExchangeError: the token endpoint gave no token.

        Example:
            >>> token = await client.auth.get_token("notion")
            >>> token[:4]
            'ntn_'
        """
        recipe, values = await self._prepare(service, account, timeout)
        source = self._token_source(recipe, account, values)
        if source is None:
            return values[recipes.token_key(recipe)].reveal()
        base_url = render_base_url(recipe["base_url"], values)
        self._check_origins(recipe, base_url, check_trusted(trust_origin))
        transport = AsyncEnvironmentTransport()
        try:
            return (await source.get(transport)).access.reveal()
        finally:
            await transport.aclose()

    async def _prepare(
        self, service: str, account: str | None, timeout: float | None
    ) -> tuple[AuthRecipe, dict[str, Secret]]:
        """Return a service's recipe and the plaintexts that it uses."""
        check_service(service)
        check_account(account)
        recipe = await self._recipe(service, timeout)
        recipes.check_primitive(recipe)
        values: dict[str, Secret] = {}
        missing: list[str] = []
        for key in recipes.keys_used(recipe):
            value = await self._find(credential_name(key, account), timeout)
            if value is not None:
                values[key] = value
            elif key not in recipes.optional_keys(recipe):
                missing.append(key)
        if missing:
            raise _missing(service, account, missing)
        return recipe, values

    async def _recipe(
        self, service: str, timeout: float | None, *, again: bool = False
    ) -> AuthRecipe:
        known = self._connection.memory.recipes
        if again or service not in known:
            known[service] = await self._connection.call(api.get_recipe(service), timeout)
        return known[service]

    async def _find(self, name: str, timeout: float | None) -> Secret | None:
        """Look for a plaintext: in memory, the keyring, a sealed read, the environment."""
        connection = self._connection
        if name in connection.memory.secrets:
            return connection.memory.secrets[name]
        store = connection.store
        value = await async_in_thread(lambda: store.get(name)) if store else None
        if value is None and connection.settings.api_key is not None:
            value = await self._sealed_read(name, timeout)
        if value is not None:
            await self._remember(name, value)
            return value
        return secret_from_environment(name)

    async def _sealed_read(self, name: str, timeout: float | None) -> Secret | None:
        connection, envelope = self._connection, None
        try:
            envelope = await connection.call(api.read_credential(name), timeout)
        except APIStatusError as error:
            if error.status not in {404, 405}:  # no such credential, or an engine without the read
                raise
        if envelope is None:
            return None
        return Secret(unseal(connection.key().reveal(), name, envelope))

    async def _remember(self, name: str, value: Secret) -> None:
        self._connection.memory.secrets[name] = value
        store = self._connection.store
        if store is not None:
            await async_in_thread(lambda: store.put(name, value))

    def _pin(self, recipe: AuthRecipe) -> None:
        """Remember where a service of the user's own sends its secrets, as seen at set-up."""
        service = recipe["service"]
        if service not in SHIPPED and service not in OWN:
            found = [origin_of(url) for url in (recipe["base_url"], endpoint_of(recipe)) if url]
            pins = tuple(origin for origin in found if origin and origin.startswith("https:"))
            self._connection.memory.pinned[service] = pins

    def _check_origins(self, recipe: AuthRecipe, base_url: str, trusted: str | None) -> str:
        """Return the origin of a recipe's requests, if it and the token endpoint's are right."""
        service, settings = recipe["service"], self._connection.settings
        if service in OWN:
            pinned: tuple[str, ...] = (settings.origin,)
        else:
            pinned = SHIPPED.get(service) or self._connection.memory.pinned.get(service, ())
        own = check_origins(service, recipe["base_url"], base_url, pinned=pinned, trusted=trusted)
        endpoint = endpoint_of(recipe)
        if endpoint is not None:
            check_origins(service, endpoint, endpoint, pinned=pinned, trusted=trusted)
        return own

    def _token_source(
        self, recipe: AuthRecipe, account: str | None, values: dict[str, Secret]
    ) -> AsyncTokenSource | None:
        endpoint = endpoint_of(recipe)
        if endpoint is None:
            return None
        sources: dict[Any, AsyncTokenSource] = self._connection.memory.token_sources
        used = (recipe["service"], account, endpoint, *(id(value) for value in values.values()))
        if used not in sources:

            async def keep(key: str, value: Secret) -> None:
                name = credential_name(key, account)
                await self._creds.push_secret(name, value, service=recipe["service"])
                await self._remember(name, value)

            sources[used] = AsyncTokenSource(recipe, values, self._connection.timeout, keep)
        return sources[used]


def _check_fit(recipe: AuthRecipe, values: dict[str, Secret]) -> None:
    """Refuse secrets that a bound client could not use, before any is stored."""
    render_base_url(recipe["base_url"], values)
    inject = recipes.without_unfilled(recipes.injected(recipe), values)
    injection.Injection(inject, values, token=Secret("token"))
    if recipe["primitive"] == "service_account":
        read_account(values[recipes.required_keys(recipe)[0]])


def _half_way(error: ArcrunError, service: str, stored: list[str]) -> ArcrunError:
    """Say in an error of `setup` what was stored before it."""
    error.stored = tuple(stored)
    done = ", ".join(stored) or "nothing"
    error.args = (f"{error}; stored before: {done}. auth.setup({service!r}) again completes it",)
    return error


def _missing(service: str, account: str | None, keys: list[str]) -> MissingSecretError:
    names = [credential_name(key, account) for key in keys]
    given = ", ".join(f"{key}=…" for key in keys)
    whose = f", account={account!r}" if account else ""
    error = MissingSecretError(
        f"{service!r} needs {', '.join(names)}: run client.auth.setup({service!r}{whose}, {given}), or "
        f"set {', '.join(variable(name) for name in names)}"
    )
    error.missing = tuple(names)
    return error
