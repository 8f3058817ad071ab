"""The recipes that are shipped with the engine: the YAML files of the folder `catalog`."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml

from arcrun_server.recipes.api.record import hash_id

if TYPE_CHECKING:
    from collections.abc import Iterable

# Stands in a shipped recipe for the URL under which the client reaches this engine.
ENGINE_URL = "{{engine.url}}"


class ShippedRecipes:
    """The shipped recipes of one kind.

    Args:
        recipes: The recipes.
        name_field: The field that holds a recipe's name.
    """

    def __init__(self, recipes: Iterable[dict[str, Any]], name_field: str) -> None:
        self._recipes = {
            recipe[name_field]: recipe
            for recipe in sorted(recipes, key=lambda recipe: str(recipe[name_field]))
        }
        self._by_hash = {
            recipe["hash_id"]: recipe for recipe in self._recipes.values() if "hash_id" in recipe
        }

    @property
    def names(self) -> frozenset[str]:
        """Return the names and hashes under which the recipes are found."""
        return frozenset(self._recipes) | frozenset(self._by_hash)

    def get(self, name: str, engine_url: str) -> dict[str, Any] | None:
        """Return a recipe by its name or its hash, or None.

        Args:
            name: Its name, in lower case.
            engine_url: URL of this engine, for the services that it provides itself.
        """
        recipe = self._recipes.get(name) or self._by_hash.get(name)
        return None if recipe is None else _with_engine_url(recipe, engine_url)

    def list(self, engine_url: str) -> list[dict[str, Any]]:
        """Return all recipes, sorted by name."""
        return [_with_engine_url(recipe, engine_url) for recipe in self._recipes.values()]


class Catalog:
    """The shipped recipes of all kinds.

    Args:
        auth: The auth recipes, by service.
        api: The API recipes, by `canonical_id`.
    """

    def __init__(self, auth: ShippedRecipes, api: ShippedRecipes) -> None:
        self.auth = auth
        self.api = api


@lru_cache(maxsize=1)
def load_catalog() -> Catalog:
    """Read the recipes that are shipped."""
    api_recipes = [
        recipe | {"hash_id": hash_id(recipe["canonical_id"])}
        for recipe in _documents("api-recipes")
    ]
    return Catalog(
        auth=ShippedRecipes(_documents("auth-recipes"), "service"),
        api=ShippedRecipes(api_recipes, "canonical_id"),
    )


def _with_engine_url(recipe: dict[str, Any], engine_url: str) -> dict[str, Any]:
    field = "base_url" if "base_url" in recipe else "endpoint"
    if ENGINE_URL not in recipe[field]:
        return recipe
    return recipe | {field: recipe[field].replace(ENGINE_URL, engine_url)}


def _documents(folder: str) -> list[dict[str, Any]]:
    files = resources.files("arcrun_server") / "catalog" / folder
    return [
        yaml.load(file.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader, in C where there is one
        for file in sorted(files.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".yaml")
    ]


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
