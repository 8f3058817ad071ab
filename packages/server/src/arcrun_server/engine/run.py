"""Running a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .environment import Environment
    from .model import Graph, JsonObject
    from .plan import Plan
    from .result import RunResult


async def run_graph(
    graph: Graph | Plan,
    input: JsonObject,
    environment: Environment,  # noqa: A002
) -> RunResult:
    """Run a graph. A failure of the workflow is a RunResult, never an exception."""
    raise NotImplementedError


async def resume_graph(
    continuation: JsonObject,
    environment: Environment,
    *,
    success: bool = True,
    data: Any = None,
    error: str | None = None,
) -> RunResult:
    """Carry on a paused run with the callback's outcome."""
    raise NotImplementedError
