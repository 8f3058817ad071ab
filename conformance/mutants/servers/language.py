"""Defects in what flows and graphs mean: labels, edges, conditions, checks and limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from arcrun_server.components import switch
from arcrun_server.engine import (
    budget,
    check,
    condition_parser,
    conditions,
    edges,
    flow,
    for_each,
    frames,
    labels,
    machine,
    outcome,
    parameters,
    placeholders,
    plan,
    scope,
    sizes,
    templates,
)
from arcrun_server.engine.budget import RunBudget, TraceRoom
from arcrun_server.engine.environment import RunLimits
from arcrun_server.runs import service

if TYPE_CHECKING:
    from collections.abc import Callable

MISSING = templates.MISSING


def _limit(name: str, value: float) -> None:
    """Give every run another limit."""
    defaults = dict(
        zip(RunLimits.__dataclass_fields__, RunLimits.__init__.__defaults__ or (), strict=True)
    )
    defaults[name] = value
    RunLimits.__init__.__defaults__ = tuple(defaults.values())


# Labels and lines


def false_label_is_taken_for_true() -> None:
    labels.LABELS["為假時"] = "ON_TRUE"


def fail_label_is_taken_for_pipe() -> None:
    labels.LABELS["FAIL"] = "PIPE"


def columns_count_bytes() -> None:
    original = flow._split

    def split(line: str) -> list[tuple[str, int]]:
        return [(part, len(line[: at - 1].encode()) + 1) for part, at in original(line)]

    flow._split = split


def lines_count_from_zero() -> None:
    original = flow._parse_line
    flow._parse_line = lambda number, line: original(number - 1, line)


def ids_keep_their_case() -> None:
    flow.node_id = lambda name: "-".join(name.split())


def only_spaces_are_white_space_in_names() -> None:
    flow.node_id = scope.node_id = lambda name: name.strip(" ").lower().replace(" ", "-")


def start_is_no_input() -> None:
    flow.INPUT_NAMES = frozenset({"input", "trigger", "webhook"})


def iterators_in_lower_case() -> None:
    original = labels._iterator
    labels._iterator = lambda text, argument: original(text, argument).lower()


# Edges


def branch_by_prefix() -> None:
    original = machine.Machine._takes

    def takes(self: Any, frame: Any, edge: Any, activation: Any) -> bool:
        if edge.type == "ON_BRANCH":
            return (outcome.read_branch(frame.executed[edge.source]) or "").startswith(edge.branch)
        return original(self, frame, edge, activation)

    machine.Machine._takes = takes


def branches_in_any_case() -> None:
    original = machine.read_branch
    plan_edge = plan.PlannedEdge
    machine.read_branch = lambda result: (original(result) or "").lower() or None
    plan.PlannedEdge = lambda *given: plan_edge(*given[:-1], given[-1].lower())


def outer_branch_first() -> None:
    def read(result: Any) -> str | None:
        if isinstance(result, dict) and isinstance(result.get("branch"), str):
            return result["branch"]
        return original(result)

    original = machine.read_branch
    machine.read_branch = read


def no_branch_is_false() -> None:
    original = machine.read_branch
    machine.read_branch = lambda result: original(result) or "false"


def failure_skips_pipes() -> None:
    original = machine.Machine._takes

    def takes(self: Any, frame: Any, edge: Any, activation: Any) -> bool:
        failed = outcome.is_failure(frame.executed[edge.source])
        return not (edge.type == "PIPE" and failed) and original(self, frame, edge, activation)

    machine.Machine._takes = takes


def fan_in_runs_at_once() -> None:
    original = machine.Machine.arrive

    def arrive(self: Any, frame: Any, target: int, activation: Any) -> None:
        if activation is not None and frame.arriving[target] > 0:
            frame.arriving[target] = 1
        original(self, frame, target, activation)

    machine.Machine.arrive = arrive


def earlier_write_counts_at_fan_in() -> None:
    original = frames.Frame.rebuild

    def rebuild(self: Any, seen: int, sources: tuple[int, ...]) -> Any:
        kept = self.executed
        self.executed = dict(reversed(kept.items()))
        try:
            return original(self, seen, sources)
        finally:
            self.executed = kept

    frames.Frame.rebuild = rebuild


def only_the_last_start_counts() -> None:
    frames.Frame.data = lambda self: None if self.last is None else self.executed[self.last]


def structure_is_run() -> None:
    plan.STRUCTURE_TYPES = edges.STRUCTURE_TYPES - {"HAS_STYLE"}


# Conditions


def true_equals_one() -> None:
    conditions.same = lambda left, right: bool(left == right)


def missing_key_differs() -> None:
    original = conditions.Comparison.holds

    def holds(self: Any, look_up: Any) -> bool:
        if self.sign == "!=" and not self.left.find(look_up)[0]:
            return True
        return original(self, look_up)

    conditions.Comparison.holds = holds


def or_before_and() -> None:
    parser = condition_parser._Parser
    parser._any_of = lambda self: self._joined("and", self._all_of)
    parser._all_of = lambda self: self._joined("or", self._negated)


def full_width_at_least_is_above() -> None:
    condition_parser._WIDE_SIGNS["≥"] = ">"


def context_before_result_in_conditions() -> None:
    def key_look_up(result: Any, seen: Any) -> Callable[[str], tuple[bool, Any]]:
        def look_up(path: str) -> tuple[bool, Any]:
            found, value = seen.find_text(f"input.{path}")
            if found:
                return True, value
            value = templates.find(result, tuple(path.split(".")))
            return seen.find_text(path) if value is MISSING else (True, value)

        return look_up

    machine.key_look_up = key_look_up


def empty_list_is_true() -> None:
    original = conditions.Comparison.holds

    def holds(self: Any, look_up: Any) -> bool:
        found, value = self.left.find(look_up)
        if self.right is None and found and value in ([], {}):
            return True
        return original(self, look_up)

    conditions.Comparison.holds = holds


def texts_have_no_order() -> None:
    original = conditions._compare

    def compare(left: Any, sign: str | None, right: Any) -> bool:
        if sign not in {"==", "!="} and isinstance(left, str):
            return False
        return original(left, sign, right)

    conditions._compare = compare


def conditions_of_filter_are_not_checked() -> None:
    parameters.CONDITIONS.pop("filter")


# Limits and checks


def nesting_of_seventeen() -> None:
    _limit("depth", 17)


def a_node_fewer() -> None:
    _limit("steps", 9_999)


def a_line_fewer() -> None:
    flow.MAX_LINES = 999


def ids_of_255() -> None:
    check.MAX_ID_LENGTH = 255


def fifty_one_problems() -> None:
    check.MAX_PROBLEMS = 51


def cycles_through_on_fail() -> None:
    original = check.find_loop
    check.find_loop = lambda ids, found: original(ids, [e for e in found if e["type"] != "ON_FAIL"])


def a_component_by_its_type_only() -> None:
    original = plan._plan_node

    def plan_node(number: int, node: Any, graph: Any, *, is_called: bool) -> Any:
        if node["type"] == "Output" and "componentId" in node:
            node = {key: value for key, value in node.items() if key != "componentId"}
        return original(number, node, graph, is_called=is_called)

    plan._plan_node = plan_node


def data_of_an_input_is_lost() -> None:
    original = machine.Machine._pass_on

    def pass_on(self: Any, frame: Any, node: Any, item: Any) -> None:
        kept, node.data = node.data, {}
        try:
            original(self, frame, node, item)
        finally:
            node.data = kept

    machine.Machine._pass_on = pass_on


def output_gives_the_context() -> None:
    original = frames.Frame.previous

    def previous(self: Any, activation: Any) -> Any:
        return activation.values if activation.sources else original(self, activation)

    original_pass_on = machine.Machine._pass_on

    def pass_on(self: Any, frame: Any, node: Any, item: Any) -> None:
        frames.Frame.previous = previous
        try:
            original_pass_on(self, frame, node, item)
        finally:
            frames.Frame.previous = original

    machine.Machine._pass_on = pass_on


def plans_are_kept_by_their_name() -> None:
    original = service._cached_plan
    kept: dict[str, Any] = {}
    service._cached_plan = lambda graph: kept.setdefault(json.loads(graph)["name"], original(graph))


def strict_for_ever() -> None:
    original = machine.Machine.open

    def open_frame(self: Any, made: Any, run_input: Any) -> None:
        made.strict = made.strict or self.strict
        original(self, made, run_input)

    machine.Machine.open = open_frame


def breadth_first() -> None:
    original = machine.Machine.arrive

    def arrive(self: Any, frame: Any, target: int, activation: Any) -> None:
        before = len(frame.work)
        original(self, frame, target, activation)
        ready = frame.work[before:]
        del frame.work[before:]
        frame.work[0:0] = ready

    machine.Machine.arrive = arrive


def braces_that_are_not_closed_are_text() -> None:
    parameters.parse = lambda text: [
        part for part in placeholders.parse(text) if not isinstance(part, str)
    ]


def conditions_fill_escaped_braces() -> None:
    condition_parser.parse_escaped = placeholders.parse
    condition_parser.scan_escaped = placeholders.scan
    condition_parser.escaped_pieces = lambda text: [(text, False)]


def conditions_escape_json_in_texts() -> None:
    conditions._json_text = json.JSONEncoder(separators=(",", ":")).encode


def conditions_compare_insides_without_types() -> None:
    right = conditions.same
    conditions.same = lambda left, one: (
        left == one if isinstance(one, (list, dict)) else right(left, one)
    )


def switch_compares_insides_without_types() -> None:
    right = conditions.same
    switch.same = lambda left, one: (
        left == one if isinstance(one, (list, dict)) else right(left, one)
    )


def else_follows_what_chooses_no_branch() -> None:
    right = machine.read_branch

    def read_branch(result: Any) -> str | None:
        chosen = right(result)
        if chosen is None and isinstance(result, dict) and "n" in result:
            return "false"
        return chosen

    machine.read_branch = read_branch


def settings_do_not_limit_steps() -> None:
    RunBudget.take_step = lambda _self: None


def traces_are_never_shortened() -> None:
    TraceRoom.fit = lambda _self, entry: entry


def lists_may_have_a_value_more() -> None:
    right = budget.KnownSizes
    budget.KnownSizes = lambda most: right(most + 1)


def much_weighs_less() -> None:
    right = sizes._size
    sizes._size = lambda value: right(value) - (isinstance(value, list) and len(value) > 500)


def elements_see_every_node_where_ways_meet() -> None:
    right = for_each.element_frame

    def element_frame(frame: Any, loop: Any, index: int) -> Any:
        made = right(frame, loop, index)
        made.root.seen = -1
        return made

    for_each.element_frame = element_frame
