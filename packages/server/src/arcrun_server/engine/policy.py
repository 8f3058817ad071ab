"""What a node and a workflow say about failures (docs/contract.md#policies).

These fields stand beside a node's `data` in a graph. In the config of a document they stand among the parameters of the
node's component, and `split_settings` takes them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .model import JsonObject

NODE_FIELDS = ("retry", "timeout_seconds", "on_failure", "repeatable", "concurrency")
"""The fields of a node that no component reads."""

OWN_PARAMETERS = {"http_request": frozenset({"timeout_seconds"})}
"""The components with a parameter of such a name: in a config, it is the component's."""

DEFAULT_FIELDS = ("retry", "timeout_seconds", "on_failure", "repeatable")
"""The fields of a workflow that its nodes have unless they say otherwise."""

WORKFLOW_FIELDS = (
    *DEFAULT_FIELDS,
    "on_failure_workflow",
    "max_running",
    "when_full",
    "cron",
    "webhook",
)
"""The fields of a document and of a graph."""

CONNECTION = "connection"
TIMEOUT = "timeout"
RATE_LIMITED = "rate_limited"
SERVER_ERROR = "server_error"
ANY = "any"
KINDS = (CONNECTION, TIMEOUT, RATE_LIMITED, SERVER_ERROR, ANY)
"""The kinds of failures that `retry.on` can name."""

DEFAULT_ON: frozenset[int | str] = frozenset({CONNECTION, TIMEOUT, RATE_LIMITED, SERVER_ERROR})
DEFAULT_BACKOFF_SECONDS = 1.0
MAX_TIMES = 20
MAX_BACKOFF_SECONDS = 300
MAX_TIMEOUT_SECONDS = 86_400
MAX_CONCURRENCY = 20
MAX_RUNNING = 10_000

OnFailure = Literal["continue", "stop"]
ON_FAILURE: tuple[OnFailure, ...] = ("continue", "stop")
WhenFull = Literal["queue", "refuse"]
WHEN_FULL: tuple[WhenFull, ...] = ("queue", "refuse")


@dataclass(frozen=True)
class Retry:
    """How a failed invocation is repeated.

    Attributes:
        times: How often, after the first attempt.
        backoff_seconds: What is waited before the first repetition; twice as long before each further one.
        on: The statuses and kinds of failures after which it is.
    """

    times: int
    backoff_seconds: float = DEFAULT_BACKOFF_SECONDS
    on: frozenset[int | str] = DEFAULT_ON


@dataclass(frozen=True)
class NodePolicy:
    """What a node says about failures, with the defaults of its workflow.

    Attributes:
        retry: How a failed invocation is repeated, if it is.
        timeout_seconds: How long one attempt may take; None if only the run's time counts.
        on_failure: `continue` lets the run go on after every failure, `stop` after none that no ON_FAIL edge takes; None goes on
            after one that the component returned.
        repeatable: Whether it may be invoked again if nobody knows whether an earlier invocation has done its work.
        concurrency: How many elements of its FOREACH are run at the same time.
    """

    retry: Retry | None = None
    timeout_seconds: float | None = None
    on_failure: OnFailure | None = None
    repeatable: bool = True
    concurrency: int = 1


@dataclass(frozen=True)
class WorkflowPolicy:
    """What a workflow says besides the defaults of its nodes.

    Attributes:
        on_failure_workflow: The workflow that is run after a failure.
        max_running: How many of its runs go on at the same time; None if it does not say.
        when_full: Whether one more waits or is refused.
    """

    on_failure_workflow: str | None = None
    max_running: int | None = None
    when_full: WhenFull = "queue"


NO_POLICY = NodePolicy()


def kind_of_status(status: int) -> str | None:
    """Return the kind of failure that an HTTP status stands for, if it has one.

    Example:
        >>> kind_of_status(429), kind_of_status(503), kind_of_status(404)
        ('rate_limited', 'server_error', None)
    """
    if 500 <= status <= 599:
        return SERVER_ERROR
    return {408: TIMEOUT, 429: RATE_LIMITED}.get(status)


def split_settings(settings: JsonObject, component: Any) -> tuple[JsonObject, JsonObject]:
    """Split a node's config, without `component`, into the component's parameters and the fields of the node.

    Args:
        settings: The node's config.
        component: The id of its component, if it has one.

    Returns:
        The parameters, and the fields.

    Example:
        >>> split_settings({"component": "set", "values": {}, "on_failure": "stop"}, "set")
        ({'values': {}}, {'on_failure': 'stop'})
        >>> split_settings({"timeout_seconds": 5}, "http_request")
        ({'timeout_seconds': 5}, {})
    """
    own = OWN_PARAMETERS.get(component, frozenset()) if isinstance(component, str) else frozenset()
    parameters, fields = {}, {}
    for name, value in settings.items():
        if name in NODE_FIELDS and name not in own:
            fields[name] = value
        elif name != "component":
            parameters[name] = value
    return parameters, fields


def node_policy(node: Any, graph: Any, *, invokes: bool, calls_workflow: bool) -> NodePolicy:
    """Return what a checked node says, with the defaults of its workflow.

    Args:
        node: The node.
        graph: Its graph.
        invokes: Whether it runs something.
        calls_workflow: Whether that is another workflow, whose nodes are repeated and timed themselves.
    """
    concurrency = int(node.get("concurrency", 1))
    if not invokes:
        return NO_POLICY if concurrency == 1 else NodePolicy(concurrency=concurrency)
    on_failure = node.get("on_failure", graph.get("on_failure"))
    if calls_workflow:
        return NodePolicy(on_failure=on_failure, concurrency=concurrency)
    retry = _read_retry(node["retry"] if "retry" in node else graph.get("retry"))
    # Whoever repeats a node by its own `retry` says that it is repeatable.
    repeats = "retry" in node and retry is not None
    repeatable = node.get("repeatable", True if repeats else graph.get("repeatable", True))
    seconds = node.get("timeout_seconds", graph.get("timeout_seconds"))
    return NodePolicy(
        retry=retry if repeatable else None,
        timeout_seconds=None if seconds is None else float(seconds),
        on_failure=on_failure,
        repeatable=repeatable,
        concurrency=concurrency,
    )


def workflow_policy(graph: Any) -> WorkflowPolicy:
    """Return what a checked graph says besides the defaults of its nodes."""
    most = graph.get("max_running")
    return WorkflowPolicy(
        on_failure_workflow=graph.get("on_failure_workflow"),
        max_running=None if most is None else int(most),
        when_full=graph.get("when_full", "queue"),
    )


def _read_retry(written: Any) -> Retry | None:
    if written is None or int(written["times"]) == 0:
        return None
    return Retry(
        times=int(written["times"]),
        backoff_seconds=float(written.get("backoff_seconds", DEFAULT_BACKOFF_SECONDS)),
        on=frozenset(written.get("on", DEFAULT_ON)),
    )
