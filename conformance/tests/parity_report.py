"""Reports for the tests of parity: who sent what, without a run."""

from __future__ import annotations

import json
from typing import Any

from arcrun_conformance.parity import compare

KEY = ["x-arcrun-api-key", "‹api_key›"]
JSON = ["content-type", "application/json"]
FORM = ["Content-Type", "application/x-www-form-urlencoded"]


def exchange(
    method: str, target: str, *headers: list[str], body: Any = "", place: str = "engine"
) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    request = {"method": method, "target": target, "headers": list(headers), "body": text}
    more = {"number": 1, "place": place, "step": "s", "started": 0, "seconds": 0}
    more["further_page"] = False
    return {"request": request, "answer": None, "fault": None, "problem": None, **more}


def cell(sdk: str, traffic: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return {
        "scenario": "push",
        "sdk": sdk,
        "outcome": "passed",
        "reason": "",
        "seconds": 0,
        "checks": [{"id": "sent", "outcome": "passed", "message": "", "traffic": []}],
        "steps": [],
        "traffic": traffic,
        "stderr": "",
    } | changes


def report(*cells: dict[str, Any], run: str = "arcconf_0a1b2c3d") -> dict[str, Any]:
    names = dict.fromkeys(each["sdk"] for each in cells)
    return {
        "format": 1,
        "runner": "0.1.0",
        "run": run,
        "started": "",
        "seconds": 0,
        "interrupted": False,
        "target": {"name": "t", "url": "u", "contract": None, "health": {}, "remote": False},
        "sdks": [{"name": name, "started": True} for name in names],
        "scenarios": [{"id": "push", "title": "t", "spec": []}],
        "cells": list(cells),
        "leftovers": {"created": 0, "problems": [], "left": []},
        "deviations": [],
        "gate": None,
    }


def texts_of(run: dict[str, Any]) -> list[str]:
    return [str(difference) for difference in compare(run).differences]
