"""A service as a component: any request to it, authenticated (docs/contract.md#execution)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError
from arcrun_server.outbound.urls import climbs, without_places
from arcrun_server.recipes.request import ServiceRequest

if TYPE_CHECKING:
    from arcrun_server.engine import Component, Invocation, JsonObject
    from arcrun_server.recipes.request import ServiceClient

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
_PATH = re.compile(r"/[^\\\s]*")


def service_component(recipe: dict[str, Any], client: ServiceClient) -> Component:
    """Return the component of a service.

    It takes `_path` (below the service's base URL), `_method` (GET; POST if there is a body), `_query`,
    `_headers` and `_body`, and returns `{"success", "status", "data"}`.

    Args:
        recipe: The service's auth recipe.
        client: Sends the account's requests.
    """

    async def run(_given: JsonObject, invocation: Invocation) -> Any:
        given = invocation.own
        path = _path(invocation)
        body = given.get("_body")
        method = str(given.get("_method", "GET" if body is None else "POST")).upper()
        if method not in _METHODS:
            raise ComponentError(f"`_method` must be one of {', '.join(_METHODS)}")
        request = ServiceRequest(
            method=method,
            url=path,
            headers=_texts(given, "_headers"),
            query=_texts(given, "_query"),
            body=body,
            repeat_key=invocation.repeat_key,
        )
        return await client.call(request, recipe)

    return run


def _path(invocation: Invocation) -> str:
    """Return the path. Braces of inserted values are encoded: only the node's author names a place for a secret."""
    written = invocation.written.get("_path", "")
    path = invocation.fill(written, without_places) if isinstance(written, str) else None
    if path is None or (path and not _PATH.fullmatch(path)):
        raise ComponentError("`_path` must be text that begins with /, as /pages")
    if climbs(path):
        raise ComponentError("`_path` must stay below the service's base URL, without `..`")
    return path


def _texts(given: JsonObject, name: str) -> dict[str, str]:
    value = given.get(name, {})
    if not isinstance(value, dict) or not all(
        isinstance(item, (str, int, float)) for item in value.values()
    ):
        raise ComponentError(f"`{name}` must be an object of texts and numbers")
    return {key: str(item) for key, item in value.items()}
