"""Any HTTP request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError
from arcrun_server.outbound import Unreachable, json_content
from arcrun_server.outbound.urls import fixed_origin

from .contract import describe, given_value, one_of, optional, require

if TYPE_CHECKING:
    from arcrun_server.engine import Component, Invocation, JsonObject
    from arcrun_server.outbound import Outbound

    from .contract import ComponentContract

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

CONTRACT: ComponentContract = {
    "canonical_id": "http_request",
    "display_name": "HTTP 請求 HTTP request",
    "category": "api",
    "version": "1.0.0",
    "description": "Sends a request; a response that is not 2xx, or none at all, is a failure.",
    "input_schema": {
        "type": "object",
        "required": ["url"],
        "properties": {
            "url": {"type": "string", "format": "uri"},
            "method": {"enum": [*METHODS], "default": "GET"},
            "headers": {"type": "object", "additionalProperties": {"type": ["string", "number"]}},
            "body": {"description": "Text, sent as it is; anything else is sent as JSON."},
            "body_json": {"description": "Sent as JSON."},
        },
    },
    "output_schema": {
        "type": "object",
        "required": ["success"],
        "properties": {
            "success": {"type": "boolean"},
            "status": {"type": "integer"},
            "data": {
                "type": "object",
                "required": ["body"],
                "properties": {
                    "body": {"description": "JSON if its type is JSON, else text or Base64."},
                    "encoding": {"const": "base64"},
                    "content_type": {"type": "string"},
                },
            },
            "error": {"type": "string"},
        },
    },
    "config_example": {
        "method": "POST",
        "url": "https://api.example.com/v1/筆記",
        "headers": {"Authorization": "Bearer {{credential.example_token}}"},
        "body_json": {"標題": "{{input.標題}}"},
    },
}


def component(outbound: Outbound) -> Component:
    """Return the component, with its HTTP client."""

    async def run(_given: JsonObject, invocation: Invocation) -> JsonObject:
        given = invocation.own
        url = require(given_value(given, "url"), str, "url")
        if invocation.credentials:
            _check_origin(require(invocation.written["url"], str, "url"), invocation.credentials)
        method = one_of(optional(given, "method", str, "GET").upper(), METHODS, "method")
        headers = _headers(optional(given, "headers", dict, {}))
        content = None if method in {"GET", "HEAD"} else _content(given, headers)
        try:
            response = await outbound.send(method, url, headers=headers, content=content)
        except Unreachable as problem:
            return {"success": False, "error": str(problem)}
        if not response.ok:
            return response.failure()
        return {"success": True, "status": response.status, "data": response.content()}

    return run


def _check_origin(written: str, credentials: frozenset[str]) -> None:
    """Refuse to send credentials to a host that data chooses."""
    if fixed_origin(written) is None:
        raise ComponentError(
            f"the credential {', '.join(sorted(credentials))} is sent only to a host that stands in the node's "
            "own `url`; write the host there instead of a placeholder"
        )


def _headers(given: JsonObject) -> dict[str, str]:
    headers = {}
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ComponentError(f"the header '{name}' must be text, but it is {describe(value)}")
        headers[str(name)] = str(value)
    return headers


def _content(given: JsonObject, headers: dict[str, str]) -> bytes | None:
    """Return the body, and set its content type if no header does."""
    body: Any = given.get("body")
    as_json = given.get("body_json")
    if as_json is None and body is None:
        return None
    if as_json is None and isinstance(body, str):
        kind, content = "text/plain; charset=utf-8", body.encode("utf-8", "replace")
    else:
        kind, content = "application/json", json_content(body if as_json is None else as_json)
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = kind
    return content
