"""docs/faults.md names every fault of 0.1.0, and only tests, scenarios, mutants and rehearsals that exist."""

import fnmatch
import re
from pathlib import Path

import pytest
import yaml

from scripts.release.faults import checks
from scripts.release.planted import FAULTS

ROOT = Path(__file__).resolve().parent.parent
IDS = [
    *(f"A{number}" for number in range(1, 11)),
    *(f"E{number}" for number in range(1, 13)),
    *(f"S{number}" for number in range(1, 19)),
    *(f"R{number}" for number in range(1, 10)),
    *(f"H{number}" for number in range(1, 7)),
    *("D2", "D3"),
]


def rows() -> dict[str, tuple[list[str], list[str]]]:
    """Return the tests of each fault, and the scenarios or rehearsals."""
    found = {}
    for line in (ROOT / "docs/faults.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"[AESRHD]\d+", cells[0]):
            tests, scenarios = (re.findall(r"`([^`]+)`", cell) for cell in cells[3:5])
            assert cells[0] not in found
            found[cells[0]] = tests, scenarios
    return found


ROWS = rows()
# What a release is rehearsed for; no scenario can show it.
OF_RELEASES = [fault for fault in IDS if fault[0] in "RH" or fault in {"A8", "A9"}]
FOLDERS = [*ROOT.glob("packages/*/tests"), *ROOT.glob("*/tests"), ROOT / "tests"]
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
        found = [path for folder in FOLDERS for path in folder.rglob(name)]
        assert found, f"{name} of {fault} is not there"


@pytest.mark.parametrize(
    "fault", [fault for fault in IDS if ROWS[fault][1] and fault not in OF_RELEASES]
)
def test_scenarios_of_a_fault_exist_and_have_mutants(fault: str) -> None:
    _, scenarios = ROWS[fault]
    named = {pattern: fnmatch.filter(SCENARIOS, pattern) for pattern in scenarios}
    assert [pattern for pattern, found in named.items() if not found] == []
    assert CAUGHT_BY & {name for found in named.values() for name in found}


@pytest.mark.parametrize("fault", OF_RELEASES)
def test_rehearsals_of_a_fault_exist(fault: str) -> None:
    names = list(checks())
    unknown = [
        start for start in ROWS[fault][1] if not any(name.startswith(start) for name in names)
    ]
    assert unknown == []


def test_every_planted_fault_is_listed_with_the_others() -> None:
    assert {fault.title for fault in FAULTS} <= checks().keys()
