# Generated from _async by scripts/unasync.py: edit there.
"""Recipes of all kinds: stored in versions, labelled; prompt recipes also assembled and tested."""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from arcrun._core import stored_recipes
from arcrun._core.backtest_types import BacktestedRecipe
from arcrun._core.operations import Page
from arcrun._core.recipe_names import (
    PROMPT,
    Kind,
    check_kind,
    check_prompt,
    check_whole,
    reference,
)
from arcrun._core.recipe_types import (
    DeletedRecipe,
    LabeledRecipe,
    PushedRecipe,
    RecipeDiff,
    RecipeKind,
    RecipeSummary,
    RecipeVersion,
    RemovedLabel,
    RenderedRecipe,
    StoredRecipe,
    TestedRecipe,
)
from arcrun._core.request import Request

from .connection import Connection

T = TypeVar("T")


class Recipes:
    """`client.recipes`: the recipes of your API key (docs/contract.md#versions-of-recipes).

    A name is that of a prompt recipe, alone or after `prompt_recipe:`; that of an API recipe stands after `api_recipe:`,
    that of an auth recipe after `auth_recipe:`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def push(
        self,
        recipe: str | Mapping[str, Any],
        *,
        message: str | None = None,
        expected_version: int | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> PushedRecipe:
        """Store a new version of a recipe. Versions never change.

        Args:
            recipe: a mapping; of a prompt recipe, also its text in YAML or JSON. An API recipe or an auth recipe says its
                kind by `kind` (`api_recipe`, `auth_recipe`), or before its name by `id`.
            message: why this version is made.
            expected_version: the number that the newest version must have, so that no change of somebody else is
                lost; 0 for a recipe that must not be there yet.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            BadRequestError: the recipe has faults; `details` says where.
            ConflictError: the newest version is not `expected_version`.
            InvalidArgumentError: an argument is not valid, or the engine has no such recipes.

        Example:
            >>> text = '{id: "prompt_recipe:hello", prompt_assembly: {user: 你好}}'
            >>> result = client.recipes.push(text, message="first version")
            >>> result["name"], result["warnings"]
            ('hello', [])
            >>> weather = {"id": "api_recipe:weather_today", "display_name": "今日天氣", "method": "GET"}
            >>> result = client.recipes.push({**weather, "endpoint": "https://weather.example/{{city}}"})
            >>> result["name"], result["version"]
            ('weather_today', 1)
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        key = os.urandom(16).hex()  # the same for each attempt, which so make one version
        kind = stored_recipes.kind_of(recipe)
        request = stored_recipes.push_recipe(kind, recipe, message, expected_version, key)
        return _send(connection, kind, request)

    def list(
        self,
        *,
        kind: RecipeKind = "prompt_recipe",
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> list[RecipeSummary]:
        """List all recipes of a kind, by name, each with a version and its description.

        Of prompt recipes it is the newest version, of others the one that the name alone means. What is shipped with the
        engine has the version 0, and `shipped`.

        Args:
            kind: `prompt_recipe`, `api_recipe` or `auth_recipe`.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            InvalidArgumentError: there is no such kind, or the engine has no such recipes.
            APIStatusError: the engine refused.

        Example:
            >>> found = client.recipes.list()
            >>> "greet" in [recipe["name"] for recipe in found]
            True
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        chosen = check_kind(kind)

        def page_at(cursor: str | None) -> Request[Page[RecipeSummary]]:
            return stored_recipes.list_recipes(chosen, cursor)

        return _send_all(connection, chosen, page_at)

    def get(
        self,
        name: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> StoredRecipe:
        """Return a version of a recipe as it was pushed, and the recipe's labels.

        Args:
            name: the recipe, as a node writes it: `greet`, `greet@LABEL`, `greet@VERSION`, each also after
                `prompt_recipe:`, `api_recipe:` or `auth_recipe:`. Without a version it is that of the label `production`,
                else the newest.
            version: the version, in place of `@VERSION`.
            label: the label, in place of `@LABEL`.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such recipe, version or label.
            InvalidArgumentError: an argument is not valid, or the engine has no such recipes.

        Example:
            >>> result = client.recipes.get("prompt_recipe:greet@1")
            >>> result["recipe"]["prompt_assembly"]
            {'user': '向 {{name}} 問好'}
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        chosen = reference(name, version, label)
        return _send(connection, chosen.kind, stored_recipes.get_recipe(chosen))

    def delete(
        self,
        name: str,
        *,
        force: bool = False,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> DeletedRecipe:
        """Delete a recipe with its versions and labels.

        Args:
            name: the recipe's name, after its kind unless it is a prompt recipe.
            force: delete it although something names it.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            ConflictError: workflows name the recipe, or API recipes or credentials its service; `details` lists them.
            NotFoundError: there is no such recipe.
            InvalidArgumentError: an argument is not valid, or the engine has no such recipes.

        Example:
            >>> result = client.recipes.delete("greet")
            >>> result["name"]
            'greet'
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        whole = check_whole(name)
        request = stored_recipes.delete_recipe(whole, force=force)
        return _send(connection, whole.kind, request)

    def render(
        self,
        name: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        context: Mapping[str, Any] | None = None,
        fragments: Mapping[str, str] | None = None,
        version: int | None = None,
        label: str | None = None,
        recipe: str | Mapping[str, Any] | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> RenderedRecipe:
        """Assemble a prompt, without asking a model.

        Args:
            name: the recipe, as a node writes it: `greet`, `greet@LABEL`, `greet@VERSION`, each also after
                `prompt_recipe:`. Without a version it is that of the label `production`, else the newest.
            inputs: values by variable.
            context: values by path, as a run has them, for the variables that `inputs` leaves out.
            fragments: texts by variable, instead of those that are stored.
            version: the version, in place of `@VERSION`.
            label: the label, in place of `@LABEL`.
            recipe: a recipe of this name that is not stored, in place of the stored one.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            APIStatusError: the prompt can't be assembled: a value or a fragment is missing (422).
            BadRequestError: `recipe` has faults; `details` says where.
            NotFoundError: there is no such recipe, version or label.
            InvalidArgumentError: an argument is not valid, or the engine has no prompt recipes.

        Example:
            >>> result = client.recipes.render("greet", {"name": "小明"})
            >>> [(message["role"], message["content"]) for message in result["messages"]]
            [('user', '向 小明 問好')]
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        chosen = check_prompt(name, version, label)
        request = stored_recipes.render_recipe(chosen, inputs, context, fragments, recipe)
        return _send(connection, PROMPT, request)

    def test(
        self,
        name: str,
        *,
        version: int | None = None,
        label: str | None = None,
        recipe: str | Mapping[str, Any] | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> TestedRecipe:
        """Run the tests that a recipe brings with it, without asking a model.

        Args:
            name: the recipe, as a node writes it: `greet`, `greet@LABEL`, `greet@VERSION`, each also after
                `prompt_recipe:`. Without a version it is that of the label `production`, else the newest.
            version: the version, in place of `@VERSION`.
            label: the label, in place of `@LABEL`.
            recipe: a recipe of this name that is not stored, in place of the stored one.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            BadRequestError: `recipe` has faults; `details` says where.
            NotFoundError: there is no such recipe, version or label.
            InvalidArgumentError: an argument is not valid, or the engine has no prompt recipes.

        Example:
            >>> result = client.recipes.test("greet")
            >>> result["passed"], [test["name"] for test in result["tests"]]
            (True, ['小明'])
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        request = stored_recipes.run_tests(check_prompt(name, version, label), recipe)
        return _send(connection, PROMPT, request)

    def backtest(
        self,
        name: str,
        *,
        runs: int | None = None,
        call: bool = False,
        version: int | None = None,
        label: str | None = None,
        recipe: str | Mapping[str, Any] | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> BacktestedRecipe:
        """Compare a version with those that runs have used, on the values that these recorded.

        Args:
            name: the recipe, as a node writes it: `greet`, `greet@LABEL`, `greet@VERSION`, each also after
                `prompt_recipe:`. Without a version it is the newest.
            runs: with how many of the newest recorded prompts; None for 50, or with `call` for 20, which is the most.
            call: whether a model is asked for each prompt that changes, and its answer compared. It costs tokens,
                may take minutes (see `timeout`), and is not retried.
            version: the version, in place of `@VERSION`.
            label: the label, in place of `@LABEL`.
            recipe: a recipe of this name that is not stored, in place of the stored one.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            BadRequestError: `recipe` has faults, or `runs` is too high with `call`; `details` says where.
            NotFoundError: there is no such recipe, version or label.
            InvalidArgumentError: an argument is not valid, or the engine has no prompt recipes.

        Example:
            >>> result = client.recipes.backtest("greet", runs=10)
            >>> result["count"], result["changed"]
            (0, 0)
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        chosen = check_prompt(name, version, label)
        request = stored_recipes.backtest_recipe(chosen, runs, call, recipe)
        return _send(connection, PROMPT, request)

    def label(
        self,
        name: str,
        label: str,
        version: int,
        *,
        requires_tests: bool | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> LabeledRecipe:
        """Let a label point to a version. To move it back is the rollback.

        Args:
            name: the recipe's name, after its kind unless it is a prompt recipe.
            label: a word such as `production`, the label that counts where none is named.
            version: the version that it points to.
            requires_tests: whether it moves only to versions whose tests pass; None to leave that as it is.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            ConflictError: the version's tests fail; `details` says which.
            NotFoundError: there is no such recipe or version.
            InvalidArgumentError: an argument is not valid, or the engine has no such recipes.

        Example:
            >>> result = client.recipes.label("greet", "staging", 1, requires_tests=True)
            >>> result["label"], result["version"]
            ('staging', 1)
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        whole = check_whole(name)
        request = stored_recipes.set_label(whole, label, version, requires_tests)
        return _send(connection, whole.kind, request)

    def unlabel(
        self,
        name: str,
        label: str,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> RemovedLabel:
        """Remove a label. The versions stay.

        Args:
            name: the recipe's name, after its kind unless it is a prompt recipe.
            label: the label.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such recipe or label.
            InvalidArgumentError: an argument is not valid, or the engine has no such recipes.

        Example:
            >>> result = client.recipes.unlabel("greet", "production")
            >>> result["label"]
            'production'
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        whole = check_whole(name)
        request = stored_recipes.remove_label(whole, label)
        return _send(connection, whole.kind, request)

    def versions(
        self,
        name: str,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> builtins.list[RecipeVersion]:
        """List all versions of a recipe, newest first.

        Args:
            name: the recipe's name, after its kind unless it is a prompt recipe.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such recipe.
            InvalidArgumentError: an argument is not valid, or the engine has no such recipes.

        Example:
            >>> found = client.recipes.versions("greet")
            >>> [version["version"] for version in found]
            [1]
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        whole = check_whole(name)

        def page_at(cursor: str | None) -> Request[Page[RecipeVersion]]:
            return stored_recipes.list_versions(whole, cursor)

        return _send_all(connection, whole.kind, page_at)

    def diff(
        self,
        name: str,
        from_version: int,
        to_version: int | None = None,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> RecipeDiff:
        """Compare two versions of a recipe.

        Args:
            name: the recipe's name, after its kind unless it is a prompt recipe.
            from_version: the older version.
            to_version: the newer version; None for the newest.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such recipe or version.
            InvalidArgumentError: an argument is not valid, or the engine has no such recipes.

        Example:
            >>> result = client.recipes.diff("greet", 1)
            >>> result["diff"]
            ''
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        whole = check_whole(name)
        request = stored_recipes.diff_recipe(whole, from_version, to_version)
        return _send(connection, whole.kind, request)


def _send(connection: Connection, kind: Kind, request: Request[T]) -> T:
    """Send a request, if the engine has recipes of this kind in versions."""
    request.content()  # what can't be sent is refused before the engine is asked
    connection.key()
    connection.require(kind.capability, kind.what)
    return connection.send(request)


def _send_all(
    connection: Connection, kind: Kind, page: Callable[[str | None], Request[Page[T]]]
) -> list[T]:
    """Get a whole list, if the engine has recipes of this kind in versions."""
    connection.key()
    connection.require(kind.capability, kind.what)
    return connection.send_all(page)
