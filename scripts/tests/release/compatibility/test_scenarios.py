from pathlib import Path

import pytest

from scripts.release.compatibility import scenarios
from scripts.release.compatibility.differences import Difference

GATE = 'contracts:\n  "1.0.0":\n    local: [health, runs]\n    live: [health]\n'
HEALTH = "id: health\nsteps:\n  - id: ok\n    call: health\nwire:\n  - {id: once, count: 1}\n"


def found(tmp_path: Path, gate: str = GATE, health: str = HEALTH) -> list[Difference]:
    for name, (texts) in {"old": (GATE, HEALTH), "new": (gate, health)}.items():
        root = tmp_path / name
        (root / scenarios.SCENARIOS / "sdk").mkdir(parents=True)
        (root / scenarios.GATE).write_text(texts[0], "utf-8")
        (root / scenarios.SCENARIOS / "sdk" / "health.yaml").write_text(texts[1], "utf-8")
    return scenarios.differences(tmp_path / "old", tmp_path / "new")


def test_a_gate_that_is_the_same_has_no_difference(tmp_path: Path) -> None:
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ("[health, runs]", "[health]", ("runs",)),
        ("live: [health]", "live: []", ("health",)),
        ("[health, runs]", "[health, runs-2]", ("runs",)),
        ('"1.0.0"', '"2.0.0"', ("runs",)),
    ],
)
def test_a_scenario_that_the_gate_no_longer_needs_breaks(
    tmp_path: Path, before: str, after: str, names: tuple[str, ...]
) -> None:
    differences = found(tmp_path, gate=GATE.replace(before, after))
    assert names in [each.names for each in differences if each.breaking]


def test_a_scenario_that_was_added_breaks_nobody(tmp_path: Path) -> None:
    (difference,) = found(tmp_path, gate=GATE.replace("runs]", "runs, events]"))
    assert (difference.symbol, difference.breaking) == ("events", False)


def test_a_check_that_was_removed_breaks(tmp_path: Path) -> None:
    (difference,) = found(tmp_path, health=HEALTH.replace("  - {id: once, count: 1}\n", "  []\n"))
    assert (difference.names, difference.breaking) == (("health", "once"), True)


def test_a_check_that_was_renamed_is_no_difference_and_one_that_was_added_an_addition(
    tmp_path: Path,
) -> None:
    assert found(tmp_path / "renamed", health=HEALTH.replace("once", "twice")) == []
    more = HEALTH + "  - {id: again, count: 2}\n"
    (difference,) = found(tmp_path / "added", health=more)
    assert (difference.names, difference.breaking) == (("health", "again"), False)
