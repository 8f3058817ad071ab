"""The contract's request schemas, as types that pydantic checks.

Where the contract says `additionalProperties: false`, unknown fields are refused.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import NotRequired, TypedDict

from arcrun_server.engine.model import EdgeType
from arcrun_server.validation import (
    CredentialName,
    ServiceName,
    WorkflowName,
    closed,
    extensible,
    matching,
)

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


@extensible
class Node(TypedDict):
    """A node of a compiled graph."""

    id: Annotated[str, Field(min_length=1, max_length=256)]
    type: Literal["Input", "Component", "Output"]
    componentId: NotRequired[Annotated[str, Field(min_length=1, max_length=2048)]]
    label: NotRequired[str]
    data: NotRequired[dict[str, Any]]


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
class Graph(TypedDict):
    """A compiled graph (docs/contract.md#workflow-graphs)."""

    id: NotRequired[str]
    name: NotRequired[str]
    strict: NotRequired[bool]
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
        matching(re.compile(r"(?s).*\S.*"), "it must not be blank"),
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


# Built once: building a validator is slow, using it is not.
SEALED_PUSH = TypeAdapter(SealedPush)
PLAIN_PUSH = TypeAdapter(PlainPush)
SEALED_REPLACEMENT = TypeAdapter(SealedReplacement)
PLAIN_REPLACEMENT = TypeAdapter(PlainReplacement)
WORKFLOW_PUSH = TypeAdapter(WorkflowPush)
GRAPH = TypeAdapter(Graph)
TRIPLET_SEARCH = TypeAdapter(TripletSearch)
EXECUTION = TypeAdapter(Execution)
TRIPLET_EXECUTION = TypeAdapter(TripletExecution)
RUN_INPUT = TypeAdapter(dict[str, Any], config=ConfigDict(strict=True))
