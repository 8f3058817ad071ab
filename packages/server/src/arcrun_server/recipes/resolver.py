"""Finds the recipe that a node names, and makes a component of it (docs/contract.md#execution)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from arcrun_server.engine import ComponentError, InvocationFailure
from arcrun_server.recipes.api.component import api_recipe_component
from arcrun_server.recipes.auth.component import service_component
from arcrun_server.recipes.auth.primitive_component import primitive_component
from arcrun_server.recipes.auth.tokens import AccessTokens
from arcrun_server.recipes.finder import RecipeFinder
from arcrun_server.recipes.reference import Reference, parse_reference
from arcrun_server.recipes.request import ServiceClient
from arcrun_server.recipes.versions import RecipeNotFoundError

if TYPE_CHECKING:
    from arcrun_server.engine import Component
    from arcrun_server.outbound import Outbound
    from arcrun_server.recipes.catalog import Catalog
    from arcrun_server.recipes.finder import PushedRecipes
    from arcrun_server.recipes.request import SecretReader


class RecipeStore(Protocol):
    """The recipes that accounts have pushed."""

    @property
    def auth_recipes(self) -> PushedRecipes:
        """Return the auth recipes."""
        ...

    @property
    def api_recipes(self) -> PushedRecipes:
        """Return the API recipes."""
        ...


class RecipeResolver:
    """Finds the components that are recipes: the shipped ones and the account's own.

    Args:
        outbound: The guarded HTTP client.
        catalog: The recipes that are shipped.
        store: The recipes that accounts have pushed.
        engine_url: URL of this engine, for the services that it provides itself.
        tokens: The access tokens that services have given; by default none yet.
    """

    def __init__(
        self,
        outbound: Outbound,
        catalog: Catalog,
        store: RecipeStore,
        engine_url: str,
        tokens: AccessTokens | None = None,
    ) -> None:
        self._outbound = outbound
        self._catalog = catalog
        self._services = RecipeFinder(catalog.auth, store.auth_recipes, "service")
        self._requests = RecipeFinder(catalog.api, store.api_recipes)
        self._engine_url = engine_url
        self._tokens = tokens or AccessTokens(outbound)

    def of_run(self, store: RecipeStore) -> RecipeResolver:
        """Return a resolver for one run, which finds these recipes and shares all else with this one."""
        return RecipeResolver(self._outbound, self._catalog, store, self._engine_url, self._tokens)

    async def component(
        self, account: str, name: str, read_secret: SecretReader
    ) -> Component | None:
        """Return the component of this name, or None.

        Args:
            account: Whose run it is.
            name: A service of an auth recipe, or an API recipe by its id or its `rec_` hash; each also with a version
                or a label, as `weather_today@3`.
            read_secret: Returns one of the account's credentials in plain text, or None.

        Raises:
            InvocationFailure: The recipe is there, but not this version or label.
        """
        client = ServiceClient(read_secret, self._outbound, self._tokens)
        try:
            reference = parse_reference(name)
            auth_recipe = await self._find(self._services, account, reference)
            if auth_recipe is not None:
                return service_component(auth_recipe, client)
            api_recipe = await self._find(self._requests, account, reference)
        except ValueError:
            return None
        except RecipeNotFoundError as error:
            raise InvocationFailure(str(error)) from None
        if api_recipe is None:
            return None
        service = api_recipe.get("auth_service")
        needed = await self._find(self._services, account, Reference(service)) if service else None
        return api_recipe_component(api_recipe, needed, client)

    def primitive(self, account: str, primitive: str, read_secret: SecretReader) -> Component:
        """Return the component of an auth primitive; the arguments are those of `component`."""

        async def find(service: str) -> dict[str, Any] | None:
            try:
                return await self._find(self._services, account, parse_reference(service))
            except (ValueError, RecipeNotFoundError) as error:
                raise ComponentError(str(error)) from None

        client = ServiceClient(read_secret, self._outbound, self._tokens)
        return primitive_component(primitive, find, client)

    async def _find(
        self, finder: RecipeFinder, account: str, reference: Reference
    ) -> dict[str, Any] | None:
        found = await finder.find(account, reference, self._engine_url)
        return None if found is None else found.recipe
