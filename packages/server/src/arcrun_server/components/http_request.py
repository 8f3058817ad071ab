"""Any HTTP request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from arcrun_server.engine import ComponentError
from arcrun_server.engine.destinations import destination_problem
from arcrun_server.engine.policy import CONNECTION, TIMEOUT
from arcrun_server.json_text import as_text
from arcrun_server.outbound import Unreachable
from arcrun_server.outbound.repetition import with_repeat_key
from arcrun_server.outbound.urls import fill_places, places_of, with_query, without_places

from .contract import describe, given_value, one_of, optional, require
from .request_body import MAX_PARTS, PART_SCHEMA, parameters, request_body

if TYPE_CHECKING:
    from arcrun_server.engine import Component, Invocation, JsonObject
    from arcrun_server.outbound import Outbound

    from .contract import ComponentContract

MAX_TIMEOUT = 60
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
            "url": {
                "type": "string",
                "description": "It may have places: `https://a.example/{id}`.",
            },
            "path": {"type": "object", "description": "Values for its places, percent-encoded."},
            "query": {"type": "object", "description": "Parameters of the URL, percent-encoded."},
            "method": {"enum": [*METHODS], "default": "GET"},
            "headers": {"type": "object", "additionalProperties": {"type": ["string", "number"]}},
            "body": {"description": "Text, sent as it is; anything else is sent as JSON."},
            "body_json": {"description": "Sent as JSON."},
            "form": {"type": "object", "description": "Sent as a form."},
            "multipart": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_PARTS,
                "items": PART_SCHEMA,
                "description": "Sent as a form with files.",
            },
            "timeout_seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": 60},
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
                    "headers": {"type": "object"},
                    "encoding": {"const": "base64"},
                    "content_type": {"type": "string"},
                },
            },
            "error": {"type": "string"},
            "error_type": {"enum": [CONNECTION, TIMEOUT]},
            "retry_after": {"type": "number", "description": "Seconds, if the service says so."},
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
        url = _url(invocation)
        method = one_of(optional(given, "method", str, "GET").upper(), METHODS, "method")
        headers = _headers(optional(given, "headers", dict, {}))
        content = request_body(given, method, headers)
        headers = with_repeat_key(headers, method, invocation.repeat_key)
        try:
            response = await outbound.send(
                method, url, headers=headers, content=content, timeout=_timeout(given)
            )
        except Unreachable as problem:
            kind = {} if problem.kind is None else {"error_type": problem.kind}
            return {"success": False, "error": str(problem), **kind}
        data = {**response.content(), "headers": response.headers}
        if not response.ok:
            return {**response.failure(), "data": data}
        return {"success": True, "status": response.status, "data": data}

    return run


def _url(invocation: Invocation) -> str:
    """Return the URL with its places and parameters filled; values name no places."""
    given = invocation.own
    require(given_value(given, "url"), str, "url")
    written = require(invocation.written["url"], str, "url")
    problem = destination_problem(written, invocation.credentials)
    if problem is not None:
        raise ComponentError(problem)
    values = {
        name: _segment(name, value) for name, value in optional(given, "path", dict, {}).items()
    }
    _check_places(written, values)
    url = fill_places(invocation.fill(written, without_places if values else as_text), values)
    return with_query(url, parameters(given, "query"))


def _check_places(written: str, values: dict[str, str]) -> None:
    """Refuse values without a place, and places without a value."""
    places = places_of(written)
    for name in values:
        if name not in places:
            raise ComponentError(f"`path.{name}` has no place in `url`; write {{{name}}} there")
    for name in places if values else ():
        if name not in values:
            raise ComponentError(f"`url` has the place {{{name}}}, but `path` has no value for it")


def _segment(name: str, value: Any) -> str:
    text = as_text(value)
    if text in {"", ".", ".."}:
        raise ComponentError(f"`path.{name}` is empty or only dots; it must be a part of a path")
    return quote(text, safe="", errors="replace")


def _timeout(given: JsonObject) -> float | None:
    if given.get("timeout_seconds") is None:
        return None
    seconds = require(given["timeout_seconds"], float, "timeout_seconds")
    if not 0 < seconds <= MAX_TIMEOUT:
        raise ComponentError(
            f"`timeout_seconds` must be above 0 and at most {MAX_TIMEOUT}, but it is {seconds}"
        )
    return seconds


def _headers(given: JsonObject) -> dict[str, str]:
    headers = {}
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ComponentError(f"the header '{name}' must be text, but it is {describe(value)}")
        headers[str(name)] = str(value)
    return headers
