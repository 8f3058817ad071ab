"""What a client remembers: secrets, recipes, pinned origins. It is kept in memory only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .secret import Secret
from .shapes import capabilities_of

if TYPE_CHECKING:
    from .recipe import Recipe


class StoredSecret:
    """A secret, and the service that it was stored for; None if it was stored without one."""

    __slots__ = ("service", "value")

    def __init__(self, value: Secret, service: str | None) -> None:
        self.value = value
        self.service = service


class Memory:
    """State that a client shares with its `with_options` copies."""

    def __init__(self) -> None:
        self.secrets: dict[str, StoredSecret] = {}
        self.recipes: dict[str, Recipe] = {}
        self.pinned: dict[str, tuple[str, ...]] = {}
        self.names: dict[str, str] = {}  # of credentials: lower case → as pushed
        self.token_sources: dict[Any, Any] = {}
        self.capabilities: frozenset[str] | None = None  # None if unknown
        self.asked_for_capabilities = False
        self.warned_of_key = False

    def learn_capabilities(self, health: Mapping[str, Any]) -> None:
        """Remember what an engine says that it can do, or that it does not say."""
        self.capabilities = capabilities_of(health)
        self.asked_for_capabilities = True
