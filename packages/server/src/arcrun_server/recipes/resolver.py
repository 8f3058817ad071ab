"""Finds the recipe that a node names, and makes a component of it (docs/contract.md#execution)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from arcrun_server.recipes.api.component import api_recipe_component
from arcrun_server.recipes.auth.component import service_component
from arcrun_server.recipes.auth.primitive_component import primitive_component
from arcrun_server.recipes.auth.tokens import AccessTokens
from arcrun_server.recipes.request import ServiceClient

if TYPE_CHECKING:
    from arcrun_server.engine import Component
    from arcrun_server.outbound import Outbound
    from arcrun_server.recipes.catalog import Catalog
    from arcrun_server.recipes.request import SecretReader


class StoredRecipes(Protocol):
    """The recipes of one kind that accounts have pushed."""

    async def get(self, account: str, name: str) -> dict[str, Any] | None:
        """Return an account's recipe by its name or its hash, or None."""
        ...


class RecipeStore(Protocol):
    """The recipes of all kinds that accounts have pushed."""

    @property
    def auth_recipes(self) -> StoredRecipes:
        """Return the auth recipes."""
        ...

    @property
    def api_recipes(self) -> StoredRecipes:
        """Return the API recipes."""
        ...


class RecipeResolver:
    """Finds the components that are recipes: the shipped ones and the account's own.

    Args:
        outbound: The guarded HTTP client.
        catalog: The recipes that are shipped.
        store: The recipes that accounts have pushed.
        engine_url: URL of this engine, for the services that it provides itself.
    """

    def __init__(
        self, outbound: Outbound, catalog: Catalog, store: RecipeStore, engine_url: str
    ) -> None:
        self._outbound = outbound
        self._catalog = catalog
        self._store = store
        self._engine_url = engine_url
        self._tokens = AccessTokens(outbound)

    async def component(
        self, account: str, name: str, read_secret: SecretReader
    ) -> Component | None:
        """Return the component of this name, or None.

        Args:
            account: Whose run it is.
            name: A service of an auth recipe, or an API recipe by its id or its `rec_` hash.
            read_secret: Returns one of the account's credentials in plain text, or None.
        """
        client = ServiceClient(read_secret, self._outbound, self._tokens)
        auth_recipe = await self._auth_recipe(account, name)
        if auth_recipe is not None:
            return service_component(auth_recipe, client)
        api_recipe = await self._api_recipe(account, name)
        if api_recipe is None:
            return None
        service = api_recipe.get("auth_service")
        needed = await self._auth_recipe(account, service) if service else None
        return api_recipe_component(api_recipe, needed, client)

    def primitive(self, account: str, primitive: str, read_secret: SecretReader) -> Component:
        """Return the component of an auth primitive; the arguments are those of `component`."""

        async def find(service: str) -> dict[str, Any] | None:
            return await self._auth_recipe(account, service)

        client = ServiceClient(read_secret, self._outbound, self._tokens)
        return primitive_component(primitive, find, client)

    async def _auth_recipe(self, account: str, service: str) -> dict[str, Any] | None:
        shipped = self._catalog.auth.get(service, self._engine_url)
        return shipped or await self._store.auth_recipes.get(account, service)

    async def _api_recipe(self, account: str, name: str) -> dict[str, Any] | None:
        shipped = self._catalog.api.get(name, self._engine_url)
        return shipped or await self._store.api_recipes.get(account, name)
