"""What requests must look like: the contract's request schemas, as types that pydantic checks.

They are dictionaries, not objects: a field that was left out stays left out, and null is no way to leave
one out. Where the contract says `additionalProperties: false`, unknown fields are refused.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import NotRequired, TypedDict

CREDENTIAL_NAME = re.compile(r"(?!catalog\Z)[A-Za-z0-9_]{1,128}")
CREDENTIAL_NAME_RULE = (
    "1 to 128 letters, digits and underscores (A-Z a-z 0-9 _); 'catalog' is reserved"
)
WORKFLOW_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
WORKFLOW_NAME_RULE = "1 to 128 letters, digits, underscores and hyphens (A-Z a-z 0-9 _ -)"
SERVICE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
SERVICE_NAME_RULE = (
    "a lower-case letter, then up to 63 lower-case letters, digits and underscores (a-z 0-9 _)"
)

closed = with_config(ConfigDict(strict=True, extra="forbid"))
_open = with_config(ConfigDict(strict=True, extra="allow"))


def matching(pattern: re.Pattern[str], rule: str) -> AfterValidator:
    """Return the check that a text matches a pattern in full; the rule says the same in words."""

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise PydanticCustomError("pattern", "{rule}", {"rule": rule})
        return value

    return AfterValidator(check)


CredentialName = Annotated[str, matching(CREDENTIAL_NAME, CREDENTIAL_NAME_RULE)]
WorkflowName = Annotated[str, matching(WORKFLOW_NAME, WORKFLOW_NAME_RULE)]
ServiceName = Annotated[str, matching(SERVICE_NAME, SERVICE_NAME_RULE)]
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


@_open
class Node(TypedDict):
    """A node of a compiled graph."""

    id: Annotated[str, Field(min_length=1, max_length=256)]
    type: Literal["Input", "Component", "Output"]
    componentId: NotRequired[Annotated[str, Field(min_length=1, max_length=2048)]]
    label: NotRequired[str]
    data: NotRequired[dict[str, Any]]


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
_open(Edge)


@closed
class Graph(TypedDict):
    """A compiled graph (CONTRACT.md §5)."""

    id: NotRequired[str]
    name: NotRequired[str]
    nodes: Annotated[list[Node], Field(min_length=1, max_length=1000)]
    edges: Annotated[list[Edge], Field(max_length=5000)]


@closed
class WorkflowPush(TypedDict):
    """`POST /webhooks/named`."""

    name: WorkflowName
    # The engine checks it, and says better what is wrong in it; then `GRAPH` has the last word.
    graph: Any
    description: Annotated[
        str,
        Field(min_length=1, max_length=4096),
        matching(re.compile(r"(?s).*\S.*"), "it must say something"),
    ]
    config: NotRequired[dict[str, Any]]


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


@closed
class TripletExecution(TypedDict):
    """`POST /cypher/execute`."""

    triplets: Triplets
    context: NotRequired[dict[str, Any]]
    config: NotRequired[dict[str, dict[str, Any]]]


# Built once: making the checker is what costs.
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
