"""The results of a run, as the data that all reports are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from arcrun_conformance.adapters.protocol import Identity
    from arcrun_conformance.checks.check import Check
    from arcrun_conformance.scenarios.scenario import Scenario, Suite
    from arcrun_conformance.target import Target
    from arcrun_conformance.wire.journal import Exchange

# The folder of the recordings of failed cells (arcrun_conformance.replay), below that of the reports.
RECORDINGS = "failures"

CellOutcome = Literal["passed", "failed", "error", "skipped", "unavailable"]


def timestamp(precision: str = "seconds") -> str:
    """Return the time in ISO 8601, UTC, with that precision (as `datetime.isoformat` names it)."""
    return datetime.now(timezone.utc).isoformat(timespec=precision)


@dataclass(frozen=True)
class StepRecord:
    """A step that was carried out: the command, the reply, and how long it took.

    Attributes:
        waited: The seconds that the SDK asked a replaced clock to wait, each time.
    """

    id: str
    command: dict[str, Any]
    reply: dict[str, Any]
    seconds: float
    waited: tuple[float, ...] = ()


@dataclass
class Cell:
    """One scenario with one SDK.

    Attributes:
        scenario: The scenario's id.
        sdk: The adapter's name.
        outcome: `error` if the adapter failed, `unavailable` if its runtime is not installed; both
            count as failed.
        reason: Why it was skipped, what is missing, or what the adapter did wrong.
        checks: In order: the steps, the wire, and the checks that every scenario has.
        steps: The steps that were carried out.
        exchanges: The requests and responses.
        stderr: What the adapter wrote to stderr meanwhile.
        secrets: The values that no report may contain, by name.
        lacks: The adapter's missing capabilities that changed the outcome: the scenario was
            skipped, or some of its checks are exempt or were replaced.
        started: When it began, in ISO 8601, UTC.
        seconds: How long it took.
        values: The values of the scenario's placeholders, without its variables, for a replay.
    """

    scenario: str
    sdk: str
    outcome: CellOutcome = "passed"
    reason: str = ""
    checks: list[Check] = field(default_factory=list)
    steps: list[StepRecord] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    stderr: str = ""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    lacks: list[str] = field(default_factory=list)
    started: str = ""
    seconds: float = 0.0
    values: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def failed(self) -> bool:
        """Return whether it neither passed nor was skipped."""
        return self.outcome not in {"passed", "skipped"}

    @property
    def recording(self) -> str:
        """Return the path of its recording below the folder of the reports; empty if it has none."""
        has_one = self.failed and self.started
        return f"{RECORDINGS}/{self.scenario}.{self.sdk}.har" if has_one else ""


@dataclass
class Leftovers:
    """The result of removing what a run has created.

    Attributes:
        created: How many credentials and workflows the run has created.
        problems: Removals that failed.
        left: What was still there at the end; must be empty.
        secrets_on_disk: Secrets that engines have written to their files; must be empty.
    """

    created: int = 0
    problems: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    secrets_on_disk: list[str] = field(default_factory=list)


@dataclass
class Run:
    """A whole run.

    Attributes:
        id: The run's id, which is part of the name of everything that it creates.
        target: The engine.
        scenarios: The scenarios that were selected, in order.
        sdks: The SDK and runtime of each adapter; `None` if it did not start.
        cells: The cells, in the order of scenarios, then SDKs.
        leftovers: What was left at the target.
        started: The start time, in ISO 8601, UTC.
        seconds: How long it took.
        interrupted: Whether Ctrl-C ended it.
        suite: Which suite it is a run of.
        crash: What ended the runner itself; empty if nothing did.
    """

    id: str
    target: Target
    scenarios: list[Scenario]
    sdks: dict[str, Identity | None]
    cells: list[Cell] = field(default_factory=list)
    leftovers: Leftovers = field(default_factory=Leftovers)
    started: str = ""
    seconds: float = 0.0
    interrupted: bool = False
    suite: Suite = "sdk"
    crash: str = ""
