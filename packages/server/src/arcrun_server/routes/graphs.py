"""Graphs without storing them: `/validate`, `/cypher/search`, `/execute`, `/cypher/execute`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arcrun_server import clock
from arcrun_server._version import __version__
from arcrun_server.engine import FlowError, compile_flow, search_triplets
from arcrun_server.errors import ApiError
from arcrun_server.routes.problems import graph_error, sentence_of
from arcrun_server.routes.run_response import full_response
from arcrun_server.routes.schemas import EXECUTION, TRIPLET_EXECUTION, TRIPLET_SEARCH
from arcrun_server.web.body import read_body
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.routes.context import Context
    from arcrun_server.web.router import ApiRouter


class GraphRoutes:
    """Check and compile graphs, which needs no key; run them, which does."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def add_to(self, router: ApiRouter) -> None:
        """Add these routes."""
        router.add_api_route("/validate", self.validate, methods=["POST"])
        router.add_api_route("/cypher/search", self.search, methods=["POST"])
        router.add_api_route("/execute", self.execute, methods=["POST"])
        router.add_api_route("/cypher/execute", self.execute_triplets, methods=["POST"])

    async def validate(self, request: Request) -> Response:
        """Return whether a graph can run."""
        try:
            content = await read_body(request, self._context.settings.max_body_bytes)
            known = await self._known(request)
            checked = await self._context.checks.graph_text(content, known, prefix="")
        except ApiError as error:
            if error.status == 400:
                messages = [sentence_of(detail) for detail in error.details] or [error.message]
                error.extra = {"valid": False, "errors": messages}
            raise
        return JsonResponse({"valid": True, **checked})

    async def search(self, request: Request) -> Response:
        """Return lines of a flow as nodes and edges."""
        asked = await self._context.json(request, TRIPLET_SEARCH)
        try:
            found = search_triplets(
                asked["triplets"],
                known=await self._known(request),
                now=clock.utc(),
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
        graph = asked["graph"]
        await self._context.checks.graph(graph, known, strict=asked.get("strict"))
        result = await self._context.runs.run_graph(account, graph, asked.get("context", {}))
        return await full_response(result, {})

    async def execute_triplets(self, request: Request) -> Response:
        """Compile lines of a flow and run them without storing them."""
        account = await self._context.account(request)
        asked = await self._context.json(request, TRIPLET_EXECUTION)
        known = await self._context.known_components(account)
        try:
            graph = compile_flow(asked["triplets"], asked.get("config"), known=known)
        except FlowError as error:
            raise graph_error(error.problems, prefix="") from None
        await self._context.checks.graph(graph, known, strict=asked.get("strict"))
        result = await self._context.runs.run_graph(account, graph, asked.get("context", {}))
        return await full_response(result, {"graph": graph})

    async def _known(self, request: Request) -> frozenset[str]:
        """Return the components that there are; with a key the account's own recipes too."""
        account = await self._context.account_if_known(request)
        return await self._context.known_components(account)
