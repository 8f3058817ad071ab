"""Serving the site's pages beside the API: `arcrun-server serve --site DIR`.

Some pages have the path of a route of the API: `/components` is a list for programs and a page for people. A browser that
opens an address asks for `text/html`, a program does not, and only such a request gets a page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import FileResponse, RedirectResponse
from starlette.routing import Match
from starlette.staticfiles import StaticFiles

from arcrun_server.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

_NOT_FOUND = "404.html"
_HEADERS = "_headers"
_HIDDEN = frozenset({_HEADERS, "_redirects", _NOT_FOUND, "_not-found.html"})
# As the host of the site says it: what is on the machine does not matter.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
}
_OTHER_TYPE = "application/octet-stream"
_UNCHANGED_FOR = "public, max-age=0, must-revalidate"


class Site:
    """The export of the site: its pages and files, with the headers of its file `_headers`.

    Args:
        folder: What `nox -s website` has built.

    Raises:
        StartupError: It is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "index.html").is_file():
            raise StartupError(
                f"--site: {folder} has no index.html; build the site with: nox -s website"
            )
        self._static = StaticFiles(directory=folder)
        self._rules = _header_rules(folder / _HEADERS)
        self.not_found = folder / _NOT_FOUND
        self.pages: dict[str, Path] = {}
        self.files: dict[str, Path] = {}
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if name in _HIDDEN or not path.is_file():
                continue
            if path.suffix == ".html":
                self.pages["/" + name[:-5].removesuffix("index")] = path
            else:
                self.files["/" + name] = path

    def response(self, path: Path, scope: Scope, *, status: int = 200) -> Response:
        """Return a file, or 304 if the client has it already."""
        response = self._static.file_response(path, path.stat(), scope, status)
        if isinstance(response, FileResponse):
            response.headers["content-type"] = _TYPES.get(path.suffix, _OTHER_TYPE)
        response.headers["cache-control"] = _UNCHANGED_FOR
        response.headers.update(self._headers_of(scope["path"]))
        return response

    def _headers_of(self, path: str) -> dict[str, str]:
        """Return the headers of all rules that fit; a later one adds to an earlier one, unless it drops it first."""
        found: dict[str, str] = {}
        for pattern, dropped, added in self._rules:
            if path != pattern and not (pattern.endswith("*") and path.startswith(pattern[:-1])):
                continue
            for name in dropped:
                found.pop(name, None)
            for name, value in added:
                found[name] = f"{found[name]}, {value}" if name in found else value
        return found


class SiteMiddleware:
    """ASGI middleware that responds with the site where that is what is asked for.

    Args:
        app: The API.
        site: What is served.
        routes: The routes of the API.
    """

    def __init__(self, app: ASGIApp, site: Site, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._site = site
        self._routes = routes
        # No file takes the place of what programs read, such as /openapi.json.
        self._fixed = {getattr(route, "path", None) for route in routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond with the site, or hand the request on."""
        response = self._response(scope) if scope["type"] == "http" else None
        await (self._app if response is None else response)(scope, receive, send)

    def _response(self, scope: Scope) -> Response | None:
        path: str = scope["path"]
        if scope["method"] not in {"GET", "HEAD"}:
            return None
        file = self._site.files.get(path)
        if file is not None and path not in self._fixed:
            return self._site.response(file, scope)
        if "text/html" in Headers(scope=scope).get("accept", ""):
            return self._page(path, scope)
        return None

    def _page(self, path: str, scope: Scope) -> Response | None:
        """Return the page of a path, or the one that says that there is none; None for a path of the API."""
        page = self._site.pages.get(path)
        if page is not None:
            response = self._site.response(page, scope)
            response.headers.add_vary_header("Accept")
            return response
        if path.endswith("/") and path[:-1] in self._site.pages:
            return RedirectResponse(path[:-1], status_code=308)
        if any(route.matches(scope)[0] is not Match.NONE for route in self._routes):
            return None
        return self._site.response(self._site.not_found, scope, status=404)


_Rule = tuple[str, list[str], list[tuple[str, str]]]


def _header_rules(path: Path) -> list[_Rule]:
    """Read a file `_headers`: a pattern on a line of its own, and below it, indented, headers, or `! Name` to drop one."""
    rules: list[_Rule] = []
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    for line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if not line[0].isspace():
            rules.append((text, [], []))
        elif text.startswith("!"):
            rules[-1][1].append(text[1:].strip().lower())
        else:
            name, _, value = text.partition(":")
            rules[-1][2].append((name.strip().lower(), value.strip()))
    return rules
