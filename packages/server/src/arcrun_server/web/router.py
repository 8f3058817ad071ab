"""The routes of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route, Router

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response


class ApiRouter(Router):
    """Routes by path and method, tried in the order in which they were added.

    Every handler takes the request and nothing else, and the contract is a file, so that no framework has to read
    signatures, which took a fifth of the processor time in which a server starts.
    """

    def add_api_route(
        self,
        path: str,
        handler: Callable[[Request], Awaitable[Response]],
        *,
        methods: Sequence[str],
    ) -> None:
        """Add a route for these methods and no other: Starlette's own adds HEAD to GET."""
        route = Route(path, handler, methods=list(methods))
        route.methods = set(methods)
        self.routes.append(route)
