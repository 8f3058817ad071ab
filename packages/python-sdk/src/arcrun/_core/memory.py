"""What a client remembers: secrets, recipes, pinned origins. It is kept in memory only."""

from typing import Any, NamedTuple

from .recipe import Recipe
from .secret import Secret


class StoredSecret(NamedTuple):
    """A secret, and the service that it was stored for; None if it was stored without one."""

    value: Secret
    service: str | None


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
