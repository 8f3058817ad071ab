"""The data types of workflows: problems, triplets, graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypedDict

MAX_PROBLEMS = 50
"""How many problems are reported at once; finding a suggestion takes time for each."""

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object as Python's `json` reads it."""

NodeType = Literal["Input", "Component", "Output"]

EdgeType = Literal[
    "PIPE",
    "ON_SUCCESS",
    "ON_FAIL",
    "IF",
    "ON_TRUE",
    "ON_FALSE",
    "ON_BRANCH",
    "FOREACH",
    "CALLS_SUBFLOW",
    "ON_CLICK",
    "CONTINUE",
    "IS_A",
    "CONTAINS",
    "HAS_STYLE",
    "HAS_BEHAVIOR",
]


class _NodeRequired(TypedDict):
    id: str
    type: NodeType


class Node(_NodeRequired, total=False):
    """A node of a compiled graph (docs/contract.md#workflow-graphs)."""

    componentId: str
    label: str
    data: JsonObject
    retry: JsonObject
    timeout_seconds: float
    on_failure: str
    repeatable: bool
    concurrency: int


_EdgeRequired = TypedDict("_EdgeRequired", {"from": str, "to": str, "type": EdgeType})


class Edge(_EdgeRequired, total=False):
    """An edge of a compiled graph (docs/contract.md#workflow-graphs)."""

    condition: str
    iterator: str
    branch: str


class _GraphRequired(TypedDict):
    nodes: list[Node]
    edges: list[Edge]


class Graph(_GraphRequired, total=False):
    """A compiled graph in its wire form (docs/contract.md#workflow-graphs)."""

    id: str
    name: str
    strict: bool
    retry: JsonObject
    timeout_seconds: float
    on_failure: str
    repeatable: bool
    on_failure_workflow: str
    max_running: int
    when_full: str
    cron: JsonObject


def readable(text: str, most: int = 500) -> str:
    """Return a text that is fit for responses and logs: of bounded length, and valid UTF-8.

    Example:
        >>> readable("half " + chr(0xD83D)).isascii(), readable("長" * 9, 5)
        (True, '長長長長…')
    """
    short = text if len(text) <= most else text[: most - 1] + "…"
    return short.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a flow or a graph.

    Attributes:
        message: What is wrong and what to do about it, a full sentence.
        line: The flow line, counted from 1.
        column: The column in that line in characters, counted from 1.
        path: The path in a graph or a config, such as `edges[0].type`.
        suggestion: What was probably meant, ready to replace the wrong text.
        code: The error code of a response that reports this problem.

    Example:
        >>> str(Problem("An edge label is missing.", line=2, column=6))
        'line 2, column 6: An edge label is missing.'
    """

    message: str
    line: int | None = None
    column: int | None = None
    path: str | None = None
    suggestion: str | None = None
    code: str = "invalid_graph"

    def __post_init__(self) -> None:
        # They quote what was sent, which may be anything.
        object.__setattr__(self, "message", readable(self.message))
        if self.path is not None:
            object.__setattr__(self, "path", readable(self.path))
        if self.suggestion is not None:
            object.__setattr__(self, "suggestion", readable(self.suggestion))

    def __str__(self) -> str:
        if self.line is not None:
            where = f"line {self.line}" + (f", column {self.column}" if self.column else "")
            return f"{where}: {self.message}"
        return f"{self.path}: {self.message}" if self.path else self.message


class FlowError(ValueError):
    """A flow that can't be compiled; carries every problem that was found.

    Attributes:
        problems: The problems in the order of the flow, never empty.
    """

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class Triplet:
    """One parsed flow line `FROM >> EDGE >> TO`.

    Attributes:
        line: Its number in the flow, counted from 1.
        source: The name before the edge, as it was written.
        label: The edge label as it was written.
        target: The name after the edge, as it was written.
        type: The edge type that the label stands for.
        condition: The condition of an IF.
        iterator: The iterator of a FOREACH (`item` if the line names none).
        branch: The branch of an ON_BRANCH.
    """

    line: int
    source: str
    label: str
    target: str
    type: EdgeType
    condition: str | None = None
    iterator: str | None = None
    branch: str | None = None


class SearchResult(TypedDict):
    """The body of a response to `POST /cypher/search` (docs/contract.md#routes)."""

    version: str
    timestamp: str
    triplets: list[JsonObject]
    nodes: list[JsonObject]
    cypher: JsonObject
    missing: list[str]
