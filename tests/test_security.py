"""The table of attacks in SECURITY.md: each has what stops it, and tests that exist."""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.release import faults

ROOT = Path(__file__).resolve().parent.parent
ATTACKS = {
    *("Ultralytics", "TanStack", "tj-actions", "Trivy", "LiteLLM", "Nx", "Shai-Hulud", "axios"),
    *("Miasma", "Dependency confusion", "xz"),
}


class Row(NamedTuple):
    """A row of the table."""

    attack: str
    how: str
    control: str
    shown_by: tuple[str, ...]


def rows() -> list[Row]:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    _, _, section = text.partition("\n## How a release is protected\n")
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]
    return [Row(*each[:3], tuple(re.findall(r"`([^`]+)`", each[3]))) for each in cells]


def missing(names: list[str]) -> str:
    """Return what pytest says of tests that it does not find."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [*command, *names], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def test_each_known_attack_has_a_row() -> None:
    written = " ".join(row.attack for row in rows())
    assert [name for name in ATTACKS if name not in written] == []


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.attack)
def test_each_attack_has_a_control_and_something_that_shows_it(row: Row) -> None:
    assert row.how
    assert row.control
    assert row.shown_by


def test_the_tests_of_the_table_exist() -> None:
    named = [name for row in rows() for name in row.shown_by]
    assert missing([name for name in named if "::" in name]) == ""
    planted = {f"release_faults: {name}" for name in faults.checks()}
    assert [name for name in named if "::" not in name and name not in planted] == []


def test_a_test_that_does_not_exist_is_noticed() -> None:
    module = "tests/test_security.py"
    assert missing([f"{module}::test_each_known_attack_has_a_row"]) == ""
    assert "not found" in missing([f"{module}::test_that_is_not_there"])
