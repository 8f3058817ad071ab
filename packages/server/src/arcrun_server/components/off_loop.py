"""Components that compute: what they are given may be large, and the server has others to respond to meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arcrun_server.engine import Component, Invocation, JsonObject

LARGE = 64 * 1024


def off_loop(component: Component) -> Component:
    """Return a component that computes in a thread if it is given much.

    Args:
        component: One that only computes: it awaits nothing, and what it does with much is bounded.
    """

    async def run(given: JsonObject, invocation: Invocation) -> Any:
        if invocation.measure(given, LARGE) <= LARGE:
            return await component(given, invocation)
        return await asyncio.to_thread(_computed, component, given, invocation)

    return run


def _computed(component: Component, given: JsonObject, invocation: Invocation) -> Any:
    return asyncio.run(_awaited(component, given, invocation))


async def _awaited(component: Component, given: JsonObject, invocation: Invocation) -> Any:
    return await component(given, invocation)
