"""A report that has every outcome, written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def check(
    identifier: str, outcome: str, message: str = "", traffic: Sequence[int] = ()
) -> dict[str, Any]:
    """Return a check, with the numbers of the requests that it was about."""
    return {"id": identifier, "outcome": outcome, "message": message, "traffic": list(traffic)}


def cell(scenario: str, sdk: str, outcome: str, *checks: Any, **more: Any) -> dict[str, Any]:
    made = {"scenario": scenario, "sdk": sdk, "outcome": outcome, "checks": list(checks)}
    made |= {"steps": [], "traffic": []}
    return {**made, "reason": "", "stderr": "", "seconds": 0.5, **more}


def document(**more: Any) -> dict[str, Any]:
    broken = (check("a", "failed", "m1\nm2"), check("b", "failed", "`m3`"), check("c", "passed"))
    return {
        "run": "arcconf_1",
        "started": "2026-01-01T12:00:00",
        "seconds": 12.34,
        "interrupted": False,
        "target": {"name": "local", "url": "http://[::1]:1", "contract": "1.0.0"},
        "sdks": [{"name": name, "started": name != "go"} for name in ("py", "js", "go")],
        "scenarios": [{"id": "one"}, {"id": "two"}],
        "cells": [
            cell("one", "py", "passed", check("a", "passed"), check("b", "exempt", "lacks [x]")),
            cell("one", "js", "failed", *broken, stderr="oops\x00"),
            cell("two", "py", "skipped", reason="needs [y]\nmore", seconds=0.0),
            cell("two", "js", "error", reason="it broke", seconds=0.2514),
            cell("one", "go", "unavailable", reason="go is [not] there"),
            cell("two", "go", "unavailable", reason="go is [not] there"),
        ],
        "deviations": [],
        "leftovers": {"created": 3, "left": [], "problems": []},
        "gate": None,
        **more,
    }
