"""Prompt recipes of an account: found, their fragments fetched, checked, rendered and tested."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from arcrun_server.engine import ComponentError
from arcrun_server.engine.nearest import nearest
from arcrun_server.engine.sizes import rough_size
from arcrun_server.recipes.catalog import load_catalog
from arcrun_server.recipes.finder import RecipeFinder
from arcrun_server.recipes.fragments import Fragments, TextStore
from arcrun_server.recipes.prompt.assembly import assemble
from arcrun_server.recipes.prompt.checks import warnings_of
from arcrun_server.recipes.prompt.record import RecipeError
from arcrun_server.recipes.prompt.reference import PREFIX
from arcrun_server.recipes.prompt.resolved import AssemblyError, FragmentText, ResolvedRecipe
from arcrun_server.recipes.prompt.testing import context_look_up, run_test, with_fragments
from arcrun_server.recipes.read_recipes import read, read_stored
from arcrun_server.recipes.reference import Reference
from arcrun_server.recipes.versions import SHIPPED, NewVersion, RecipeNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arcrun_server.engine import JsonObject
    from arcrun_server.kbdb.base import Blocks
    from arcrun_server.recipes.prompt.assembly import LookUp, Prompt
    from arcrun_server.recipes.prompt.record import PromptRecipe
    from arcrun_server.recipes.prompt.testing import Outcome, SchemaCheck
    from arcrun_server.recipes.versions import StoredVersion

__all__ = ["PromptStore", "Prompts", "Pushed", "TextStore", "assembled"]

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
        self.account = account
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
        recipe, problems = await read(source)
        await self._check_schema(recipe)
        resolved = await self.resolve_given(recipe)
        pins = _pins(resolved)
        warnings = await asyncio.to_thread(warnings_of, resolved)
        new = NewVersion(
            recipe=recipe.document.value,
            source=recipe.document.text if isinstance(source, str) else None,
            description=recipe.description,
            message=message,
            pins=pins,
        )
        version = await self._store.push(self.account, recipe.name, new, expected)
        return Pushed(version, [*map(str, problems), *warnings])

    async def get(self, reference: Reference) -> StoredVersion:
        """Return a version.

        Raises:
            RecipeNotFoundError: There is none.
        """
        version = await self._finder.find(self.account, reference)
        if version is None:
            names = self._shipped.names | await self._store.names(self.account)
            near = nearest(reference.name, sorted(names))
            hint = f"; did you mean '{near}'?" if near else ""
            raise RecipeNotFoundError(f"no prompt recipe '{reference.name}' in this account{hint}")
        return version

    async def resolve(self, reference: Reference) -> ResolvedRecipe:
        """Return a stored recipe with the texts of its fragments.

        Raises:
            RecipeNotFoundError: There is no such recipe.
            AssemblyError: It was stored by an engine that took what this one refuses.
        """
        version = await self.get(reference)
        try:
            recipe = await read_stored(version)
        except RecipeError as error:
            name = f"{PREFIX}{version.name}@{version.version}"
            raise AssemblyError(str(error.problems[0]), name, code="invalid_recipe") from None
        return await self._fragments().resolve(recipe, version.version, version.pins)

    async def resolve_recorded(self, name: str, version: int) -> ResolvedRecipe:
        """Return the version that a run has used, also if it is shipped and the account has its own by now.

        Raises:
            RecipeNotFoundError: There is no such recipe.
            AssemblyError: It was stored by an engine that took what this one refuses.
        """
        shipped = self._shipped.version(name, "") if version == SHIPPED else None
        if shipped is None:
            return await self.resolve(Reference(name, version=version))
        return await self._fragments().resolve(await read_stored(shipped), SHIPPED, shipped.pins)

    async def resolve_given(self, recipe: PromptRecipe) -> ResolvedRecipe:
        """Return a recipe that is not stored, with the texts of its fragments."""
        return await self._fragments().resolve(recipe, None, {})

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

    def _fragments(self) -> Fragments:
        return Fragments(self.account, self.get, self._texts, self._blocks)

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


async def assembled(
    resolved: ResolvedRecipe, look_up: LookUp, inputs: Mapping[str, Any] | None = None
) -> Prompt:
    """Assemble a prompt, in a thread if its values, templates or fragments are large."""
    values = [inputs] + [look_up(item.path)[1] for item in resolved.recipe.inputs]
    fragments = resolved.fragments.values()
    texts = [one.text for one in fragments if isinstance(one, FragmentText)]
    parts = [values, texts, resolved.recipe.templates]
    holds_recipes = any(isinstance(one, ResolvedRecipe) for one in fragments)
    if not holds_recipes and rough_size(parts, _LARGE) <= _LARGE:
        return assemble(resolved, look_up, inputs)
    return await asyncio.to_thread(assemble, resolved, look_up, inputs)


def _pins(resolved: ResolvedRecipe) -> dict[str, Any]:
    """Return the versions of the blocks of pinned fragments.

    Raises:
        RecipeError: One of them could not be fetched.
    """
    pins: dict[str, Any] = {}
    for number, fragment in enumerate(resolved.recipe.fragments):
        fetched = resolved.fragments[fragment.var]
        if not fragment.pin:
            continue
        if isinstance(fetched, AssemblyError):
            problem = resolved.recipe.document.problem(str(fetched), ("fragments", number))
            raise RecipeError([problem])
        if isinstance(fetched, FragmentText):
            pins[fragment.var] = fetched.origin["blocks"]
    return pins
