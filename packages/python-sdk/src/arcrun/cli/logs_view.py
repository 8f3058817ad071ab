"""What a person reads of `acr logs`: a line for each event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from .console import Style, cell
from .views import SIGNS, Result, milliseconds, status_text

_ID = 8  # characters of a run's id that tell runs apart at a glance


def line(event: Result, style: Style) -> Iterator[str]:
    """Show an event: time, run, workflow, and what happened."""
    head = style(f"{clock_time(event.get('at'))}  {event['run_id'][:_ID]}", "dim")
    workflow = style(cell(event.get("workflow")), "cyan")
    if event["type"] == "status":
        what = status_text(event.get("status"), style)
    else:
        sign, colour = SIGNS.get(str(event.get("status")), ("·", "dim"))
        what = f"  {style(sign, colour)} {cell(event.get('node'))}"
    spent = style(milliseconds(event.get("duration_ms")), "dim")
    error = style(cell(event.get("error")), "red")
    yield "  ".join(filter(None, (head, workflow, what, spent, error)))


def clock_time(moment: object) -> str:
    """Return a moment as local date and time; blank where there is none."""
    blank = " " * len("00-00 00:00:00")
    if not isinstance(moment, str):
        return blank
    try:
        found = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    except ValueError:
        return blank
    return f"{found.astimezone():%m-%d %H:%M:%S}"
