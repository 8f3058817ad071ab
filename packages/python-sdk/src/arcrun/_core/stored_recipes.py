"""The requests about recipes of all kinds (docs/contract.md#versions-of-recipes)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from .backtest_types import BacktestedRecipe
from .errors import InvalidArgumentError
from .names import in_path
from .operations import Page, page_of, paged, with_field
from .recipe_names import (
    API,
    KINDS,
    PROMPT,
    Kind,
    Reference,
    check_label,
    check_version,
    reference,
)
from .recipe_types import (
    DeletedRecipe,
    LabeledRecipe,
    PushedRecipe,
    RecipeDiff,
    RecipeSummary,
    RecipeVersion,
    RemovedLabel,
    RenderedRecipe,
    StoredRecipe,
    TestedRecipe,
)
from .request import Request
from .response import field_of, object_of
from .shapes import is_count, is_mapping, is_text

_MOST_RUNS = 200


def kind_of(recipe: str | Mapping[str, Any]) -> Kind:
    """Return the kind that a recipe says: by its `kind`, or before the name in its `id`. A text is a prompt recipe.

    Raises:
        InvalidArgumentError: `kind` and `id` say different kinds.
    """
    if not is_mapping(recipe):
        return PROMPT
    prefix, colon, _ = str(recipe.get("id") or "").partition(":")
    said = {str(recipe.get("kind") or ""), prefix if colon else ""}
    kinds = [kind for name, kind in KINDS.items() if name in said]
    if len(kinds) > 1:
        raise InvalidArgumentError("the recipe says one kind by `kind`, and another one by `id`")
    return kinds[0] if kinds else PROMPT


def push_recipe(
    kind: Kind,
    recipe: str | Mapping[str, Any],
    message: str | None,
    expected_version: int | None,
    idempotency_key: str,
) -> Request[PushedRecipe]:
    """Store a new version: `POST /prompt-recipes`, `/recipes` or `/auth-recipes`. The key makes it safe to repeat."""
    if expected_version is not None:
        check_version("expected_version", expected_version, least=0)
    _check_message(message)

    def read(content: dict[str, Any]) -> PushedRecipe:
        stored = _stored(kind, content)
        field_of(stored, "version", int)
        warnings: list[str] = []
        if kind is PROMPT:
            warnings = cast("list[str]", field_of(content, "warnings", list))
        return cast("PushedRecipe", {"warnings": warnings, **stored})

    how = _given(message=message, expected_version=expected_version)
    if kind is PROMPT:
        body = {"recipe": _source(recipe), **how}
    else:
        body = {**_record(kind, cast("Mapping[str, Any]", recipe)), **how}
    return Request("POST", kind.path, read, body=body, idempotency_key=idempotency_key)


def list_recipes(kind: Kind, cursor: str | None = None) -> Request[Page[RecipeSummary]]:
    """List the recipes of a kind: `GET /prompt-recipes`, `/recipes` or `/auth-recipes`."""
    read = page_of("recipes")

    def summaries(content: dict[str, Any]) -> Page[RecipeSummary]:
        page = read(content)
        versions = content.get("versions")
        numbers: Mapping[str, Any] = versions if is_mapping(versions) else {}
        return Page([_summary(kind, record, numbers) for record in page.items], page.cursor)

    return Request("GET", paged(kind.path, cursor), read if kind is PROMPT else summaries)


def get_recipe(chosen: Reference) -> Request[StoredRecipe]:
    """Get a version, as `GET /prompt-recipes/{name}`."""

    def read(content: dict[str, Any]) -> StoredRecipe:
        return cast("StoredRecipe", _stored(chosen.kind, content))

    return Request("GET", chosen.path + chosen.query, read)


def delete_recipe(whole: Reference, *, force: bool) -> Request[DeletedRecipe]:
    """Delete a recipe with its versions, as `DELETE /prompt-recipes/{name}`."""
    _check_switch("force", force)
    gone: DeletedRecipe = {"name": whole.name, "success": True}
    path = whole.path + ("?force=true" if force else "")
    return Request("DELETE", path, with_field("name", str), result_if_gone=gone)


def list_versions(whole: Reference, cursor: str | None = None) -> Request[Page[RecipeVersion]]:
    """List the versions of a recipe, as `GET /prompt-recipes/{name}/versions`."""
    return Request("GET", paged(f"{whole.path}/versions", cursor), page_of("versions"))


def diff_recipe(whole: Reference, from_version: int, to_version: int | None) -> Request[RecipeDiff]:
    """Compare two versions, as `GET /prompt-recipes/{name}/diff`."""
    query = f"from={check_version('from_version', from_version)}"
    if to_version is not None:
        query += f"&to={check_version('to_version', to_version)}"
    return Request("GET", f"{whole.path}/diff?{query}", with_field("diff", str))


def render_recipe(
    chosen: Reference,
    inputs: Mapping[str, Any] | None,
    context: Mapping[str, Any] | None,
    fragments: Mapping[str, str] | None,
    recipe: str | Mapping[str, Any] | None,
) -> Request[RenderedRecipe]:
    """Assemble a prompt: `POST /prompt-recipes/{name}/render`. It stores nothing, so that it may be repeated."""
    values = {"inputs": inputs, "context": context, "fragments": fragments}
    for name, value in values.items():
        if value is not None and not is_mapping(value):
            raise InvalidArgumentError(f"{name} must be a mapping")
    given = {name: dict(value) for name, value in values.items() if value is not None}
    body = {**given, **_draft(chosen, recipe)}
    path = f"{chosen.path}/render{chosen.query}"
    return Request("POST", path, with_field("messages", list), body=body)


def run_tests(chosen: Reference, recipe: str | Mapping[str, Any] | None) -> Request[TestedRecipe]:
    """Run a recipe's tests: `POST /prompt-recipes/{name}/test`. It stores nothing, so that it may be repeated."""
    path = f"{chosen.path}/test{chosen.query}"
    return Request("POST", path, with_field("passed", bool), body=_draft(chosen, recipe))


def backtest_recipe(
    chosen: Reference,
    runs: int | None,
    call: bool,
    recipe: str | Mapping[str, Any] | None,
) -> Request[BacktestedRecipe]:
    """Compare with what runs used: `POST /prompt-recipes/{name}/backtest`. What asks a model is not repeated."""
    _check_switch("call", call)
    if runs is not None and (not is_count(runs) or not 1 <= runs <= _MOST_RUNS):
        raise InvalidArgumentError(
            f"runs must be a whole number from 1 to {_MOST_RUNS}, not {runs!r}"
        )
    body = {**_given(runs=runs, call=call or None), **_draft(chosen, recipe)}
    path = f"{chosen.path}/backtest{chosen.query}"
    return Request("POST", path, with_field("runs", list), body=body, retryable=not call)


def set_label(
    whole: Reference, label: str, version: int, requires_tests: bool | None
) -> Request[LabeledRecipe]:
    """Let a label point to a version, as `PUT /prompt-recipes/{name}/labels/{label}`."""
    if requires_tests is not None:
        _check_switch("requires_tests", requires_tests)
    body = _given(version=check_version("version", version), requires_tests=requires_tests)
    return Request("PUT", _label_path(whole, label), with_field("version", int), body=body)


def remove_label(whole: Reference, label: str) -> Request[RemovedLabel]:
    """Remove a label, as `DELETE /prompt-recipes/{name}/labels/{label}`."""
    path = _label_path(whole, label)
    gone: RemovedLabel = {"name": whole.name, "label": label, "success": True}
    return Request("DELETE", path, with_field("label", str), result_if_gone=gone)


def _stored(kind: Kind, content: dict[str, Any]) -> dict[str, Any]:
    """Return what a response says of a version: of a prompt recipe it stands under `recipe`, of others beside it."""
    recipe = object_of(content, "recipe")
    if kind is PROMPT:
        return recipe
    return {field: value for field, value in content.items() if field != "success"}


def _summary(kind: Kind, record: Mapping[str, Any], numbers: Mapping[str, Any]) -> RecipeSummary:
    """Return what a list shows of a recipe; one without a number of its own is shipped."""
    name = field_of(record, kind.name_field, str)
    version = numbers.get(name, 0)
    summary: RecipeSummary = {
        "name": name,
        "version": version,
        "description": record.get("description", ""),
    }
    if not version:
        summary["shipped"] = True
    return summary


def _record(kind: Kind, recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return an auth recipe or an API recipe as a body holds it: named by its own field, without `id` and hash."""
    record = {name: value for name, value in recipe.items() if name not in ("id", "hash_id")}
    if "id" in recipe:
        named = reference(str(recipe["id"]))
        name = record.setdefault(kind.name_field, named.name)
        if named.kind is not kind or named.is_chosen or name != named.name:
            raise InvalidArgumentError(
                f"the recipe's id must be {kind.prefix}{name}, or be left out"
            )
    if kind is API:
        record.pop("kind", None)
    return record


def _label_path(whole: Reference, label: str) -> str:
    return f"{whole.path}/labels/{in_path(check_label(label))}"


def _given(**fields: Any) -> dict[str, Any]:
    """Return the fields of a body that are given."""
    return {name: value for name, value in fields.items() if value is not None}


def _draft(chosen: Reference, recipe: str | Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the field of a recipe that is not stored; refuse it beside a stored version."""
    if recipe is None:
        return {}
    if chosen.is_chosen:
        raise InvalidArgumentError("a recipe of your own and a stored version exclude each other")
    return {"recipe": _source(recipe)}


def _source(recipe: str | Mapping[str, Any]) -> str | dict[str, Any]:
    """Return a recipe as a body holds it."""
    if is_mapping(recipe):
        return dict(recipe)
    if not is_text(recipe):
        raise InvalidArgumentError(
            "recipe must be a mapping, or a text in YAML or JSON that is not empty"
        )
    return recipe


def _check_message(message: object) -> None:
    if message is not None and not isinstance(message, str):
        raise InvalidArgumentError(
            f"message must be text, not a value of type {type(message).__name__}"
        )


def _check_switch(what: str, value: object) -> None:
    """Refuse the value of a switch that is neither on nor off: a text such as "no" would count as on."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{what} must be True or False, not {value!r}")
