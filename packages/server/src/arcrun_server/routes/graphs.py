"""Graphs without storing them: `/validate`, `/cypher/search`, `/execute`, `/cypher/execute`."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response  # noqa: TC002 - FastAPI reads the annotations

from arcrun_server._version import __version__
from arcrun_server.engine import (
    FlowError,
    Problem,
    check_graph,
    check_parameters,
    compile_flow,
    search_triplets,
)
from arcrun_server.errors import ApiError, Detail
from arcrun_server.routes.problems import details_of, join_path
from arcrun_server.routes.run_response import full_response
from arcrun_server.routes.schemas import EXECUTION, GRAPH, TRIPLET_EXECUTION, TRIPLET_SEARCH
from arcrun_server.web.body import checked, read_json
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from arcrun_server.engine import Graph, ParameterWarning
    from arcrun_server.routes.context import Context


class GraphRoutes:
    """Check and compile graphs, which needs no key; run them, which does."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def add_to(self, router: APIRouter) -> None:
        """Add these routes."""
        router.add_api_route("/validate", self.validate, methods=["POST"])
        router.add_api_route("/cypher/search", self.search, methods=["POST"])
        router.add_api_route("/execute", self.execute, methods=["POST"])
        router.add_api_route("/cypher/execute", self.execute_triplets, methods=["POST"])

    async def validate(self, request: Request) -> Response:
        """Return whether a graph can run."""
        try:
            body = await read_json(request, self._context.settings.max_body_bytes)
            graph, warnings = checked_graph(body, await self._known(request), prefix="")
        except ApiError as error:
            if error.status == 400:
                messages = [_sentence(detail) for detail in error.details] or [error.message]
                error.extra = {"valid": False, "errors": messages}
            raise
        counts = {"nodeCount": len(graph["nodes"]), "edgeCount": len(graph["edges"])}
        return JsonResponse({"valid": True, **counts, **warnings})

    async def search(self, request: Request) -> Response:
        """Return lines of a flow as nodes and edges."""
        asked = await self._context.json(request, TRIPLET_SEARCH)
        try:
            found = search_triplets(
                asked["triplets"],
                known=await self._known(request),
                now=datetime.now(timezone.utc),
                version=__version__,
                mode=asked.get("mode"),
            )
        except FlowError as error:
            raise graph_error(error.problems, prefix="") from None
        return JsonResponse(found)

    async def execute(self, request: Request) -> Response:
        """Run a graph without storing it, and return its data and its whole trace."""
        account = await self._context.account(request)
        asked = await self._context.json(request, EXECUTION)
        known = await self._context.known_components(account)
        graph, _ = checked_graph(asked["graph"], known, strict=asked.get("strict"))
        result = await self._context.runs.run_graph(account, graph, asked.get("context", {}))
        return full_response(result, {})

    async def execute_triplets(self, request: Request) -> Response:
        """Compile lines of a flow and run them without storing them."""
        account = await self._context.account(request)
        asked = await self._context.json(request, TRIPLET_EXECUTION)
        known = await self._context.known_components(account)
        try:
            compiled = compile_flow(asked["triplets"], asked.get("config"), known=known)
        except FlowError as error:
            raise graph_error(error.problems, prefix="") from None
        graph, _ = checked_graph(compiled, known, strict=asked.get("strict"))
        result = await self._context.runs.run_graph(account, graph, asked.get("context", {}))
        return full_response(result, {"graph": graph})

    async def _known(self, request: Request) -> frozenset[str]:
        """Return the components that there are; with a key the account's own recipes too."""
        account = await self._context.account_if_known(request)
        return await self._context.known_components(account)


def checked_graph(
    graph: Any, known: Collection[str], *, prefix: str = "graph", strict: bool | None = None
) -> tuple[Graph, dict[str, Any]]:
    """Check a graph: first what it means, then its fields against the contract, then its parameters.

    Args:
        graph: What the client sent.
        known: Component ids that there are, besides built-ins and URLs.
        prefix: Its path in the body.
        strict: Whether warnings are errors, now and when it runs; None leaves that to the graph.

    Returns:
        The graph, and `{"warnings": […]}` if there are any.

    Raises:
        ApiError: 400, with everything that is wrong.
    """
    problems = check_graph(graph, known)
    if problems:
        raise graph_error(problems, prefix=prefix)
    try:
        checked_value: Graph = checked(GRAPH, graph, "invalid_graph")
    except ApiError as error:
        error.details = tuple(
            Detail(
                detail.message, path=join_path(prefix, detail.path), suggestion=detail.suggestion
            )
            for detail in error.details
        )
        raise
    if strict is not None:
        checked_value["strict"] = strict
    found = check_parameters(checked_value)
    problems = list(found.problems)
    if checked_value.get("strict"):
        problems += [_as_problem(checked_value, warning) for warning in found.warnings]
    if problems:
        raise graph_error(problems, prefix=prefix)
    return checked_value, {"warnings": list(map(vars, found.warnings))} if found.warnings else {}


def _as_problem(graph: Graph, warning: ParameterWarning) -> Problem:
    number = next(
        number for number, node in enumerate(graph["nodes"]) if node["id"] == warning.node
    )
    return Problem(warning.message, path=f"nodes[{number}]")


def graph_error(problems: Sequence[Problem], *, prefix: str) -> ApiError:
    """Return the error response for what the engine found wrong."""
    details = details_of(problems, prefix)
    text = _sentence(details[0])
    if len(details) > 1:
        text += f" (and {len(details) - 1} more, see details)"
    return ApiError(400, problems[0].code, text, details=details)


def _sentence(detail: Detail) -> str:
    if detail.line is not None:
        where = f"line {detail.line}" + (f", column {detail.column}" if detail.column else "")
        return f"{where}: {detail.message}"
    return f"{detail.path}: {detail.message}" if detail.path else detail.message
