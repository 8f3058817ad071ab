from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from scripts.fuzz.cost import HELD_MS, Cost, problems, processor_ms, table
from scripts.fuzz.cost_cases import CASES, SIZES, Case
from scripts.fuzz.cost_recipes import CASES as OF_RECIPES

CASE = Case("POST /validate", "length", lambda kib: {"x": "x" * kib}, (10, 1000))


def cost(*milliseconds: float, held: float = 0.0, status: int = 400) -> Cost:
    return Cost(CASE, [0.0, 0.0], list(milliseconds), held, [status, status])


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (cost(10, 1000), None),
        (cost(1, 59), None),
        (cost(0.01, 100), None),
        (cost(10, 100_000), "faster than size × log(size)"),
        (cost(1, 1, held=HELD_MS + 1), "/health took 101 ms of computing meanwhile"),
        (cost(1, 1, status=500), "the engine answered 500"),
    ],
)
def test_growth_holds_and_failures_are_problems(found: Cost, says: str | None) -> None:
    said = problems([found])
    assert [says in text for text in said] == ([True] if says else [])


def test_a_run_may_fail() -> None:
    assert not problems([Cost(Case("POST /execute", "x", may_fail=True), [0], [1], 0, [500])])


def test_every_case_stands_in_the_table() -> None:
    lines = table([cost(1, 2), cost(3, 4)]).splitlines()
    assert len(lines) == 4
    assert lines[1].startswith("POST /validate")


@pytest.mark.parametrize(
    "case", [*CASES, *OF_RECIPES], ids=lambda case: f"{case.operation} {case.kind}"
)
def test_bodies_grow_with_the_size(case: Case) -> None:
    small, medium = case.sizes[:2]
    first, second = case.content(small), case.content(medium)
    if first is None or second is None:
        assert len(case.path_of(small)) < len(case.path_of(medium))
    else:
        assert len(first) < len(second) <= 3 * SIZES[-1] * 1024
        if case.kind not in {"depth", "depth of objects", "digits"}:
            assert json.loads(first)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads times from /proc")
def test_only_what_computes_has_its_time_counted() -> None:
    program = "input()\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as process:
        own = processor_ms(os.getpid())
        waiting = processor_ms(process.pid)
        while processor_ms(os.getpid()) < own + 100:
            sum(range(10_000))
        assert processor_ms(process.pid) < waiting + 100
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        while processor_ms(process.pid) < waiting + 200:
            assert process.poll() is None
        process.kill()
