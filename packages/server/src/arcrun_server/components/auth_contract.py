"""What the contracts of the three auth primitives have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arcrun_server.engine import JsonObject

    from .contract import ComponentContract


def auth_contract(
    primitive: str, display_name: str, description: str, example: JsonObject
) -> ComponentContract:
    """Return the contract of an auth primitive's component."""
    texts: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
    return {
        "canonical_id": f"auth_{primitive}",
        "display_name": display_name,
        "category": "auth",
        "version": "1.0.0",
        "description": (
            f"{description} With `_path` it sends a request that is signed so; without, it tells whether that would "
            "work. No secret is in its result."
        ),
        "input_schema": {
            "type": "object",
            "required": ["service"],
            "properties": {
                "service": {"type": "string", "description": "The service of an auth recipe."},
                "_path": {"type": "string", "description": "Below the base URL of the service."},
                "_method": {"type": "string", "description": "GET, or POST if there is a body."},
                "_query": {"type": "object"},
                "_headers": {"type": "object"},
                "_body": {},
            },
        },
        "output_schema": {
            "type": "object",
            "required": ["success"],
            "properties": {
                "success": {"type": "boolean"},
                "status": {"type": "integer", "description": "Of the response, with `_path`."},
                "data": {
                    "description": "The response's body; without `_path` what is injected where.",
                    "properties": {
                        "service": {"type": "string"},
                        "primitive": {"const": primitive},
                        "base_url": {"type": "string"},
                        "secrets": texts,
                        "inject": {"type": "object", "additionalProperties": texts},
                    },
                },
                "error": {"type": "string"},
            },
        },
        "config_example": example,
    }
