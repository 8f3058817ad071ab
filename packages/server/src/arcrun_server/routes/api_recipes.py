"""`/recipes`: HTTP requests as components (CONTRACT.md §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response  # noqa: TC002 - FastAPI reads the annotations

from arcrun_server.engine import BUILTIN_IDS
from arcrun_server.errors import ApiError, Detail, nearest
from arcrun_server.routes.context import path_name
from arcrun_server.routes.recipe_shapes import (
    API_RECIPE_PUSH,
    RECIPE_ID,
    RECIPE_ID_RULE,
    check_api_recipe,
)
from arcrun_server.store.recipes import hash_id
from arcrun_server.web.answers import Json

if TYPE_CHECKING:
    from arcrun_server.routes.context import Context


class ApiRecipeRoutes:
    """Shipped recipes for everybody; those that an account pushes are its own."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._recipes = context.store.api_recipes

    def add_to(self, router: APIRouter) -> None:
        """Add these routes."""
        router.add_api_route("/recipes", self.list, methods=["GET"])
        router.add_api_route("/recipes", self.push, methods=["POST"])
        router.add_api_route("/recipes/{id}", self.get, methods=["GET"])
        router.add_api_route("/recipes/{id}", self.delete, methods=["DELETE"])

    async def list(self, request: Request) -> Response:
        """Answer all recipes, with a key the account's own too."""
        account = await self._context.optional_account(request)
        recipes = self._context.catalog.api_recipes()
        if account is not None:
            recipes += await self._recipes.list(account)
            recipes.sort(key=lambda recipe: str(recipe["canonical_id"]))
        return Json({"success": True, "recipes": recipes, "count": len(recipes)})

    async def get(self, request: Request) -> Response:
        """Answer one recipe, by its id or its hash."""
        account = await self._context.optional_account(request)
        name = _id(request)
        recipe = self._context.catalog.api_recipe(name)
        if recipe is None and account is not None:
            recipe = await self._recipes.get(account, name)
        if recipe is None:
            raise await self._not_found(account, name)
        return Json({"success": True, "recipe": recipe})

    async def push(self, request: Request) -> Response:
        """Store or replace a recipe of the account."""
        account = await self._context.account(request)
        recipe: dict[str, Any] = await self._context.json(request, API_RECIPE_PUSH)
        check_api_recipe(recipe)
        name = recipe["canonical_id"].lower()
        await self._check_free(account, name)
        stored = recipe | {"canonical_id": name, "hash_id": hash_id(name)}
        await self._recipes.push(account, name, stored)
        return Json({"success": True, "recipe": stored})

    async def delete(self, request: Request) -> Response:
        """Remove a recipe of the account."""
        account = await self._context.account(request)
        name = _id(request)
        if self._context.catalog.api_recipe(name) is not None:
            raise immutable(f"the recipe {name!r}")
        recipe = await self._recipes.get(account, name)
        if recipe is None or not await self._recipes.delete(account, name):
            raise await self._not_found(account, name)
        return Json({"success": True, "canonical_id": recipe["canonical_id"]})

    async def _check_free(self, account: str, name: str) -> None:
        """Refuse a name under which the recipe would never be found, because something else is."""
        if self._context.catalog.api_recipe(name) is not None:
            raise immutable(f"the recipe {name!r}")
        if name in BUILTIN_IDS | self._context.registry.ids:
            raise immutable(f"the component {name!r}")
        own = await self._context.store.auth_recipes.names(account)
        if name in self._context.catalog.services | own:
            raise ApiError(
                400,
                "invalid_recipe",
                f"{name!r} is the name of a service, which would be found first; take another canonical_id",
                details=[Detail("this is the name of a service", path="canonical_id")],
            )

    async def _not_found(self, account: str | None, name: str) -> ApiError:
        known = set(self._context.catalog.api_recipe_names)
        if account is not None:
            known |= await self._recipes.names(account)
        suggestion = nearest(name, known)
        hint = f"; did you mean {suggestion!r}?" if suggestion else ""
        return ApiError(
            404,
            "recipe_not_found",
            f"no recipe {name!r}{hint}",
            next_actions=["see all recipes: GET /recipes"],
        )


def immutable(what: str) -> ApiError:
    """Return the refusal to change something that is shipped."""
    return ApiError(
        403,
        "recipe_immutable",
        f"{what} is shipped with the engine and can't be changed; push your own under another name",
    )


def _id(request: Request) -> str:
    return path_name(request, "id", RECIPE_ID, RECIPE_ID_RULE).lower()
