"""The trace of a run as it happens, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from arcrun._core.origins import origin_of
from arcrun.commands.errors import CommandError

from .console import Console, cell
from .messages import text as message
from .views import milliseconds

_MINUTE = 60  # seconds
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
    """Say where to log in, and open that page where a person sits before a terminal.

    Only a page of the engine itself is opened: what else an engine names may be anything.
    """
    code = console.style(cell(event["user_code"]), "bold")
    url = str(event["verification_uri"])
    address = str(event.get("verification_uri_complete") or url)
    if origin_of(url) is None:
        raise CommandError(
            "unexpected_response", message("the engine names no http(s) address to log in at")
        )
    is_own = origin_of(url) == origin_of(address) == origin_of(str(event["base_url"]))
    if console.as_json:
        shown = {key: value for key, value in event.items() if key not in {"type", "base_url"}}
        console.notice({"device_code": shown, "is_own": is_own})
        return
    console.question(message("open {url} and enter the code {code}", url=cell(url), code=code))
    if not is_own:
        host = cell(urlsplit(url).hostname or "")
        console.question(
            message("this page is not the engine's own, but of {host}: do you trust it?", host=host)
        )
    console.question(
        message(
            "it is valid for {time}; waiting … (Ctrl-C ends this)", time=_time(event["expires_in"])
        )
    )
    if is_own and _has_person():
        import webbrowser

        webbrowser.open(address)


def _has_person() -> bool:
    """Tell whether a person sits before a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _time(seconds: float) -> str:
    if seconds < _MINUTE:
        return message("{count} seconds", count=int(seconds))
    return message("{count} minutes", count=int(seconds) // _MINUTE)
