"""What a run found, as data that all reports are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .checks import Check
    from .journal import Exchange
    from .protocol import Identity
    from .scenario import Scenario
    from .target import Target

CellOutcome = Literal["passed", "failed", "error", "skipped", "unavailable"]


@dataclass(frozen=True)
class StepRecord:
    """A step that was carried out: what was asked, what came back, how long it took."""

    id: str
    command: dict[str, Any]
    answer: dict[str, Any]
    seconds: float


@dataclass
class Cell:
    """One scenario with one SDK.

    Attributes:
        scenario: The scenario's id.
        sdk: The adapter's name.
        outcome: `error` where the adapter could not do its part, `unavailable` where what it runs on
            is not installed; both count as failed.
        reason: Why it was skipped, what is missing, or what the adapter did wrong.
        checks: In order: the steps, the wire, those that every scenario has.
        steps: What was called.
        exchanges: What went over the wire.
        stderr: What the adapter wrote to stderr meanwhile.
        secrets: The values that no report may show, by name.
        lacks: The capabilities that the adapter lacks, and because of which the scenario was skipped,
            or checks of it are exempt or others.
        seconds: How long it took.
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
    seconds: float = 0.0


@dataclass
class Leftovers:
    """What the end of a run had to say about what the run had created.

    Attributes:
        created: How many things the run had created.
        problems: Removals that failed.
        left: What was still there at the end; must be empty.
    """

    created: int = 0
    problems: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@dataclass
class Run:
    """A whole run.

    Attributes:
        id: The run's id, which the names of all that it creates carry.
        target: The engine.
        scenarios: Those selected, in order.
        sdks: What each adapter said of itself; `None` for one that did not start.
        cells: The outcomes, in the order of scenarios, then SDKs.
        leftovers: What the end of the run found.
        started: When, in ISO 8601, UTC.
        seconds: How long it took.
        interrupted: Whether Ctrl-C ended it.
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
