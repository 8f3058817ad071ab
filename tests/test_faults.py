"""docs/faults.md names every fault of 0.1.0, and only tests, scenarios and mutants that exist."""

import fnmatch
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
IDS = [
    *(f"A{number}" for number in (*range(1, 8), 10)),
    *(f"E{number}" for number in range(1, 13)),
    *(f"S{number}" for number in range(1, 19)),
    *("D2", "D3"),
]


def rows() -> dict[str, tuple[list[str], list[str]]]:
    """Return the tests and the scenarios of each fault."""
    found = {}
    for line in (ROOT / "docs/faults.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"[AESD]\d+", cells[0]):
            tests, scenarios = (re.findall(r"`([^`]+)`", cell) for cell in cells[3:5])
            assert cells[0] not in found
            found[cells[0]] = tests, scenarios
    return found


ROWS = rows()
SCENARIOS = {path.stem for path in (ROOT / "conformance/scenarios").rglob("*.yaml")}
CAUGHT_BY = {
    mutant["caught_by"].partition("/")[0]
    for path in (ROOT / "conformance/mutants").glob("*.yaml")
    for mutants in yaml.safe_load(path.read_text("utf-8")).values()
    if isinstance(mutants, list)
    for mutant in mutants
}


def test_every_fault_has_a_row() -> None:
    assert sorted(ROWS) == sorted(IDS)


@pytest.mark.parametrize("fault", IDS)
def test_a_fault_is_held_off_by_tests_that_exist(fault: str) -> None:
    tests, _ = ROWS[fault]
    assert tests
    for name in tests:
        pattern = "packages/js-sdk/tests/" + name if name.endswith(".ts") else f"*/tests/**/{name}"
        found = [
            path for folder in ("packages", "conformance") for path in (ROOT / folder).glob(pattern)
        ]
        assert found or (ROOT / pattern).exists(), f"{name} of {fault} is not there"


@pytest.mark.parametrize("fault", [fault for fault in IDS if ROWS[fault][1]])
def test_scenarios_of_a_fault_exist_and_have_mutants(fault: str) -> None:
    _, scenarios = ROWS[fault]
    named = {pattern: fnmatch.filter(SCENARIOS, pattern) for pattern in scenarios}
    assert [pattern for pattern, found in named.items() if not found] == []
    assert CAUGHT_BY & {name for found in named.values() for name in found}
