"""What `tools/list` shows of arguments and results; it is part of every conversation, so it holds no more than it must."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from arcrun.commands.parameters import Parameter, input_schema
from arcrun.commands.table import Command

# Arguments that tools don't offer: for people who try a command, and those that another argument or tool stands for.
LEFT_OUT: Mapping[str, str] = {
    "dry_run": "a workflow is checked by workflow_validate, a recipe by prompt_recipe_test",
    "version": "name: NAME@VERSION",
    "label": "name: NAME@LABEL",
    "strict": "a workflow says `strict` itself",
    "idempotency_key": "a model makes no key that it keeps across its repetitions",
    "latest": "a workflow that was changed is run anew, by workflow_run",
    "force": "what a workflow uses is for people to delete",
}

# The fields that each tool returns at least.
RESULTS: Mapping[str, tuple[str, ...]] = {
    "workflow_push": ("name", "warnings"),
    "workflow_validate": ("valid", "nodes", "edges"),
    "workflow_run": ("workflow", "status"),
    "workflow_list": ("workflows", "total"),
    "workflow_get": ("name", "graph"),
    "workflow_delete": ("name", "deleted"),
    "run_list": ("runs", "total"),
    "run_get": ("run_id", "status"),
    "run_cancel": ("run_id", "status"),
    "run_retry": ("run_id",),
    "run_resume": ("success",),
    "prompt_recipe_list": ("recipes", "total"),
    "prompt_recipe_get": ("name", "recipe"),
    "prompt_recipe_push": ("name", "version"),
    "prompt_recipe_delete": ("name",),
    "prompt_recipe_render": ("messages",),
    "prompt_recipe_test": ("passed", "tests"),
    "component_search": ("results", "total"),
    "component_get": ("canonical_id", "input_schema"),
    "kb_search": ("blocks", "total"),
    "kb_get": ("blocks", "content"),
    "kb_put": ("id", "page_name"),
    "service_list": ("services", "total"),
}
# Descriptions that say no more than the name and its type; people read them in the help of `acr`.
_SELF_EVIDENT = frozenset(
    {"limit", "run_id", "status", "kind", "page_name", "content", "input", "message"}
)


def offered(parameters: Sequence[Parameter]) -> list[Parameter]:
    """Return the parameters that a tool offers."""
    return [each for each in parameters if each.name not in LEFT_OUT]


def arguments_schema(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Return the JSON schema of a tool's arguments."""
    return input_schema([_brief(each) for each in offered(parameters)])


def result_schema(tool: str) -> dict[str, Any]:
    """Return the JSON schema of a tool's result; more fields may be there."""
    return {"type": "object", "required": list(RESULTS[tool])}


def effects_of(command: Command) -> dict[str, bool]:
    """Return the annotations of a tool: whether it only reads, may replace or delete what is there, may be repeated.

    `destructiveHint` is said although it is true by default: clients ask people by it, and not all know the default.
    """
    if command.effect == "reads":
        return {"readOnlyHint": True}
    found = {"destructiveHint": command.effect != "adds"}
    return {**found, "idempotentHint": True} if command.repeatable else found


def _brief(parameter: Parameter) -> Parameter:
    obvious = parameter.name in _SELF_EVIDENT or re.fullmatch(r"the \w+", parameter.description)
    return replace(parameter, description="") if obvious else parameter
