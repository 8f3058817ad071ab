"""What a client remembers: plaintexts, recipes, pinned origins. In memory, shown nowhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .secret import Secret
from .types import AuthRecipe


@dataclass(repr=False)
class Memory:
    """State that a client shares with its `with_options` copies."""

    secrets: dict[str, Secret] = field(default_factory=dict[str, Secret])
    recipes: dict[str, AuthRecipe] = field(default_factory=dict[str, AuthRecipe])
    pinned: dict[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    names: dict[str, str] = field(default_factory=dict[str, str])  # lower case → as pushed
    token_sources: dict[Any, Any] = field(default_factory=dict[Any, Any])
    capabilities: frozenset[str] | None = None
    warned: set[str] = field(default_factory=set[str])
