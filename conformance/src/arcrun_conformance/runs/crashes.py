"""Crashes of the runner itself: they fail what was being run, and are reported instead of ending everything."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from arcrun_conformance.checks.check import check
from arcrun_conformance.cleaning import visible

if TYPE_CHECKING:
    from .results import Cell, Run


def crashed_cell(cell: Cell, error: Exception) -> None:
    """Let a cell fail with a crash of the runner; the others go on."""
    cell.outcome = "error"
    cell.reason = _in_a_line(error)
    cell.checks.append(check("runner-crash", ["".join(traceback.format_exception(error))]))


def crashed_run(run: Run, error: Exception) -> None:
    """Let a run fail with a crash of the runner; what it has found until then is reported."""
    run.crash = _in_a_line(error)


def _in_a_line(error: Exception) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return visible(f"the runner crashed: {text}")
