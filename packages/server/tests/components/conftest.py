from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from component_use import using_components
from loopback_site import make_client, other_site, serve, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

__all__ = ["make_client", "other_site", "serve", "site"]


@pytest.fixture
async def use() -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Call a component of the catalog by its id."""
    async with using_components() as run:
        yield run
