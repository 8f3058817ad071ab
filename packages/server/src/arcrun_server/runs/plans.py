"""What an accepted run needs to be executed, whenever that is: its graph, and the versions of the recipes in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine import BUILTIN_IDS, prepare_graph
from arcrun_server.recipes.pinned import PinnedRecipes
from arcrun_server.runs.errors import NotRepeatableError

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


def check_start(graph: Graph, start: str) -> None:
    """Check that a run can be repeated from a node on.

    Raises:
        NotRepeatableError: There is no such node, or it invokes no component.
    """
    plan = prepare_graph(graph)
    for node in plan.nodes:
        if node.id == start:
            if node.component is None or node.component.startswith("comp_"):
                raise NotRepeatableError(
                    f"{start!r} is no node from which a run can be repeated: it invokes no component"
                )
            return
    names = ", ".join(sorted(node.id for node in plan.nodes))
    raise NotRepeatableError(f"there is no node {start!r}; the nodes are {names}")
