"""What the commands return that are tools of MCP, whose schemas are made from these types.

What the engine returns as it is has its type in `arcrun._core`. A result with the required field `dry_run` comes only
with the argument of that name.
"""

# Annotations are evaluated here, as in `_core/types.py`: `mcp/schemas.py` reads them.

from typing import Any, Literal, TypedDict

from arcrun._core.recipe_types import RecipeSummary, RecipeTest, RenderedRecipe, TestedRecipe
from arcrun._core.types import (
    ComponentResult,
    PushedWorkflow,
    Run,
    RunSummary,
    RunWarning,
    WorkflowSummary,
)


class _Fault(TypedDict):
    message: str


class Fault(_Fault, total=False):
    """What is wrong, or most likely not meant, and where: by line and column of a text, by path, or by node."""

    line: int
    column: int
    path: str
    node: str
    run_id: str
    placeholder: str
    suggestion: str | None


class _Failure(TypedDict):
    code: str
    message: str
    next: list[str]


class Failure(_Failure, total=False):
    """An error of a command."""

    details: list[Fault]


class StoredWorkflow(PushedWorkflow):
    """Result of `push`."""

    warnings: list[Fault]


class CheckedWorkflow(TypedDict):
    """Result of `validate`."""

    valid: bool
    nodes: int | None
    edges: int | None
    warnings: list[Fault]


class CheckedPush(CheckedWorkflow):
    """Result of `push --dry-run`."""

    name: str
    dry_run: Literal[True]


class NotDeleted(TypedDict):
    """Result of `workflows delete --dry-run`."""

    name: str
    deleted: Literal[False]
    dry_run: Literal[True]


class ListedWorkflows(TypedDict):
    """Result of `workflows list`."""

    workflows: list[WorkflowSummary]
    total: int


class _FollowedRun(TypedDict):
    workflow: str | None
    status: str


class FollowedRun(_FollowedRun, total=False):
    """Result of `run`: a run that has ended or paused, or that was accepted.

    An engine that keeps no runs returns no `run_id`, but the trace.
    """

    run_id: str
    trigger: str
    retry_of: str
    created_at: str
    started_at: str
    ended_at: str | None
    duration_ms: float
    task_id: str
    paused_node: str
    paused_node_id: str
    success: bool
    data: Any
    failed_nodes: list[str]
    trace: list[dict[str, Any]]
    usage: dict[str, Any]
    warnings: list[RunWarning]


class ShownRun(Run, total=False):
    """Result of `runs get` and `runs cancel`."""

    usage: dict[str, Any]


class ListedRuns(TypedDict):
    """Result of `runs list`."""

    runs: list[RunSummary]
    total: int


class ListedRecipes(TypedDict):
    """Result of `recipe list`."""

    recipes: list[RecipeSummary]
    total: int


class Prompt(RenderedRecipe, total=False):
    """Result of `recipe render`."""

    success: bool


class TestResults(TestedRecipe, total=False):
    """Result of `recipe test`."""

    success: bool


class CheckedRecipe(TypedDict):
    """Result of `recipe push --dry-run`."""

    name: str
    dry_run: Literal[True]
    passed: bool
    tests: list[RecipeTest]


class RecipeToDelete(TypedDict):
    """Result of `recipe delete --dry-run`."""

    name: str
    versions: int
    dry_run: Literal[True]


class FoundComponents(TypedDict):
    """Result of `components search`."""

    results: list[ComponentResult]
    total: int


class _StoredBlock(TypedDict):
    id: str
    page_name: str


class StoredBlock(_StoredBlock, total=False):
    """A block of the knowledge base without its text; result of `kb put`."""

    type: str | None
    source: str | None
    metadata: dict[str, Any]
    version: int
    created_at: str
    updated_at: str


class Block(StoredBlock):
    """A block of the knowledge base."""

    content: str


class FoundBlocks(TypedDict):
    """Result of `kb search`."""

    blocks: list[Block]
    total: int


class Page(TypedDict):
    """Result of `kb get`: the blocks of a page or one block, and their text."""

    blocks: list[Block]
    content: str


class BlockToPut(TypedDict):
    """Result of `kb put --dry-run`."""

    page_name: str
    replaces: bool
    dry_run: Literal[True]


class _Service(TypedDict):
    service: str
    required_secrets: list[str]


class Service(_Service, total=False):
    """A service that has an auth recipe, with the names of the secrets that it needs."""

    display_name: str
    category: str
    primitive: str
    base_url: str


class ListedServices(TypedDict):
    """Result of `services`."""

    services: list[Service]
    total: int
