"""What a report says of one exchange and of one failure, to the line."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from arcrun_conformance.report import document, terminal
from arcrun_conformance.report.causes import causes
from arcrun_conformance.wire.journal import Exchange, Request, Response


def described(**more: Any) -> dict[str, Any]:
    request = Request("GET", "/a", [("X-Id", "1")], b"\xff")
    exchange = Exchange(3, "engine", "step", 1.00004, request, Response(204), 1.50018)
    for name, value in more.items():
        setattr(exchange, name, value)
    return document._exchange(exchange)


def test_an_exchange_has_its_times_to_a_tenth_of_a_millisecond() -> None:
    found = described()
    assert (found["number"], found["started"], found["seconds"]) == (3, 1.0, 0.5001)
    assert found["request"] == {
        "method": "GET",
        "target": "/a",
        "headers": [["X-Id", "1"]],
        "body": "\ufffd",
    }
    assert found["answer"] == {"status": 204, "headers": [], "body": ""}


def test_an_exchange_that_was_not_finished_has_no_answer_and_no_seconds() -> None:
    found = described(finished=None, response=None)
    assert (found["seconds"], found["answer"]) == (None, None)


@pytest.mark.parametrize("field", ["problem", "refusal"])
def test_either_problem_of_an_exchange_is_reported(field: str) -> None:
    assert described(**{field: "壞了"})["problem"] == "壞了"


def shown(lines: int, errors: int) -> str:
    failed = {
        "id": "sealed",
        "outcome": "failed",
        "message": "\n".join(f"m{n}" for n in range(lines)),
    }
    passed = {"id": "fine", "outcome": "passed", "message": "never"}
    stderr = "\n".join(f"[e{n}]" for n in range(errors))
    cell = {"scenario": "push", "sdk": "py", "outcome": "failed", "checks": [failed, passed]}
    cell |= {"stderr": stderr, "reason": "", "seconds": 1.0, "steps": [], "traffic": []}
    run: dict[str, Any] = {"cells": [cell], "deviations": [], "sdks": [{"name": "py"}]}
    (cause,) = causes(run)
    console = Console(file=(out := io.StringIO()), width=100)
    terminal._show_cause(run, cause, console)
    return out.getvalue()


def test_a_failure_has_the_first_twelve_lines_and_the_last_twelve_of_stderr() -> None:
    text = shown(13, 13)
    assert "\n✗ push: sealed with py\n" in text
    assert "fine" not in text
    assert "      m11\n      … and 1 more line in conformance.json\n" in text
    assert "m12" not in text
    assert "stderr of the adapter:\n      [e1]\n" in text
    assert "[e12]" in text


def test_what_is_short_is_shown_whole() -> None:
    text = shown(12, 0)
    assert "m11" in text
    assert "more line" not in text
    assert "stderr" not in text
