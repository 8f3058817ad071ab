"""Workflows: checked, pushed, listed, run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from arcrun import Arcrun
from arcrun._core.advice import advice_of
from arcrun._core.errors import (
    ArcrunError,
    BadRequestError,
    InvalidArgumentError,
    WorkflowPaused,
)
from arcrun._core.graphs import compile_graph, config_of, flow_of, is_document
from arcrun._core.names import check_workflow
from arcrun._core.types import DeletedWorkflow, Workflow

from .documents import Document, parse_document
from .errors import CommandError, Next, command_error
from .found import naming
from .misspelled import misspelled_parameters
from .parameters import FileText, JsonObject
from .places import failure_at, located
from .result_types import (
    CheckedPush,
    CheckedWorkflow,
    Fault,
    FollowedRun,
    ListedWorkflows,
    NotDeleted,
    StoredWorkflow,
)
from .results import first
from .sentences import sentence

Report = Callable[[Mapping[str, Any]], None]
LISTING = Next("see the names", "workflows list")
_LONGEST_LINE = 1024  # characters of a line of the flow


def list_workflows(client: Arcrun, *, limit: int = 50) -> ListedWorkflows:
    """List the workflows.

    Args:
        limit: how many at most
    """
    found = client.workflows.list()
    return {"workflows": first(found, limit), "total": len(found)}


def get_workflow(client: Arcrun, name: str) -> Workflow:
    """Show a workflow's graph and config.

    Args:
        name: the workflow
    """
    with _naming(client, name):
        return client.workflows.get(name)


def validate_workflow(client: Arcrun, workflow: FileText) -> CheckedWorkflow:
    """Check a workflow without storing it.

    Args:
        workflow: YAML or JSON: `flow`, lines FROM >> EDGE >> TO, and `config`, a `component` for each node
    """
    document = parse_document(workflow, sentence("the workflow"))
    if "name" in document.value:  # else `push --name` gives it one
        _name_of(document)
    graph = _graph_of(client, document)
    try:
        found = client.request("POST", "/validate", body=graph)
    except BadRequestError as error:
        raise _located(error, document, graph) from None
    warnings = _warnings_of(client, found, document, graph)
    return {
        "valid": True,
        "nodes": found.get("nodeCount"),
        "edges": found.get("edgeCount"),
        "warnings": warnings,
    }


def push_workflow(
    client: Arcrun,
    workflow: FileText,
    *,
    name: str | None = None,
    strict: bool | None = None,
    dry_run: bool = False,
) -> StoredWorkflow | CheckedPush:
    """Store a workflow, or replace it.

    Args:
        workflow: YAML or JSON: `name`, `flow`, lines FROM >> EDGE >> TO, and `config`, a `component` for each node
        name: instead of the document's own
        strict: a placeholder without a value is an error
        dry_run: only check it
    """
    document = parse_document(workflow, sentence("the workflow"))
    chosen = _name_of(document, name)
    if dry_run:
        return {"name": chosen, "dry_run": True, **validate_workflow(client, workflow)}
    try:
        pushed = client.workflows.push(chosen, document.value, strict=strict)
    except BadRequestError as error:
        raise _located(error, document, _graph_or_none(client, document)) from None
    except InvalidArgumentError as error:
        raise _invalid(error, document) from None
    graph = _graph_or_none(client, document)  # for the places of nodes
    return {**pushed, "warnings": _warnings_of(client, pushed, document, graph)}


def delete_workflow(
    client: Arcrun, name: str, *, dry_run: bool = False
) -> DeletedWorkflow | NotDeleted:
    """Delete a workflow.

    Args:
        name: the workflow
        dry_run: only say what would be deleted
    """
    with _naming(client, name):
        if dry_run:
            client.workflows.get(name)
            return {"name": name, "deleted": False, "dry_run": True}
        return client.workflows.delete(name)


def run_workflow(
    client: Arcrun,
    name: str,
    input: JsonObject | None = None,  # noqa: A002 - the contract's word
    *,
    wait: bool = True,
    strict: bool = False,
    idempotency_key: str | None = None,
    report: Report | None = None,
) -> FollowedRun:
    """Run a workflow, and wait for its end.

    Args:
        name: the workflow
        input: the data that the run starts with
        wait: false returns at once, with the `run_id`
        strict: a placeholder without a value is an error
        idempotency_key: repeating a call with the same key starts no second run
    """
    durable = "durable_runs" in client.health().get("capabilities", [])
    if not durable and not wait:
        raise CommandError(
            "unsupported",
            sentence("this engine keeps no runs: it runs a workflow only while you wait for it"),
            next=[Next("run it, and wait", "run", (name,))],
        )
    try:
        with _naming(client, name):
            result = client.workflows.run(
                name, input, run_async=durable, strict=strict, idempotency_key=idempotency_key
            )
    except WorkflowPaused as pause:
        waits = {"task_id": pause.task_id, "run_id": pause.run_id, "paused_node": pause.node}
        known = {key: value for key, value in waits.items() if value}
        return cast("FollowedRun", {"workflow": name, "status": "paused", **known})
    if not durable:
        return cast("FollowedRun", {"workflow": name, "status": "succeeded", **result})
    run_id = str(result.get("run_id"))
    if report is not None:
        report({"type": "accepted", "run_id": run_id, "workflow": name})
    if not wait:
        return {"workflow": name, "run_id": run_id, "status": "queued"}
    from .runs import follow_run

    return follow_run(client, run_id, report)


def _naming(client: Arcrun, name: str) -> Any:
    return naming(
        name,
        lambda: [each["name"] for each in client.workflows.list()],
        LISTING,
        "workflow_not_found",
    )


def _graph_of(client: Arcrun, document: Document) -> dict[str, Any]:
    """Return the graph of a document, as the engine compiles it.

    Raises:
        CommandError: it can't be compiled; `details` says where in the document.
    """
    value = document.value
    try:
        if not is_document(value):
            return value
        _check_lines(document)
        body = {"triplets": flow_of(value), "mode": "compile"}
        compiled = client.request("POST", "/cypher/search", body=body)
        return compile_graph(str(value.get("name", "workflow")), compiled, config_of(value), value)
    except BadRequestError as error:
        raise _located(error, document, None) from None
    except InvalidArgumentError as error:
        raise _invalid(error, document) from None


def _name_of(document: Document, given: str | None = None) -> str:
    """Return the name to store a workflow under: the given one, else the document's own.

    Raises:
        CommandError: there is none, or it is not valid.
    """
    name = given or document.value.get("name")
    if not isinstance(name, str):
        raise CommandError(
            "invalid_name",
            sentence(
                "the workflow has no name: write `name: NAME` at its top, or give the argument `name`"
            ),
        )
    try:
        return check_workflow(name)
    except InvalidArgumentError as error:
        raise _invalid(error, document, "invalid_name", () if given else ("name",)) from None


def _check_lines(document: Document) -> None:
    """Refuse lines of the flow that are longer than an engine takes.

    Raises:
        CommandError: one is.
    """
    for number, line in enumerate(flow_of(document.value)):
        if len(line) > _LONGEST_LINE:
            message = sentence(
                "this line of the flow has {count} characters, and an engine takes {most}: put long texts into `config`",
                count=f"{len(line):,}",
                most=f"{_LONGEST_LINE:,}",
            )
            place = document.place_of(("flow", number))
            detail = {"message": message, **(place._asdict() if place else {})}
            raise failure_at(CommandError("invalid_graph", message), [detail])


def _invalid(
    error: InvalidArgumentError,
    document: Document,
    code: str = "invalid_graph",
    path: tuple[str | int, ...] = (),
) -> CommandError:
    """Return what is wrong with a document, with its place."""
    problem, _, own_path = advice_of(error)
    place = document.place_of(path or own_path)
    detail = {"message": problem, **(place._asdict() if place else {})}
    return failure_at(CommandError(code, problem), [detail])


def _warnings_of(
    client: Arcrun, found: Mapping[str, Any], document: Document, graph: Mapping[str, Any] | None
) -> list[Fault]:
    """Return what the engine warns of, and what is most likely misspelled."""
    engine = located(found.get("warnings", []), document, _nodes_of(graph))
    misspelled = located(misspelled_parameters(client, graph or {}), document, _nodes_of(graph))
    return cast("list[Fault]", [*document.warnings(), *engine, *misspelled])


def _nodes_of(graph: Mapping[str, Any] | None) -> list[str]:
    return [str(node.get("id")) for node in (graph or {}).get("nodes", [])]


def _graph_or_none(client: Arcrun, document: Document) -> dict[str, Any] | None:
    try:
        return _graph_of(client, document)
    except (CommandError, ArcrunError):
        return None


def _located(
    error: BadRequestError, document: Document, graph: Mapping[str, Any] | None
) -> CommandError:
    failure = command_error(error)
    return failure_at(failure, located(failure.details, document, _nodes_of(graph)))
