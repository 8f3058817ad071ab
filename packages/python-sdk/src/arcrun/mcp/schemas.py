"""What `tools/list` shows of arguments; it is part of every conversation, so it holds no more than it must."""

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

# Descriptions that say no more than the name and its type; people read them in the help of `acr`.
SELF_EVIDENT = frozenset(
    {"limit", "run_id", "status", "kind", "page_name", "content", "input", "message"}
)
# What `acr --help` says in more words, or another tool has said.
BRIEFER: Mapping[str, str] = {
    "YAML or JSON: `flow`, lines FROM >> EDGE >> TO, and `config`, a `component` for each node": "as for workflow_push",
    "instead of the document's own": "",
    "NAME, NAME@VERSION or NAME@LABEL": "NAME[@VERSION|@LABEL]",
    "refuse if the newest version is another one; 0 if there must be none yet": "the newest that you know; 0: none",
    "values by path, as in a run, for variables that `inputs` leaves out": "values by path",
    "YAML to render instead of the stored recipe": "instead of the stored one",
    "YAML to test instead of the stored recipe": "instead of the stored one",
    "false returns at once, with the `run_id`": "false: return a run_id at once",
    "keep the results of the nodes before this one": "",
    "what the run waits for; a paused run names it": "a paused run names it",
    "the result of the node that waits": "the waiting node's result",
    "why the task failed, instead of data": "",
    "the new block's id, if something names it already": "for a new block",
    "template for a text that prompts may use as a fragment": "template: a fragment of prompts",
    "instead of the page's only block; without it, one more block": "the page's only block",
    "words, Chinese or English": "",
    "only its runs": "",
    "the block, instead of a page": "instead of page_name",
}


def offered(parameters: Sequence[Parameter]) -> list[Parameter]:
    """Return the parameters that a tool offers."""
    return [each for each in parameters if each.name not in LEFT_OUT]


def arguments_schema(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Return the JSON schema of a tool's arguments."""
    return input_schema([_brief(each) for each in offered(parameters)])


def effects_of(command: Command) -> dict[str, bool]:
    """Return the annotations of a tool: whether it only reads, may replace or delete what is there, may be repeated.

    `destructiveHint` is said although it is true by default: clients ask people by it, and not all know the default.
    """
    if command.effect == "reads":
        return {"readOnlyHint": True}
    found = {"destructiveHint": command.effect != "adds"}
    return {**found, "idempotentHint": True} if command.repeatable else found


def _brief(parameter: Parameter) -> Parameter:
    obvious = parameter.name in SELF_EVIDENT or re.fullmatch(r"the \w+", parameter.description)
    brief = "" if obvious else BRIEFER.get(parameter.description, parameter.description)
    return replace(parameter, description=brief)
