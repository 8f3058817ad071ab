"""Whether a report that somebody else has made agrees with itself, in what no schema can say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arcrun_conformance import gate
from arcrun_conformance.documents import DocumentError, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator


def contradictions(report: dict[str, Any]) -> Iterator[str]:
    """Yield in what a report contradicts itself (it matches the schema `report`)."""
    shard = report.get("shard", {"index": 1, "of": 1})
    if shard["index"] > shard["of"]:
        yield f"it is of shard {shard['index']}/{shard['of']}"
    yield from gate.contradictions(report)
    yield from _of_scenarios(report)
    for scenario in report["scenarios"]:
        if not _is_scenario(scenario.get("source", "steps: []")):
            yield f"the source of {scenario['id']} is no scenario"


def _of_scenarios(report: dict[str, Any]) -> Iterator[str]:
    names = Counter(scenario["id"] for scenario in report["scenarios"])
    for name, times in names.items():
        if times > 1:
            yield f"{name}: is among the scenarios {times} times"
    for name in dict.fromkeys(cell["scenario"] for cell in report["cells"]):
        if name not in names:
            yield f"{name}: has cells, and is not among the scenarios of the run"


def _is_scenario(source: str) -> bool:
    """Return whether a text has the parts of a scenario that a report is made from."""
    try:
        definition = parse_yaml(source, Path("source"))
    except DocumentError:
        return False
    steps = definition.get("steps", []) if isinstance(definition, dict) else None
    return isinstance(steps, list) and all(map(_is_step, steps))


def _is_step(step: Any) -> bool:
    if not isinstance(step, dict):
        return False
    advance = step.get("advance", 0)
    return isinstance(step.get("id"), str) and isinstance(advance, (int, float))
