"""What `recipes.backtest` returns; open to unknown fields, as all results."""

# Annotations are evaluated here, as in `types.py`.

from typing import Any, TypedDict


class MessageDiff(TypedDict):
    """How a message of a prompt changes, as a unified diff."""

    role: str
    diff: str


class _BacktestAnswer(TypedDict):
    status: str


class BacktestAnswer(_BacktestAnswer, total=False):
    """How a model's new answer differs from the recorded one."""

    diff: str
    truncated: bool
    error: str
    llm: dict[str, Any]


class _BacktestRun(TypedDict):
    status: str
    node: str
    version: int


class BacktestRun(_BacktestRun, total=False):
    """What a version changes of the prompt of one run; `run_id` is None for a run that is not kept."""

    run_id: str | None
    created_at: str
    messages: list[MessageDiff]
    truncated: bool
    error: str
    answer: BacktestAnswer


class _BacktestedRecipe(TypedDict):
    count: int
    changed: int
    runs: list[BacktestRun]


class BacktestedRecipe(_BacktestedRecipe, total=False):
    """Result of `recipes.backtest`; `version` is None for a recipe that is not stored."""

    recipe: str
    version: int | None
    unchanged: int
    failed: int
    skipped: int
    usage: dict[str, Any]
