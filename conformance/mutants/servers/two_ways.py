"""Defects in one of two ways that should end alike: for much and for little, for one spelling and for another."""

from __future__ import annotations

import heapq
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from arcrun_server.components import array_ops, regexes
from arcrun_server.engine import invoker, outcome, redaction
from arcrun_server.engine.machine import Machine
from arcrun_server.engine.plan import TRIGGER_WORKFLOW
from arcrun_server.outbound import client
from arcrun_server.recipes.api import component as api_component

if TYPE_CHECKING:
    from collections.abc import Callable


# Much


def sorts_of_many_are_merged_upwards() -> None:
    array_ops.heapq = SimpleNamespace(
        merge=lambda *runs, key, reverse: heapq.merge(*runs, key=key)  # noqa: ARG005 - that is the defect
    )


def large_results_keep_their_secrets() -> None:
    async def to_thread(_redact: Callable[[Any], Any], result: Any) -> Any:
        return result

    invoker.asyncio = SimpleNamespace(to_thread=to_thread)


def searches_of_much_text_lose_their_flags() -> None:
    right = regexes.encode
    # Only what is handed to a worker is written here.
    regexes.encode = lambda job: right([job[0], {**job[1], "flags": ""}])


# Other spellings


def hosts_of_redirects_have_a_case() -> None:
    right = client._origin

    def origin(url: str) -> tuple[str, str | None, int | None]:
        scheme, _, port = right(url)
        return scheme, url.partition("//")[2].partition("/")[0].partition(":")[0], port

    client._origin = origin


def secrets_in_urls_are_kept() -> None:
    redaction._KEPT_IN_URLS = ()


def types_of_recipes_have_a_case() -> None:
    api_component._content_type = lambda recipe: recipe.get("headers", {}).get("Content-Type", "")


def no_plural_with_es() -> None:
    right = outcome.plurals
    outcome.plurals = lambda word: [form for form in right(word) if form != f"{word}es"]


def lists_of_a_recipe_hold_texts_only() -> None:
    right = api_component._filled_value

    def filled(value: Any, given: dict[str, Any]) -> Any:
        if isinstance(value, list):
            return [right(item, given) if isinstance(item, str) else item for item in value]
        return right(value, given)

    api_component._filled_value = filled


# Nodes without a component of their own


def _note(noted: Callable[[Any], bool]) -> None:
    right = Machine.note_unresolved

    def note(self: Machine, frame: Any, node: Any, sources: list[str], entry: Any) -> None:
        if noted(node):
            right(self, frame, node, sources, entry)

    Machine.note_unresolved = note


def inputs_do_not_warn() -> None:
    _note(lambda node: node.component is not None)


def calls_of_workflows_do_not_warn() -> None:
    _note(lambda node: node.component != TRIGGER_WORKFLOW)


def traces_of_calls_leave_warnings_out() -> None:
    right = Machine.note_unresolved

    def note(self: Machine, frame: Any, node: Any, sources: list[str], entry: Any) -> None:
        right(self, frame, node, sources, {} if node.workflow else entry)

    Machine.note_unresolved = note


def runs_that_were_cut_off_are_not_recorded() -> None:
    Machine.abandon = lambda _self, _failure: None
