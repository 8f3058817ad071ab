"""`/auth-recipes` and `/recipes`: how to authenticate with a service, and HTTP requests as components."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from arcrun_server.engine import BUILTIN_IDS
from arcrun_server.errors import ApiError, Detail
from arcrun_server.json_text import encode
from arcrun_server.recipes.versions import NewVersion
from arcrun_server.routes.paging import FIRST_PAGE
from arcrun_server.routes.recipe_kinds import API, AUTH
from arcrun_server.routes.versioned_recipes import (
    VersionedRecipes,
    immutable,
    invalid_recipe,
    one_more,
)
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.recipes.catalog import ShippedRecipes
    from arcrun_server.recipes.versions import StoredVersion
    from arcrun_server.routes.context import Context
    from arcrun_server.routes.recipe_kinds import RecipeKind
    from arcrun_server.store.pages import PageRequest
    from arcrun_server.store.recipes import Recipes


class RecipeRoutes(VersionedRecipes):
    """Recipes that are JSON objects, which lists show as they are; anybody may read those that are shipped."""

    def __init__(
        self, context: Context, kind: RecipeKind, shipped: ShippedRecipes, pushed: Recipes
    ) -> None:
        super().__init__(context, kind, shipped, pushed)
        # The first page is the same for all but the engine's own URL in it; clients see one or two of these.
        self._first_page = lru_cache(maxsize=8)(self._encode_first_page)

    async def list(self, request: Request) -> Response:
        """Return a page of all recipes; with a key, the account's own are among them."""
        account = await self._reader(request)
        engine_url = self._context.base_url(request)
        asked = self._context.pages.requested(request, self._kind.path)
        own, own_names = await self._own(account, asked)
        if not own_names and asked == FIRST_PAGE:
            return JsonResponse(self._first_page(engine_url))
        return JsonResponse(self._listed(own, own_names, asked, engine_url))

    async def _own(
        self, account: str | None, asked: PageRequest
    ) -> tuple[Sequence[dict[str, Any]], set[str]]:
        """Return what a page may hold of the account's own recipes, and the names of all of these."""
        names = await self._pushed.own_names(account) if account is not None else set()
        if account is None or not names:
            return [], set()
        page = await self._pushed.records(account, one_more(asked))
        return page.entries, names

    def _listed(
        self,
        own: Sequence[dict[str, Any]],
        own_names: set[str],
        asked: PageRequest,
        engine_url: str,
    ) -> dict[str, Any]:
        shipped = self._shipped.by_name(engine_url)
        records = {entry["name"]: entry["recipe"] for entry in own}
        page = self._merged(records, shipped, len(shipped.keys() | own_names), asked)
        numbers = {entry["name"]: entry["version"] for entry in own}
        shown = [recipe[self._kind.name_field] for recipe in page.entries]
        versions = {
            name: numbers[name] for name in shown if name in numbers and name not in shipped
        }
        body = {
            "success": True,
            "recipes": page.entries,
            "versions": versions,
            "count": page.total,
        }
        return body | self._context.pages.next(page, self._kind.path)

    async def _reader(self, request: Request) -> str | None:
        return await self._context.optional_account(request)

    async def _store(
        self, account: str, given: dict[str, Any]
    ) -> tuple[StoredVersion, Sequence[str]]:
        recipe = {
            field: value
            for field, value in given.items()
            if field not in ("message", "expected_version")
        }
        problems = self._kind.check(recipe)
        if problems:
            raise invalid_recipe(problems)
        stored = self._kind.stored(recipe)
        name = stored[self._kind.name_field]
        await self._check_free(account, name)
        new = NewVersion(
            recipe=stored,
            description=stored.get("description", ""),
            message=given.get("message"),
            hash_id=stored.get("hash_id"),
        )
        return await self._pushed.push(account, name, new, given.get("expected_version")), []

    def _body(self, shown: dict[str, Any]) -> dict[str, Any]:
        return {"success": True, **shown}

    async def _check_free(self, account: str, name: str) -> None:
        """Refuse a name under which the recipe would never be found, because something else is."""
        del account
        if name in self._shipped.names:
            raise immutable(f"the {self._kind.noun} {name!r}")
        if name in BUILTIN_IDS | self._context.registry.ids:
            raise immutable(f"the component {name!r}")

    def _encode_first_page(self, engine_url: str) -> bytes:
        return encode(self._listed([], set(), FIRST_PAGE, engine_url))


class AuthRecipeRoutes(RecipeRoutes):
    """`/auth-recipes`: how to authenticate with a service (docs/contract.md#auth-recipes)."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, AUTH, context.catalog.auth, context.store.auth_recipes)


class ApiRecipeRoutes(RecipeRoutes):
    """`/recipes`: HTTP requests as components (docs/contract.md#api-recipes)."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, API, context.catalog.api, context.store.api_recipes)

    async def _check_free(self, account: str, name: str) -> None:
        """Refuse a service's name too: a node that names it means the service."""
        await super()._check_free(account, name)
        own = await self._context.store.auth_recipes.names(account)
        if name in self._context.catalog.auth.names | own:
            raise ApiError(
                400,
                "invalid_recipe",
                f"{name!r} is the name of a service, which would be found first; take another {self._kind.name_field}",
                details=[Detail("this is the name of a service", path=self._kind.name_field)],
            )
