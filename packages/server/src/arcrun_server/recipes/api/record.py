"""What a pushed API recipe must be: its fields, and what no schema can say (docs/contract.md#api-recipes)."""

from __future__ import annotations

import hashlib
import re
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from typing_extensions import NotRequired, TypedDict

from arcrun_server.engine.model import MAX_PROBLEMS
from arcrun_server.engine.placeholders import scan
from arcrun_server.recipes.fields import (
    DisplayName,
    LongText,
    ShortText,
    Templates,
    host_of,
    recipe_problem,
)
from arcrun_server.validation import (
    ExpectedVersion,
    RecipeId,
    ServiceName,
    VersionMessage,
    closed,
    matching,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arcrun_server.engine import Problem

_ENDPOINT = re.compile(r"(?s)(?:https?://|\{\{).*")
_HOST = re.compile(r"https?://[^/{}?#]+")
_NAME = re.compile(r"auth\.[A-Za-z0-9_]+|[\w.-]+")
_HASH_ID = re.compile(r"rec_[0-9a-f]{8}")
_SECRETS = ("secret.", "credential.")
_NO_SECRETS = "secrets come in by auth_service only"
PATH_VARIABLE = "_path"
"""The only placeholder that may follow the host at once: its value begins a path."""

_Endpoint = Annotated[
    str, Field(max_length=2048), matching(_ENDPOINT, "a URL that begins with https:// or http://")
]


@closed
class ResponseMap(TypedDict):
    """Where the text of a response is."""

    text_path: Annotated[str, Field(min_length=1, max_length=1024)]
    answer_marker: NotRequired[ShortText]
    strip_prefixes: NotRequired[Annotated[list[ShortText], Field(max_length=32)]]


@closed
class ApiRecipe(TypedDict):
    """The body of `POST /recipes`: a recipe, and how its version is stored."""

    kind: NotRequired[Literal["api_recipe"]]
    canonical_id: RecipeId
    display_name: DisplayName
    description: NotRequired[LongText]
    endpoint: _Endpoint
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    headers: NotRequired[Templates]
    body: NotRequired[dict[str, Any]]
    body_template: NotRequired[Annotated[str, Field(max_length=65536)]]
    response_map: NotRequired[ResponseMap]
    auth_service: NotRequired[ServiceName]
    message: NotRequired[VersionMessage]
    expected_version: NotRequired[ExpectedVersion]


API_RECIPE = TypeAdapter(ApiRecipe)


def check_api_recipe(recipe: dict[str, Any]) -> list[Problem]:
    """Return why a recipe that has the right fields could not work, or not safely.

    Args:
        recipe: A recipe that `API_RECIPE` accepts.
    """
    problems = []
    if _HASH_ID.fullmatch(recipe["canonical_id"].lower()):
        problems.append(
            recipe_problem("names like rec_0123abcd are given by the engine", "canonical_id")
        )
    if not _has_fixed_host(recipe["endpoint"]):
        problems.append(
            recipe_problem(
                "it must begin with https:// or http:// and a host that is not a template",
                "endpoint",
            )
        )
    if "body" in recipe and "body_template" in recipe:
        problems.append(recipe_problem("give body or body_template, not both", "body_template"))
    return [*problems, *islice(_template_problems(recipe), MAX_PROBLEMS)]


def stored_api_recipe(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return a pushed recipe as it is stored: its id in lower case, with its hash."""
    name = recipe["canonical_id"].lower()
    kept = {field: value for field, value in recipe.items() if field != "kind"}
    return kept | {"canonical_id": name, "hash_id": hash_id(name)}


def hash_id(canonical_id: str) -> str:
    """Return the other name of a recipe: `rec_` and 8 hex digits.

    Example:
        >>> hash_id("telegram_send")
        'rec_3366235b'
    """
    return f"rec_{hashlib.sha256(canonical_id.encode()).hexdigest()[:8]}"


def _has_fixed_host(endpoint: str) -> bool:
    """Tell whether no value can choose the host: it ends before the first placeholder."""
    host = _HOST.match(endpoint)
    if host is None or not host_of(endpoint.partition("{{")[0]):
        return False
    rest = endpoint[host.end() :]
    if not rest or rest[0] in "/?#":
        return True
    first = next(scan(endpoint), None)
    return first is not None and first.start == host.end() and first.name == PATH_VARIABLE


def _template_problems(recipe: dict[str, Any]) -> Iterator[Problem]:
    templates = {"endpoint": recipe["endpoint"], "body_template": recipe.get("body_template", "")}
    templates |= {f"headers.{name}": text for name, text in recipe.get("headers", {}).items()}
    for path, text in templates.items():
        for placeholder in scan(text):
            name = placeholder.name
            if name.startswith(_SECRETS):
                message = _NO_SECRETS
            elif name.startswith("auth.") and not recipe.get("auth_service"):
                message = f"{{{{{name}}}}} needs an auth_service"
            elif not _NAME.fullmatch(name):
                message = f"{{{{{name}}}}} is not a placeholder; write a name, as {{{{chat_id}}}}"
            else:
                continue
            yield recipe_problem(message, path)
    for path, text in _texts(recipe.get("body", {}), "body"):
        if any(placeholder.name.startswith(_SECRETS) for placeholder in scan(text)):
            yield recipe_problem(_NO_SECRETS, path)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield every text in a value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, f"{path}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, f"{path}[{number}]")
