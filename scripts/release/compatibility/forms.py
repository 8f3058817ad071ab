"""Describe, as JSON schemas, the forms of the files that are compared, as far as the comparison reads them."""

from __future__ import annotations

from typing import Any

from scripts.release.compatibility.schemas import LOWER, UPPER

Form = dict[str, Any]

ANYTHING: Form = {}
_TEXT: Form = {"type": "string"}
_TEXTS: Form = {"type": "array", "items": _TEXT}
_JSON: Form = {"type": ["null", "boolean", "number", "string", "array", "object"]}


def _all_of(form: Form) -> Form:
    """Return the form of an object whose values have a form."""
    return {"type": "object", "propertyNames": _TEXT, "additionalProperties": form}


def _list_of(form: Form) -> Form:
    return {"type": "array", "items": form}


def _named(name: str) -> Form:
    return {"$ref": f"#/$defs/{name}"}


def _or_reference(kind: str, form: Form) -> Form:
    """Return the form of a node, or of one that refers to a component of its kind."""
    reference = {"type": "string", "pattern": f"^#/components/{kind}/[^/]+$"}
    return {
        "type": "object",
        "if": {"required": ["$ref"]},
        "then": {"properties": {"$ref": reference}},
        "else": form,
    }


_SCHEMA = _named("schema")
_SCHEMA_OR_BOOLEAN: Form = {"if": {"type": "boolean"}, "else": _SCHEMA}
_CONTENT = _all_of({"type": "object", "properties": {"schema": _SCHEMA}})

_DEFINITIONS: Form = {
    "schema": _or_reference(
        "schemas",
        {
            "properties": {
                "type": {"if": {"type": "array"}, "then": _TEXTS, "else": _TEXT},
                "title": _TEXT,
                "properties": _all_of(_SCHEMA),
                "required": _TEXTS,
                "items": _SCHEMA_OR_BOOLEAN,
                "additionalProperties": _SCHEMA_OR_BOOLEAN,
                "enum": _list_of(_JSON),
                "const": _JSON,
                **{name: _list_of(_SCHEMA) for name in ("allOf", "oneOf", "anyOf")},
                **{name: {"type": "number"} for name in (*UPPER, *LOWER)},
            }
        },
    ),
    "parameter": _or_reference(
        "parameters",
        {
            "required": ["name", "in"],
            "properties": {"name": _TEXT, "in": _TEXT, "schema": _SCHEMA},
        },
    ),
    "header": _or_reference("headers", {"properties": {"schema": _SCHEMA}}),
    "body": _or_reference("requestBodies", {"properties": {"content": _CONTENT}}),
    "response": _or_reference(
        "responses", {"properties": {"headers": _all_of(_named("header")), "content": _CONTENT}}
    ),
    "operation": {
        "type": "object",
        "properties": {
            "parameters": _list_of(_named("parameter")),
            "security": _list_of(_all_of(ANYTHING)),
            "requestBody": _named("body"),
            "responses": _all_of(_named("response")),
        },
    },
}


def contract(methods: tuple[str, ...]) -> Form:
    """Return the form of an OpenAPI document whose operations are under these methods."""
    item = {
        "type": "object",
        "properties": {
            "parameters": _list_of(_named("parameter")),
            **{method: _named("operation") for method in methods},
        },
    }
    components = {
        "schemas": _all_of(_SCHEMA),
        "parameters": _all_of(_named("parameter")),
        "headers": _all_of(_named("header")),
        "requestBodies": _all_of(_named("body")),
        "responses": _all_of(_named("response")),
    }
    return {
        "$defs": _DEFINITIONS,
        "type": "object",
        "required": ["paths"],
        "properties": {
            "paths": _all_of(item),
            "security": _list_of(_all_of(ANYTHING)),
            "components": {"type": "object", "properties": components},
        },
    }


# For each version of the contract, the lists of the scenarios that are needed.
GATE: Form = {
    "type": "object",
    "required": ["contracts"],
    "properties": {"contracts": _all_of(_all_of(_TEXTS))},
}
