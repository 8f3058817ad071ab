"""The auth primitives as components: a signed request, or whether one could be signed (docs/contract.md#components)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError
from arcrun_server.recipes.auth.component import service_component

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_server.engine import Component, Invocation, JsonObject
    from arcrun_server.recipes.request import ServiceClient

    RecipeFinder = Callable[[str], Awaitable[dict[str, Any] | None]]

PREFIX = "auth_"
PRIMITIVES = ("static_key", "service_account", "oauth2")
_OF_REQUESTS = ("_path", "_method", "_query", "_headers", "_body")


def primitive_component(primitive: str, find: RecipeFinder, client: ServiceClient) -> Component:
    """Return the component of an auth primitive.

    Args:
        primitive: One of PRIMITIVES.
        find: Returns the auth recipe of a service, or None.
        client: Sends the account's requests.
    """

    async def run(given: JsonObject, invocation: Invocation) -> Any:
        recipe = await _recipe(primitive, invocation.own, find)
        if any(name in invocation.own for name in _OF_REQUESTS):
            return await service_component(recipe, client)(given, invocation)
        try:
            await client.check(recipe)
        except ComponentError as problem:
            return {"success": False, "error": str(problem)}
        return {"success": True, "data": _shown(recipe)}

    return run


async def _recipe(primitive: str, own: JsonObject, find: RecipeFinder) -> dict[str, Any]:
    service = own.get("service")
    if not isinstance(service, str) or not service:
        raise ComponentError("`service` must be the name of a service, in the node's config")
    name, at, chosen = service.partition("@")
    recipe = await find(name.lower() + at + chosen)
    if recipe is None:
        raise ComponentError(f"there is no auth recipe for the service '{service[:60]}'")
    if recipe["primitive"] != primitive:
        other = recipe["primitive"]
        use = f"; use {PREFIX}{other}" if other in PRIMITIVES else ""
        raise ComponentError(
            f"the service {recipe['service']!r} authenticates by {other}, not by {primitive}{use}"
        )
    return recipe


def _shown(recipe: dict[str, Any]) -> JsonObject:
    """Return what a recipe does: names only, and the base URL with its placeholders."""
    return {
        "service": recipe["service"],
        "primitive": recipe["primitive"],
        "base_url": recipe["base_url"],
        "secrets": [entry["key"] for entry in recipe["required_secrets"]],
        "inject": {
            part: sorted(names) for part, names in recipe.get("inject", {}).items() if names
        },
    }
