"""The document of a run: how it is measured, where long bodies end, and which keys it may not contain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_conformance.adapters.protocol import Identity
from arcrun_conformance.report import describe
from arcrun_conformance.report.document import write
from arcrun_conformance.runs.results import Cell, Leftovers, Run, StepRecord
from arcrun_conformance.target import Keys, Target
from arcrun_conformance.wire.journal import Exchange, Request, Response

if TYPE_CHECKING:
    from pathlib import Path

# A body is shown up to 200,000 bytes; a secret that begins there must be found before it is cut.
SHOWN, READ = 200_000, 216_384


def run_with(*exchanges: Exchange, **more: Any) -> Run:
    keys = Keys(second="second-key", revoked=more.pop("revoked", None))
    target = Target("local", "http://127.0.0.1:1", "the-api-key", {}, "1.0.0", keys=keys)
    cell = Cell("one", "py", exchanges=list(exchanges), seconds=0.123456)
    cell.steps = [StepRecord("step", {}, {}, 0.654321), StepRecord("again", {}, {}, 1, (60, 0.5))]
    cell.secrets = {"token": "canary-0123456789"}
    cell.stderr = more.pop("stderr", "")
    identity = Identity("arcrun", "1", "python", "cpython", frozenset({"b", "a"}))
    return Run("run", target, [], {"py": identity, "js": None}, [cell], seconds=1.23456, **more)


def body_of(body: bytes, *, response: bool) -> str:
    sent = Request("POST", "/", [], b"" if response else body)
    exchange = Exchange(1, "engine", "step", 0.0, sent, Response(200, [], body), 0.1)
    if not response:
        exchange.response = None
    (traffic,) = describe(run_with(exchange))["cells"][0]["traffic"]
    found: str = traffic["answer" if response else "request"]["body"]
    return found


@pytest.mark.parametrize("response", [True, False])
def test_a_long_body_ends_with_its_size(response: bool) -> None:
    assert body_of(b"a" * READ, response=response) == "a" * READ
    found = body_of(b"a" * (READ + 1), response=response)
    assert found == "a" * SHOWN + "… (216385 bytes in all)"


@pytest.mark.parametrize("response", [True, False])
@pytest.mark.parametrize("begin", [SHOWN - 100, SHOWN - 3, READ - 3])
def test_no_part_of_a_secret_is_left_where_a_long_body_is_cut(begin: int, response: bool) -> None:
    body = b"a" * begin + b"canary-0123456789" + b"b" * READ
    found = body_of(body, response=response)
    assert "can" not in found
    assert ("‹token›" in found) is (begin == SHOWN - 100)


def test_times_are_rounded_for_readers() -> None:
    request = Request("GET", "/", [])
    found = describe(run_with(Exchange(1, "engine", "step", 1.23456, request, None, 2.0)))
    (cell,) = found["cells"]
    assert (found["format"], found["seconds"]) == (1, 1.235)
    assert (cell["seconds"], cell["steps"][0]["seconds"]) == (0.1235, 0.6543)
    assert cell["traffic"][0]["started"] == 1.2346


def test_a_step_has_the_waits_that_its_sdk_asked_for() -> None:
    first, second = describe(run_with())["cells"][0]["steps"]
    assert "waited" not in first
    assert second["waited"] == [60, 0.5]


@pytest.mark.parametrize("revoked", ["revoked-key", None])
def test_no_key_of_any_account_is_reported(revoked: str | None) -> None:
    stderr = f"the-api-key second-key {revoked}"
    (cell,) = describe(run_with(revoked=revoked, stderr=stderr))["cells"]
    last = "‹revoked_api_key›" if revoked else "None"
    assert cell["stderr"] == f"‹api_key› ‹second_api_key› {last}"


def test_an_sdk_that_did_not_start_is_named_without_its_version() -> None:
    started, other = describe(run_with())["sdks"]
    assert started == {
        "name": "py",
        "started": True,
        "sdk": "arcrun",
        "version": "1",
        "language": "python",
        "runtime": "cpython",
        "capabilities": ["a", "b"],
    }
    assert other == {"name": "js", "started": False}


def test_secrets_on_disk_are_problems_of_what_was_left() -> None:
    leftovers = Leftovers(2, ["p"], ["l"], ["secret in a file"])
    assert describe(run_with(leftovers=leftovers))["leftovers"] == {
        "created": 2,
        "problems": ["p", "secret in a file"],
        "left": ["l"],
    }


def test_the_file_has_a_line_for_each_field(tmp_path: Path) -> None:
    write({"a": ["值", 1]}, tmp_path / "conformance.json")
    text = (tmp_path / "conformance.json").read_text("utf-8")
    assert text == '{\n"a": ["值", 1]\n}\n'
    assert json.loads(text) == {"a": ["值", 1]}
