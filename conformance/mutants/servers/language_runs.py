"""Defects in how workflows run: loops, placeholders, failures, sub-workflows."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from sqlalchemy import bindparam, select

from arcrun_server.engine import (
    check,
    clock,
    failures,
    for_each,
    frames,
    invoker,
    machine,
    outcome,
    placeholders,
    redaction,
    scope,
    sub_runs,
    sub_workflow,
    templates,
)
from arcrun_server.routes import run_response
from arcrun_server.runs import environment
from arcrun_server.store import workflows

MISSING = templates.MISSING


# FOREACH


def loop_index_from_one() -> None:
    original = for_each.element_frame

    def element_frame(frame: Any, loop: Any, index: int) -> Any:
        made = original(frame, loop, index)
        made.loop["index"] += 1
        return made

    for_each.element_frame = element_frame


def results_backwards() -> None:
    original = for_each.end_loop

    def end_loop(self: Any, frame: Any, loop: Any) -> None:
        loop.results.reverse()
        original(self, frame, loop)

    for_each.end_loop = end_loop


def last_reason_of_all_failed() -> None:
    original = machine.end_element

    def end_element(self: Any, result: Any, failure: Any) -> None:
        loop = self.frames[-1].for_each
        if failure and loop.first_failure is not None:
            loop.first_failure = (failure.node, failure.reason)
        original(self, result, failure)

    machine.end_element = end_element


def missing_list_is_empty() -> None:
    original = for_each.find_list

    def find_list(*given: Any) -> Any:
        found = original(*given)
        return [] if found is MISSING else found

    for_each.find_list = find_list


def context_before_result_for_lists() -> None:
    original = for_each.find_list

    def find_list(result: Any, context: dict[str, Any], iterator: str) -> Any:
        found = original({}, context.get("input", {}), iterator)
        return original(result, context, iterator) if found is MISSING else found

    for_each.find_list = find_list


def failed_elements_are_left_out() -> None:
    original = for_each.end_loop

    def end_loop(self: Any, frame: Any, loop: Any) -> None:
        if loop.failures < len(loop.elements):
            loop.results[:] = [each for each in loop.results if not outcome.is_failure(each)]
        original(self, frame, loop)

    for_each.end_loop = end_loop


def no_plural_in_chinese() -> None:
    original = outcome.plurals
    outcome.plurals = lambda word: [form for form in original(word) if not form.endswith("們")]


# Placeholders


def spaces_in_braces_count() -> None:
    placeholders.Placeholder.name = property(lambda self: self.source[2:-2])
    placeholders.Placeholder.path = property(lambda self: tuple(self.name.split(".")))


def numbers_become_text() -> None:
    original = templates.Template.fill

    def fill(self: Any, look_up: Any, budget: Any) -> Any:
        value = original(self, look_up, budget)
        return str(value) if type(value) is float else value

    templates.Template.fill = fill


class _EncoderOfPython(json.JSONEncoder):
    def encode(self, o: Any) -> str:
        return str(o) if isinstance(o, bool) else super().encode(o)


def json_of_python_inside_text() -> None:
    templates._encoder = _EncoderOfPython(separators=(",", ":"))


def inserted_text_is_scanned_again() -> None:
    original = scope.Scope.look_up

    def look_up(self: Any, placeholder: Any) -> Any:
        value = original(self, placeholder)
        if isinstance(value, str) and value.startswith("{{input."):
            inner = self.find(tuple(value[2:-2].split(".")))
            return value if inner is MISSING else inner
        return value

    scope.Scope.look_up = look_up


def fields_hide_nodes() -> None:
    original = scope.Scope._of_node

    def of_node(self: Any, path: tuple[str, ...]) -> tuple[Any, bool]:
        value = scope.find(self._activation.values, path)
        return original(self, path) if value is MISSING else (value, True)

    scope.Scope._of_node = of_node


def null_is_missing() -> None:
    original = scope.Scope.look_up

    def look_up(self: Any, placeholder: Any) -> Any:
        value = original(self, placeholder)
        return MISSING if value is None else value

    scope.Scope.look_up = look_up


def input_hides_the_time() -> None:
    original = scope.Scope._from_root

    def from_root(self: Any, root: str, rest: tuple[str, ...]) -> Any:
        if root in clock.TIME_NAMES and root in self._activation.values:
            return self._activation.values[root]
        return original(self, root, rest)

    scope.Scope._from_root = from_root


def warnings_leave_out_the_node() -> None:
    original = run_response._noted

    def noted(result: Any) -> dict[str, Any]:
        found = original(result)
        if "warnings" in found:
            found["warnings"] = [{**each, "node": ""} for each in found["warnings"]]
        return found

    run_response._noted = noted


def yesterday_is_two_days_ago() -> None:
    original = clock.time_variables

    def time_variables(moment: Any) -> dict[str, Any]:
        before = original(moment - clock.timedelta(days=1))
        return {**original(moment), "_yesterday": before["_yesterday"]}

    scope.time_variables = time_variables


def sunday_is_seven() -> None:
    original = clock.time_variables

    def time_variables(moment: Any) -> dict[str, Any]:
        values = original(moment)
        return {**values, "_weekday": values["_iso_weekday"] - 1}

    scope.time_variables = time_variables


def secrets_stay_in_errors() -> None:
    original = invoker.Redactor.text
    invoker.Redactor.text = lambda self, text: (
        text if text.startswith("`") else original(self, text)
    )


# Failures


def zero_is_no_error() -> None:
    original = outcome.is_failure

    def is_failure(result: Any) -> bool:
        if (
            isinstance(result, dict)
            and result.get("success") is not False
            and not result.get("error")
        ):
            return False
        return original(result)

    machine.is_failure = is_failure


def taken_failures_are_named_too() -> None:
    def note(_self: Any, frame: Any, node: Any, result: Any) -> None:
        if outcome.is_failure(result):
            frame.failed_nodes[node.id] = None

    machine.Machine._note_failure = note


def only_the_first_failed_node() -> None:
    original = run_response._noted

    def noted(result: Any) -> dict[str, Any]:
        found = original(result)
        if "failed_nodes" in found:
            found["failed_nodes"] = found["failed_nodes"][:1]
        return found

    run_response._noted = noted


def pause_without_a_task() -> None:
    machine.awaited_task = lambda result: (
        str(result.get("task_id", "task"))
        if isinstance(result, dict) and result.get("pending")
        else None
    )


def data_of_the_failed_run() -> None:
    original = run_response._failed

    def failed(result: Any, more: dict[str, Any]) -> tuple[int, bytes]:
        return original(result, {**more, "data": None})

    run_response._failed = failed


# Sub-workflows


def sub_workflow_gets_the_context_too() -> None:
    original = sub_runs.workflow_call

    def workflow_call(node: Any, data: Any, values: Any) -> tuple[str, Any]:
        name, run_input = original(node, data, values)
        return name, {**values, **run_input}

    sub_runs.workflow_call = workflow_call


def sub_workflows_are_kept() -> None:
    original = environment.AccountEnvironment.workflow
    kept: dict[tuple[str, str], Any] = {}

    async def workflow(self: Any, name: str) -> Any:
        if (self.account, name) not in kept:
            kept[self.account, name] = await original(self, name)
        return kept[self.account, name]

    environment.AccountEnvironment.workflow = workflow


def sub_workflows_leave_no_execution() -> None:
    environment.AccountEnvironment.sub_run_ended = lambda *_given: None


def credential_may_be_handed_over() -> None:
    check._hand_over_problems = lambda _node, _path: []


def other_parameters_are_not_handed_over() -> None:
    original = sub_workflow.workflow_call

    def workflow_call(node: Any, data: Any, values: Any) -> tuple[str, Any]:
        name, run_input = original(node, data, values)
        return name, run_input if "input" in data or node.workflow is None else values

    sub_runs.workflow_call = workflow_call


def workflows_of_any_account() -> None:
    table = workflows._table
    statement = select(table.graph).where(table.name == bindparam("name"))
    workflows._GRAPH = workflows.Query(statement)


def sub_workflows_are_never_partial() -> None:
    original = environment.AccountEnvironment.sub_run_ended

    def sub_run_ended(self: Any, name: str, started: Any, result: Any) -> None:
        result.failed_nodes.clear()
        original(self, name, started, result)

    environment.AccountEnvironment.sub_run_ended = sub_run_ended


def keys_keep_secrets() -> None:
    original = redaction.Redactor.value

    def value(self: Any, given: Any) -> Any:
        if isinstance(given, dict):
            return {key: value(self, field) for key, field in given.items()}
        return original(self, given)

    redaction.Redactor.value = value


def only_the_first_secret_is_removed() -> None:
    def text(self: Any, given: str) -> str:
        folded = redaction._folded(given)
        places = [place for form in self._forms for place in redaction._found(form, folded)]
        if not places:
            return given
        start, end = min(places)
        return f"{given[:start]}{redaction.REDACTED}{given[end:]}"

    redaction.Redactor.text = text


def integers_become_floats() -> None:
    original = scope.Scope.look_up

    def look_up(self: Any, placeholder: Any) -> Any:
        value = original(self, placeholder)
        return float(value) if type(value) is int and abs(value) > 2**31 else value

    scope.Scope.look_up = look_up


def inner_loop_ends_the_run() -> None:
    original = for_each.end_loop

    def end_loop(self: Any, frame: Any, loop: Any) -> None:
        try:
            original(self, frame, loop)
        except failures.NodeFailure as failure:
            failure.final = True
            raise

    for_each.end_loop = end_loop


def prev_of_several_is_the_last() -> None:
    original = frames.Frame.previous

    def previous(self: Any, activation: Any) -> Any:
        return (
            self.executed[activation.sources[-1]]
            if activation.sources
            else original(self, activation)
        )

    frames.Frame.previous = previous


def time_of_the_first_run() -> None:
    original = environment.AccountEnvironment.now
    kept: list[Any] = []

    def now(self: Any) -> Any:
        kept.append(original(self))
        return kept[0]

    environment.AccountEnvironment.now = now


def shortened_before_secrets_are_removed() -> None:
    invoker.redacting = lambda _redactor: contextlib.nullcontext()


def lists_that_are_not_there_leave_the_trace_ok() -> None:
    right = frames.Frame.note_failure

    def note_failure(self: Any, node: str, reason: str) -> None:
        if not reason.startswith("FOREACH"):
            right(self, node, reason)

    frames.Frame.note_failure = note_failure
