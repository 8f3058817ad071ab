"""The deployed engine behind the site: its stand-in of the conformance suite, with the log-in that the site uses."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

from deployed_engine import DeployedEngine

from arcrun_conformance.wire.journal import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext, Route

# What begins the paths of the API that the pages ask for.
_API = ("/health", "/me", "/register", "/auth", "/credentials", "/webhooks", "/workflows/", "/runs")
_MORE = ("/prompt-recipes", "/components?")

KEY = "ak_" + "d" * 48
_LOGGED_IN = "session=1"


class DeployedSite(DeployedEngine):
    """The stand-in, with `/me` for a browser that is logged in."""

    def __init__(self) -> None:
        super().__init__()
        self.key = KEY

    def _routes(self) -> list[tuple[str, str, bool, Callable[..., Response]]]:
        return [
            ("GET", "/me", False, self._me),
            ("PUT", "/me/api-key/rotate", False, self._rotate),
            *super()._routes(),
        ]

    def _me(self, request: Request) -> Response:
        if _LOGGED_IN not in (request.header("cookie") or ""):
            return Response.from_json({"error": "unauthorized"}, 401)
        return Response.from_json({"email": "mira@example.com", "api_key": self.key})

    def _rotate(self, _: Request) -> Response:
        self.key = "ak_" + "e" * 48
        return Response.from_json({"success": True, "api_key": self.key})


@contextlib.contextmanager
def deployed_site() -> Iterator[DeployedSite]:
    """Serve the stand-in."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    site = DeployedSite()
    try:
        asyncio.run_coroutine_threadsafe(site.__aenter__(), loop).result(30)
        yield site
        asyncio.run_coroutine_threadsafe(site.__aexit__(None, None, None), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def put_behind(site: DeployedSite, context: BrowserContext, url: str) -> list[str]:
    """Let the pages at a URL talk to the stand-in, as somebody who is logged in; return the paths that it lacks, as they come."""
    name, _, value = _LOGGED_IN.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": url}])
    lacking: list[str] = []

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(url)
        response = route.fetch(url=site.origin + path)
        if response.status == 404:
            lacking.append(path)
        route.fulfill(response=response)

    def is_api(asked: str) -> bool:
        return asked.startswith(url) and asked.removeprefix(url).startswith((*_API, *_MORE))

    context.route(
        is_api,
        lambda route: route.continue_() if route.request.is_navigation_request() else answer(route),
    )
    return lacking
