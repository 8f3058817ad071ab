"""`/auth-recipes`: how to authenticate with a service (CONTRACT.md §4)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response  # noqa: TC002 - FastAPI reads the annotations

from arcrun_server.errors import ApiError, nearest
from arcrun_server.routes.context import path_name
from arcrun_server.routes.shapes import SERVICE_NAME, SERVICE_NAME_RULE
from arcrun_server.web.answers import Json, encode

if TYPE_CHECKING:
    from arcrun_server.routes.context import Context


class AuthRecipeRoutes:
    """Shipped recipes for everybody."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # The list is the same for all but the engine's own URL in it; clients see one or two of these.
        self._shipped_list = lru_cache(maxsize=8)(self._encode_shipped)

    def add_to(self, router: APIRouter) -> None:
        """Add these routes."""
        router.add_api_route("/auth-recipes", self.list, methods=["GET"])
        router.add_api_route("/auth-recipes/{service}", self.get, methods=["GET"])

    async def list(self, request: Request) -> Response:
        """Answer all recipes."""
        await self._context.optional_account(request)
        return Json(self._shipped_list(self._context.base_url(request)))

    async def get(self, request: Request) -> Response:
        """Answer one service's recipe."""
        await self._context.optional_account(request)
        service = path_name(request, "service", SERVICE_NAME, SERVICE_NAME_RULE)
        recipe = self._context.catalog.auth_recipe(service, self._context.base_url(request))
        if recipe is None:
            raise self._not_found(service)
        return Json({"success": True, "recipe": recipe})

    def _not_found(self, service: str) -> ApiError:
        suggestion = nearest(service, self._context.catalog.services)
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
