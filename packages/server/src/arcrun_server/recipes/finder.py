"""Finds a version of a recipe: of those that are shipped, and of an account's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from arcrun_server.recipes.versions import RecipeNotFoundError, UnknownVersionError

if TYPE_CHECKING:
    from arcrun_server.recipes.catalog import ShippedRecipes
    from arcrun_server.recipes.reference import Reference
    from arcrun_server.recipes.versions import StoredVersion


class PushedRecipes(Protocol):
    """The recipes of one kind that accounts have pushed."""

    async def get(self, account: str, reference: Reference) -> StoredVersion | None:
        """Return the version that a reference names, or None for an unknown recipe."""
        ...


class RecipeFinder:
    """The recipes of one kind.

    Args:
        shipped: Those that are shipped.
        pushed: Those that accounts have pushed.
        noun: What a recipe stands for, in messages.
        own_first: Whether an account's own is found before a shipped one of the same name.
    """

    def __init__(
        self,
        shipped: ShippedRecipes,
        pushed: PushedRecipes,
        noun: str = "recipe",
        *,
        own_first: bool = False,
    ) -> None:
        self._shipped = shipped
        self._pushed = pushed
        self._noun = noun
        self._own_first = own_first

    async def find(
        self, account: str | None, reference: Reference, engine_url: str = ""
    ) -> StoredVersion | None:
        """Return the version that a reference names, or None for an unknown recipe.

        Args:
            account: Whose recipes there are besides the shipped ones; None for nobody's.
            reference: The recipe, by its name or its hash.
            engine_url: URL of this engine, for the services that it provides itself.

        Raises:
            RecipeNotFoundError: The recipe is there, but not this version or label.
        """
        shipped = self._shipped.version(reference.name, engine_url)
        if account is not None and (shipped is None or self._own_first):
            own = await self.own(account, reference)
            if own is not None:
                return own
        if shipped is not None and (reference.version is not None or reference.label is not None):
            raise RecipeNotFoundError(
                f"the {self._noun} '{reference.name}' is shipped with the engine, and has no versions or labels; "
                "name it alone"
            )
        return shipped

    async def own(self, account: str, reference: Reference) -> StoredVersion | None:
        """Return the version of the account's own recipe that a reference names, or None.

        Raises:
            RecipeNotFoundError: The recipe is there, but not this version or label.
        """
        try:
            return await self._pushed.get(account, reference)
        except UnknownVersionError as error:
            raise RecipeNotFoundError(
                f"the {self._noun} '{reference.name}' has {error}; its newest version is {error.newest}"
            ) from None
