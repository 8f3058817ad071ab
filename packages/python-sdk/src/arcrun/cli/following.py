"""The trace of a run as it happens, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from .console import Console, cell
from .messages import text as message
from .views import milliseconds

_SIGNS = {"ok": ("✓", "green"), "failed": ("✗", "red"), "waiting": ("…", "yellow")}


def reporter(console: Console) -> Callable[[Mapping[str, Any]], None]:
    """Return a function that prints each event of a run."""

    def report(event: Mapping[str, Any]) -> None:
        if event["type"] == "accepted":
            console.progress(message("run {run}", run=cell(event["run_id"])))
        elif event["type"] == "node":
            sign, colour = _SIGNS.get(str(event.get("status")), ("·", "dim"))
            spent = milliseconds(event.get("duration_ms"))
            error = f"  {cell(event['error'])}" if "error" in event else ""
            console.progress(
                f"  {console.style(console.sign(sign), colour)} {cell(event.get('node'))}  {spent}{error}"
            )
        elif event["type"] == "device_code":
            _device_code(event, console)
        else:
            console.progress(f"{console.style(cell(event.get('status')), 'dim')}")

    return report


def _device_code(event: Mapping[str, Any], console: Console) -> None:
    """Say where to log in, and open that page where a person sits before a terminal."""
    code = console.style(cell(event["user_code"]), "bold")
    url, minutes = cell(event["verification_uri"]), int(event["expires_in"]) // 60
    console.question(message("open {url} and enter the code {code}", url=url, code=code))
    console.question(
        message("it is valid for {minutes} minutes; waiting … (Ctrl-C ends this)", minutes=minutes)
    )
    address = event.get("verification_uri_complete") or event["verification_uri"]
    if sys.stdin.isatty() and sys.stderr.isatty() and str(address).startswith(("https:", "http:")):
        import webbrowser

        webbrowser.open(str(address))
