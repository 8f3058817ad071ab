"""The design's example, with the packages of this checkout; a rehearsal does the same with what it installs."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts import ROOT
from scripts.engine import engine_with_accounts
from scripts.rehearsal import StepFailed
from scripts.release.example import design, faces, programs
from scripts.release.example.steps import carry_out, differences

DRAFTS = [design.draft("Mira")]


def as_it_must_be() -> dict[str, Any]:
    return {
        "versions": [1, 2],
        "warnings": [[], []],
        "source": design.seeds(ROOT).recipe.read_text("utf-8"),
        "success": True,
        "messages": design.messages(DRAFTS),
        "refused": f"prompt_recipe:wiki_synthesis@1: {design.REFUSED}",
    }


def test_the_design_s_example_writes_three_pages(tmp_path: Path) -> None:
    program = [sys.executable, "-c", programs.PYTHON]
    figures = carry_out(program, Path(sys.executable), ROOT, tmp_path / "log")
    assert figures == {"pages_written": 3, "ranges_of_the_prompt": 7}


def test_a_program_that_returns_the_right_things_and_runs_nothing_is_found(tmp_path: Path) -> None:
    printed = f"import json; print(json.dumps({as_it_must_be()!r}))"
    with pytest.raises(StepFailed) as failed:
        carry_out([sys.executable, "-c", printed], Path(sys.executable), ROOT, tmp_path / "log")
    assert "page wiki_synthesis/河道: [] instead of" in str(failed.value)


def test_what_must_be_returned_differs_in_nothing() -> None:
    assert list(differences(as_it_must_be(), design.seeds(ROOT), DRAFTS)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("versions", [1, 1]),
        ("warnings", [[], ["'schema' is never used"]]),
        ("source", "id: prompt_recipe:wiki_synthesis\n"),
        ("success", False),
        ("messages", []),
        ("refused", "something went wrong"),
    ],
)
def test_whatever_a_program_returns_is_compared(name: str, value: Any) -> None:
    found = {**as_it_must_be(), name: value}
    (said,) = differences(found, design.seeds(ROOT), DRAFTS)
    assert said.startswith(f"{name}: ")


def test_a_range_with_another_origin_is_a_difference() -> None:
    found = copy.deepcopy(as_it_must_be())
    found["messages"][1]["ranges"][0]["origin"]["line"] = 9
    (said,) = differences(found, design.seeds(ROOT), DRAFTS)
    assert '"line": 9' in said


@pytest.mark.parametrize(
    ("source", "says"), [(faces.ACR, "acr push "), (faces.MCP, "workflow_push: ")]
)
def test_a_face_that_fails_says_so_in_a_sentence(source: str, says: str, tmp_path: Path) -> None:
    program, workflow = tmp_path / "program.py", tmp_path / "workflow.yaml"
    program.write_text(source, "utf-8")
    workflow.write_text("name: wiki_synthesis\nflow: 1\n", "utf-8")
    given = {"workflow_file": str(workflow), "recipe": "", "with_default": "", "context": {}}
    (tmp_path / "given.json").write_text(json.dumps(given), "utf-8")
    python = Path(sys.executable)
    with engine_with_accounts(python, tmp_path / "data", tmp_path / "log") as engine:
        variables = {"ARCRUN_API_KEY": engine.keys[0], "ARCRUN_BASE_URL": engine.url}
        ran = subprocess.run(
            [python, "-I", program, tmp_path / "given.json"],
            env={**os.environ, **variables},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    assert ran.returncode == 1
    assert ran.stderr.startswith(says)
    assert "Traceback" not in ran.stderr
