# Generated from _async by scripts/unasync.py: edit there.
"""Services: set up once, then bound to an HTTP client whose requests are signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, overload

from arcrun._concurrency import in_thread
from arcrun._core import operations, setup, trust
from arcrun._core.errors import APIStatusError, ArcrunError
from arcrun._core.injection import split_constants
from arcrun._core.memory import StoredSecret
from arcrun._core.names import check_account, check_service, credential_name
from arcrun._core.placeholders import render_base_url
from arcrun._core.recipe import Recipe
from arcrun._core.sealing import unseal
from arcrun._core.secret import Secret
from arcrun._core.types import AuthRecipe, SetupResult
from arcrun._http import USER_AGENT, check_url, httpx, limits
from arcrun._local import secret_from_environment

from .connection import Connection
from .creds import push_secret
from .tokens import SignIn, TokenSource
from .transport import EnvironmentTransport, InjectingTransport


class Auth:
    """`client.auth`: sign in to services without handling their secrets in each request."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_services(self, *, timeout: float | None = None) -> list[AuthRecipe]:
        """List the services that have an auth recipe. Needs no API key.

        Args:
            timeout: seconds for each attempt; None for the client's own.

        Raises:
            APIConnectionError: the engine could not be reached.

        Example:
            >>> services = client.auth.list_services()
            >>> "notion" in [recipe["service"] for recipe in services]
            True
        """
        return self._connection.send_all(operations.list_services, timeout)

    # For type checkers: of `**secrets` they ask that each value fits each argument that has a default.
    @overload
    def setup(
        self, service: str, *, account: str | None = None, **more_secrets: str
    ) -> SetupResult: ...
    @overload
    def setup(
        self,
        service: str,
        *,
        account: str | None = None,
        timeout: float | None = None,
        secrets: Mapping[str, str] | None = None,
        **more_secrets: str,
    ) -> SetupResult: ...
    def setup(
        self,
        service: str,
        *,
        account: str | None = None,
        timeout: Any = None,
        secrets: Any = None,
        **more_secrets: str,
    ) -> SetupResult:
        """Store a service's secrets, each as a credential under its key.

        Args:
            service: the service's name.
            account: one of several accounts; its secrets are stored as `KEY__account`.
            timeout: seconds for each attempt; None for the client's own.
            secrets: each of the recipe's `required_secrets`, by key.
            **more_secrets: the same, as arguments, except keys that are names of arguments here.

        Raises:
            UnknownServiceError: there is no recipe for the service.
            InvalidArgumentError: a secret is missing, given twice, unknown or empty, or has characters that its
                place in the request can't carry; nothing was stored.
            ArcrunError: storing failed; `stored` names what was stored before. Call it again.

        Example:
            >>> result = client.auth.setup("notion", notion_token="ntn_123")
            >>> result["stored"]
            ['notion_token']
        """
        given = setup.wrapped(service, secrets, more_secrets)
        del secrets, more_secrets  # tools print the locals of frames
        check_service(service)
        check_account(account)
        connection = self._connection
        connection.key()
        recipe = self._recipe(service, timeout, refresh=True)
        values = setup.checked_values(recipe, given)
        named = {credential_name(key, account): value for key, value in values.items()}
        stored: list[str] = []
        for name, value in named.items():
            try:
                push_secret(connection, name, value, service=service, timeout=timeout)
            except ArcrunError as error:
                setup.add_stored(error, service, stored)
                raise
            stored.append(name)
        for name, value in named.items():
            self._remember(name, StoredSecret(value, service))
        trust.pin_origins(recipe, connection.memory)
        return {"service": service, "account": account, "stored": stored}

    def bind(
        self,
        service: str,
        *,
        account: str | None = None,
        trust_origin: str | None = None,
        trust_recipe: bool = False,
        transport: httpx.BaseTransport | None = None,
        timeout: float | None = None,
    ) -> httpx.Client:
        """Return an `httpx.Client` whose requests to the service are signed in.

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

        Raises:
            UnknownServiceError: there is no recipe for the service.
            MissingSecretError: a secret was neither set up here, nor stored sealed in the engine, nor
                set in the environment.
            RecipeOriginError: the recipe leads to an origin that is not known to be the service's.
            RecipeChangedError: the recipe of a shipped service is not the known one.

        Example:
            >>> notion = client.auth.bind("notion")
            >>> with notion:
            ...     str(notion.base_url)
            'https://api.notion.com/v1/'
        """
        connection, trusted = self._connection, trust.check_trust_origin(trust_origin)
        time_out = connection.timeout if timeout is None else limits(timeout)
        recipe = self._checked_recipe(service, account, timeout)
        known = trust.known_origins(service, connection.settings, connection.memory)
        trust.check_before_secrets(recipe, known, trusted)
        values = self._values(recipe, account, timeout, trust_recipe=trust_recipe)
        base_url = render_base_url(recipe.base_url, values)
        check_url(base_url)
        allowed = trust.check_origins(recipe, base_url, known, trusted)
        constants, inject = split_constants(recipe.inject.with_values(values))
        sign_in = SignIn(inject, values, self._token_source(recipe, account, values))
        return httpx.Client(
            base_url=base_url,
            headers={"User-Agent": USER_AGENT, **constants},
            timeout=time_out,
            transport=InjectingTransport(
                allowed, sign_in, transport or EnvironmentTransport(hidden=True)
            ),
        )

    def get_token(
        self,
        service: str,
        *,
        account: str | None = None,
        trust_origin: str | None = None,
        trust_recipe: bool = False,
        timeout: float | None = None,
    ) -> str:
        """Return a service's token, for use without httpx.

        It is the one secret that the recipe injects, or the access token fetched with it.

        Args:
            service: the service's name.
            account: one of several accounts, as named in `setup`.
            trust_origin: as for `bind`; used only if a token is fetched.
            trust_recipe: as for `bind`.
            timeout: seconds for each attempt; None for the client's own.

        Raises:
            InvalidArgumentError: the service signs in with several secrets: use `bind`.
            MissingSecretError: the secret was neither set up here, nor stored sealed in the engine,
                nor set in the environment.
            RecipeChangedError: the recipe of a shipped service is not the known one.
            TokenExchangeError: the token endpoint returned no token.

        Example:
            >>> token = client.auth.get_token("notion")
            >>> token[:4]
            'ntn_'
        """
        trusted = trust.check_trust_origin(trust_origin)
        recipe = self._checked_recipe(service, account, timeout)
        values = self._values(recipe, account, timeout, trust_recipe=trust_recipe)
        source = self._token_source(recipe, account, values)
        if source is None:
            return values[recipe.token_key].reveal()
        connection = self._connection
        known = trust.known_origins(service, connection.settings, connection.memory)
        base_url = render_base_url(recipe.base_url, values)
        trust.check_origins(recipe, base_url, known, trusted)
        transport = EnvironmentTransport(hidden=True)
        try:
            return (source.get(transport)).access.reveal()
        finally:
            transport.close()

    def _checked_recipe(
        self, service: str, account: str | None, timeout: float | None
    ) -> Recipe:
        """Check the names, and return the recipe if this SDK supports it."""
        check_service(service)
        check_account(account)
        recipe = self._recipe(service, timeout)
        recipe.check_supported()
        return recipe

    def _values(
        self, recipe: Recipe, account: str | None, timeout: float | None, *, trust_recipe: bool
    ) -> dict[str, Secret]:
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
            name = credential_name(key, account)
            found = self._find(name, timeout)
            if found is not None:
                if not trust.may_use(recipe.service, key, found.service, trust_recipe=trust_recipe):
                    raise setup.refused_secret(recipe.service, name, found.service)
                values[key] = found.value
            elif key not in recipe.optional_keys:
                missing.append(key)
        if missing:
            raise setup.missing_secrets(recipe.service, account, missing)
        return values

    def _recipe(
        self, service: str, timeout: float | None, *, refresh: bool = False
    ) -> Recipe:
        """Return a service's recipe: the remembered one, unless it is to be fetched again."""
        known = self._connection.memory.recipes
        if refresh or service not in known:
            known[service] = self._connection.send(operations.get_recipe(service), timeout)
        return known[service]

    def _find(self, name: str, timeout: float | None) -> StoredSecret | None:
        """Find a secret: in memory, the keyring, the engine (sealed), or the environment."""
        connection = self._connection
        if name in connection.memory.secrets:
            return connection.memory.secrets[name]
        store = connection.store
        found = in_thread(lambda: store.get(name)) if store else None
        if found is None and connection.settings.api_key is not None:
            found = self._sealed_read(name, timeout)
        if found is not None:
            self._remember(name, found)
            return found
        return secret_from_environment(name)

    def _sealed_read(self, name: str, timeout: float | None) -> StoredSecret | None:
        connection, envelope = self._connection, None
        try:
            envelope = connection.send(operations.read_credential(name), timeout)
        except APIStatusError as error:
            # No such credential, or an engine without sealed reads.
            if error.status not in {404, 405}:
                raise
        if envelope is None:
            return None
        value = Secret(unseal(connection.key().reveal(), name, envelope))
        return StoredSecret(value, envelope.get("service"))

    def _remember(self, name: str, secret: StoredSecret) -> None:
        self._connection.memory.secrets[name] = secret
        store = self._connection.store
        if store is not None:
            in_thread(lambda: store.put(name, secret))

    def _token_source(
        self, recipe: Recipe, account: str | None, values: dict[str, Secret]
    ) -> TokenSource | None:
        """Return what fetches the service's access tokens; the same one for the same secrets."""
        service, grant, connection = recipe.service, recipe.grant, self._connection
        if grant is None:
            return None
        sources: dict[Any, TokenSource] = connection.memory.token_sources
        used = (service, account, grant.endpoint)

        def keep(key: str, value: Secret) -> None:
            name = credential_name(key, account)
            try:
                push_secret(connection, name, value, service=service)
            finally:
                self._remember(name, StoredSecret(value, service))

        if used not in sources or sources[used].values != values:
            sources[used] = TokenSource(service, grant, values, connection.timeout, keep)
        return sources[used]
