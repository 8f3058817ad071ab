"""What `client.auth` does for a service: its recipe, its secrets, and the client that is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arcrun._concurrency import async_in_thread
from arcrun._core import operations, setup, trust
from arcrun._core.errors import APIStatusError, ArcrunError
from arcrun._core.injection import split_constants
from arcrun._core.memory import StoredSecret
from arcrun._core.names import check_account, check_credential, check_service, credential_name
from arcrun._core.placeholders import render_base_url
from arcrun._core.recipe import Recipe
from arcrun._core.sealing import unseal
from arcrun._core.secret import Secret
from arcrun._core.types import SetupResult
from arcrun._http import USER_AGENT, check_url, httpx
from arcrun._local import secret_from_environment

from .connection import AsyncConnection
from .creds import push_secret
from .injecting import AsyncInjectingTransport
from .tokens import AsyncSignIn, AsyncTokenSource
from .transport import AsyncEnvironmentTransport


class AsyncService:
    """One account of a service, during one call."""

    def __init__(
        self, connection: AsyncConnection, own: AsyncConnection, service: str, account: str | None
    ) -> None:
        """Prepare a call.

        Args:
            connection: the client's connection, with the options of this call.
            own: the client's connection, for what happens after the call: access tokens.
            service: the service's name.
            account: one of its accounts.

        Raises:
            InvalidArgumentError: a name is not valid.
        """
        self._connection = connection
        self._own = own
        self._service = check_service(service)
        self._account = check_account(account)

    async def set_up(self, values: Mapping[str, Secret]) -> SetupResult:
        """Check the secrets and store them, each as a credential under its key."""
        connection, service, account = self._connection, self._service, self._account
        connection.key()
        recipe = await self._recipe(refresh=True)
        setup.check_values(recipe, values)
        named = {
            check_credential(credential_name(key, account)): value for key, value in values.items()
        }
        stored: list[str] = []
        for name, value in named.items():
            try:
                await push_secret(connection, name, value, service=service)
            except ArcrunError as error:
                setup.add_stored(error, service, stored)
                raise
            stored.append(name)
        for name, value in named.items():
            await self._remember(name, StoredSecret(value, service))
        trust.pin_origins(recipe, connection.memory)
        return {"service": service, "account": account, "stored": stored}

    async def client(
        self,
        trust_origin: str | None,
        transport: httpx.AsyncBaseTransport | None,
        *,
        trust_recipe: bool,
    ) -> httpx.AsyncClient:
        """Return a client that is signed in; see `bind` for the arguments."""
        connection, trusted = self._connection, trust.check_trust_origin(trust_origin)
        recipe = await self._supported_recipe()
        known = trust.known_origins(self._service, connection.settings, connection.memory)
        trust.check_before_secrets(recipe, known, trusted)
        values = await self._values(recipe, trust_recipe=trust_recipe)
        base_url = render_base_url(recipe.base_url, values)
        check_url(base_url)
        allowed = trust.check_origins(recipe, base_url, known, trusted)
        constants, inject = split_constants(recipe.inject.with_values(values))
        sign_in = AsyncSignIn(inject, values, self._token_source(recipe, values))
        return httpx.AsyncClient(
            base_url=base_url,
            headers={"User-Agent": USER_AGENT, **constants},
            timeout=connection.timeout,
            transport=AsyncInjectingTransport(
                allowed, sign_in, transport or AsyncEnvironmentTransport(hidden=True)
            ),
        )

    async def token(self, trust_origin: str | None, *, trust_recipe: bool) -> str:
        """Return the service's token; see `get_token` for the arguments."""
        connection, trusted = self._connection, trust.check_trust_origin(trust_origin)
        recipe = await self._supported_recipe()
        values = await self._values(recipe, trust_recipe=trust_recipe)
        source = self._token_source(recipe, values)
        if source is None:
            key = recipe.token_key
            if key not in values:  # an optional one
                raise setup.missing_secrets(self._service, self._account, [key])
            return values[key].reveal()
        known = trust.known_origins(self._service, connection.settings, connection.memory)
        base_url = render_base_url(recipe.base_url, values)
        trust.check_origins(recipe, base_url, known, trusted)
        transport = AsyncEnvironmentTransport(hidden=True)
        try:
            return (await source.get(transport)).access.reveal()
        finally:
            await transport.aclose()

    async def _supported_recipe(self) -> Recipe:
        """Return the recipe if this SDK supports it."""
        recipe = await self._recipe()
        recipe.check_supported()
        return recipe

    async def _values(self, recipe: Recipe, *, trust_recipe: bool) -> dict[str, Secret]:
        """Return the secrets that a recipe uses, by key.

        Raises:
            RecipeChangedError: the recipe is not the known one, and the user does not trust it.
            MissingSecretError: a required one was not found, or was stored for another service.
        """
        if not trust_recipe:
            trust.check_recipe(recipe, self._connection.settings)
        values: dict[str, Secret] = {}
        missing: list[str] = []
        for key in recipe.keys_used:
            name = credential_name(key, self._account)
            found = await self._find(name)
            if found is not None:
                if not trust.may_use(recipe.service, key, found.service, trust_recipe=trust_recipe):
                    raise setup.refused_secret(recipe.service, name, found.service)
                values[key] = found.value
            elif key not in recipe.optional_keys or key in recipe.grant_keys:
                missing.append(key)
        if missing:
            raise setup.missing_secrets(recipe.service, self._account, missing)
        return values

    async def _recipe(self, *, refresh: bool = False) -> Recipe:
        """Return the recipe: the remembered one, unless it is to be fetched again."""
        known, service = self._connection.memory.recipes, self._service
        if refresh or service not in known:
            known[service] = await self._connection.send(operations.get_recipe(service))
        return known[service]

    async def _find(self, name: str) -> StoredSecret | None:
        """Find a secret: in memory, the keyring, the engine (sealed), or the environment."""
        connection = self._connection
        if name in connection.memory.secrets:
            return connection.memory.secrets[name]
        store = connection.store
        found = await async_in_thread(lambda: store.get(name)) if store else None
        if found is None and connection.settings.api_key is not None:
            found = await self._sealed_read(name)
        if found is not None:
            await self._remember(name, found)
            return found
        return secret_from_environment(name)

    async def _sealed_read(self, name: str) -> StoredSecret | None:
        connection, envelope = self._connection, None
        try:
            envelope = await connection.send(operations.read_credential(name))
        except APIStatusError as error:
            # No such credential, or an engine without sealed reads.
            if error.status not in {404, 405}:
                raise
        if envelope is None:
            return None
        value = Secret(unseal(connection.key().reveal(), name, envelope))
        return StoredSecret(value, envelope.get("service"))

    async def _remember(self, name: str, secret: StoredSecret) -> None:
        self._connection.memory.secrets[name] = secret
        store = self._connection.store
        if store is not None:
            await async_in_thread(lambda: store.put(name, secret))

    def _token_source(self, recipe: Recipe, values: dict[str, Secret]) -> AsyncTokenSource | None:
        """Return what fetches the service's access tokens; the same one for the same secrets."""
        service, account, grant, own = self._service, self._account, recipe.grant, self._own
        if grant is None:
            return None
        sources: dict[Any, AsyncTokenSource] = own.memory.token_sources
        used = (service, account, grant.endpoint)

        async def keep(key: str, value: Secret) -> None:
            name = credential_name(key, account)
            try:
                await push_secret(own, name, value, service=service)
            finally:
                await self._remember(name, StoredSecret(value, service))

        if used not in sources or sources[used].values != values:
            sources[used] = AsyncTokenSource(service, grant, values, own.timeout, keep)
        return sources[used]
