"""`/auth-recipes`: how to authenticate with a service (CONTRACT.md §4)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response  # noqa: TC002 - FastAPI reads the annotations

from arcrun_server.engine import BUILTIN_IDS
from arcrun_server.errors import ApiError, nearest
from arcrun_server.routes.api_recipes import immutable
from arcrun_server.routes.context import path_name
from arcrun_server.routes.recipe_shapes import AUTH_RECIPE_PUSH, check_auth_recipe
from arcrun_server.routes.shapes import SERVICE_NAME, SERVICE_NAME_RULE
from arcrun_server.web.answers import Json, encode

if TYPE_CHECKING:
    from arcrun_server.routes.context import Context


class AuthRecipeRoutes:
    """Shipped recipes for everybody; those that an account pushes are its own."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._recipes = context.store.auth_recipes
        # The list is the same for all but the engine's own URL in it; clients see one or two of these.
        self._shipped_list = lru_cache(maxsize=8)(self._encode_shipped)

    def add_to(self, router: APIRouter) -> None:
        """Add these routes."""
        router.add_api_route("/auth-recipes", self.list, methods=["GET"])
        router.add_api_route("/auth-recipes", self.push, methods=["POST"])
        router.add_api_route("/auth-recipes/{service}", self.get, methods=["GET"])
        router.add_api_route("/auth-recipes/{service}", self.delete, methods=["DELETE"])

    async def list(self, request: Request) -> Response:
        """Answer all recipes, with a key the account's own too."""
        account = await self._context.optional_account(request)
        engine_url = self._context.base_url(request)
        own = await self._recipes.list(account) if account is not None else []
        if not own:
            return Json(self._shipped_list(engine_url))
        recipes = own + self._context.catalog.auth_recipes(engine_url)
        recipes.sort(key=lambda recipe: str(recipe["service"]))
        return Json({"success": True, "recipes": recipes, "count": len(recipes)})

    async def get(self, request: Request) -> Response:
        """Answer one service's recipe."""
        account = await self._context.optional_account(request)
        service = _service(request)
        recipe = self._context.catalog.auth_recipe(service, self._context.base_url(request))
        if recipe is None and account is not None:
            recipe = await self._recipes.get(account, service)
        if recipe is None:
            raise await self._not_found(account, service)
        return Json({"success": True, "recipe": recipe})

    async def push(self, request: Request) -> Response:
        """Store or replace a recipe of the account."""
        account = await self._context.account(request)
        recipe: dict[str, Any] = await self._context.json(request, AUTH_RECIPE_PUSH)
        check_auth_recipe(recipe)
        service = recipe["service"]
        if service in self._context.catalog.services:
            raise immutable(f"the service {service!r}")
        if service in BUILTIN_IDS | self._context.registry.ids:
            raise immutable(f"the component {service!r}")
        stored = {"kind": "auth_recipe", "version": 1, "display_name": service, **recipe}
        await self._recipes.push(account, service, stored)
        return Json({"success": True, "recipe": stored})

    async def delete(self, request: Request) -> Response:
        """Remove a recipe of the account."""
        account = await self._context.account(request)
        service = _service(request)
        if service in self._context.catalog.services:
            raise immutable(f"the service {service!r}")
        if not await self._recipes.delete(account, service):
            raise await self._not_found(account, service)
        return Json({"success": True, "service": service})

    async def _not_found(self, account: str | None, service: str) -> ApiError:
        known = set(self._context.catalog.services)
        if account is not None:
            known |= await self._recipes.names(account)
        suggestion = nearest(service, known)
        hint = f"; did you mean {suggestion!r}?" if suggestion else ""
        return ApiError(
            404,
            "service_not_found",
            f"no auth recipe for the service {service!r}{hint}",
            next_actions=["see all services: GET /auth-recipes"],
        )

    def _encode_shipped(self, engine_url: str) -> bytes:
        recipes = self._context.catalog.auth_recipes(engine_url)
        return encode({"success": True, "recipes": recipes, "count": len(recipes)})


def _service(request: Request) -> str:
    return path_name(request, "service", SERVICE_NAME, SERVICE_NAME_RULE)
