"""Run the steps of a rehearsal: named, timed, shown while they run; one that fails ends it."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.markup import escape

from scripts import processes
from scripts.console import OutputFailed, make_console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

Figures = dict[str, int | float | str]


class StepFailed(Exception):
    """A step failed; the message says why."""


@dataclass
class Step:
    """The outcome of one step, as the evidence records it."""

    name: str
    status: str = "running"
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    figures: Figures = field(default_factory=dict)
    problem: str | None = None


@dataclass
class Rehearsal:
    """The steps so far, and the console that shows their progress."""

    console: Console = field(default_factory=make_console)
    steps: list[Step] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Return the seconds since it was started."""
        return time.monotonic() - self.started

    @property
    def go(self) -> bool:
        """Return whether there were steps and all of them passed."""
        return bool(self.steps) and all(step.status == "passed" for step in self.steps)

    @contextlib.contextmanager
    def step(self, name: str, summary: str) -> Iterator[Figures]:
        """Run one step; yield a dictionary for its figures.

        Raises:
            StepFailed: The step raised an error; the message describes it.
            OutputFailed: The step can't be shown, and has failed for that.
        """
        step = Step(name)
        self.steps.append(step)
        begun, computed = time.monotonic(), _cpu_seconds()

        def ends(status: str, error: BaseException | None = None) -> None:
            step.status, step.problem = status, describe(error) if error else None
            step.seconds = round(time.monotonic() - begun, 2)
            step.cpu_seconds = round(_cpu_seconds() - computed, 2)

        try:
            with self._shown(name, summary):
                yield step.figures
            ends("passed")
            self._show(step, "[green]✓[/]")
        except OutputFailed as error:  # also where nobody could see that it passed
            ends("failed", error)
            raise
        except BaseException as error:
            ends("interrupted" if isinstance(error, KeyboardInterrupt) else "failed", error)
            self._show(step, "[red]✗[/]")
            if isinstance(error, Exception):
                raise StepFailed(step.problem) from error
            raise

    def _shown(self, name: str, summary: str) -> contextlib.AbstractContextManager[object]:
        """Show that a step runs: while it does on a terminal, by a line in a log."""
        if self.console.is_terminal:
            return self.console.status(f"[bold]{name}[/]: {summary}")
        self.console.print(f"  … {name}: {summary}", style="dim")
        return contextlib.nullcontext()

    def _show(self, step: Step, mark: str) -> None:
        figures = " · ".join(
            f"{key.replace('_', ' ')} {value}" for key, value in step.figures.items()
        )
        self.console.print(
            f"  {mark} [bold]{step.name:<12}[/] {step.seconds:>6.1f} s  [dim]{escape(figures)}[/]",
            highlight=False,
        )


def _cpu_seconds() -> float:
    """Return how long this process and the programs that it has run have computed."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def describe(error: BaseException) -> str:
    """Describe an error; for a program that failed, include the last lines of its log."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if not isinstance(error, processes.CommandFailed):
        return f"{error}" or type(error).__name__
    lines = error.log.read_text("utf-8", "replace").splitlines() if error.log.is_file() else []
    tail = "\n".join(f"  | {line}" for line in lines[-40:])
    return f"{error}\n{tail}\n  full log: {error.log}"
