"""The kinds of recipes, which all have the same routes: what differs is a `RecipeKind`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arcrun_server.recipes.api.record import API_RECIPE, check_api_recipe, stored_api_recipe
from arcrun_server.recipes.auth.record import AUTH_RECIPE, check_auth_recipe, stored_auth_recipe
from arcrun_server.recipes.prompt.reference import NAME, NAME_RULE
from arcrun_server.routes.schemas import PROMPT_PUSH
from arcrun_server.validation import RECIPE_ID, RECIPE_ID_RULE, SERVICE_NAME, SERVICE_NAME_RULE

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from pydantic import TypeAdapter

    from arcrun_server.engine import Problem


@dataclass(frozen=True)
class RecipeKind:
    """What differs between the kinds of recipes.

    Args:
        id: The kind's own name, which stands before a recipe's name in its id.
        path: Where the routes are.
        parameter: Name of the path's parameter.
        name_field: The field of a response that holds a recipe's name; of a recipe that is a JSON object, also its own.
        name_pattern: What a name in the path must match in full.
        name_rule: The same as text.
        noun: What a recipe stands for, in messages.
        not_found_code: Code of the error for a name that is not there.
        not_found: Its message, up to the name.
        all_of_them: What the list holds, in messages.
        fields: The body of a push.
        check: Returns why a recipe with the right fields could not work.
        stored: Returns a pushed recipe as it is stored.
        pushed_status: Status of the response to a push.
        own_first: Whether an account may have a recipe of its own under the name of a shipped one.
        bearer: Whether the key may also come as `Authorization: Bearer`.
    """

    id: str
    path: str
    parameter: str
    name_field: str
    name_pattern: re.Pattern[str]
    name_rule: str
    noun: str
    not_found_code: str
    not_found: str
    all_of_them: str
    fields: TypeAdapter[Any]
    check: Callable[[dict[str, Any]], list[Problem]] = lambda _: []
    stored: Callable[[dict[str, Any]], dict[str, Any]] = dict
    pushed_status: int = 200
    own_first: bool = False
    bearer: bool = False


AUTH = RecipeKind(
    id="auth_recipe",
    path="/auth-recipes",
    parameter="service",
    name_field="service",
    name_pattern=SERVICE_NAME,
    name_rule=SERVICE_NAME_RULE,
    noun="service",
    not_found_code="service_not_found",
    not_found="no auth recipe for the service",
    all_of_them="services",
    fields=AUTH_RECIPE,
    check=check_auth_recipe,
    stored=stored_auth_recipe,
)
API = RecipeKind(
    id="api_recipe",
    path="/recipes",
    parameter="id",
    name_field="canonical_id",
    name_pattern=RECIPE_ID,
    name_rule=RECIPE_ID_RULE,
    noun="recipe",
    not_found_code="recipe_not_found",
    not_found="no recipe",
    all_of_them="recipes",
    fields=API_RECIPE,
    check=check_api_recipe,
    stored=stored_api_recipe,
)
PROMPT = RecipeKind(
    id="prompt_recipe",
    path="/prompt-recipes",
    parameter="name",
    name_field="name",
    name_pattern=NAME,
    name_rule=NAME_RULE,
    noun="recipe",
    not_found_code="recipe_not_found",
    not_found="no prompt recipe",
    all_of_them="recipes",
    fields=PROMPT_PUSH,
    pushed_status=201,
    own_first=True,
    bearer=True,
)
