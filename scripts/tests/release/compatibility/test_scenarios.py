from pathlib import Path

import pytest

from scripts.release.compatibility import scenarios
from scripts.release.compatibility.differences import Difference
from scripts.release.compatibility.reading import PartUnreadable

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


@pytest.mark.parametrize(
    ("gate", "why"),
    [
        ("{", "is not valid YAML"),
        ("- 1", r"at \$: \[1\] is not of type 'object'"),
        ("{}", "'contracts' is a required property"),
        ("contracts: 5", r"at \$\.contracts: 5 is not of type 'object'"),
        ("contracts: {a: [b]}", r"at \$\.contracts\.a: \['b'\] is not of type 'object'"),
        ("contracts: {a: {local: [1]}}", "1 is not of type 'string'"),
    ],
)
def test_a_file_that_is_no_gate_is_named_with_the_reason(
    tmp_path: Path, gate: str, why: str
) -> None:
    with pytest.raises(PartUnreadable, match=f"^conformance/gate.yaml .*{why}"):
        found(tmp_path, gate=gate)


@pytest.mark.parametrize("health", ["{", "a: &a [*a]"])
def test_a_scenario_that_is_not_yaml_is_named(tmp_path: Path, health: str) -> None:
    with pytest.raises(PartUnreadable, match=r"^conformance/scenarios/sdk/health.yaml is not"):
        found(tmp_path, health=health)


@pytest.mark.parametrize("file", [scenarios.GATE, f"{scenarios.SCENARIOS}/sdk/health.yaml"])
def test_a_file_of_the_gate_that_is_not_utf_8_is_named(tmp_path: Path, file: str) -> None:
    found(tmp_path)
    (tmp_path / "new" / file).write_bytes(b"\xff")
    with pytest.raises(PartUnreadable, match=f"^{file} is not UTF-8"):
        scenarios.differences(tmp_path / "old", tmp_path / "new")


def test_a_gate_that_is_missing_is_named(tmp_path: Path) -> None:
    found(tmp_path)
    (tmp_path / "new" / scenarios.GATE).unlink()
    with pytest.raises(PartUnreadable, match=r"^conformance/gate.yaml can't be read: No such file"):
        scenarios.differences(tmp_path / "old", tmp_path / "new")
