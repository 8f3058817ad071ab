"""What commands read of responses is what the contract says that engines send."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from arcrun.commands.answers import SHAPES

CONTRACT = yaml.safe_load(
    (Path(__file__).parents[4] / "openapi" / "arcrun.yaml").read_text("utf-8")
)
OPERATIONS = {
    f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path)}": operation
    for path, operations in CONTRACT["paths"].items()
    for method, operation in operations.items()
}
JSON = "application/json"


def resolved(part: Any) -> Any:
    while "$ref" in part:
        target: Any = CONTRACT
        for name in part["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        part = target
    return part


def schemas_of(schema: Any) -> list[Any]:
    """Return a schema with all of which it is made, each resolved."""
    schema = resolved(schema)
    parts = [part for kind in ("allOf", "anyOf", "oneOf") for part in schema.get(kind, ())]
    return [schema, *(each for part in parts for each in schemas_of(part))]


def unknown_fields(shape: Any, schema: Any, place: str = "") -> list[str]:
    """Return the fields of a shape that a schema does not have."""
    schemas = schemas_of(schema)
    if isinstance(shape, list):
        items = [each["items"] for each in schemas if "items" in each]
        return [found for item in items for found in unknown_fields(shape[0], item, f"{place}[]")]
    if not isinstance(shape, dict):
        return []
    properties: dict[str, Any] = {}
    for each in schemas:
        properties |= each.get("properties", {})
    missing = []
    for name, inner in shape.items():
        field = name.removesuffix("?")
        if name == "*" or not properties:
            continue
        if field not in properties:
            missing.append(f"{place}.{field}")
        else:
            missing += unknown_fields(inner, properties[field], f"{place}.{field}")
    return missing


@pytest.mark.parametrize("route", SHAPES)
def test_commands_read_what_the_contract_has(route: str) -> None:
    responses = OPERATIONS[route]["responses"]
    status = min(code for code in responses if str(code).startswith("2"))
    schema = resolved(responses[status])["content"][JSON]["schema"]
    assert unknown_fields(SHAPES[route], schema) == []


def test_a_field_that_the_contract_lacks_is_noticed() -> None:
    schema = {"properties": {"runs": {"items": {"properties": {"run_id": {}}}}}}
    assert unknown_fields({"runs": [{"run_id": str, "state?": str}]}, schema) == [".runs[].state"]
