"""Which components there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arcrun_server.engine import Component

    from .contract import ComponentContract
    from .outbound import Outbound


class Registry:
    """The components of an engine, by id; URLs are components too."""

    def __init__(self, outbound: Outbound) -> None:
        self.outbound = outbound

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the catalog's components."""
        raise NotImplementedError

    def get(self, component_id: str) -> Component | None:
        """Find the component of a catalog id or an http(s) URL; None if there is none."""
        raise NotImplementedError

    def contract(self, component_id: str) -> ComponentContract | None:
        """Give one component's contract."""
        raise NotImplementedError

    def contracts(self) -> list[ComponentContract]:
        """Give all contracts, sorted by id."""
        raise NotImplementedError
