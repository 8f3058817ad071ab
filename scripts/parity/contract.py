"""Read what the contract says about SDKs: `x-arcrun-sdk`, parameters of operations, shipped recipes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml

from scripts.parity.surface import Method, Parameter, Surface

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def read_contract(contract: Path, recipes: Path) -> Surface:
    """Read what the contract says about SDKs.

    Args:
        contract: `openapi/arcrun.yaml`.
        recipes: The folder of the auth recipes that the engine ships.
    """
    document = yaml.safe_load(contract.read_text("utf-8"))
    methods = {
        operation["x-arcrun-sdk"]: Method(tuple(_parameters(document, path, operation)))
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict) and "x-arcrun-sdk" in operation
    }
    shipped = [yaml.safe_load(file.read_text("utf-8")) for file in sorted(recipes.glob("*.yaml"))]
    return Surface(
        methods=methods,
        origins={recipe["service"]: tuple(_origins(recipe)) for recipe in shipped},
    )


def contract_facts(surface: Surface) -> dict[str, str]:
    """Return what the contract says as facts: it states no order of parameters and no result types."""
    not_stated = ("position of ", "result of ")
    return {key: value for key, value in surface.facts().items() if not key.startswith(not_stated)}


def _parameters(
    document: dict[str, Any], path: dict[str, Any], operation: dict[str, Any]
) -> Iterator[Parameter]:
    """Yield the parameters of a request: path, query, and the fields of its body."""
    for reference in [*path.get("parameters", ()), *operation.get("parameters", ())]:
        parameter = _resolved(document, reference)
        if parameter["in"] in {"path", "query"}:
            yield Parameter(parameter["name"], parameter.get("required", False))
    content = operation.get("requestBody", {}).get("content", {})
    schema = _resolved(document, content.get("application/json", {}).get("schema", {}))
    kinds = [_resolved(document, each) for each in schema.get("oneOf", [schema])]
    for name in sorted({name for kind in kinds for name in kind.get("properties", ())}):
        yield Parameter(name, all(name in kind.get("required", ()) for kind in kinds))


def _resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def _origins(recipe: dict[str, Any]) -> Iterator[str]:
    token = recipe.get("token_exchange", {}).get("endpoint")
    for url in filter(None, [recipe["base_url"], token]):
        parts = urlsplit(url)
        yield f"{parts.scheme}://{parts.netloc}" if parts.scheme else url
