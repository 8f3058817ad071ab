# Generated from _async by scripts/unasync.py: edit there.
"""Prompt recipes: stored in versions, labelled, assembled, tested."""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from arcrun._core import prompt_recipes
from arcrun._core.operations import Page
from arcrun._core.prompt_recipes import check_name, reference
from arcrun._core.request import Request
from arcrun._core.types import (
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

from .connection import Connection

T = TypeVar("T")


class Recipes:
    """`client.recipes`: the prompt recipes of your API key (docs/prompt-recipes.md)."""

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
            recipe: its text in YAML or JSON, or a mapping.
            message: why this version is made.
            expected_version: the number that the newest version must have, so that no change of somebody else is
                lost; 0 for a recipe that must not be there yet.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            BadRequestError: the recipe has faults; `details` says where.
            ConflictError: the newest version is not `expected_version`.
            InvalidArgumentError: an argument is not valid, or the engine has no prompt recipes.

        Example:
            >>> text = '{id: "prompt_recipe:hello", prompt_assembly: {user: 你好}}'
            >>> result = client.recipes.push(text, message="first version")
            >>> result["name"], result["warnings"]
            ('hello', [])
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        key = os.urandom(16).hex()  # the same for each attempt, which so make one version
        request = prompt_recipes.push_recipe(recipe, message, expected_version, key)
        return _send(connection, request)

    def list(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> list[RecipeSummary]:
        """List all recipes, by name: the newest version of each, and its description.

        Args:
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            InvalidArgumentError: the engine has no prompt recipes.
            APIStatusError: the engine refused.

        Example:
            >>> found = client.recipes.list()
            >>> "greet" in [recipe["name"] for recipe in found]
            True
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        return _send_all(connection, prompt_recipes.list_recipes)

    def get(
        self,
        name: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> PromptRecipe:
        """Return a version of a recipe as it was pushed, and the recipe's labels.

        Args:
            name: the recipe, as a node writes it: `greet`, `greet@LABEL`, `greet@VERSION`, each also after
                `prompt_recipe:`. Without a version it is that of the label `production`, else the newest.
            version: the version, in place of `@VERSION`.
            label: the label, in place of `@LABEL`.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such recipe, version or label.
            InvalidArgumentError: an argument is not valid, or the engine has no prompt recipes.

        Example:
            >>> result = client.recipes.get("prompt_recipe:greet@1")
            >>> result["recipe"]["prompt_assembly"]
            {'user': '向 {{name}} 問好'}
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        request = prompt_recipes.get_recipe(reference(name, version, label))
        return _send(connection, request)

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
            name: the recipe's name.
            force: delete it although workflows name it.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            ConflictError: workflows name the recipe; `details` lists them.
            NotFoundError: there is no such recipe.
            InvalidArgumentError: an argument is not valid, or the engine has no prompt recipes.

        Example:
            >>> result = client.recipes.delete("greet")
            >>> result["name"]
            'greet'
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        request = prompt_recipes.delete_recipe(check_name(name), force=force)
        return _send(connection, request)

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
        chosen = reference(name, version, label)
        request = prompt_recipes.render_recipe(chosen, inputs, context, fragments, recipe)
        return _send(connection, request)

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
        request = prompt_recipes.run_tests(reference(name, version, label), recipe)
        return _send(connection, request)

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
            name: the recipe's name.
            label: a word such as `production`, the label that counts where none is named.
            version: the version that it points to.
            requires_tests: whether it moves only to versions whose tests pass; None to leave that as it is.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            ConflictError: the version's tests fail; `details` says which.
            NotFoundError: there is no such recipe or version.
            InvalidArgumentError: an argument is not valid, or the engine has no prompt recipes.

        Example:
            >>> result = client.recipes.label("greet", "staging", 1, requires_tests=True)
            >>> result["label"], result["version"]
            ('staging', 1)
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        request = prompt_recipes.set_label(check_name(name), label, version, requires_tests)
        return _send(connection, request)

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
            name: the recipe's name.
            label: the label.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such recipe or label.
            InvalidArgumentError: an argument is not valid, or the engine has no prompt recipes.

        Example:
            >>> result = client.recipes.unlabel("greet", "production")
            >>> result["label"]
            'production'
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        request = prompt_recipes.remove_label(check_name(name), label)
        return _send(connection, request)

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
            name: the recipe's name.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such recipe.
            InvalidArgumentError: an argument is not valid, or the engine has no prompt recipes.

        Example:
            >>> found = client.recipes.versions("greet")
            >>> [version["version"] for version in found]
            [1]
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        bare = check_name(name)

        def page_at(cursor: str | None) -> Request[Page[RecipeVersion]]:
            return prompt_recipes.list_versions(bare, cursor)

        return _send_all(connection, page_at)

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
            name: the recipe's name.
            from_version: the older version.
            to_version: the newer version; None for the newest.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such recipe or version.
            InvalidArgumentError: an argument is not valid, or the engine has no prompt recipes.

        Example:
            >>> result = client.recipes.diff("greet", 1)
            >>> result["diff"]
            ''
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        request = prompt_recipes.diff_recipe(check_name(name), from_version, to_version)
        return _send(connection, request)


def _send(connection: Connection, request: Request[T]) -> T:
    """Send a request, if the engine has prompt recipes."""
    request.content()  # what can't be sent is refused before the engine is asked
    connection.key()
    connection.require(prompt_recipes.CAPABILITY, "prompt recipes")
    return connection.send(request)


def _send_all(
    connection: Connection, page: Callable[[str | None], Request[Page[T]]]
) -> list[T]:
    """Get a whole list, if the engine has prompt recipes."""
    connection.key()
    connection.require(prompt_recipes.CAPABILITY, "prompt recipes")
    return connection.send_all(page)
