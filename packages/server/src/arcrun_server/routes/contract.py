"""`/openapi.json` and `/docs`: the contract as JSON and as an HTML page; nothing is loaded from other servers."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml
from starlette.responses import HTMLResponse, Response

from arcrun_server.errors import ApiError
from arcrun_server.json_text import encode
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from starlette.requests import Request

    from arcrun_server.routes.context import Context
    from arcrun_server.web.router import ApiRouter

_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
# Swagger UI writes style attributes; scripts and everything else come from this server only.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>arcrun engine</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="docs/favicon.png">
</head>
<body>
<div id="contract"></div>
<noscript>This page needs JavaScript; the contract is at <a href="openapi.json">openapi.json</a>.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = (
    'SwaggerUIBundle({url: "openapi.json", dom_id: "#contract", deepLinking: true, '
    "validatorUrl: null, tryItOutEnabled: false});\n"
)


class ContractRoutes:
    """The contract as JSON and as Swagger UI."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._documents = lru_cache(maxsize=8)(_document)

    def add_to(self, router: ApiRouter) -> None:
        """Add these routes."""
        router.add_api_route("/openapi.json", self.contract, methods=["GET"])
        router.add_api_route("/docs", self.page, methods=["GET"])
        router.add_api_route("/docs/{asset}", self.asset, methods=["GET"])

    async def contract(self, request: Request) -> Response:
        """Return the contract, with this server as its first server."""
        return JsonResponse(self._documents(self._context.base_url(request)))

    async def page(self, _request: Request) -> Response:
        """Return the HTML page."""
        return HTMLResponse(_PAGE, headers=_page_headers())

    async def asset(self, request: Request) -> Response:
        """Return one of the page's files."""
        asset = request.path_params["asset"]
        if asset == "start.js":
            return Response(_START, media_type="text/javascript", headers=_page_headers())
        if asset not in _ASSETS:
            raise ApiError(404, "not_found", "the page /docs has no such file")
        return Response(
            _asset(asset),
            media_type=_ASSETS[asset],
            headers={**_page_headers(), "Cache-Control": "public, max-age=86400"},
        )


def _page_headers() -> dict[str, str]:
    return {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def _document(engine_url: str) -> bytes:
    contract = _contract()
    here = {"url": engine_url, "description": "This engine"}
    others = [server for server in contract.get("servers", []) if server["url"] != engine_url]
    return encode(contract | {"servers": [here, *others]})


@lru_cache(maxsize=1)
def _contract() -> dict[str, Any]:
    text = (resources.files("arcrun_server") / "contract" / "arcrun.yaml").read_text("utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    contract: dict[str, Any] = yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader, in C where there is one
    return contract


@lru_cache(maxsize=len(_ASSETS))
def _asset(name: str) -> bytes:
    return (resources.files("fastapi_offline") / "static" / name).read_bytes()
