"""Fetching the fragments of a recipe, and of the recipes in them (docs/prompt-recipes.md#fragments).

Recipes that take each other many times are few recipes that are reached in many ways. Each recipe, block and text is
fetched once, so that the work grows with what there is to fetch.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from arcrun_server.kbdb.blocks import TEMPLATE, PageTooLargeError
from arcrun_server.recipes.prompt.assembly import MAX_CHARACTERS, MAX_RECIPES
from arcrun_server.recipes.prompt.record import RecipeError
from arcrun_server.recipes.prompt.resolved import AssemblyError, FragmentText, ResolvedRecipe
from arcrun_server.recipes.read_recipes import read_stored
from arcrun_server.recipes.reference import Reference
from arcrun_server.recipes.versions import RecipeNotFoundError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_server.engine import JsonObject
    from arcrun_server.kbdb.base import Blocks
    from arcrun_server.kbdb.blocks import Block
    from arcrun_server.recipes.prompt.record import Fragment, PromptRecipe
    from arcrun_server.recipes.versions import StoredVersion

MAX_FETCHED = 128
"""How many recipes, blocks, pages and texts may be fetched for one prompt."""

MAX_BLOCKS = 1000
"""How many blocks may be fetched one by one for one prompt, as those of a pinned page are."""


class TextStore(Protocol):
    """Where the texts for fragments of all accounts are."""

    async def get(self, account: str, key: str) -> dict[str, Any] | None:
        """Return `{key, text, updated_at}`, or None."""
        ...


@dataclass(frozen=True)
class _Holder:
    """A recipe whose fragments are still to be fetched.

    Attributes:
        recipe: The recipe.
        texts: Where its fragments go.
        pins: The blocks of its pinned fragments, by variable.
        level: How many recipes lead to it, itself included.
    """

    recipe: ResolvedRecipe
    texts: dict[str, FragmentText | ResolvedRecipe | AssemblyError]
    pins: JsonObject
    level: int

    def error(self, fragment: Fragment, reason: str, code: str = "missing_fragment") -> Exception:
        """Return what is wrong with a fragment."""
        return AssemblyError(
            f"the fragment '{fragment.var}': {reason}",
            self.recipe.name,
            code=code,
            variable=fragment.var,
        )


class Fragments:
    """Fetches the fragments for one prompt.

    Args:
        account: Whose they are.
        find: Returns the version that a reference names; raises RecipeNotFoundError.
        texts: Where texts are.
        blocks: The account's knowledge base.
    """

    def __init__(
        self,
        account: str,
        find: Callable[[Reference], Awaitable[StoredVersion]],
        texts: TextStore,
        blocks: Blocks,
    ) -> None:
        self._account = account
        self._find = find
        self._texts = texts
        self._blocks = blocks
        self._waiting: deque[_Holder] = deque()
        self._by_reference: dict[Reference, ResolvedRecipe] = {}
        self._by_version: dict[tuple[str, int | None], ResolvedRecipe] = {}
        self._by_source: dict[tuple[Any, ...], FragmentText] = {}
        self._fetched = 0
        self._blocks_fetched = 0
        self._characters = 0

    async def resolve(
        self, recipe: PromptRecipe, version: int | None, pins: JsonObject
    ) -> ResolvedRecipe:
        """Return a recipe with the texts of its fragments; use an object for one recipe only.

        Args:
            recipe: The recipe.
            version: Its version; None if it is not stored.
            pins: The blocks of its pinned fragments, by variable.
        """
        resolved = self._opened(recipe, version, pins, 1)
        if version is None:
            self._by_reference[Reference(recipe.name)] = resolved
        while self._waiting:
            holder = self._waiting.popleft()
            for fragment in holder.recipe.recipe.fragments:
                try:
                    holder.texts[fragment.var] = await self._fetch(holder, fragment)
                except AssemblyError as error:
                    holder.texts[fragment.var] = error
        return resolved

    def _opened(
        self, recipe: PromptRecipe, version: int | None, pins: JsonObject, level: int
    ) -> ResolvedRecipe:
        """Return a recipe whose fragments will be fetched later."""
        texts: dict[str, FragmentText | ResolvedRecipe | AssemblyError] = {}
        resolved = ResolvedRecipe(recipe, version, texts)
        self._by_version[recipe.name, version] = resolved
        self._waiting.append(_Holder(resolved, texts, pins, level))
        return resolved

    async def _fetch(self, holder: _Holder, fragment: Fragment) -> FragmentText | ResolvedRecipe:
        if fragment.recipe is not None:
            found = self._by_reference.get(fragment.recipe)
            if found is None:
                found = await self._fetch_recipe(holder, fragment, fragment.recipe)
                self._by_reference[fragment.recipe] = found
            return found
        pin = holder.pins.get(fragment.var)
        source = _source_of(fragment, pin)
        text = self._by_source.get(source)
        if text is None:
            await self._begin(holder, fragment)
            text = await self._fetch_text(holder, fragment, pin)
            self._take(holder, fragment, len(text.text))
            self._by_source[source] = text
        return text

    async def _begin(self, holder: _Holder, fragment: Fragment) -> None:
        """Count what will be fetched, and let others have their turn before."""
        if self._fetched == MAX_FETCHED:
            raise holder.error(
                fragment,
                f"the prompt needs more than {MAX_FETCHED} recipes, blocks and texts",
                "prompt_too_large",
            )
        self._fetched += 1
        await asyncio.sleep(0)  # a database that is a file answers without waiting
        if self._characters > MAX_CHARACTERS:
            self._take(holder, fragment, 0)

    async def _begin_block(self, holder: _Holder, fragment: Fragment) -> None:
        if self._blocks_fetched == MAX_BLOCKS:
            raise holder.error(
                fragment, f"the prompt needs more than {MAX_BLOCKS:,} blocks", "prompt_too_large"
            )
        self._blocks_fetched += 1
        await asyncio.sleep(0)

    def _take(self, holder: _Holder, fragment: Fragment, characters: int) -> None:
        self._characters += characters
        if self._characters > MAX_CHARACTERS:
            raise holder.error(
                fragment,
                f"recipes and fragments have more than {MAX_CHARACTERS:,} characters together",
                "prompt_too_large",
            )

    async def _fetch_recipe(
        self, holder: _Holder, fragment: Fragment, reference: Reference
    ) -> ResolvedRecipe:
        await self._begin(holder, fragment)
        try:
            found = await self._find(reference)
        except RecipeNotFoundError as error:
            raise holder.error(fragment, str(error)) from None
        known = self._by_version.get((found.name, found.version))
        if known is not None:
            return known
        if holder.level == MAX_RECIPES:
            raise holder.error(fragment, f"recipes are nested deeper than {MAX_RECIPES} levels")
        try:
            recipe = await read_stored(found)
        except RecipeError as error:
            raise holder.error(fragment, str(error.problems[0]), "invalid_recipe") from None
        self._take(holder, fragment, recipe.document.characters)
        return self._opened(recipe, found.version, found.pins, holder.level + 1)

    async def _fetch_text(
        self, holder: _Holder, fragment: Fragment, pin: list[JsonObject] | None
    ) -> FragmentText:
        if fragment.source != "kv":
            return _of_blocks(fragment, await self._fetch_blocks(holder, fragment, pin))
        found = await self._texts.get(self._account, fragment.key or "")
        if found is None:
            reason = (
                f"there is no text '{fragment.key}'; store it: PUT /prompt-texts/{fragment.key}"
            )
            raise holder.error(fragment, reason)
        return FragmentText(found["text"], {"key": fragment.key}, f"text '{fragment.key}'")

    async def _fetch_blocks(
        self, holder: _Holder, fragment: Fragment, pin: list[JsonObject] | None
    ) -> list[Block]:
        wanted: list[tuple[str, int | None]] = []
        if pin is not None:
            wanted.extend((str(one["block_id"]), int(one["version"])) for one in pin)
        elif fragment.block_id is not None:
            wanted.append((fragment.block_id, fragment.version))
        else:
            return await self._fetch_page(holder, fragment)
        blocks = []
        for block_id, number in wanted:
            await self._begin_block(holder, fragment)
            block = await self._blocks.block(block_id, number)
            of_version = "" if number is None else f" with a version {number}"
            if block is None:
                reason = f"there is no block '{block_id}'{of_version} in the knowledge base"
                raise holder.error(fragment, reason)
            if block.type != TEMPLATE:
                reason = (
                    f"the block '{block_id}' is no template; only a block with `type: template` "
                    "may be part of a prompt"
                )
                raise holder.error(fragment, reason)
            blocks.append(block)
        return blocks

    async def _fetch_page(self, holder: _Holder, fragment: Fragment) -> list[Block]:
        name = fragment.block_page_name or ""
        try:
            found = await self._blocks.page(name, TEMPLATE)
        except PageTooLargeError as error:
            raise holder.error(fragment, str(error)) from None
        if not found:
            block = {"page_name": name, "type": TEMPLATE, "content": "…"}
            reason = (
                f"there is no block with `type: template` on a page '{name}' of this account; write it: "
                f"POST /kbdb/blocks with {json.dumps(block, ensure_ascii=False)}"
            )
            raise holder.error(fragment, reason)
        return found


def _source_of(fragment: Fragment, pin: list[JsonObject] | None) -> tuple[Any, ...]:
    """Return what tells a fragment's text from those of others."""
    pinned = pin and tuple((one["block_id"], one["version"]) for one in pin)
    named = (fragment.key, fragment.block_id, fragment.block_page_name)
    return (*named, fragment.version, fragment.field, pinned)


def _of_blocks(fragment: Fragment, blocks: list[Block]) -> FragmentText:
    text = "\n\n".join(str(getattr(block, fragment.field) or "") for block in blocks)
    origin = {"blocks": [{"block_id": block.id, "version": block.version} for block in blocks]}
    name = ", ".join(f"block '{block.id}', version {block.version}" for block in blocks[:3])
    return FragmentText(text, origin, name)
