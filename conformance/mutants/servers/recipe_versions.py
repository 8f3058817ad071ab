"""Defects in versions, labels and the deletion of recipes, and in those that are shipped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from arcrun_server.engine import invoker
from arcrun_server.recipes.finder import RecipeFinder
from arcrun_server.recipes.reference import Reference
from arcrun_server.recipes.resolver import RecipeResolver
from arcrun_server.routes import versioned_recipes
from arcrun_server.routes.context import Context
from arcrun_server.store import recipes
from arcrun_server.store.credentials import Credentials
from arcrun_server.store.recipes import Recipes


def reads_the_newest_version_always() -> None:
    get = Recipes.get

    async def newest(self: Recipes, account: str, reference: Any) -> Any:
        return await get(self, account, replace(reference, version=None))

    Recipes.get = newest


def expects_no_version_of_services() -> None:
    push = Recipes.push

    async def pushed(self: Recipes, account: str, name: str, new: Any, expected: Any = None) -> Any:
        return await push(self, account, name, new, None if self._kind == "auth" else expected)

    Recipes.push = pushed


def knows_no_label_production() -> None:
    recipes.DEFAULT_LABEL = "no-such-label"


def lists_the_newest_version_of_recipes() -> None:
    async def records(self: Recipes, account: str, request: Any) -> Any:
        page = await self.list(account, request)
        entries = []
        for entry in page.entries:
            reference = Reference(entry["name"], version=entry["newest"])
            found = await self.get(account, reference)
            shown = {"version": found.version, "recipe": found.recipe}
            entries.append({"name": entry["name"], **shown})
        return replace(page, entries=entries)

    Recipes.records = records


def deletes_recipes_in_use() -> None:
    async def nothing(*_: Any) -> None:
        return None

    versioned_recipes.refuse_if_used = nothing


def forgets_the_credentials_of_a_service() -> None:
    async def none(*_: Any) -> list[str]:
        return []

    Credentials.of_service = none


def forgets_the_recipes_that_sign_with_a_service() -> None:
    async def none(*_: Any) -> list[str]:
        return []

    Recipes.holding = none


def knows_versions_of_everything() -> None:
    known = Context.known_components

    async def versions(self: Context, account: str | None) -> frozenset[str]:
        found = await known(self, account)
        return found | {f"{name}@" for name in found}

    Context.known_components = versions


def runs_the_newest_version_always() -> None:
    find = RecipeResolver._find

    async def newest(self: Any, finder: Any, account: str, reference: Any) -> Any:
        alone = replace(reference, version=None, label=None)
        return await find(self, finder, account, alone)

    RecipeResolver._find = newest


def reads_recipes_for_each_node_again() -> None:
    resolve = invoker.Invoker._resolve

    async def again(self: Any, component_id: str) -> Any:
        self._components.clear()
        return await resolve(self, component_id)

    invoker.Invoker._resolve = again


def finds_shipped_prompts_first() -> None:
    make = RecipeFinder.__init__

    def shipped_first(self: Any, *arguments: Any, **_more: Any) -> None:
        make(self, *arguments)

    RecipeFinder.__init__ = shipped_first


def makes_a_version_for_each_repetition() -> None:
    once = versioned_recipes.respond_once

    async def always(runs: Any, request: Any, *more: Any) -> Any:
        headers = [(n, v) for n, v in request.scope["headers"] if n != b"idempotency-key"]
        request.scope["headers"] = headers
        request.__dict__.pop("_headers", None)
        return await once(runs, request, *more)

    versioned_recipes.respond_once = always


def labels_move_to_any_version() -> None:
    async def anything(*_: Any) -> None:
        return None

    versioned_recipes.VersionedRecipes._check_tests = anything
