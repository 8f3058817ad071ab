"""The contract's request schemas, as types that pydantic checks.

Where the contract says `additionalProperties: false`, unknown fields are refused.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import NotRequired, TypedDict

from arcrun_server.accounts.keys import API_KEY
from arcrun_server.accounts.labels import LABEL, LABEL_RULE
from arcrun_server.engine.characters import NOT_BLANK
from arcrun_server.engine.cron_expression import LONGEST
from arcrun_server.engine.model import EdgeType
from arcrun_server.engine.policy import (
    MAX_BACKOFF_SECONDS,
    MAX_CONCURRENCY,
    MAX_RUNNING,
    MAX_TIMEOUT_SECONDS,
    MAX_TIMES,
    OnFailure,
    WhenFull,
)
from arcrun_server.engine.webhook import HEADER_NAME, HEADER_NAME_RULE, MAX_HEADERS
from arcrun_server.kbdb.blocks import (
    BLOCK_ID,
    BLOCK_ID_RULE,
    LONGEST_CONTENT,
    LONGEST_PAGE_NAME,
    LONGEST_SOURCE,
    LONGEST_TYPE,
    MOST_TEXTS,
)
from arcrun_server.recipes.prompt.document import MAX_CHARACTERS
from arcrun_server.store.recorded_prompts import KEPT
from arcrun_server.validation import (
    CredentialName,
    ExpectedVersion,
    ServiceName,
    VersionMessage,
    WorkflowName,
    closed,
    extensible,
    matching,
    whole_numbers,
)

_NOT_BLANK = matching(NOT_BLANK, "it must not be blank")
Sensitivity = Literal["standard", "high"]
SecretValue = Annotated[str, Field(min_length=1, max_length=65536)]
Ciphertext = Annotated[
    str,
    Field(min_length=24, max_length=131072),
    matching(
        re.compile(
            r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)"
        ),
        "base64 (standard alphabet, padded) of ciphertext and 16-byte tag",
    ),
]
InitializationVector = Annotated[
    str, matching(re.compile(r"[A-Za-z0-9+/]{16}"), "base64 (standard alphabet) of 12 bytes")
]


@closed
class SealedReplacement(TypedDict):
    """`PUT /credentials/{name}`, sealed."""

    encrypted: Ciphertext
    iv: InitializationVector
    service: NotRequired[ServiceName]
    sensitivity: NotRequired[Sensitivity]


@closed
class PlainReplacement(TypedDict):
    """`PUT /credentials/{name}`, plain."""

    value: SecretValue
    service: NotRequired[ServiceName]
    sensitivity: NotRequired[Sensitivity]


@closed
class SealedPush(TypedDict):
    """`POST /credentials`, sealed."""

    name: CredentialName
    encrypted: Ciphertext
    iv: InitializationVector
    service: NotRequired[ServiceName]
    sensitivity: NotRequired[Sensitivity]


@closed
class PlainPush(TypedDict):
    """`POST /credentials`, plain."""

    name: CredentialName
    value: SecretValue
    service: NotRequired[ServiceName]
    sensitivity: NotRequired[Sensitivity]


@closed
class Retry(TypedDict):
    """How a failed invocation is repeated; the engine checks it first, with better messages."""

    times: Annotated[int, Field(ge=0, le=MAX_TIMES), whole_numbers]
    backoff_seconds: NotRequired[Annotated[float, Field(ge=0, le=MAX_BACKOFF_SECONDS)]]
    on: NotRequired[Annotated[list[int | str], Field(min_length=1, max_length=100)]]


_TimeoutSeconds = Annotated[float, Field(gt=0, le=MAX_TIMEOUT_SECONDS)]


@extensible
class Node(TypedDict):
    """A node of a compiled graph."""

    id: Annotated[str, Field(min_length=1, max_length=256)]
    type: Literal["Input", "Component", "Output"]
    componentId: NotRequired[Annotated[str, Field(min_length=1, max_length=2048)]]
    label: NotRequired[str]
    data: NotRequired[dict[str, Any]]
    retry: NotRequired[Retry]
    timeout_seconds: NotRequired[_TimeoutSeconds]
    on_failure: NotRequired[OnFailure]
    repeatable: NotRequired[bool]
    concurrency: NotRequired[Annotated[int, Field(ge=1, le=MAX_CONCURRENCY), whole_numbers]]


_EndOfEdge = Annotated[str, Field(min_length=1, max_length=256)]
Edge = TypedDict(
    "Edge",
    {
        "from": _EndOfEdge,
        "to": _EndOfEdge,
        "type": EdgeType,
        "condition": NotRequired[str],
        "iterator": NotRequired[str],
        "branch": NotRequired[str],
    },
)
extensible(Edge)


@closed
class CronSchedule(TypedDict):
    """When a workflow runs by itself (docs/contract.md#schedules)."""

    expr: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    timezone: NotRequired[Annotated[str, Field(min_length=1, max_length=64)]]


@closed
class Webhook(TypedDict):
    """What triggers a workflow besides its account; the engine checks it first, with better messages."""

    secret: CredentialName
    headers: NotRequired[
        Annotated[
            list[Annotated[str, matching(HEADER_NAME, HEADER_NAME_RULE)]],
            Field(max_length=MAX_HEADERS),
        ]
    ]


@closed
class Graph(TypedDict):
    """A compiled graph (docs/contract.md#workflow-graphs)."""

    id: NotRequired[str]
    name: NotRequired[str]
    strict: NotRequired[bool]
    retry: NotRequired[Retry]
    timeout_seconds: NotRequired[_TimeoutSeconds]
    on_failure: NotRequired[OnFailure]
    repeatable: NotRequired[bool]
    on_failure_workflow: NotRequired[WorkflowName]
    max_running: NotRequired[Annotated[int, Field(ge=1, le=MAX_RUNNING), whole_numbers]]
    when_full: NotRequired[WhenFull]
    cron: NotRequired[CronSchedule]
    webhook: NotRequired[Webhook]
    nodes: Annotated[list[Node], Field(min_length=1, max_length=1000)]
    edges: Annotated[list[Edge], Field(max_length=5000)]


@closed
class WorkflowPush(TypedDict):
    """`POST /webhooks/named`."""

    name: WorkflowName
    # The engine checks it first, with better messages; then `GRAPH` checks it against the contract.
    graph: Any
    description: Annotated[
        str,
        Field(min_length=1, max_length=4096),
        _NOT_BLANK,
    ]
    config: NotRequired[dict[str, Any]]
    strict: NotRequired[bool]


Triplets = Annotated[
    list[Annotated[str, Field(max_length=1024)]], Field(min_length=1, max_length=1000)
]


@closed
class TripletSearch(TypedDict):
    """`POST /cypher/search`."""

    triplets: Triplets
    mode: NotRequired[Literal["compile"]]


@closed
class Execution(TypedDict):
    """`POST /execute`."""

    graph: Any  # as in `WorkflowPush`
    context: NotRequired[dict[str, Any]]
    strict: NotRequired[bool]


@closed
class TripletExecution(TypedDict):
    """`POST /cypher/execute`."""

    triplets: Triplets
    context: NotRequired[dict[str, Any]]
    config: NotRequired[dict[str, dict[str, Any]]]
    strict: NotRequired[bool]


def _long(longest: int, *, least: int = 0) -> Any:
    return Field(min_length=least, max_length=longest)


_PageName = Annotated[
    str,
    _long(LONGEST_PAGE_NAME, least=1),
    _NOT_BLANK,
]
_Content = Annotated[str, _long(LONGEST_CONTENT)]
_BlockType = Annotated[str, _long(LONGEST_TYPE)] | None
_BlockSource = Annotated[str, _long(LONGEST_SOURCE)] | None


@closed
class BlockCreation(TypedDict):
    """`POST /kbdb/blocks`."""

    id: NotRequired[Annotated[str, matching(BLOCK_ID, BLOCK_ID_RULE)]]
    page_name: _PageName
    content: _Content
    type: NotRequired[_BlockType]
    source: NotRequired[_BlockSource]
    metadata: NotRequired[dict[str, Any]]


@closed
class BlockChanges(TypedDict):
    """`PATCH /kbdb/blocks/{id}`."""

    page_name: NotRequired[_PageName]
    content: NotRequired[_Content]
    type: NotRequired[_BlockType]
    source: NotRequired[_BlockSource]
    metadata: NotRequired[dict[str, Any]]


@closed
class BlockIngest(TypedDict):
    """`POST /kbdb/blocks/ingest`."""

    text: _Content | Annotated[list[_Content], _long(MOST_TEXTS)]
    page_name: _PageName
    type: NotRequired[_BlockType]
    source: NotRequired[_BlockSource]
    metadata: NotRequired[dict[str, Any]]


_Recipe = Annotated[str, _long(MAX_CHARACTERS)] | dict[str, Any]
_RecipeVersion = Annotated[int, Field(ge=1, le=999_999_999), whole_numbers]


@closed
class PromptPush(TypedDict):
    """`POST /prompt-recipes`."""

    recipe: _Recipe
    message: NotRequired[VersionMessage]
    expected_version: NotRequired[ExpectedVersion]


@closed
class PromptRender(TypedDict):
    """`POST /prompt-recipes/{name}/render`."""

    recipe: NotRequired[_Recipe]
    context: NotRequired[dict[str, Any]]
    inputs: NotRequired[dict[str, Any]]
    fragments: NotRequired[dict[str, Annotated[str, _long(LONGEST_CONTENT)]]]


@closed
class PromptTest(TypedDict):
    """`POST /prompt-recipes/{name}/test`."""

    recipe: NotRequired[_Recipe]


@closed
class PromptBacktest(TypedDict):
    """`POST /prompt-recipes/{name}/backtest`."""

    recipe: NotRequired[_Recipe]
    runs: NotRequired[Annotated[int, Field(ge=1, le=KEPT), whole_numbers]]
    call: NotRequired[bool]


@closed
class PromptText(TypedDict):
    """`PUT /prompt-texts/{key}`."""

    text: Annotated[str, _long(LONGEST_CONTENT)]


@closed
class KeyLabel(TypedDict):
    """`PUT /me/api-key`."""

    label: Annotated[str, matching(LABEL, LABEL_RULE)]


@closed
class KeyProposal(TypedDict):
    """`PUT /me/api-key/rotate`."""

    api_key: NotRequired[
        Annotated[str, matching(API_KEY, "a key is ak_ and 48 hexadecimal digits in lower case")]
    ]


@closed
class LabelChange(TypedDict):
    """`PUT …/labels/{label}` of a recipe of any kind."""

    version: _RecipeVersion
    requires_tests: NotRequired[bool]


# Built once: building a validator is slow, using it is not.
SEALED_PUSH = TypeAdapter(SealedPush)
PLAIN_PUSH = TypeAdapter(PlainPush)
SEALED_REPLACEMENT = TypeAdapter(SealedReplacement)
PLAIN_REPLACEMENT = TypeAdapter(PlainReplacement)
WORKFLOW_PUSH = TypeAdapter(WorkflowPush)
# `POST /runs/{run_id}/retry`.
RunRetry = TypedDict(
    "RunRetry", {"from": NotRequired[Annotated[str, _long(256)]], "latest": NotRequired[bool]}
)
closed(RunRetry)


@closed
class Resume(TypedDict):
    """`POST /workflows/resume`."""

    task_id: NotRequired[Annotated[str, Field(min_length=1, max_length=256)]]
    success: NotRequired[bool]
    data: NotRequired[Any]
    error: NotRequired[str | None]


GRAPH = TypeAdapter(Graph)
TRIPLET_SEARCH = TypeAdapter(TripletSearch)
EXECUTION = TypeAdapter(Execution)
TRIPLET_EXECUTION = TypeAdapter(TripletExecution)
BLOCK_CREATION = TypeAdapter(BlockCreation)
BLOCK_CHANGES = TypeAdapter(BlockChanges)
BLOCK_INGEST = TypeAdapter(BlockIngest)
PROMPT_PUSH = TypeAdapter(PromptPush)
PROMPT_RENDER = TypeAdapter(PromptRender)
PROMPT_TEST = TypeAdapter(PromptTest)
PROMPT_BACKTEST = TypeAdapter(PromptBacktest)
PROMPT_TEXT = TypeAdapter(PromptText)
KEY_LABEL = TypeAdapter(KeyLabel)
KEY_PROPOSAL = TypeAdapter(KeyProposal)
LABEL_CHANGE = TypeAdapter(LabelChange)
RUN_RETRY = TypeAdapter(RunRetry)
RESUME = TypeAdapter(Resume)
RUN_INPUT = TypeAdapter(dict[str, Any], config=ConfigDict(strict=True))
