"""The one door to the network for components, with its guard."""

from __future__ import annotations


class Outbound:
    """HTTP for components; refuses addresses that a workflow must not reach.

    Args:
        development: Allow loopback and private addresses (never link-local or metadata ones).
    """

    def __init__(self, *, development: bool = False) -> None:
        self.development = development

    async def aclose(self) -> None:
        """Close the connections."""
        raise NotImplementedError
