"""The recipes that are shipped with the engine: the YAML files of the folder `catalog`."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml

from arcrun_server.recipes.api.record import hash_id
from arcrun_server.recipes.prompt.reading import read_recipe
from arcrun_server.recipes.versions import SHIPPED, StoredVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

# Stands in a shipped recipe for the URL under which the client reaches this engine.
ENGINE_URL = "{{engine.url}}"


class ShippedRecipes:
    """The shipped recipes of one kind.

    Args:
        recipes: The recipes, by name.
        texts: What they were read from, by name, where that counts.
    """

    def __init__(
        self, recipes: Mapping[str, dict[str, Any]], texts: Mapping[str, str] | None = None
    ) -> None:
        self._recipes = dict(sorted(recipes.items()))
        self._texts = texts or {}
        self._by_hash = {
            recipe["hash_id"]: name for name, recipe in recipes.items() if "hash_id" in recipe
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
        found = self.version(name, engine_url)
        return None if found is None else found.recipe

    def version(self, name: str, engine_url: str) -> StoredVersion | None:
        """Return a recipe as the only version there is of it; the arguments are those of `get`."""
        name = self._by_hash.get(name, name)
        recipe = self._recipes.get(name)
        if recipe is None:
            return None
        recipe = _with_engine_url(recipe, engine_url)
        return StoredVersion(name, SHIPPED, recipe, source=self._texts.get(name))

    def list(self, engine_url: str) -> list[dict[str, Any]]:
        """Return all recipes, sorted by name."""
        return [_with_engine_url(recipe, engine_url) for recipe in self._recipes.values()]

    def by_name(self, engine_url: str) -> dict[str, dict[str, Any]]:
        """Return all recipes by name, sorted by it."""
        return dict(zip(self._recipes, self.list(engine_url), strict=True))


class Catalog:
    """The shipped recipes of all kinds.

    Args:
        auth: The auth recipes, by service.
        api: The API recipes, by `canonical_id`.
        prompts: The prompt recipes, by name.
    """

    def __init__(self, auth: ShippedRecipes, api: ShippedRecipes, prompts: ShippedRecipes) -> None:
        self.auth = auth
        self.api = api
        self.prompts = prompts


@lru_cache(maxsize=1)
def load_catalog() -> Catalog:
    """Read the recipes that are shipped."""
    services = [_value(text) for text in _texts("auth-recipes")]
    requests = [_value(text) for text in _texts("api-recipes")]
    prompts = [(read_recipe(text)[0], text) for text in _texts("prompt-recipes")]
    return Catalog(
        auth=ShippedRecipes({recipe["service"]: recipe for recipe in services}),
        api=ShippedRecipes(
            {
                recipe["canonical_id"]: recipe | {"hash_id": hash_id(recipe["canonical_id"])}
                for recipe in requests
            }
        ),
        prompts=ShippedRecipes(
            {prompt.name: prompt.document.value for prompt, _ in prompts},
            {prompt.name: text for prompt, text in prompts},
        ),
    )


def _with_engine_url(recipe: dict[str, Any], engine_url: str) -> dict[str, Any]:
    for field in ("base_url", "endpoint"):
        if ENGINE_URL in recipe.get(field, ""):
            return recipe | {field: recipe[field].replace(ENGINE_URL, engine_url)}
    return recipe


def _texts(folder: str) -> list[str]:
    files = resources.files("arcrun_server") / "catalog" / folder
    return [
        file.read_text("utf-8")
        for file in sorted(files.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".yaml")
    ]


def _value(text: str) -> dict[str, Any]:
    value: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, in C where there is one
    return value


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
