"""The components of this engine, until the catalog is there: then `Registry` is used as it is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arcrun_server.components import Outbound, Registry
    from arcrun_server.engine import Component


class Components:
    """What `Registry` has by now."""

    def __init__(self, registry: Registry, outbound: Outbound) -> None:
        self._registry = registry
        self._outbound = outbound

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the catalog's components."""
        with suppress(NotImplementedError):
            return self._registry.ids
        return frozenset()

    def get(self, component_id: str) -> Component | None:
        """Find a component."""
        with suppress(NotImplementedError):
            return self._registry.get(component_id)
        return None

    async def aclose(self) -> None:
        """Close the connections."""
        with suppress(NotImplementedError):
            await self._outbound.aclose()
