"""Reading recipes without keeping others waiting, and keeping those that were read."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from typing import TYPE_CHECKING

from arcrun_server.engine.sizes import rough_size
from arcrun_server.recipes.prompt.reading import read_recipe

if TYPE_CHECKING:
    from arcrun_server.engine import JsonObject, Problem
    from arcrun_server.recipes.prompt.record import PromptRecipe
    from arcrun_server.recipes.versions import StoredVersion

# A longer recipe is read in a thread: that takes up to seconds.
_LONG = 8 * 1024
# What is kept, with the places of all values, takes many times the characters.
_KEPT = 128
_KEPT_CHARACTERS = 1024 * 1024


class _Kept:
    """The recipes that were read last, by their text and whether it was pushed as a text."""

    def __init__(self) -> None:
        self._recipes: OrderedDict[tuple[bool, str], PromptRecipe] = OrderedDict()
        self._characters = 0

    def get(self, key: tuple[bool, str]) -> PromptRecipe | None:
        recipe = self._recipes.get(key)
        if recipe is not None:
            self._recipes.move_to_end(key)
        return recipe

    def put(self, key: tuple[bool, str], recipe: PromptRecipe) -> None:
        if key not in self._recipes:
            self._characters += len(key[1])
        self._recipes[key] = recipe
        while len(self._recipes) > _KEPT or self._characters > _KEPT_CHARACTERS:
            (_, text), _ = self._recipes.popitem(last=False)
            self._characters -= len(text)


_kept = _Kept()


async def read(source: str | JsonObject) -> tuple[PromptRecipe, list[Problem]]:
    """Do the same as `read_recipe`; a long recipe is read in a thread."""
    size = len(source) if isinstance(source, str) else rough_size(source, _LONG)
    return read_recipe(source) if size <= _LONG else await asyncio.to_thread(read_recipe, source)


async def read_stored(version: StoredVersion) -> PromptRecipe:
    """Return the recipe of a version, which is read once.

    Raises:
        RecipeError: It was stored by an engine that took what this one refuses.
    """
    is_text = version.source is not None
    text = version.source or json.dumps(version.recipe, ensure_ascii=False)
    recipe = _kept.get((is_text, text))
    if recipe is None:
        recipe, _ = await read(text if is_text else version.recipe)
        _kept.put((is_text, text), recipe)
    return recipe
