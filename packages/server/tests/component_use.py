"""Components of the catalog, called without a run."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from arcrun_server.components.registry import Registry
from arcrun_server.engine import Invocation
from arcrun_server.outbound import Outbound
from arcrun_server.workers import WorkerPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

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


@asynccontextmanager
async def using_components() -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Yield a function that calls a component by its id; its workers end with the block."""
    workers, sandboxes = WorkerPool(), WorkerPool()
    registry = Registry(Outbound(), workers, sandboxes)

    async def run(component_id: str, given: dict[str, Any], **circumstances: Any) -> Any:
        component = registry.get(component_id)
        assert component is not None
        own = {"own": given, "written": given}
        return await component(given, invocation(**{**own, **circumstances}))

    try:
        yield run
    finally:
        await workers.aclose()
        await sandboxes.aclose()
