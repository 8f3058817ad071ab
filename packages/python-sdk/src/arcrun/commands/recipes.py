"""Recipes of all kinds: prompt recipes, API recipes (`api_recipe:NAME`) and auth recipes (`auth_recipe:NAME`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from arcrun import Arcrun
from arcrun._core.errors import BadRequestError, ConflictError, NotFoundError
from arcrun._core.recipe_names import KINDS
from arcrun._core.recipe_types import (
    DeletedRecipe,
    PushedRecipe,
    RecipeKind,
    StoredRecipe,
)

from .documents import Document, parse_document
from .errors import CommandError, Next, command_error
from .found import naming
from .parameters import FileText, JsonObject
from .places import failure_at, located_in_recipe
from .result_types import CheckedRecipe, ListedRecipes, Prompt, RecipeToDelete, TestResults
from .results import first
from .sentences import sentence

LISTING = Next("see the names", "recipe list")


def list_recipes(
    client: Arcrun, *, kind: RecipeKind = "prompt_recipe", limit: int = 50
) -> ListedRecipes:
    """List the recipes of a kind.

    Args:
        kind: of which kind
        limit: how many at most
    """
    found = client.recipes.list(kind=kind)
    return {"recipes": first(found, limit), "total": len(found)}


def get_recipe(
    client: Arcrun, name: str, *, version: int | None = None, label: str | None = None
) -> StoredRecipe:
    """Show a version of a recipe.

    Args:
        name: NAME, NAME@VERSION or NAME@LABEL
        version: instead of @VERSION
        label: instead of @LABEL
    """
    with _naming(client, name):
        return client.recipes.get(name, version=version, label=label)


def push_recipe(
    client: Arcrun,
    recipe: FileText,
    *,
    message: str | None = None,
    expected_version: int | None = None,
    dry_run: bool = False,
) -> PushedRecipe | CheckedRecipe:
    """Store a new version of a recipe.

    Args:
        recipe: YAML or JSON with an `id` such as prompt_recipe:NAME
        message: why this version is made
        expected_version: refuse if the newest version is another one; 0 if there must be none yet
        dry_run: only check it
    """
    document = parse_document(recipe, sentence("the recipe"))
    if dry_run:
        return _checked(client, recipe, document)
    # A prompt recipe goes as it was written: the engine says at which line and column it has faults.
    is_prompt = kind_of(document) == "prompt_recipe"
    try:
        return client.recipes.push(
            recipe if is_prompt else document.value,
            message=message,
            expected_version=expected_version,
        )
    except BadRequestError as error:
        failure = command_error(error)
        details = located_in_recipe(failure.details, document)
        raise failure_at(failure, details) from None


def delete_recipe(
    client: Arcrun, name: str, *, force: bool = False, dry_run: bool = False
) -> DeletedRecipe | RecipeToDelete:
    """Delete a recipe with all its versions.

    Args:
        name: the recipe
        force: although workflows name it
        dry_run: only say what would be deleted
    """
    with _naming(client, name):
        if dry_run:
            versions = client.recipes.versions(name)
            return {"name": name, "versions": len(versions), "dry_run": True}
        try:
            return client.recipes.delete(name, force=force)
        except ConflictError as error:
            raise _in_use(name, command_error(error)) from None


def render_recipe(
    client: Arcrun,
    name: str,
    inputs: JsonObject | None = None,
    *,
    context: JsonObject | None = None,
    version: int | None = None,
    label: str | None = None,
    recipe: FileText | None = None,
) -> Prompt:
    """Assemble a prompt without asking a model.

    Args:
        name: NAME, NAME@VERSION or NAME@LABEL
        inputs: values by variable
        context: values by path, as in a run, for variables that `inputs` leaves out
        version: instead of @VERSION
        label: instead of @LABEL
        recipe: YAML to render instead of the stored recipe
    """
    with _naming(client, name):
        rendered = client.recipes.render(
            name, inputs, context=context, version=version, label=label, recipe=recipe
        )
    return cast("Prompt", rendered)


def run_recipe_tests(
    client: Arcrun,
    name: str,
    *,
    version: int | None = None,
    label: str | None = None,
    recipe: FileText | None = None,
) -> TestResults:
    """Run the tests that a recipe holds, without asking a model.

    Args:
        name: NAME, NAME@VERSION or NAME@LABEL
        version: instead of @VERSION
        label: instead of @LABEL
        recipe: YAML to test instead of the stored recipe
    """
    with _naming(client, name):
        tested = client.recipes.test(name, version=version, label=label, recipe=recipe)
    return cast("TestResults", tested)


def list_versions(client: Arcrun, name: str, *, limit: int = 50) -> dict[str, Any]:
    """List the versions of a recipe, newest first.

    Args:
        name: the recipe
        limit: how many at most
    """
    with _naming(client, name):
        found = client.recipes.versions(name)
    return {"versions": first(found, limit), "total": len(found)}


def diff_recipe(
    client: Arcrun, name: str, from_version: int, to_version: int | None = None
) -> dict[str, Any]:
    """Compare two versions of a recipe.

    Args:
        name: the recipe
        from_version: the first version
        to_version: the second one; the newest, if left out
    """
    with _naming(client, name):
        return {**client.recipes.diff(name, from_version, to_version)}


def label_recipe(
    client: Arcrun,
    name: str,
    label: str,
    version: int,
    *,
    requires_tests: bool | None = None,
) -> dict[str, Any]:
    """Let a label point to a version; moved back, it is the rollback.

    Args:
        name: the recipe
        label: a word such as production, which counts where none is named
        version: the version that it points to
        requires_tests: from now on it moves only to versions whose tests pass
    """
    with _naming(client, name):
        return {**client.recipes.label(name, label, version, requires_tests=requires_tests)}


def unlabel_recipe(client: Arcrun, name: str, label: str) -> dict[str, Any]:
    """Remove a label; the versions stay.

    Args:
        name: the recipe
        label: the label
    """
    with _naming(client, name):
        return {**client.recipes.unlabel(name, label)}


def backtest_recipe(
    client: Arcrun,
    name: str,
    *,
    runs: int | None = None,
    call: bool = False,
    version: int | None = None,
    label: str | None = None,
    recipe: FileText | None = None,
) -> dict[str, Any]:
    """Compare a version with those that real runs have used, on the values that these recorded.

    Args:
        name: NAME, NAME@VERSION or NAME@LABEL
        runs: with how many of the newest prompts; 50 if left out, with `call` at most 20
        call: ask a model for each prompt that changes, and compare the answers: this costs tokens
        version: instead of @VERSION
        label: instead of @LABEL
        recipe: YAML to compare instead of the stored recipe
    """
    with _naming(client, name):
        return {
            **client.recipes.backtest(
                name, runs=runs, call=call, version=version, label=label, recipe=recipe
            )
        }


def _in_use(name: str, failure: CommandError) -> CommandError:
    """Return the error with the name of the recipe in what can be done next."""
    failure.next = [
        step._replace(arguments=(name,)) if step.command == "recipe delete" else step
        for step in failure.next
    ]
    return failure


def capability_of(_client: Arcrun, arguments: Mapping[str, Any]) -> str:
    """Return the capability that an engine must have for recipes of the kind that the arguments name.

    Raises:
        CommandError: the recipe can't be read.
    """
    if "recipe" in arguments:
        kind = kind_of(parse_document(arguments["recipe"], sentence("the recipe")))
    else:
        kind = arguments.get("kind") or _split(arguments.get("name", ""))[0]
    return KINDS[kind].capability


def kind_of(document: Document) -> str:
    """Return the kind of a recipe: as `id` or `kind` says, else a prompt recipe.

    Raises:
        CommandError: there is no such kind.
    """
    value = document.value
    before, colon, _ = str(value.get("id", "")).partition(":")
    kind = before if colon else value.get("kind", "prompt_recipe")
    if kind not in KINDS:
        place = document.place_of(["id" if colon else "kind"])
        where = {"line": place.line, "column": place.column} if place else {}
        message = sentence(
            "there is no kind of recipe {kind}; the kinds are {names}",
            kind=repr(str(kind)[:40]),
            names=", ".join(KINDS),
        )
        raise CommandError("invalid_recipe", message, details=[{"message": message, **where}])
    return str(kind)


def _checked(client: Arcrun, text: str, document: Document) -> CheckedRecipe:
    """Check a prompt recipe as a push does, and its tests.

    Raises:
        CommandError: it is of another kind, which an engine checks when it stores it.
    """
    kind = kind_of(document)
    name = str(document.value.get("id") or document.value.get("name") or "").rpartition(":")[2]
    if kind != "prompt_recipe":
        raise CommandError(
            "unsupported",
            sentence(
                "only prompt recipes can be checked without a push, and this is one of the kind {kind}",
                kind=kind,
            ),
        )
    tested = client.recipes.test(name, recipe=text)
    return {"name": name, "dry_run": True, "passed": tested["passed"], "tests": tested["tests"]}


def _naming(client: Arcrun, name: str) -> Any:
    kind, whole = _split(name)
    bare = whole.partition("@")[0]

    def names() -> list[str]:
        try:
            found = client.recipes.list(kind=kind)
        except NotFoundError:
            return []
        return [str(each["name"]) for each in found]

    return naming(bare, names, LISTING, "recipe_not_found")


def _split(name: str) -> tuple[Any, str]:
    """Return the kind of recipe that a name names, and what follows."""
    before, colon, rest = name.partition(":")
    return (before if before in KINDS else "prompt_recipe"), (rest if colon else name)
