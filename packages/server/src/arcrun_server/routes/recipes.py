"""`/auth-recipes` and `/recipes`: recipes that are shipped, and those that an account pushes.

Both kinds have the same routes; what differs is a `RecipeKind`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response  # noqa: TC002 - FastAPI reads the annotations

from arcrun_server.engine import BUILTIN_IDS
from arcrun_server.engine.nearest import nearest
from arcrun_server.errors import ApiError, Detail
from arcrun_server.json_text import encode
from arcrun_server.recipes.api.record import API_RECIPE, check_api_recipe, stored_api_recipe
from arcrun_server.recipes.auth.record import AUTH_RECIPE, check_auth_recipe, stored_auth_recipe
from arcrun_server.routes.context import path_name
from arcrun_server.routes.paging import FIRST_PAGE
from arcrun_server.routes.problems import details_of
from arcrun_server.store.pages import Page
from arcrun_server.validation import RECIPE_ID, RECIPE_ID_RULE, SERVICE_NAME, SERVICE_NAME_RULE
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Sequence

    from pydantic import TypeAdapter

    from arcrun_server.engine import Problem
    from arcrun_server.recipes.catalog import ShippedRecipes
    from arcrun_server.routes.context import Context
    from arcrun_server.store.pages import PageRequest
    from arcrun_server.store.recipes import Recipes


@dataclass(frozen=True)
class RecipeKind:
    """What differs between the kinds of recipes.

    Args:
        path: Where the routes are.
        parameter: Name of the path's parameter.
        name_field: The field that holds a recipe's name.
        name_pattern: What a name in the path must match in full.
        name_rule: The same as text.
        noun: What a recipe stands for, in messages.
        not_found_code: Code of the error for a name that is not there.
        not_found: Its message, up to the name.
        all_of_them: What the list holds, in messages.
        fields: The fields of a pushed recipe.
        check: Returns why a recipe with the right fields could not work.
        stored: Returns a pushed recipe as it is stored.
        services_first: Whether a node that names a recipe of this kind finds a service of that name first.
    """

    path: str
    parameter: str
    name_field: str
    name_pattern: re.Pattern[str]
    name_rule: str
    noun: str
    not_found_code: str
    not_found: str
    all_of_them: str
    fields: TypeAdapter[Any]
    check: Callable[[dict[str, Any]], list[Problem]]
    stored: Callable[[dict[str, Any]], dict[str, Any]]
    services_first: bool


AUTH = RecipeKind(
    path="/auth-recipes",
    parameter="service",
    name_field="service",
    name_pattern=SERVICE_NAME,
    name_rule=SERVICE_NAME_RULE,
    noun="service",
    not_found_code="service_not_found",
    not_found="no auth recipe for the service",
    all_of_them="services",
    fields=AUTH_RECIPE,
    check=check_auth_recipe,
    stored=stored_auth_recipe,
    services_first=False,
)
API = RecipeKind(
    path="/recipes",
    parameter="id",
    name_field="canonical_id",
    name_pattern=RECIPE_ID,
    name_rule=RECIPE_ID_RULE,
    noun="recipe",
    not_found_code="recipe_not_found",
    not_found="no recipe",
    all_of_them="recipes",
    fields=API_RECIPE,
    check=check_api_recipe,
    stored=stored_api_recipe,
    services_first=True,
)


class RecipeRoutes:
    """List, get, push and delete recipes of one kind.

    Args:
        context: What the routes share.
        kind: The kind.
        shipped: The shipped recipes of this kind, for everyone.
        pushed: The recipes of this kind that accounts have pushed, each for its own account.
    """

    def __init__(
        self, context: Context, kind: RecipeKind, shipped: ShippedRecipes, pushed: Recipes
    ) -> None:
        self._context = context
        self._kind = kind
        self._shipped = shipped
        self._pushed = pushed
        # The first page is the same for all but the engine's own URL in it; clients see one or two of these.
        self._first_page = lru_cache(maxsize=8)(self._encode_first_page)

    def add_to(self, router: APIRouter) -> None:
        """Add these routes."""
        path, one = self._kind.path, f"{self._kind.path}/{{{self._kind.parameter}}}"
        router.add_api_route(path, self.list, methods=["GET"])
        router.add_api_route(path, self.push, methods=["POST"])
        router.add_api_route(one, self.get, methods=["GET"])
        router.add_api_route(one, self.delete, methods=["DELETE"])

    async def list(self, request: Request) -> Response:
        """Return a page of all recipes; with a key, the account's own are among them."""
        account = await self._context.optional_account(request)
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
        page = await self._pushed.list(account, replace(asked, limit=asked.limit + 1))
        return page.entries, names

    def _listed(
        self,
        own: Sequence[dict[str, Any]],
        own_names: set[str],
        asked: PageRequest,
        engine_url: str,
    ) -> dict[str, Any]:
        field = self._kind.name_field
        shipped = {recipe[field]: recipe for recipe in self._shipped.list(engine_url)}
        # A shipped recipe is found before one of the same name that was pushed when it was not shipped yet.
        recipes = {recipe[field]: recipe for recipe in own} | shipped
        names = sorted(name for name in recipes if asked.after is None or name > asked.after)
        shown = names[: asked.limit]
        page = Page(
            [recipes[name] for name in shown],
            len(shipped.keys() | own_names),
            shown[-1] if len(names) > len(shown) else None,
        )
        body = {"success": True, "recipes": page.entries, "count": page.total}
        return body | self._context.pages.next(page, self._kind.path)

    async def get(self, request: Request) -> Response:
        """Return one recipe, by its name or its hash."""
        account = await self._context.optional_account(request)
        name = self._name(request)
        recipe = self._shipped.get(name, self._context.base_url(request))
        if recipe is None and account is not None:
            recipe = await self._pushed.get(account, name)
        if recipe is None:
            raise await self._not_found(account, name)
        return JsonResponse({"success": True, "recipe": recipe})

    async def push(self, request: Request) -> Response:
        """Store or replace a recipe of the account."""
        account = await self._context.account(request)
        recipe: dict[str, Any] = await self._context.json(request, self._kind.fields)
        problems = self._kind.check(recipe)
        if problems:
            raise _invalid(problems)
        stored = self._kind.stored(recipe)
        name = stored[self._kind.name_field]
        await self._check_free(account, name)
        await self._pushed.push(account, name, stored)
        return JsonResponse({"success": True, "recipe": stored})

    async def delete(self, request: Request) -> Response:
        """Remove a recipe of the account."""
        account = await self._context.account(request)
        name = self._name(request)
        if name in self._shipped.names:
            raise _immutable(f"the {self._kind.noun} {name!r}")
        recipe = await self._pushed.get(account, name)
        if recipe is None or not await self._pushed.delete(account, name):
            raise await self._not_found(account, name)
        field = self._kind.name_field
        return JsonResponse({"success": True, field: recipe[field]})

    async def _check_free(self, account: str, name: str) -> None:
        """Refuse a name under which the recipe would never be found, because something else is."""
        if name in self._shipped.names:
            raise _immutable(f"the {self._kind.noun} {name!r}")
        if name in BUILTIN_IDS | self._context.registry.ids:
            raise _immutable(f"the component {name!r}")
        if self._kind.services_first:
            await self._check_no_service(account, name)

    async def _check_no_service(self, account: str, name: str) -> None:
        own = await self._context.store.auth_recipes.names(account)
        if name in self._context.catalog.auth.names | own:
            raise ApiError(
                400,
                "invalid_recipe",
                f"{name!r} is the name of a service, which would be found first; take another {self._kind.name_field}",
                details=[Detail("this is the name of a service", path=self._kind.name_field)],
            )

    async def _not_found(self, account: str | None, name: str) -> ApiError:
        known = set(self._shipped.names)
        if account is not None:
            known |= await self._pushed.names(account)
        suggestion = nearest(name, sorted(known), least=0.6)
        hint = f"; did you mean {suggestion!r}?" if suggestion else ""
        return ApiError(
            404,
            self._kind.not_found_code,
            f"{self._kind.not_found} {name!r}{hint}",
            next_actions=[f"see all {self._kind.all_of_them}: GET {self._kind.path}"],
        )

    def _name(self, request: Request) -> str:
        kind = self._kind
        return path_name(request, kind.parameter, kind.name_pattern, kind.name_rule).lower()

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


def _immutable(what: str) -> ApiError:
    return ApiError(
        403,
        "recipe_immutable",
        f"{what} is shipped with the engine and can't be changed; push your own under another name",
    )


def _invalid(problems: list[Problem]) -> ApiError:
    first = problems[0]
    text = str(first)
    if first.suggestion:
        text += f"; did you mean {first.suggestion!r}?"
    return ApiError(400, first.code, text, details=details_of(problems))
