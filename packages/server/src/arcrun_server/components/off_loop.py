"""Components that compute: what they are given may be large, and the server has others to respond to meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from arcrun_server.engine import Component, Invocation, JsonObject

LARGE = 64 * 1024


def off_loop(component: Component, names: Iterable[str]) -> Component:
    """Return a component that computes in a thread if it is given much to compute with.

    Args:
        component: One that only computes: it awaits nothing, and what it does with much is bounded.
        names: The parameters that it reads. What else there is in the context does not count.
    """
    read = tuple(names)

    async def run(given: JsonObject, invocation: Invocation) -> Any:
        parameters = {name: given[name] for name in read if name in given}
        if invocation.measure(parameters, LARGE) <= LARGE:
            return await component(given, invocation)
        return await asyncio.to_thread(_computed, component, given, invocation)

    return run


def _computed(component: Component, given: JsonObject, invocation: Invocation) -> Any:
    return asyncio.run(_awaited(component, given, invocation))


async def _awaited(component: Component, given: JsonObject, invocation: Invocation) -> Any:
    return await component(given, invocation)
