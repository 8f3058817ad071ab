"""What a client remembers: plaintexts, recipes, pinned origins. In memory, shown nowhere."""

from __future__ import annotations

from typing import Any

from .secret import Secret
from .types import AuthRecipe


class Memory:
    """State that a client shares with its `with_options` copies."""

    def __init__(self) -> None:
        self.secrets: dict[str, Secret] = {}
        self.recipes: dict[str, AuthRecipe] = {}
        self.pinned: dict[str, tuple[str, ...]] = {}
        self.names: dict[str, str] = {}  # of credentials: lower case → as pushed
        self.token_sources: dict[Any, Any] = {}
        self.capabilities: frozenset[str] | None = None
        self.warned_of_key = False
