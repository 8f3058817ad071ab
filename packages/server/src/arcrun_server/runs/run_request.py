"""What a run is asked for with, by whoever does not wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from arcrun_server.engine import Graph
    from arcrun_server.runs.idempotency import IdempotentResponse


@dataclass(frozen=True)
class RunRequest:
    """A run that is to be accepted.

    Attributes:
        account: Whose run it is.
        graph: Its graph, which it keeps whatever becomes of the workflow.
        input: Its input.
        workflow: The name of the workflow, if it is a stored one.
        strict: Whether a placeholder without a value fails its node.
        trigger: What makes it.
        run_id: Its id, if one that is accepted under this id already is the same run.
    """

    account: str
    graph: Graph
    input: dict[str, Any]
    workflow: str | None
    strict: bool = False
    trigger: str = "api"
    run_id: str | None = None


@dataclass(frozen=True)
class Once:
    """A key under which a run is accepted once.

    Attributes:
        key: The key.
        request: What is asked for; the same bytes mean the same request.
        respond: Renders the response, which repetitions get too, given the run's id.
    """

    key: str
    request: bytes
    respond: Callable[[str], IdempotentResponse]
