"""Who names a recipe that is to be deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arcrun_server.errors import ApiError, Detail
from arcrun_server.routes.recipe_kinds import API, AUTH, PROMPT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arcrun_server.recipes.versions import StoredVersion
    from arcrun_server.routes.recipe_kinds import RecipeKind
    from arcrun_server.store import Store

MOST_USES = 50
"""How many workflows, and how many of everything else, are listed that name a recipe."""

_SHOWN = 10
_MESSAGES = {
    "workflows": "this workflow names the {noun}",
    "API recipes": "this API recipe signs its requests as the {noun} says",
    "credentials": "this credential is stored for the {noun}",
}


async def refuse_if_used(
    store: Store, kind: RecipeKind, account: str, recipe: StoredVersion
) -> None:
    """Refuse to delete a recipe that something of the account names.

    Raises:
        ApiError: 409, with what names it.
    """
    uses = {
        "workflows": await store.workflows.holding(account, _in_graphs(kind, recipe), MOST_USES)
    }
    if kind.id == AUTH.id:
        as_json = f'"auth_service": "{recipe.name}"'  # as the store writes it
        uses["API recipes"] = await store.api_recipes.holding(account, as_json, MOST_USES)
        uses["credentials"] = await store.credentials.of_service(account, recipe.name, MOST_USES)
    named = [f"by {what}: {_listed(names)}" for what, names in uses.items() if names]
    if named:
        raise ApiError(
            409,
            "recipe_in_use",
            f"the {kind.noun} {recipe.name!r} is named {'; '.join(named)}",
            details=[
                Detail(_MESSAGES[what].format(noun=kind.noun), path=name)
                for what, names in uses.items()
                for name in names
            ],
            next_actions=["change these, or delete it all the same with ?force=true"],
        )


def _in_graphs(kind: RecipeKind, recipe: StoredVersion) -> list[str]:
    """Return the texts with which a graph names a recipe: compact JSON, in which a quote has a backslash before it."""
    if kind.id == PROMPT.id:
        fields, names = ["recipe"], [recipe.name, f"{kind.id}:{recipe.name}"]
    elif kind.id == API.id:
        fields, names = ["componentId"], [recipe.name, recipe.recipe["hash_id"]]
    else:
        fields, names = ["componentId", "service"], [recipe.name]
    return [f'"{field}":"{name}{end}' for field in fields for name in names for end in ('"', "@")]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
