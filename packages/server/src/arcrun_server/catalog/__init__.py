"""What is shipped with the engine, as YAML files beside this one."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml

from arcrun_server.store.recipes import hash_id

if TYPE_CHECKING:
    from collections.abc import Mapping

# Stands in a shipped recipe for the URL under which the client reaches this engine.
ENGINE_URL = "{{engine.url}}"


class Catalog:
    """The shipped recipes, each under its name.

    Args:
        auth_recipes: Auth recipes by service (CONTRACT.md §4).
        api_recipes: API recipes by `canonical_id` (CONTRACT.md §7).
    """

    def __init__(
        self,
        auth_recipes: Mapping[str, dict[str, Any]],
        api_recipes: Mapping[str, dict[str, Any]],
    ) -> None:
        self._auth_recipes = dict(sorted(auth_recipes.items()))
        self._api_recipes = dict(sorted(api_recipes.items()))
        self._by_hash = {recipe["hash_id"]: recipe for recipe in self._api_recipes.values()}

    @property
    def services(self) -> frozenset[str]:
        """The services that are shipped."""
        return frozenset(self._auth_recipes)

    @property
    def api_recipe_names(self) -> frozenset[str]:
        """The ids and hashes of the API recipes that are shipped."""
        return frozenset(self._api_recipes) | frozenset(self._by_hash)

    def api_recipe(self, name: str) -> dict[str, Any] | None:
        """Return a shipped API recipe by its id or its hash, or None."""
        return self._api_recipes.get(name) or self._by_hash.get(name)

    def api_recipes(self) -> list[dict[str, Any]]:
        """Return all shipped API recipes, sorted by id."""
        return list(self._api_recipes.values())

    def auth_recipe(self, service: str, engine_url: str) -> dict[str, Any] | None:
        """Return a shipped auth recipe, or None.

        Args:
            service: Its name, lower case.
            engine_url: URL of this engine, for the services that live in it.
        """
        recipe = self._auth_recipes.get(service)
        return None if recipe is None else _placed(recipe, engine_url)

    def auth_recipes(self, engine_url: str) -> list[dict[str, Any]]:
        """Return all shipped auth recipes, sorted by service."""
        return [_placed(recipe, engine_url) for recipe in self._auth_recipes.values()]


@lru_cache(maxsize=1)
def shipped() -> Catalog:
    """Read what is shipped."""
    api_recipes = [
        recipe | {"hash_id": hash_id(recipe["canonical_id"])}
        for recipe in _documents("api-recipes")
    ]
    return Catalog(
        {recipe["service"]: recipe for recipe in _documents("auth-recipes")},
        {recipe["canonical_id"]: recipe for recipe in api_recipes},
    )


def _placed(recipe: dict[str, Any], engine_url: str) -> dict[str, Any]:
    base_url = recipe["base_url"]
    if ENGINE_URL not in base_url:
        return recipe
    return recipe | {"base_url": base_url.replace(ENGINE_URL, engine_url)}


def _documents(folder: str) -> list[dict[str, Any]]:
    place = resources.files("arcrun_server") / "catalog" / folder
    files = sorted((file for file in place.iterdir()), key=lambda file: file.name)
    return [
        yaml.load(file.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader, in C where there is one
        for file in files
        if file.name.endswith(".yaml")
    ]


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
