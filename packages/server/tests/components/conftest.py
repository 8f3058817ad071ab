from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from loopback_site import make_client, other_site, serve, site

from arcrun_server.components.registry import Registry
from arcrun_server.engine import Invocation
from arcrun_server.outbound import Outbound
from arcrun_server.workers import WorkerPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

__all__ = ["make_client", "other_site", "serve", "site"]

MOMENT = datetime(2026, 11, 22, 8, 30, 5, tzinfo=timezone.utc)


def invocation(**more: Any) -> Invocation:
    circumstances = {
        "node_id": "節點",
        "started": MOMENT,
        "deadline": time.monotonic() + 60,
        "look_up": lambda _path: (False, None),
        **more,
    }
    return Invocation(**circumstances)


@pytest.fixture
async def use() -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Call a component of the catalog by its id."""
    workers = WorkerPool()
    registry = Registry(Outbound(), workers)

    async def run(component_id: str, given: dict[str, Any], **circumstances: Any) -> Any:
        component = registry.get(component_id)
        assert component is not None
        own = {"own": given, "written": given}
        return await component(given, invocation(**{**own, **circumstances}))

    yield run
    await workers.aclose()
