"""What the methods of `client.recipes` return, and what they take."""

# Annotations are evaluated here, as in `types.py`.

from typing import Any, Literal, TypedDict

RecipeKind = Literal["prompt_recipe", "api_recipe", "auth_recipe"]
"""The kinds of recipes that `client.recipes` manages."""


class RecipeLabel(TypedDict, total=False):
    """Where a label of a recipe points."""

    version: int
    requires_tests: bool


class _StoredRecipe(TypedDict):
    name: str
    version: int
    recipe: dict[str, Any]


class StoredRecipe(_StoredRecipe, total=False):
    """Result of `recipes.get`: a version of a recipe, and the recipe's labels.

    `source` is the text that was pushed, to the letter; it is missing if a mapping was pushed. A recipe that is
    shipped with the engine is version 0, and has no time.
    """

    id: str
    source: str
    message: str | None
    created_at: str | None
    shipped: bool
    labels: dict[str, RecipeLabel]


class _PushedRecipe(_StoredRecipe):
    warnings: list[str]


class PushedRecipe(_PushedRecipe, total=False):
    """Result of `recipes.push`: the new version, and what is probably not meant."""

    id: str
    source: str
    message: str | None
    created_at: str | None


class _RecipeSummary(TypedDict):
    name: str


class RecipeSummary(_RecipeSummary, total=False):
    """One entry of `recipes.list`: of prompt recipes with the newest version, of others with that of the name alone.

    A recipe that is shipped with the engine is version 0.
    """

    version: int
    description: str
    shipped: bool


class _DeletedRecipe(TypedDict):
    name: str


class DeletedRecipe(_DeletedRecipe, total=False):
    """Result of `recipes.delete`."""

    success: bool


class RecipeVersion(TypedDict, total=False):
    """One entry of `recipes.versions`."""

    version: int
    message: str | None
    created_at: str


RecipeDiff = TypedDict("RecipeDiff", {"name": str, "from": int, "to": int, "diff": str})
"""Result of `recipes.diff`: a unified diff, empty if there is no difference."""


class PromptRange(TypedDict):
    """Where a range of a message's characters comes from."""

    start: int
    end: int
    origin: dict[str, Any]


class _PromptMessage(TypedDict):
    role: str
    content: str


class PromptMessage(_PromptMessage, total=False):
    """A message of an assembled prompt."""

    ranges: list[PromptRange]


class _RenderedRecipe(TypedDict):
    messages: list[PromptMessage]


class RenderedRecipe(_RenderedRecipe, total=False):
    """Result of `recipes.render`; `version` is None for a recipe that is not stored."""

    recipe: str
    version: int | None
    estimated_tokens: int
    warnings: list[str]


class RecipeTest(TypedDict):
    """How a test of a prompt recipe ended."""

    name: str
    passed: bool
    failures: list[str]


class _TestedRecipe(TypedDict):
    passed: bool
    tests: list[RecipeTest]


class TestedRecipe(_TestedRecipe, total=False):
    """Result of `recipes.test`; `version` is None for a recipe that is not stored."""

    recipe: str
    version: int | None


class _LabeledRecipe(TypedDict):
    name: str
    label: str
    version: int


class LabeledRecipe(_LabeledRecipe, total=False):
    """Result of `recipes.label`."""

    requires_tests: bool


class _RemovedLabel(TypedDict):
    name: str
    label: str


class RemovedLabel(_RemovedLabel, total=False):
    """Result of `recipes.unlabel`."""

    success: bool
