"""Recipes as one run uses them: a name stands for the same version from the run's acceptance to its end."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from arcrun_server.engine.check import is_url
from arcrun_server.recipes.prompt.reference import parse_prompt_reference
from arcrun_server.recipes.reference import Reference, parse_reference
from arcrun_server.recipes.versions import UnknownVersionError

if TYPE_CHECKING:
    from collections.abc import Container

    from arcrun_server.engine import Graph
    from arcrun_server.recipes.versions import NewVersion, StoredVersion


class Recipes(Protocol):
    """The recipes of one kind of all accounts."""

    async def get(self, account: str, reference: Reference) -> StoredVersion | None:
        """Return the version that a reference names, or None for an unknown recipe."""
        ...

    async def names(self, account: str) -> set[str]:
        """Return the names under which an account's recipes are found."""
        ...

    async def push(
        self, account: str, name: str, new: NewVersion, expected: int | None = None
    ) -> StoredVersion:
        """Store a new version."""
        ...


class RecipeStore(Protocol):
    """The recipes of all kinds."""

    @property
    def auth_recipes(self) -> Recipes:
        """Return the auth recipes."""
        ...

    @property
    def api_recipes(self) -> Recipes:
        """Return the API recipes."""
        ...

    @property
    def prompt_recipes(self) -> Recipes:
        """Return the prompt recipes."""
        ...


@dataclass
class _PinnedRecipes:
    """The recipes of one kind, which note the version that a name stood for first, and find it again."""

    recipes: Recipes
    kind: str
    pins: dict[str, int]

    async def get(self, account: str, reference: Reference) -> StoredVersion | None:
        if reference.version is not None:
            return await self.recipes.get(account, reference)
        pin = f"{self.kind}:{reference}"
        if pin in self.pins:
            pinned = Reference(reference.name, version=self.pins[pin])
            return await self.recipes.get(account, pinned)
        found = await self.recipes.get(account, reference)
        if found is not None:
            self.pins[pin] = found.version
        return found

    async def names(self, account: str) -> set[str]:
        return await self.recipes.names(account)

    async def push(
        self, account: str, name: str, new: NewVersion, expected: int | None = None
    ) -> StoredVersion:
        return await self.recipes.push(account, name, new, expected)


@dataclass
class PinnedRecipes:
    """The recipes of all kinds, for one run.

    Args:
        store: The recipes.
        pins: Which version a name stands for, by kind and name; more is added as recipes are used.
    """

    store: RecipeStore
    pins: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Pin the recipes of each kind."""
        self.auth_recipes: Recipes = _PinnedRecipes(self.store.auth_recipes, "auth", self.pins)
        self.api_recipes: Recipes = _PinnedRecipes(self.store.api_recipes, "api", self.pins)
        self.prompt_recipes: Recipes = _PinnedRecipes(
            self.store.prompt_recipes, "prompt", self.pins
        )

    async def pin_named(self, account: str, graph: Graph, components: Container[str]) -> None:
        """Pin the recipes that the nodes of a graph name, and the services of those that are API recipes.

        Args:
            account: Whose recipes they are.
            graph: The graph.
            components: The components that are no recipes.
        """
        named = {node.get("componentId") or "" for node in graph["nodes"]}
        for name in sorted(named):
            if name and name not in components and not is_url(name):
                await self._pin_component(account, name)
        recipes = [(node.get("data") or {}).get("recipe") for node in graph["nodes"]]
        for recipe in sorted({text for text in recipes if isinstance(text, str)}):
            with suppress(ValueError, UnknownVersionError):  # the node will say it
                await self.prompt_recipes.get(account, parse_prompt_reference(recipe))

    async def _pin_component(self, account: str, name: str) -> None:
        with suppress(ValueError, UnknownVersionError):
            reference = parse_reference(name)
            found: Any = await self.api_recipes.get(account, reference)
            service = name if found is None else found.recipe.get("auth_service")
            if service is not None:
                await self.auth_recipes.get(account, parse_reference(service))
