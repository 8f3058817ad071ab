"""The trace of a run as it happens, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .console import Console, cell

_SIGNS = {"ok": ("✓", "green"), "failed": ("✗", "red"), "waiting": ("…", "yellow")}


def reporter(console: Console) -> Callable[[Mapping[str, Any]], None]:
    """Return a function that prints each event of a run."""

    def report(event: Mapping[str, Any]) -> None:
        if event["type"] == "accepted":
            console.progress(f"run {event['run_id']}")
        elif event["type"] == "node":
            sign, colour = _SIGNS.get(event["status"], ("·", "dim"))
            spent = f"{event.get('duration_ms', 0):.0f} ms"
            error = f"  {cell(event['error'])}" if "error" in event else ""
            console.progress(
                f"  {console.style(console.sign(sign), colour)} {cell(event['node'])}  {spent}{error}"
            )
        else:
            console.progress(f"{console.style(cell(event.get('status')), 'dim')}")

    return report
