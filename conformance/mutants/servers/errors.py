"""Defects in errors, in the limits of runs, and in the routes about graphs that are not stored."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from arcrun_server import app, errors
from arcrun_server.engine import budget, flow, machine, sizes
from arcrun_server.outbound import client
from arcrun_server.routes import credentials, graphs, large_bodies, problems
from arcrun_server.routes import engine as engine_routes
from arcrun_server.store import schema
from arcrun_server.store.recipes import Recipes
from arcrun_server.web import body


def names_the_methods_of_one_route_only() -> None:
    allowed = app._allowed_methods
    app._allowed_methods = lambda request: allowed(request)[:1]


def suggests_the_first_known_name() -> None:
    body.Suggestions.nearest = lambda _self, _name, candidates, _least=0.6: next(
        iter(candidates), None
    )


def ignores_unknown_fields_that_are_null() -> None:
    checked = body.checked

    def lenient(adapter: Any, value: Any, code: str = "invalid_request") -> Any:
        if isinstance(value, dict):
            value = {name: field for name, field in value.items() if field is not None}
        return checked(adapter, value, code)

    large_bodies.checked = lenient


def counts_columns_in_bytes() -> None:
    split = flow._split
    flow._split = lambda line: [
        (part, len(line[: column - 1].encode()) + 1) for part, column in split(line)
    ]


def counts_columns_from_zero() -> None:
    split = flow._split
    flow._split = lambda line: [(part, column - 1) for part, column in split(line)]


def reports_the_first_problem_only() -> None:
    details_of = problems.details_of
    problems.details_of = lambda found, prefix="": details_of(found[:1], prefix)


def forgets_the_path_above_the_graph() -> None:
    details_of = problems.details_of
    problems.details_of = lambda found, _prefix="": details_of(found)


def quotes_what_is_no_json() -> None:
    parse_json = body.parse_json

    def parsed(content: bytes) -> Any:
        try:
            return parse_json(content)
        except errors.ApiError as error:
            if error.code == "invalid_json":
                error.message += f": {content[:200].decode('utf-8', 'replace')}"
            raise

    body.parse_json = large_bodies.parse_json = parsed
    credentials.parse_json = parsed


def tells_the_exception_of_what_is_no_json() -> None:
    parse_json = body.parse_json

    def parsed(content: bytes) -> Any:
        try:
            return parse_json(content)
        except errors.ApiError as error:
            if error.code == "invalid_json":
                error.message = f"JSONDecodeError: {error.message}"
            raise

    body.parse_json = large_bodies.parse_json = parsed


def calls_a_missing_workflow_not_found() -> None:
    init = errors.ApiError.__init__

    def made(self: Any, status: int, code: str, *given: Any, **more: Any) -> None:
        init(self, status, "not_found" if code == "workflow_not_found" else code, *given, **more)

    errors.ApiError.__init__ = made


def answers_a_missing_service_with_400() -> None:
    init = errors.ApiError.__init__

    def made(self: Any, status: int, code: str, *given: Any, **more: Any) -> None:
        init(self, 400 if code == "service_not_found" else status, code, *given, **more)

    errors.ApiError.__init__ = made


def _limits(**changed: Any) -> None:
    init = budget.RunBudget.__init__

    def made(self: Any, limits: Any, steps: int = 0) -> None:
        init(self, replace(limits, **changed), steps)

    budget.RunBudget.__init__ = made


def runs_one_node_more() -> None:
    _limits(steps=10_001)


def runs_one_node_less() -> None:
    _limits(steps=9_999)


def counts_the_elements_of_a_foreach_once() -> None:
    take_step = budget.RunBudget.take_step
    seen: dict[int, int] = {}

    def take(self: Any) -> None:
        seen[id(self)] = seen.get(id(self), 0) + 1
        if seen[id(self)] % 2:
            take_step(self)

    budget.RunBudget.take_step = take


def measures_results_in_characters() -> None:
    sizes.json_size = lambda value: len(sizes._json_text(value))
    sizes._size_of_few = lambda _value: 0


def forgets_results_before_the_last_one() -> None:
    take_result = budget.RunBudget.take_result

    def take(self: Any, result: Any) -> None:
        self._left_bytes = self._limits.total_bytes
        take_result(self, result)

    budget.RunBudget.take_result = take


def nests_17_levels() -> None:
    check = machine.Machine.check_depth

    def checked(self: Any, node: str) -> None:
        if len(self.frames) > self.limits.depth + 1:
            check(self, node)

    machine.Machine.check_depth = checked


def counts_calls_and_foreach_apart() -> None:
    check = machine.Machine.check_depth

    def checked(self: Any, node: str) -> None:
        calls = [frame.sub_run is not None for frame in self.frames[1:]]
        if max(calls.count(True), calls.count(False)) >= self.limits.depth:
            check(self, node)

    machine.Machine.check_depth = checked


def follows_six_redirects() -> None:
    client.MAX_REDIRECTS = 6


def sends_headers_along_to_other_origins() -> None:
    client._harmless = lambda _url, _target, headers, _content: headers


def drops_headers_along_to_the_same_origin() -> None:
    client._origin = lambda url: url


def counts_nodes_for_edges() -> None:
    checked = large_bodies._checked_graph

    def counted(*given: Any) -> dict[str, Any]:
        found = checked(*given)
        graph = json.loads(given[0])
        pairs = {(edge["from"], edge["to"]) for edge in graph["edges"]}
        return {**found, "edgeCount": len(pairs)}

    large_bodies._checked_graph = counted


def validates_with_the_recipes_of_everybody() -> None:
    async def names(self: Any, _account: str) -> set[str]:
        columns = schema.recipes.c
        statement = select(columns.name, columns.hash_id).where(columns.kind == self._kind)
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return {name for row in rows for name in row if name is not None}

    Recipes.names = names
    context = graphs.GraphRoutes._known

    async def known(self: Any, request: Any) -> Any:
        found = await context(self, request)
        return found | await self._context.store.api_recipes.names("")

    graphs.GraphRoutes._known = known


def lists_missing_components_in_compile_mode() -> None:
    search = graphs.search_triplets
    graphs.search_triplets = lambda lines, **more: search(lines, **{**more, "mode": None})


def strictness_of_large_graphs_is_lost() -> None:
    right = large_bodies.BodyChecks.graph

    async def graph(self: Any, graph: Any, *args: Any, **options: Any) -> Any:
        before = graph.get("strict")
        found = await right(self, graph, *args, **options)
        if len(json.dumps(graph)) > large_bodies.LARGE:
            graph["strict"] = before or False
        return found

    large_bodies.BodyChecks.graph = graph


def always_lists_private_addresses() -> None:
    engine_routes.CAPABILITIES = (*engine_routes.CAPABILITIES, "private_addresses")


def does_not_list_sealed_reads() -> None:
    engine_routes.CAPABILITIES = ("sealed_credentials", "idempotency_key")


def refuses_unknown_keys_on_validate() -> None:
    async def known(self: Any, request: Any) -> Any:
        account = await self._context.optional_account(request)
        return await self._context.known_components(account)

    graphs.GraphRoutes._known = known


def leaves_errors_out_of_an_invalid_graph() -> None:
    graphs.sentence_of = lambda _detail: ""
    validate = graphs.GraphRoutes.validate

    async def validated(self: Any, request: Any) -> Any:
        try:
            return await validate(self, request)
        except errors.ApiError as error:
            error.extra.pop("errors", None)
            raise

    graphs.GraphRoutes.validate = validated
