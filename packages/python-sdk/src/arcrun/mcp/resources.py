"""The resources of `arcrun-mcp`: recipes, blocks and pages of the knowledge base, and schemas of results, as text."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote, unquote

from arcrun import Arcrun
from arcrun._core.errors import ArcrunError
from arcrun._core.recipe_types import RecipeKind
from arcrun.commands.capabilities import require
from arcrun.commands.errors import CommandError, Next, command_error
from arcrun.commands.knowledge import get_knowledge
from arcrun.commands.recipes import get_recipe, list_recipes
from arcrun.commands.table import COMMANDS, command_named

from .result_schemas import whole_schema

MOST = 100  # resources in the list; the templates reach the others
YAML = "text/yaml"
TEXT = "text/plain"
SCHEMA = "application/schema+json"

_RECIPES: Mapping[str, RecipeKind] = {
    "prompt": "prompt_recipe",
    "api": "api_recipe",
    "auth": "auth_recipe",
}
_FUNCTIONS = {command.tool: command.load for command in COMMANDS if command.tool}

# Each under the tool that reads the same: where that is not offered, there are no such resources either.
_RECIPE_TOOL = "prompt_recipe_get"
_KNOWLEDGE_TOOL = "kb_get"
_ALWAYS = ""
_LISTING = frozenset({"prompt_recipe_list", _RECIPE_TOOL})
_TEMPLATES: tuple[tuple[str, Mapping[str, str]], ...] = (
    (
        _RECIPE_TOOL,
        {
            "uriTemplate": "arcrun://recipes/{kind}/{name}",
            "name": "recipe",
            "description": "A recipe: kind prompt, api or auth; name NAME, and of prompt recipes also NAME@VERSION, NAME@LABEL",
            "mimeType": YAML,
        },
    ),
    (
        _KNOWLEDGE_TOOL,
        {
            "uriTemplate": "arcrun://kb/pages/{page_name}",
            "name": "page",
            "description": "The blocks of a page of the knowledge base",
            "mimeType": TEXT,
        },
    ),
    (
        _KNOWLEDGE_TOOL,
        {
            "uriTemplate": "arcrun://kb/blocks/{block_id}",
            "name": "block",
            "description": "A block of the knowledge base",
            "mimeType": TEXT,
        },
    ),
    (
        _ALWAYS,
        {
            "uriTemplate": "arcrun://tools/{tool}/result",
            "name": "result",
            "description": "The JSON schema of what a tool returns, with all fields",
            "mimeType": SCHEMA,
        },
    ),
)


def templates(tools: Collection[str]) -> list[Mapping[str, str]]:
    """Return the templates of the resources that the tools of these names could read too, and of their schemas."""
    return [template for tool, template in _TEMPLATES if tool == _ALWAYS or tool in tools]


def list_resources(client: Arcrun, tools: Collection[str]) -> list[dict[str, Any]]:
    """Return the prompt recipes as resources, the first `MOST` of them; none if the tools can't list and read them.

    An engine without prompt recipes has none.

    Raises:
        CommandError: the engine can't say.
    """
    if not _LISTING.issubset(tools):
        return []
    try:
        require(client, command_named("recipe list"), {})
        found = list_recipes(client, limit=MOST)["recipes"]
    except ArcrunError as error:
        raise command_error(error) from None
    except CommandError as error:
        if error.code == "unsupported":
            return []
        raise
    return [
        {
            "uri": f"arcrun://recipes/prompt/{quote(each['name'], safe='')}",
            "name": each["name"],
            "mimeType": YAML,
            **({"description": each.get("description")} if each.get("description") else {}),
        }
        for each in found
    ]


def read_resource(client: Arcrun, uri: str, tools: Collection[str]) -> tuple[str, str]:
    """Return a resource's text and its media type.

    Raises:
        CommandError: there is none of that name, or the tool that reads the same is not offered.
    """
    scheme, _, path = uri.partition("://")
    parts = [unquote(part) for part in path.split("/")]
    try:
        match parts if scheme == "arcrun" else []:
            case ["recipes", kind, name] if _RECIPE_TOOL in tools and kind in _RECIPES and name:
                named = _reference(kind, name)
                require(client, command_named("recipe get"), {"name": named})
                return _recipe_text(get_recipe(client, named)), YAML
            case ["kb", "pages", page] if _KNOWLEDGE_TOOL in tools and page:
                require(client, command_named("kb get"), {})
                return str(get_knowledge(client, page)["content"]), TEXT
            case ["kb", "blocks", block] if _KNOWLEDGE_TOOL in tools and block:
                require(client, command_named("kb get"), {})
                return str(get_knowledge(client, block_id=block)["content"]), TEXT
            case ["tools", tool, "result"] if tool in tools and tool in _FUNCTIONS:
                return json.dumps(whole_schema(_FUNCTIONS[tool]())), SCHEMA
    except ArcrunError as error:
        raise command_error(error) from None
    forms = ", ".join(str(each["uriTemplate"]) for each in templates(tools))
    raise CommandError(
        "resource_not_found",
        f"there is no resource of that form; the forms are: {forms}",
        next=[Next("see the recipes", "recipe list")],
    )


def _reference(kind: str, name: str) -> str:
    return name if kind == "prompt" else f"{_RECIPES[kind]}:{name}"


def _recipe_text(recipe: Mapping[str, Any]) -> str:
    """Return a recipe as it was written, or what was pushed as JSON in YAML."""
    import yaml

    source = recipe.get("source")
    if isinstance(source, str):
        return source
    return yaml.safe_dump(recipe["recipe"], allow_unicode=True, sort_keys=False)
