"""What an accepted run needs to be executed, whenever that is: its graph, and the versions of the recipes in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine import BUILTIN_IDS
from arcrun_server.recipes.pinned import PinnedRecipes

if TYPE_CHECKING:
    from arcrun_server.components.registry import Registry
    from arcrun_server.engine import Graph
    from arcrun_server.store import Store


async def plan_of(
    store: Store, registry: Registry, account: str, graph: Graph, *, strict: bool
) -> dict[str, Any]:
    """Return the plan of a run that is accepted now.

    Args:
        store: Where recipes are.
        registry: The components that are no recipes.
        account: Whose run it is.
        graph: Its graph.
        strict: Whether a placeholder without a value fails its node.

    Raises:
        StorageUnavailableError: The recipes can't be read now.
    """
    pinned = PinnedRecipes(store)
    await pinned.pin_named(account, graph, registry.ids | BUILTIN_IDS)
    return {"graph": graph, "strict": strict, "pins": pinned.pins}
