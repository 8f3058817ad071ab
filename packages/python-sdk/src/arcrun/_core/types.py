"""The results of the methods: dictionaries with the field names of the API, open to unknown fields."""

# Annotations are evaluated here, not kept as text: a TypedDict compiles each text, at import.

from collections.abc import Mapping
from typing import Any, Generic, Literal, TypedDict, TypeVar

T = TypeVar("T")

CredentialFormat = Literal["sealed", "plain"]
Sensitivity = Literal["standard", "high"]


class _Health(TypedDict):
    ok: bool


class _DatabaseHealth(TypedDict):
    ok: bool
    kind: str


class _QueueHealth(TypedDict):
    queued: int
    oldest_seconds: float


class Health(_Health, total=False):
    """Result of `health()`; `capabilities` is missing on engines that have none."""

    bundle_version: str
    capabilities: list[str]
    database: _DatabaseHealth
    queue: _QueueHealth


class _RequiredSecret(TypedDict):
    key: str


class RequiredSecret(_RequiredSecret, total=False):
    """One secret that a service needs, and where to find it."""

    label: str
    help: str
    help_url: str
    optional: bool


class TokenExchange(TypedDict, total=False):
    """Where a service account's assertion is exchanged, and for which scopes."""

    endpoint: str
    scopes: list[str]


class OAuth2(TypedDict, total=False):
    """How an access token is refreshed; values may be templates."""

    token_endpoint: str
    client_id: str
    client_secret: str
    refresh_token: str
    scopes: list[str]


class _AuthRecipe(TypedDict):
    service: str
    primitive: Literal["static_key", "service_account", "oauth2", "mtls"]
    base_url: str
    required_secrets: list[RequiredSecret]


class AuthRecipe(_AuthRecipe, total=False):
    """How requests to a service are authenticated (docs/contract.md#auth-recipes)."""

    kind: str
    version: int
    display_name: str
    description: str
    category: str
    deprecated: bool
    inject: dict[str, dict[str, str]]
    service_account_kind: str
    token_exchange: TokenExchange
    oauth2: OAuth2


class SetupResult(TypedDict):
    """Result of `auth.setup`: the names that the secrets were stored under."""

    service: str
    account: str | None
    stored: list[str]


class _PushedCredential(TypedDict):
    name: str


class PushedCredential(_PushedCredential, total=False):
    """Result of `creds.push`."""

    success: bool
    service: str | None
    sensitivity: str


class _Credential(TypedDict):
    name: str


class Credential(_Credential, total=False):
    """One entry of `creds.list`, without the value; times are Unix seconds."""

    service: str | None
    sensitivity: str
    created_at: int
    last_used_at: int | None


class _DeletedCredential(TypedDict):
    name: str


class DeletedCredential(_DeletedCredential, total=False):
    """Result of `creds.delete`."""

    success: bool


class _PushedWorkflow(TypedDict):
    name: str


class PushedWorkflow(_PushedWorkflow, total=False):
    """Result of `workflows.push`."""

    webhook_url: str
    hook_url: str
    description: str
    created_at: Any


class _WorkflowSummary(TypedDict):
    name: str


class WorkflowSummary(_WorkflowSummary, total=False):
    """One entry of `workflows.list`."""

    description: str
    created_at: Any
    cron_expr: str | None
    webhook_url: str
    hook_url: str


class _Workflow(TypedDict):
    name: str
    graph: dict[str, Any]


class Workflow(_Workflow, total=False):
    """Result of `workflows.get`."""

    hook_url: str
    description: str
    config: dict[str, Any] | None
    created_at: Any


class DeletedWorkflow(TypedDict):
    """Result of `workflows.delete`."""

    deleted: bool
    name: str


class RunWarning(TypedDict, total=False):
    """Something in a workflow that is probably not what was meant: a placeholder without a value."""

    node: str
    placeholder: str


class _RunResult(TypedDict):
    data: Any


class RunResult(_RunResult, total=False):
    """Result of `workflows.run`: `data`, or with `run_async` instead that it was `accepted`.

    `failed_nodes` names nodes that failed although the run went on. `usage` is what was used of language models.
    """

    success: bool
    duration_ms: float
    trace: list[dict[str, Any]]
    accepted: bool
    run_id: str
    warnings: list[RunWarning]
    failed_nodes: list[str]
    usage: dict[str, Any]


RunStatus = Literal["queued", "running", "paused", "succeeded", "partial", "failed", "cancelled"]
"""How far a run is, or how it ended."""


class _RunSummary(TypedDict):
    run_id: str
    status: str


class RunSummary(_RunSummary, total=False):
    """One entry of `runs.list`.

    `task_id` is what a paused run waits for.
    """

    workflow: str | None
    trigger: str
    retry_of: str
    created_at: Any
    started_at: Any
    ended_at: Any
    error: str
    failed_node: str
    task_id: str
    paused_node_id: str


class Run(RunSummary, total=False):
    """Result of `runs.get` and `runs.cancel`: what the run was given, how far it is, how it ended."""

    input: dict[str, Any]
    data: Any
    duration_ms: float | None
    trace: list[dict[str, Any]]
    failed_input: Any
    warnings: list[RunWarning]
    failed_nodes: list[str]


class AcceptedRun(TypedDict):
    """Result of `runs.retry`."""

    accepted: bool
    run_id: str


class _ResumedRun(TypedDict):
    success: bool


class ResumedRun(_ResumedRun, total=False):
    """Result of `workflows.resume`: how the run went on, or a `noop` with its `reason`."""

    resumed: bool
    noop: bool
    reason: str
    task_id: str
    run_id: str
    status: str
    paused_again: bool
    paused_node_id: str
    data: Any
    error: str
    failed_node: str
    failed_input: Any
    trace: list[dict[str, Any]]
    warnings: list[RunWarning]
    failed_nodes: list[str]


class Execution(TypedDict, total=False):
    """One entry of `workflows.executions`."""

    timestamp: Any
    workflow_id: str
    verdict: str
    duration_ms: float
    message: str | None
    usage: dict[str, Any]


class _Component(TypedDict):
    canonical_id: str


class Component(_Component, total=False):
    """A component of the catalog, as `components.list` and `components.get` return it."""

    display_name: str
    category: str
    version: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    config_example: dict[str, Any]
    branches: list[str]


class _ComponentResult(TypedDict):
    kind: str
    canonical_id: str


class ComponentResult(_ComponentResult, total=False):
    """One entry of `components.search`: `canonical_id` is what a node names it by."""

    display_name: str
    category: str
    description: str


class RawResponse(Generic[T]):
    """An HTTP response together with the method's result (see `with_raw_response`).

    Attributes:
        result: what the method returns.
        status: the HTTP status.
        headers: the headers; names are case-insensitive.
        content: the body.
        attempts: how many attempts it took to get this response.
    """

    def __init__(
        self, result: T, status: int, headers: Mapping[str, str], content: bytes, attempts: int
    ) -> None:
        self.result = result
        self.status = status
        self.headers = headers
        self.content = content
        self.attempts = attempts

    def __repr__(self) -> str:
        return f"<RawResponse {self.status}, attempts: {self.attempts}>"

    @property
    def request_id(self) -> str | None:
        """Return the response's `X-Request-Id`."""
        return self.headers.get("x-request-id")
