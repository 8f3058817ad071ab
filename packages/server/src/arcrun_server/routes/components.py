"""`/components`: what the nodes of a workflow can be (docs/contract.md#component-catalog)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from arcrun_server.engine.check import is_url
from arcrun_server.engine.nearest import nearest
from arcrun_server.errors import ApiError
from arcrun_server.kbdb.contracts import CONTRACTS as OF_KNOWLEDGE_BASE
from arcrun_server.routes.component_search import (
    Entry,
    KnownEntries,
    entry_of_api_recipe,
    entry_of_component,
    entry_of_prompt_recipe,
    entry_of_service,
    found,
)
from arcrun_server.routes.context import path_name
from arcrun_server.routes.paging import invalid_parameter, query_parameter
from arcrun_server.slots import Queues
from arcrun_server.store.pages import Page, PageRequest
from arcrun_server.validation import RECIPE_ID, RECIPE_ID_RULE
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.components.contract import ComponentContract
    from arcrun_server.routes.context import Context
    from arcrun_server.store.recipes import Recipes
    from arcrun_server.web.router import ApiRouter

T = TypeVar("T")

LONGEST_QUERY = 200
_AT_ONCE = 1000  # how many of an account's recipes are read at once
_LIST = "/components"


class ComponentRoutes:
    """The catalog, and the search for components and recipes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        contracts = context.registry.contracts()
        self._listed = {contract["canonical_id"]: contract for contract in contracts}
        # Nodes name these as components, though they are shipped as API recipes.
        self._all: dict[str, ComponentContract] = {**self._listed, **OF_KNOWLEDGE_BASE}
        self._shipped = self._shipped_entries()
        self._known = KnownEntries()
        self._searches = Queues(1)

    def add_to(self, router: ApiRouter) -> None:
        """Add these routes."""
        router.add_api_route(_LIST, self.list, methods=["GET"])
        router.add_api_route(f"{_LIST}/search", self.search, methods=["GET"])
        router.add_api_route(f"{_LIST}/{{id}}", self.get, methods=["GET"])

    async def list(self, request: Request) -> Response:
        """Return a page of the catalog, sorted by id."""
        asked = self._context.pages.requested(request, _LIST)
        after = str(asked.after) if asked.after is not None else ""
        ids = [name for name in self._listed if name > after]
        page = _page([(name, self._listed[name]) for name in ids], asked, len(self._listed), dict)
        body = {"success": True, "components": page.entries, "count": page.total}
        return JsonResponse(body | self._context.pages.next(page, _LIST))

    async def get(self, request: Request) -> Response:
        """Return one component."""
        name = path_name(request, "id", RECIPE_ID, RECIPE_ID_RULE).lower()
        contract = self._all.get(name)
        if contract is None:
            raise self._not_found(name)
        return JsonResponse({"success": True, "component": contract})

    async def search(self, request: Request) -> Response:
        """Return a page of the components and recipes that a query means, the account's own among them."""
        account = await self._context.optional_account(request)
        query = query_parameter(request, "q")
        if not query or len(query) > LONGEST_QUERY:
            raise invalid_parameter("q", f"a text of 1 to {LONGEST_QUERY} characters")
        listed = f"{_LIST}/search?q={query}"
        asked = self._context.pages.requested(request, listed)
        results = await self._found(query, account)
        after = str(asked.after) if asked.after is not None else ""
        rest = [(position, entry) for position, entry in results if position > after]
        page = _page(rest, asked, len(results), Entry.as_json)
        body = {"success": True, "results": page.entries, "count": page.total}
        return JsonResponse(body | self._context.pages.next(page, listed))

    async def _found(self, query: str, account: str | None) -> Sequence[tuple[str, Entry]]:
        """Return all results; an account's own recipes are searched in a thread, one search after the other."""
        if account is None:
            return found(query, self._shipped.values())
        async with self._searches.turn(account):
            own = await self._own_entries(account)
            # A shipped recipe is found before an account's own of the same name, but for prompts.
            prompts = {key: entry for key, entry in own.items() if entry.kind == "prompt_recipe"}
            entries = {**own, **self._shipped, **prompts}.values()
            return await asyncio.to_thread(found, query, self._known.of(entries))

    def _shipped_entries(self) -> dict[tuple[str, str], Entry]:
        catalog = self._context.catalog
        recipes = (entry_of_api_recipe(recipe) for recipe in catalog.api.list(""))
        entries = [
            *map(entry_of_component, self._listed.values()),
            *(entry for entry in recipes if entry.canonical_id not in OF_KNOWLEDGE_BASE),
            *(entry_of_component(one, "api_recipe") for one in OF_KNOWLEDGE_BASE.values()),
            # The knowledge base is no service that a node could name: it has components.
            *(
                entry_of_service(recipe)
                for recipe in catalog.auth.list("")
                if is_url(recipe["base_url"])
            ),
            *(
                entry_of_prompt_recipe(name, recipe.get("description"))
                for name, recipe in catalog.prompts.by_name("").items()
            ),
        ]
        return {(entry.kind, entry.canonical_id): entry for entry in entries}

    async def _own_entries(self, account: str) -> dict[tuple[str, str], Entry]:
        store = self._context.store
        entries = [
            *map(entry_of_api_recipe, await _records(store.api_recipes, account)),
            *map(entry_of_service, await _records(store.auth_recipes, account)),
            *(
                entry_of_prompt_recipe(recipe["name"], recipe["description"])
                for recipe in await _whole(store.prompt_recipes.list, account)
            ),
        ]
        return {(entry.kind, entry.canonical_id): entry for entry in entries}

    def _not_found(self, name: str) -> ApiError:
        recipe = next(
            (entry for entry in self._shipped.values() if entry.canonical_id == name), None
        )
        near = nearest(name, sorted(self._all), least=0.6)
        hint = f"; did you mean {near!r}?" if near else ""
        if recipe is not None and recipe.kind == "auth_recipe":
            hint = f"; it is a service, whose recipe is at /auth-recipes/{name}"
        elif recipe is not None:
            hint = f"; it is a recipe, at /recipes/{name}"
        return ApiError(
            404,
            "component_not_found",
            f"no component {name!r}{hint}",
            next_actions=[
                "see all components: GET /components",
                "search: GET /components/search?q=",
            ],
        )


def _page(
    entries: list[tuple[str, T]],
    asked: PageRequest,
    total: int,
    as_json: Callable[[T], dict[str, Any]],
) -> Page:
    shown = entries[: asked.limit]
    last = shown[-1][0] if len(entries) > len(shown) else None
    return Page([as_json(entry) for _, entry in shown], total, last)


async def _records(recipes: Recipes, account: str) -> list[dict[str, Any]]:
    return [entry["recipe"] for entry in await _whole(recipes.records, account)]


async def _whole(
    read: Callable[[str, PageRequest], Awaitable[Page]], account: str
) -> list[dict[str, Any]]:
    """Return all entries of a list of an account."""
    entries: list[dict[str, Any]] = []
    page = await read(account, PageRequest(_AT_ONCE))
    entries += page.entries
    while page.last is not None:
        await asyncio.sleep(0)  # a database that is a file answers without waiting
        page = await read(account, PageRequest(_AT_ONCE, page.last))
        entries += page.entries
    return entries
