"""Checks whether a text is valid JSON, and whether a value fits a JSON Schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from arcrun_server.engine import ComponentError
from arcrun_server.engine.shorten import shorten

from .contract import given_value, require

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation, JsonObject

    from .contract import ComponentContract

MAX_ERRORS = 20

CONTRACT: ComponentContract = {
    "canonical_id": "validate_json",
    "display_name": "JSON 驗證 Validate JSON",
    "category": "logic",
    "version": "1.0.0",
    "description": (
        "Checks `data` (a value, or JSON as text) against `schema`, JSON Schema 2020-12. "
        "Patterns can't look around or back; other documents are not fetched."
    ),
    "input_schema": {
        "type": "object",
        "required": ["data"],
        "properties": {
            "data": {"description": "A value; a text is read as JSON."},
            "schema": {"type": ["object", "boolean"]},
        },
    },
    "output_schema": {
        "type": "object",
        "required": ["success", "data"],
        "properties": {
            "success": {"const": True},
            "data": {
                "type": "object",
                "required": ["result", "branch", "value", "errors"],
                "properties": {
                    "result": {"type": "boolean"},
                    "branch": {"enum": ["true", "false"]},
                    "value": {
                        "description": "The value that was checked; null if it is not valid JSON."
                    },
                    "errors": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["path", "message"],
                            "properties": {
                                "path": {"type": "string"},
                                "message": {"type": "string"},
                            },
                        },
                    },
                },
            },
        },
    },
    "config_example": {
        "data": "{{prev.text}}",
        "schema": {"type": "object", "required": ["標題"]},
    },
    "branches": ["true", "false"],
}


async def run(given: JsonObject, _invocation: Invocation) -> JsonObject:
    """Check the value.

    Example:
        >>> import asyncio
        >>> given = {"data": '{"標題": 1}', "schema": {"properties": {"標題": {"type": "string"}}}}
        >>> asyncio.run(run(given, None))["data"]["errors"]
        [{'path': '標題', 'message': '1 is not of type "string"'}]
    """
    value, errors = _read(given_value(given, "data", "json", "text"))
    schema = given.get("schema")
    if not errors and schema is not None:
        errors = _violations(schema, value)
    valid = not errors
    data = {
        "result": valid,
        "branch": "true" if valid else "false",
        "value": value,
        "errors": errors,
    }
    return {"success": True, "data": data}


def _read(data: Any) -> tuple[Any, list[JsonObject]]:
    if not isinstance(data, str):
        return data, []
    try:
        return json.loads(data), []
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        return None, [{"path": "", "message": f"not valid JSON: {problem.msg} ({where})"}]
    except RecursionError:
        return None, [{"path": "", "message": "the JSON is nested too deeply"}]


def _violations(schema: Any, value: Any) -> list[JsonObject]:
    if not isinstance(schema, bool):
        require(schema, dict, "schema")
    try:
        validator = jsonschema_rs.Draft202012Validator(
            schema,
            offline=True,
            # The regular expressions without backtracking: no pattern can block the server.
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as problem:
        message = getattr(problem, "message", None) or str(problem)
        raise ComponentError(
            f"`schema` is not a valid JSON Schema: {shorten(message, 300)}"
        ) from None
    errors = []
    for error in validator.iter_errors(value):
        path = ".".join(map(str, error.instance_path))
        errors.append({"path": path, "message": shorten(error.message, 300)})
        if len(errors) == MAX_ERRORS:
            break
    return errors
