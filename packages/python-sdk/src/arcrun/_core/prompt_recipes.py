"""Prompt recipes: how a node names one, and the requests of `/prompt-recipes` (docs/prompt-recipes.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

from .errors import InvalidArgumentError
from .names import in_path
from .operations import Page, page_of, paged, with_field
from .request import Request
from .response import field_of, object_of
from .shapes import is_count, is_mapping, is_text
from .types import (
    DeletedRecipe,
    LabeledRecipe,
    PromptRecipe,
    PushedRecipe,
    RecipeDiff,
    RecipeSummary,
    RecipeVersion,
    RemovedLabel,
    RenderedRecipe,
    TestedRecipe,
)

CAPABILITY = "prompt_recipes"

_PREFIX = "prompt_recipe:"
_NAME = r"[a-z][a-z0-9_]{0,127}"
_LABEL = r"[A-Za-z_][A-Za-z0-9_.-]{0,63}"
_LARGEST_VERSION = 999_999_999


class Reference:
    """Which recipe, and which version of it: that of a number, of a label, or the one that a node takes."""

    __slots__ = ("label", "name", "version")

    def __init__(self, name: str, version: int | None = None, label: str | None = None) -> None:
        self.name = name
        self.version = version
        self.label = label

    @property
    def is_chosen(self) -> bool:
        """Tell whether a version is named, by its number or by a label."""
        return self.version is not None or self.label is not None

    @property
    def query(self) -> str:
        """Return the part of a path that chooses the version; "" if none is named."""
        if self.version is not None:
            return f"?version={self.version}"
        return f"?label={quote(self.label, safe='')}" if self.label is not None else ""


def reference(
    name: str,
    version: int | None = None,
    label: str | None = None,
) -> Reference:
    """Return which version of a recipe is meant.

    Args:
        name: as a node writes it: `greet`, `prompt_recipe:greet`, `greet@LABEL` or `greet@VERSION`.
        version: the version's number.
        label: a label that points to the version.

    Raises:
        InvalidArgumentError: a part of it is not valid, or there is more than one version.

    Example:
        >>> reference("prompt_recipe:greet@3").query
        '?version=3'
    """
    bare, at, chosen = (
        name.removeprefix(_PREFIX).partition("@") if is_text(name) else (name, "", "")
    )
    named = [part for part in (at, version, label) if part not in (None, "")]
    if len(named) > 1:
        raise InvalidArgumentError("name one version of the recipe: by @, by version or by label")
    if re.fullmatch(r"[0-9]{1,9}", chosen):
        version = int(chosen)
    elif at:
        label = chosen
    if version is not None:
        check_version("version", version)
    if label is not None:
        check_label(label)
    return Reference(_checked_name(bare), version, label)


def check_name(name: str) -> str:
    """Return the recipe's name without `prompt_recipe:`; refuse one with a version."""
    found = reference(name)
    if found.is_chosen:
        raise InvalidArgumentError(f"{name!r} names a version: this method is for the whole recipe")
    return found.name


def check_version(what: str, version: int, *, least: int = 1) -> int:
    """Return the number of a version if it is valid."""
    if not is_count(version) or not least <= version <= _LARGEST_VERSION:
        raise InvalidArgumentError(
            f"{what} must be a whole number from {least} to {_LARGEST_VERSION}, not {version!r}"
        )
    return version


def check_label(label: str) -> str:
    """Return the label if it is valid."""
    if not is_text(label) or not re.fullmatch(_LABEL, label):
        raise InvalidArgumentError(
            f"{_shown(label)} is not a valid label: use a letter or _, then letters A-Z a-z, digits, _, . "
            "and -, at most 64"
        )
    return label


def push_recipe(
    recipe: str | Mapping[str, Any],
    message: str | None,
    expected_version: int | None,
    idempotency_key: str,
) -> Request[PushedRecipe]:
    """Store a new version: `POST /prompt-recipes`. The key makes it safe to repeat."""
    if expected_version is not None:
        check_version("expected_version", expected_version, least=0)
    _check_message(message)

    def read(content: dict[str, Any]) -> PushedRecipe:
        stored = object_of(content, "recipe")
        field_of(stored, "version", int)
        return cast("PushedRecipe", {**stored, "warnings": field_of(content, "warnings", list)})

    body = _given(
        recipe=_source(recipe),
        message=message,
        expected_version=expected_version,
    )
    return Request("POST", "/prompt-recipes", read, body=body, idempotency_key=idempotency_key)


def list_recipes(cursor: str | None = None) -> Request[Page[RecipeSummary]]:
    """List the recipes: `GET /prompt-recipes`."""
    return Request("GET", paged("/prompt-recipes", cursor), page_of("recipes"))


def get_recipe(chosen: Reference) -> Request[PromptRecipe]:
    """Get a version: `GET /prompt-recipes/{name}`."""

    def read(content: dict[str, Any]) -> PromptRecipe:
        return cast("PromptRecipe", object_of(content, "recipe"))

    return Request("GET", _path(chosen.name) + chosen.query, read)


def delete_recipe(name: str, *, force: bool) -> Request[DeletedRecipe]:
    """Delete a recipe with its versions: `DELETE /prompt-recipes/{name}`."""
    _check_switch("force", force)
    gone: DeletedRecipe = {"name": name, "success": True}
    path = _path(name) + ("?force=true" if force else "")
    return Request("DELETE", path, with_field("name", str), result_if_gone=gone)


def list_versions(name: str, cursor: str | None = None) -> Request[Page[RecipeVersion]]:
    """List the versions of a recipe: `GET /prompt-recipes/{name}/versions`."""
    return Request("GET", paged(f"{_path(name)}/versions", cursor), page_of("versions"))


def diff_recipe(name: str, from_version: int, to_version: int | None) -> Request[RecipeDiff]:
    """Compare two versions: `GET /prompt-recipes/{name}/diff`."""
    query = f"from={check_version('from_version', from_version)}"
    if to_version is not None:
        query += f"&to={check_version('to_version', to_version)}"
    return Request("GET", f"{_path(name)}/diff?{query}", with_field("diff", str))


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
    path = f"{_path(chosen.name)}/render{chosen.query}"
    return Request("POST", path, with_field("messages", list), body=body)


def run_tests(chosen: Reference, recipe: str | Mapping[str, Any] | None) -> Request[TestedRecipe]:
    """Run a recipe's tests: `POST /prompt-recipes/{name}/test`. It stores nothing, so that it may be repeated."""
    path = f"{_path(chosen.name)}/test{chosen.query}"
    return Request("POST", path, with_field("passed", bool), body=_draft(chosen, recipe))


def set_label(
    name: str, label: str, version: int, requires_tests: bool | None
) -> Request[LabeledRecipe]:
    """Let a label point to a version: `PUT /prompt-recipes/{name}/labels/{label}`."""
    if requires_tests is not None:
        _check_switch("requires_tests", requires_tests)
    body = _given(version=check_version("version", version), requires_tests=requires_tests)
    return Request("PUT", _label_path(name, label), with_field("version", int), body=body)


def remove_label(name: str, label: str) -> Request[RemovedLabel]:
    """Remove a label: `DELETE /prompt-recipes/{name}/labels/{label}`."""
    path = _label_path(name, label)
    gone: RemovedLabel = {"name": name, "label": label, "success": True}
    return Request("DELETE", path, with_field("label", str), result_if_gone=gone)


def _path(name: str) -> str:
    return f"/prompt-recipes/{in_path(name)}"


def _label_path(name: str, label: str) -> str:
    return f"{_path(name)}/labels/{in_path(check_label(label))}"


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


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not re.fullmatch(_NAME, name):
        raise InvalidArgumentError(
            f"{_shown(name)} is not a valid recipe name: use a lower-case letter, then lower-case letters, "
            "digits and _, at most 128; client.recipes.list() lists the recipes"
        )
    return name


def _shown(name: object) -> str:
    """Return a name as an error message shows it."""
    if not isinstance(name, str):
        return f"a value of type {type(name).__name__}"
    return repr(name) if len(name) <= 80 else "a text of more than 80 characters"
