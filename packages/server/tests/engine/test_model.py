from __future__ import annotations

import ast
import sys
from pathlib import Path

import arcrun_server.engine
from arcrun_server.engine import FlowError, Problem


def test_a_problem_says_where_it_is() -> None:
    assert str(Problem("甲。")) == "甲。"
    assert str(Problem("甲。", path="nodes[0]")) == "nodes[0]: 甲。"
    assert str(Problem("甲。", line=2)) == "line 2: 甲。"
    assert str(Problem("甲。", line=2, column=5)) == "line 2, column 5: 甲。"


def test_a_problem_can_always_be_written_and_is_short() -> None:
    problem = Problem("半\ud83d" + "長" * 9999, path="半\ud83d", suggestion="半\ud83d")
    assert problem.message.startswith("半\\ud83d")
    assert len(problem.message) < 520
    assert (problem.path, problem.suggestion) == ("半\\ud83d", "半\\ud83d")


def test_a_flow_error_lists_all_its_problems() -> None:
    error = FlowError([Problem("甲。", line=1), Problem("乙。", line=2)])
    assert str(error) == "line 1: 甲。\nline 2: 乙。"


def test_the_engine_imports_nothing_but_itself_and_the_standard_library() -> None:
    allowed = {*sys.stdlib_module_names}
    for path in Path(arcrun_server.engine.__file__).parent.glob("*.py"):
        for found in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(found, ast.Import):
                names = [alias.name for alias in found.names]
            elif isinstance(found, ast.ImportFrom) and found.level != 1:
                names = [found.module or ""]
            else:
                continue
            assert {name.split(".")[0] for name in names} <= allowed, path.name
