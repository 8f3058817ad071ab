from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.engine import (
    ComponentError,
    MemoryEnvironment,
    RunLimits,
    check_graph,
    compile_flow,
    run_graph,
)

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation, RunResult

MOMENT = datetime(2026, 11, 22, 8, 30, 5, 678_000, tzinfo=timezone.utc)


@dataclass
class RecordingEngine:
    """An engine to run workflows in, with a few components that record what they were given."""

    secrets: dict[str, str] = field(default_factory=dict)
    workflows: dict[str, Any] = field(default_factory=dict)
    components: dict[str, Any] = field(default_factory=dict)
    limits: RunLimits = field(default_factory=RunLimits)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    hanging: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def environment(self) -> MemoryEnvironment:
        ours = {"give": self._give, "fail": self._fail, "ask": self._ask, "hang": self._hang}
        return MemoryEnvironment(
            components={**ours, **self.components},
            secrets=self.secrets,
            workflows=self.workflows,
            limits=self.limits,
            clock=lambda: MOMENT,
        )

    def given_to(self, node: str) -> list[dict[str, Any]]:
        """What a node was given, each time it ran."""
        return [given for name, given in self.calls if name == node]

    @property
    def order(self) -> list[str]:
        """The nodes that ran one of these components, in order."""
        return [name for name, _ in self.calls]

    def compile(
        self, lines: list[str], config: dict[str, Any] | None = None, name: str = ""
    ) -> Any:
        graph = compile_flow(lines, config or {}, name=name)
        assert check_graph(graph) == []
        return graph

    async def run(
        self,
        lines: list[str],
        config: dict[str, Any] | None = None,
        run_input: dict[str, Any] | None = None,
    ) -> RunResult:
        return await run_graph(self.compile(lines, config), run_input or {}, self.environment)

    async def _give(self, given: dict[str, Any], invocation: Invocation) -> Any:
        self.calls.append((invocation.node_id, given))
        return given["value"]

    async def _fail(self, given: dict[str, Any], invocation: Invocation) -> Any:
        self.calls.append((invocation.node_id, given))
        raise ComponentError(given.get("reason", "壞了"))

    async def _ask(self, given: dict[str, Any], invocation: Invocation) -> Any:
        self.calls.append((invocation.node_id, given))
        return {"pending": True, "task_id": given.get("task", "審核-1")}

    async def _hang(self, given: dict[str, Any], invocation: Invocation) -> Any:
        self.calls.append((invocation.node_id, given))
        self.hanging.set()
        await asyncio.Event().wait()


@pytest.fixture
def engine() -> RecordingEngine:
    return RecordingEngine()
