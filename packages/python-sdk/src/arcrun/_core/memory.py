"""What a client remembers: secrets, recipes, pinned origins. It is kept in memory only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .secret import Secret

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
        self.capabilities: frozenset[str] | None = None
        self.warned_of_key = False
