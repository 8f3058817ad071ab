"""Prompt recipes of an account: found, their fragments fetched, checked, rendered and tested."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from arcrun_server.engine import ComponentError
from arcrun_server.engine.nearest import nearest
from arcrun_server.engine.sizes import rough_size
from arcrun_server.kbdb.blocks import TEMPLATE, PageTooLargeError
from arcrun_server.recipes.catalog import load_catalog
from arcrun_server.recipes.finder import RecipeFinder
from arcrun_server.recipes.prompt.assembly import (
    AssemblyError,
    FragmentText,
    ResolvedRecipe,
    assemble,
    fragment_warnings,
)
from arcrun_server.recipes.prompt.reading import read_recipe
from arcrun_server.recipes.prompt.record import RecipeError
from arcrun_server.recipes.prompt.testing import context_look_up, run_test, with_fragments
from arcrun_server.recipes.reference import Reference
from arcrun_server.recipes.versions import NewVersion, RecipeNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arcrun_server.engine import JsonObject
    from arcrun_server.kbdb.base import Blocks
    from arcrun_server.kbdb.blocks import Block
    from arcrun_server.recipes.prompt.assembly import LookUp, Prompt
    from arcrun_server.recipes.prompt.record import Fragment, PromptRecipe
    from arcrun_server.recipes.prompt.testing import Outcome, SchemaCheck
    from arcrun_server.recipes.versions import StoredVersion

MAX_RECIPES = 8
"""How deep recipes may take each other's texts as fragments."""

_CACHED = 128
# A prompt of larger values is assembled in a thread: writing them as JSON takes a while.
_LARGE = 64 * 1024


class PromptStore(Protocol):
    """Where the prompt recipes of all accounts are."""

    async def get(self, account: str, reference: Reference) -> StoredVersion | None:
        """Return the version that a reference names, or None for an unknown recipe."""
        ...

    async def names(self, account: str) -> set[str]:
        """Return the names of an account's recipes."""
        ...

    async def push(
        self, account: str, name: str, new: NewVersion, expected: int | None = None
    ) -> StoredVersion:
        """Store a new version."""
        ...


class TextStore(Protocol):
    """Where the texts for fragments of all accounts are."""

    async def get(self, account: str, key: str) -> dict[str, Any] | None:
        """Return `{key, text, updated_at}`, or None."""
        ...


@dataclass(frozen=True)
class Pushed:
    """What became of a push.

    Attributes:
        version: The new version.
        warnings: What may be wrong with it.
    """

    version: StoredVersion
    warnings: list[str]


class Prompts:
    """The prompt recipes of one account.

    Args:
        account: Whose they are.
        store: Where recipes are.
        texts: Where texts for fragments are.
        blocks: The account's knowledge base, where fragments are.
        check: Returns where a value does not fit a schema; raises for what is no schema.
    """

    def __init__(
        self,
        account: str,
        store: PromptStore,
        texts: TextStore,
        blocks: Blocks,
        check: SchemaCheck,
    ) -> None:
        self._account = account
        self._store = store
        self._shipped = load_catalog().prompts
        self._finder = RecipeFinder(self._shipped, store, own_first=True)
        self._texts = texts
        self._blocks = blocks
        self._check = check

    async def push(
        self, source: str | JsonObject, message: str | None = None, expected: int | None = None
    ) -> Pushed:
        """Store a new version of a recipe.

        Args:
            source: The recipe, as text or as an object.
            message: Why the version is made.
            expected: The number that the newest version must have; 0 for a recipe that must not be there.

        Raises:
            RecipeError: The recipe can't be used.
            VersionConflictError: The newest version has another number.
        """
        recipe, problems = read_recipe(source)
        await self._check_schema(recipe)
        pins, warnings = await self._pins(recipe)
        new = NewVersion(
            recipe=recipe.document.value,
            source=recipe.document.text if isinstance(source, str) else None,
            description=recipe.description,
            message=message,
            pins=pins,
        )
        version = await self._store.push(self._account, recipe.name, new, expected)
        return Pushed(version, [*map(str, problems), *warnings])

    async def get(self, reference: Reference) -> StoredVersion:
        """Return a version.

        Raises:
            RecipeNotFoundError: There is none.
        """
        version = await self._finder.find(self._account, reference)
        if version is None:
            names = self._shipped.names | await self._store.names(self._account)
            near = nearest(reference.name, sorted(names))
            hint = f"; did you mean '{near}'?" if near else ""
            raise RecipeNotFoundError(f"no prompt recipe '{reference.name}' in this account{hint}")
        return version

    async def resolve(self, reference: Reference) -> ResolvedRecipe:
        """Return a stored recipe with the texts of its fragments.

        Raises:
            RecipeNotFoundError: There is no such recipe.
        """
        version = await self.get(reference)
        return await self._resolved(_read(version), version.version, version.pins, ())

    async def resolve_given(self, recipe: PromptRecipe) -> ResolvedRecipe:
        """Return a recipe that is not stored, with the texts of its fragments."""
        return await self._resolved(recipe, None, {}, ())

    async def render(
        self,
        resolved: ResolvedRecipe,
        context: JsonObject,
        inputs: Mapping[str, Any] | None = None,
        fragments: dict[str, str] | None = None,
    ) -> Prompt:
        """Assemble a prompt from values that are given.

        Args:
            resolved: The recipe.
            context: Where the paths of inputs are looked up.
            inputs: Values by variable, which count instead.
            fragments: Texts by variable, which count instead of those that were fetched.

        Raises:
            AssemblyError: It can't be assembled.
        """
        filled = with_fragments(resolved, fragments or {})
        return await assembled(filled, context_look_up(context), inputs)

    async def test(self, resolved: ResolvedRecipe) -> list[Outcome]:
        """Run the tests that a recipe brings with it."""
        return [await run_test(resolved, test, self._check) for test in resolved.recipe.tests]

    async def _check_schema(self, recipe: PromptRecipe) -> None:
        if recipe.output.schema is None:
            return
        try:
            await self._check(recipe.output.schema, None)
        except (ValueError, ComponentError) as error:
            problem = recipe.document.problem(
                f"this is not a valid JSON Schema: {error}", ("output", "schema")
            )
            raise RecipeError([problem]) from None

    async def _pins(self, recipe: PromptRecipe) -> tuple[dict[str, Any], list[str]]:
        """Return the versions of the blocks of pinned fragments, and what is wrong with the fragments now."""
        pins: dict[str, Any] = {}
        warnings: list[str] = []
        texts: dict[str, FragmentText | ResolvedRecipe | AssemblyError] = {}
        for number, fragment in enumerate(recipe.fragments):
            try:
                fetched = await self._fetch(recipe, None, fragment, None, ())
            except AssemblyError as error:
                if fragment.pin:
                    problem = recipe.document.problem(str(error), ("fragments", number))
                    raise RecipeError([problem]) from None
                warnings.append(str(error))
                continue
            texts[fragment.var] = fetched
            if fragment.pin and isinstance(fetched, FragmentText):
                pins[fragment.var] = fetched.origin["blocks"]
        return pins, warnings + fragment_warnings(ResolvedRecipe(recipe, None, texts))

    async def _resolved(
        self,
        recipe: PromptRecipe,
        version: int | None,
        pins: dict[str, Any],
        inside: tuple[str, ...],
    ) -> ResolvedRecipe:
        texts: dict[str, FragmentText | ResolvedRecipe | AssemblyError] = {}
        for fragment in recipe.fragments:
            try:
                texts[fragment.var] = await self._fetch(
                    recipe, version, fragment, pins.get(fragment.var), inside
                )
            except AssemblyError as error:
                texts[fragment.var] = error
        return ResolvedRecipe(recipe, version, texts)

    async def _fetch(
        self,
        recipe: PromptRecipe,
        version: int | None,
        fragment: Fragment,
        pin: list[JsonObject] | None,
        inside: tuple[str, ...],
    ) -> FragmentText | ResolvedRecipe:
        if fragment.recipe is not None:
            return await self._fetch_recipe(recipe, version, fragment, inside)
        if fragment.source == "kv":
            found = await self._texts.get(self._account, fragment.key or "")
            if found is None:
                reason = (
                    f"there is no text '{fragment.key}'; store it: PUT /prompt-texts/{fragment.key}"
                )
                raise _missing(recipe, version, fragment, reason)
            return FragmentText(found["text"], {"key": fragment.key}, f"text '{fragment.key}'")
        return _of_blocks(fragment, await self._fetch_blocks(recipe, version, fragment, pin))

    async def _fetch_recipe(
        self,
        recipe: PromptRecipe,
        version: int | None,
        fragment: Fragment,
        inside: tuple[str, ...],
    ) -> ResolvedRecipe:
        reference = fragment.recipe or Reference("")
        chain = (*inside, recipe.name)
        if reference.name in chain:
            cycle = " → ".join((*chain[chain.index(reference.name) :], reference.name))
            raise _missing(recipe, version, fragment, f"the recipes hold each other: {cycle}")
        if len(chain) == MAX_RECIPES:
            raise _missing(
                recipe, version, fragment, f"recipes are nested deeper than {MAX_RECIPES} levels"
            )
        try:
            found = await self.get(reference)
        except RecipeNotFoundError as error:
            raise _missing(recipe, version, fragment, str(error)) from None
        return await self._resolved(_read(found), found.version, found.pins, chain)

    async def _fetch_blocks(
        self,
        recipe: PromptRecipe,
        version: int | None,
        fragment: Fragment,
        pin: list[JsonObject] | None,
    ) -> list[Block]:
        wanted: list[tuple[str, int | None]] = []
        if pin is not None:
            wanted.extend((str(one["block_id"]), int(one["version"])) for one in pin)
        elif fragment.block_id is not None:
            wanted.append((fragment.block_id, fragment.version))
        else:
            return await self._fetch_page(recipe, version, fragment)
        blocks = []
        for block_id, number in wanted:
            block = await self._blocks.block(block_id, number)
            of_version = "" if number is None else f" with a version {number}"
            if block is None:
                reason = f"there is no block '{block_id}'{of_version} in the knowledge base"
                raise _missing(recipe, version, fragment, reason)
            if block.type != TEMPLATE:
                reason = (
                    f"the block '{block_id}' is no template; only a block with `type: template` "
                    "may be part of a prompt"
                )
                raise _missing(recipe, version, fragment, reason)
            blocks.append(block)
        return blocks

    async def _fetch_page(
        self, recipe: PromptRecipe, version: int | None, fragment: Fragment
    ) -> list[Block]:
        name = fragment.block_page_name or ""
        try:
            found = await self._blocks.page(name, TEMPLATE)
        except PageTooLargeError as error:
            raise _missing(recipe, version, fragment, str(error)) from None
        if not found:
            block = {"page_name": name, "type": TEMPLATE, "content": "…"}
            reason = (
                f"there is no block with `type: template` on a page '{name}' of this account; write it: "
                f"POST /kbdb/blocks with {json.dumps(block, ensure_ascii=False)}"
            )
            raise _missing(recipe, version, fragment, reason)
        return found


async def assembled(
    resolved: ResolvedRecipe, look_up: LookUp, inputs: Mapping[str, Any] | None = None
) -> Prompt:
    """Assemble a prompt, in a thread if its values or fragments are large."""
    values = [inputs] + [look_up(item.path)[1] for item in resolved.recipe.inputs]
    texts = [one.text for one in resolved.fragments.values() if isinstance(one, FragmentText)]
    if rough_size([values, texts], _LARGE) <= _LARGE:
        return assemble(resolved, look_up, inputs)
    return await asyncio.to_thread(assemble, resolved, look_up, inputs)


def _read(version: StoredVersion) -> PromptRecipe:
    if version.source is not None:
        return _read_text(version.source)
    return read_recipe(version.recipe)[0]


@lru_cache(maxsize=_CACHED)
def _read_text(source: str) -> PromptRecipe:
    return read_recipe(source)[0]


def _of_blocks(fragment: Fragment, blocks: list[Block]) -> FragmentText:
    text = "\n\n".join(str(getattr(block, fragment.field) or "") for block in blocks)
    origin = {"blocks": [{"block_id": block.id, "version": block.version} for block in blocks]}
    name = ", ".join(f"block '{block.id}', version {block.version}" for block in blocks[:3])
    return FragmentText(text, origin, name)


def _missing(
    recipe: PromptRecipe, version: int | None, fragment: Fragment, reason: str
) -> AssemblyError:
    return AssemblyError(
        f"the fragment '{fragment.var}': {reason}",
        ResolvedRecipe(recipe, version).name,
        code="missing_fragment",
        variable=fragment.var,
    )
