"""What the nodes of a run used of language models, and which recipes and blocks they asked with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine.sizes import rough_size
from arcrun_server.recipes.prompt_component import NoAnswerError

if TYPE_CHECKING:
    from arcrun_server.engine import Component, Invocation, JsonObject

MOST_NODES = 100
MOST_BYTES = 16 * 1024
"""How much of single nodes is kept, for each of a workflow's many runs; the sums count all."""

_SUMS = ("input_tokens", "cached_tokens", "output_tokens", "cost_usd")


class ModelUsage:
    """Adds up what a run's nodes record of their calls.

    Example:
        >>> usage = ModelUsage()
        >>> usage.add("a", {"model": "m", "output_tokens": 3})
        >>> usage.add("a", {"model": "m", "output_tokens": 4})
        >>> usage.as_json()["calls"], usage.as_json()["output_tokens"]
        (2, 7)
    """

    def __init__(self) -> None:
        self._calls = 0
        self._sums: dict[str, Any] = {}
        self._nodes: list[JsonObject] = []
        self._bytes = 0

    def add(self, node: str, record: JsonObject) -> None:
        """Add what one node recorded."""
        self._calls += 1
        for name in _SUMS:
            if name in record:
                self._sums[name] = round(self._sums.get(name, 0) + record[name], 9)
        self._bytes += rough_size(record, MOST_BYTES)
        if len(self._nodes) < MOST_NODES and self._bytes <= MOST_BYTES:
            self._nodes.append({"node": node, **record})

    def as_json(self) -> JsonObject | None:
        """Return the sums and the nodes, in the order of the run; None if no model was asked."""
        return {"calls": self._calls, **self._sums, "nodes": self._nodes} if self._calls else None


def counted(component: Component, usage: ModelUsage) -> Component:
    """Return a component that asks a model, and whose calls are added to what a run used."""

    async def run(given: JsonObject, invocation: Invocation) -> Any:
        try:
            result = await component(given, invocation)
        except NoAnswerError as error:
            usage.add(invocation.node_id, error.llm)
            raise
        usage.add(invocation.node_id, result["llm"])
        return result

    return run
