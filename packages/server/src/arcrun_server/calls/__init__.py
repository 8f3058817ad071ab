"""Calling services on behalf of an account: auth recipes and API recipes as components (CONTRACT.md §6, §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arcrun_server.calls.api_recipe import api_recipe_component
from arcrun_server.calls.service import service_component
from arcrun_server.calls.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from arcrun_server.catalog import Catalog
    from arcrun_server.engine import Component
    from arcrun_server.outbound import Outbound
    from arcrun_server.store import Store

    Secrets = Callable[[str], Awaitable[str | None]]


class Calls:
    """Finds the components that are recipes: the account's own and the shipped ones.

    Args:
        outbound: The guarded door to the network.
        catalog: What is shipped.
        store: Where the accounts' own recipes are.
        engine_url: URL of this engine, for the services that live in it.
    """

    def __init__(self, outbound: Outbound, catalog: Catalog, store: Store, engine_url: str) -> None:
        self._outbound = outbound
        self._catalog = catalog
        self._store = store
        self._engine_url = engine_url
        self._tokens = Tokens(outbound)

    async def component(self, account: str, name: str, secret: Secrets) -> Component | None:
        """Return the component of this name, or None.

        Args:
            account: Whose run it is.
            name: A service of an auth recipe, or an API recipe by its id or its `rec_` hash.
            secret: Gives the account's credentials in plain text.
        """
        auth_recipe = await self.auth_recipe(account, name)
        if auth_recipe is not None:
            return service_component(auth_recipe, secret, self._outbound, self._tokens)
        api_recipe = await self.api_recipe(account, name)
        if api_recipe is None:
            return None
        needed = api_recipe.get("auth_service")
        auth = await self.auth_recipe(account, needed) if needed else None
        return api_recipe_component(api_recipe, auth, secret, self._outbound, self._tokens)

    async def auth_recipe(self, account: str, service: str) -> dict[str, Any] | None:
        """Return a shipped auth recipe or the account's own, or None."""
        shipped = self._catalog.auth_recipe(service, self._engine_url)
        return shipped or await self._store.auth_recipes.get(account, service)

    async def api_recipe(self, account: str, name: str) -> dict[str, Any] | None:
        """Return a shipped API recipe or the account's own, by id or hash, or None."""
        shipped = self._catalog.api_recipe(name)
        return shipped or await self._store.api_recipes.get(account, name)
