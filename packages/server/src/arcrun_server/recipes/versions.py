"""Recipes as they are stored: versions that never change, and labels that point to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arcrun_server.engine import JsonObject

SHIPPED = 0
"""The number of a recipe that is shipped with the engine; an account's own versions begin with 1."""


@dataclass(frozen=True)
class NewVersion:
    """A version that is pushed.

    Attributes:
        recipe: The recipe as a JSON value.
        source: The text that it was pushed as, or None.
        description: What lists show.
        message: Why it was made.
        pins: Of a prompt recipe, the blocks of pinned fragments, by variable: `[{block_id, version}]`.
        hash_id: Of an API recipe, its other name.
    """

    recipe: JsonObject
    source: str | None = None
    description: str = ""
    message: str | None = None
    pins: dict[str, Any] = field(default_factory=dict)
    hash_id: str | None = None


@dataclass(frozen=True)
class StoredVersion:
    """A version that is stored, or a recipe that is shipped.

    Attributes:
        name: The recipe's name.
        version: Its number, from 1; SHIPPED for a recipe that is shipped.
        recipe: The recipe as a JSON value.
        source: The text that was pushed, or None.
        pins: Of a prompt recipe, the blocks of pinned fragments, by variable: `[{block_id, version}]`.
        message: Why it was made.
        created_at: When, RFC 3339; None for a recipe that is shipped.
    """

    name: str
    version: int
    recipe: JsonObject
    source: str | None = None
    pins: dict[str, Any] = field(default_factory=dict)
    message: str | None = None
    created_at: str | None = None


@dataclass(frozen=True)
class Label:
    """What a label points to.

    Attributes:
        version: The version.
        requires_tests: Whether it moves only to a version whose tests pass.
    """

    version: int
    requires_tests: bool = False


class VersionConflictError(Exception):
    """The newest version is not the one that was expected.

    Attributes:
        newest: Its number; 0 if there is no such recipe.
    """

    def __init__(self, newest: int) -> None:
        super().__init__(f"the newest version is {newest}")
        self.newest = newest


class UnknownVersionError(Exception):
    """The recipe is there, but not this version or label of it.

    Attributes:
        newest: The number of its newest version.
    """

    def __init__(self, what: str, newest: int) -> None:
        super().__init__(what)
        self.newest = newest


class RecipeNotFoundError(Exception):
    """There is no such recipe, version or label; the message says which, and what there is."""
