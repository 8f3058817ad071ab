"""Whether a report that somebody else has made agrees with itself, in what no schema can say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arcrun_conformance.documents import DocumentError, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator


def contradictions(report: dict[str, Any]) -> Iterator[str]:
    """Yield in what a report contradicts itself (it matches the schema `report`)."""
    shard = report.get("shard", {"index": 1, "of": 1})
    if shard["index"] > shard["of"]:
        yield f"it is of shard {shard['index']}/{shard['of']}"
    yield from _of_names(report)
    for cell in report["cells"]:
        failed = [check["id"] for check in cell["checks"] if check["outcome"] == "failed"]
        if cell["outcome"] == "passed" and failed:
            yield f"{cell['scenario']} passed with {cell['sdk']}, and {failed[0]} failed"
    for scenario in report["scenarios"]:
        if not _is_scenario(scenario.get("source", "steps: []")):
            yield f"the source of {scenario['id']} is no scenario"


def _of_names(report: dict[str, Any]) -> Iterator[str]:
    sdks = [sdk["name"] for sdk in report["sdks"]]
    scenarios = [scenario["id"] for scenario in report["scenarios"]]
    cells = [(cell["scenario"], cell["sdk"]) for cell in report["cells"]]
    for what, names in (("SDK", sdks), ("scenario", scenarios)):
        for name in _repeated(names):
            yield f"it has the {what} {name} more than once"
    for scenario, sdk in _repeated(cells):
        yield f"it has more than one cell of {scenario} with {sdk}"
    for scenario, sdk in cells:
        if sdk not in sdks:
            yield f"{scenario} was run with {sdk}, which is none of its SDKs"
        if scenario not in scenarios:
            yield f"{scenario} was run with {sdk}, and is none of its scenarios"


def _repeated(values: list[Any]) -> list[Any]:
    return [value for value, times in Counter(values).items() if times > 1]


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
