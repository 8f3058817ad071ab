"""Defects in what operators see."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from arcrun_server.store.probe import Probe
from arcrun_server.telemetry.metrics import Metrics
from arcrun_server.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from arcrun_server.telemetry.database_state import DatabaseState


def shows_no_queue() -> None:
    right = Probe.state

    async def state(self: Probe) -> DatabaseState:
        return replace(await right(self), runs=None)

    Probe.state = state


def counts_runs_by_their_workflow() -> None:
    right = Telemetry.run

    def run(
        self: Telemetry, run_id: str, workflow: str | None, *more: Any
    ) -> AbstractContextManager[Any]:
        self.metrics.run_ended(workflow or "", "begun")
        return right(self, run_id, workflow, *more)

    Telemetry.run = run


def counts_requests_to_services_by_their_host() -> None:
    right = Telemetry.outgoing

    def outgoing(self: Telemetry, method: str, host: str) -> AbstractContextManager[Any]:
        self.metrics.outgoing_ended(host, 0.0)
        return right(self, method, host)

    Telemetry.outgoing = outgoing


def leaves_the_types_of_metrics_out() -> None:
    right = Metrics.text

    def text(self: Metrics, database: DatabaseState | None = None) -> bytes:
        lines = [line for line in right(self, database).decode().splitlines() if line[0] != "#"]
        return "\n".join(lines).encode()

    Metrics.text = text
