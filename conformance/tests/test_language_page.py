"""Every example of docs/workflow-language.md stands in a scenario `docs-*` of the engine suite, word for word."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from arcrun_conformance.resources import checkout, data_directory

REPOSITORY = checkout()
if REPOSITORY is None:
    pytest.skip("the page is in the repository only", allow_module_level=True)
PAGE = (REPOSITORY / "docs/workflow-language.md").read_text("utf-8")
BLOCK = re.compile(
    r"^```(?:yaml|json) (workflow|input|result|error|paused)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
# What scenarios write in the place of names of the page, since names carry the run.
NAMES = {
    "${standin}": "https://weather.example",
    "${run}_shout": "shout",
    "${run}_weather_token": "weather_token",
}


def examples() -> list[dict[str, Any]]:
    """Read the examples of the page: `workflow`, and `input`, `result`, `error` and `paused` if it has them."""
    found: list[dict[str, Any]] = []
    for kind, text in BLOCK.findall(PAGE):
        if kind == "workflow":
            found.append({"workflow": yaml.safe_load(text)})
        else:
            found[-1][kind] = json.loads(text)
    return found


def as_on_the_page(value: Any) -> Any:
    """Return a value of a scenario with the names that the page uses."""
    text = json.dumps(value, ensure_ascii=False)
    for name, on_page in NAMES.items():
        text = text.replace(name, on_page)
    return json.loads(text)


def steps() -> list[dict[str, Any]]:
    """Return the steps of the scenarios `docs-*` that run the lines of a flow."""
    paths = (data_directory() / "scenarios/engine").rglob("docs-*.yaml")
    scenarios = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(paths)]
    found = [step for scenario in scenarios for step in scenario["steps"]]
    return [as_on_the_page(step) for step in found if step.get("send") == "/cypher/execute"]


EXAMPLES = examples()
STEPS = steps()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each["workflow"]["name"])
def test_the_example_stands_in_a_scenario(example: dict[str, Any]) -> None:
    workflow = example["workflow"]
    sent = {"triplets": workflow["flow"]}
    sent |= {"config": workflow["config"]} if "config" in workflow else {}
    sent |= {"context": example["input"]} if "input" in example else {}
    (step,) = [step for step in STEPS if step["json"] == sent]
    body = step["expect"]["body"]
    if "error" in example:
        for key in ("code", "failed_node", "details"):
            assert body.get(key) == example["error"].get(key)
    elif "paused" in example:
        assert body["paused"] is True
        assert body["paused_node_id"] == example["paused"]["node"]
        assert body["task_id"] == example["paused"]["task_id"]
    elif "result" in example and "…" not in json.dumps(example["result"], ensure_ascii=False):
        assert body["data"] == {"$equals": example["result"]}
    elif "result" in example:
        assert set(body["data"]) - {"$length"} == set(example["result"])


def test_no_step_runs_what_the_page_does_not_show() -> None:
    assert len(STEPS) == len(EXAMPLES)
