"""The calls of the engine's API, one function each (CONTRACT.md §2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from .config import Settings
from .errors import InvalidArgumentError
from .names import in_path
from .recipe import check_recipe
from .request import Call, field_of, object_of
from .sealing import Envelope, credential_body, read_envelope
from .secret import Secret
from .shapes import is_count, is_mapping
from .types import (
    AuthRecipe,
    Credential,
    DeletedCredential,
    DeletedWorkflow,
    Execution,
    Health,
    PushedCredential,
    PushedWorkflow,
    RunResult,
    Workflow,
    WorkflowSummary,
)


def health() -> Call[Health]:
    """`GET /health`."""
    return Call("GET", "/health", _with("ok", bool), key="none")


def list_services() -> Call[list[AuthRecipe]]:
    """`GET /auth-recipes`."""
    return Call("GET", "/auth-recipes", _only("recipes"), key="welcome")


def get_recipe(service: str) -> Call[AuthRecipe]:
    """`GET /auth-recipes/{service}`."""

    def read(answer: dict[str, Any]) -> AuthRecipe:
        return check_recipe(object_of(answer, "recipe"), service)

    path = f"/auth-recipes/{in_path(service)}"
    return Call("GET", path, read, key="welcome", service=service)


def push_credential(
    settings: Settings,
    api_key: Secret,
    name: str,
    value: Secret,
    *,
    service: str | None,
    sensitivity: str | None,
) -> Call[PushedCredential]:
    """`POST /credentials`, sealed or plain."""
    if sensitivity not in {None, "standard", "high"}:
        raise InvalidArgumentError(f"sensitivity={sensitivity!r}: it is 'standard' or 'high'")
    body = credential_body(api_key, name, value, settings.credential_format)
    extra = {"service": service, "sensitivity": sensitivity}
    body.update({key: item for key, item in extra.items() if item is not None})
    sealed = settings.credential_format == "sealed"  # then no answer can repeat the value
    secrets = () if sealed else (value,)
    read = _with("name", str)
    return Call("POST", "/credentials", read, body=body, secrets=secrets, sealed=sealed)


def list_credentials() -> Call[list[Credential]]:
    """`GET /credentials`."""
    return Call("GET", "/credentials", _only("credentials"))


def read_credential(name: str) -> Call[Envelope | None]:
    """`GET /credentials/{name}`, the sealed read; another shape of answer counts as none."""

    def read(answer: dict[str, Any]) -> Envelope | None:
        return read_envelope(name, answer)

    return Call("GET", f"/credentials/{in_path(name)}", read)


def delete_credential(name: str) -> Call[DeletedCredential]:
    """`DELETE /credentials/{name}`."""
    gone: DeletedCredential = {"name": name, "success": True}
    return Call("DELETE", f"/credentials/{in_path(name)}", _with("name", str), gone=gone)


def compile_flow(flow: list[str]) -> Call[dict[str, Any]]:
    """`POST /cypher/search`: flow lines to a graph without config."""

    def read(answer: dict[str, Any]) -> dict[str, Any]:
        cypher = object_of(answer, "cypher")
        field_of(cypher, "nodes", list)
        field_of(cypher, "edges", list)
        return answer

    body = {"triplets": flow, "mode": "compile"}
    return Call("POST", "/cypher/search", read, body=body, key="none")


def push_workflow(
    name: str, graph: Mapping[str, Any], *, description: str, config: Mapping[str, Any] | None
) -> Call[PushedWorkflow]:
    """`POST /webhooks/named`."""
    body: dict[str, Any] = {"name": name, "graph": graph, "description": description}
    if config:
        body["config"] = config
    return Call("POST", "/webhooks/named", _with("name", str), body=body)


def list_workflows() -> Call[list[WorkflowSummary]]:
    """`GET /webhooks/named`."""
    return Call("GET", "/webhooks/named", _only("workflows"))


def get_workflow(name: str) -> Call[Workflow]:
    """`GET /webhooks/named/{name}/definition`."""
    return Call("GET", f"/webhooks/named/{in_path(name)}/definition", _with("graph", dict))


def delete_workflow(name: str) -> Call[DeletedWorkflow]:
    """`DELETE /webhooks/named/{name}`."""
    gone: DeletedWorkflow = {"deleted": True, "name": name}
    return Call("DELETE", f"/webhooks/named/{in_path(name)}", _with("name", str), gone=gone)


def run_workflow(
    name: str,
    input: Mapping[str, Any] | None,  # noqa: A002 - the contract's word
    *,
    run_async: bool,
    idempotency_key: str | None,
) -> Call[RunResult]:
    """`POST /webhooks/named/{name}/trigger`; may be repeated only with an idempotency key."""
    if input is not None and not is_mapping(input):
        raise InvalidArgumentError(
            f"input must be a mapping such as {{'text': '你好'}}, not a {type(input).__name__}"
        )

    def read(answer: dict[str, Any]) -> RunResult:
        return cast("RunResult", answer)

    return Call(
        "POST",
        f"/webhooks/named/{in_path(name)}/trigger" + ("?async=1" if run_async else ""),
        read,
        body=dict(input or {}),
        idempotency_key=idempotency_key,
        repeatable=idempotency_key is not None,
        runs=True,
    )


def list_executions(name: str, limit: int | None) -> Call[list[Execution]]:
    """`GET /workflows/{name}/executions`."""
    if limit is not None and (not is_count(limit) or limit == 0):
        raise InvalidArgumentError(f"limit={limit!r}: it is a number from 1 on")

    def read(answer: dict[str, Any]) -> list[Execution]:
        return cast("list[Execution]", field_of(object_of(answer, "data"), "executions", list))

    query = "" if limit is None else f"?limit={limit}"
    return Call("GET", f"/workflows/{in_path(name)}/executions{query}", read)


def _with(key: str, kind: type) -> Callable[[dict[str, Any]], Any]:
    """Return a reader of the whole answer, which has a field."""

    def read(answer: dict[str, Any]) -> Any:
        field_of(answer, key, kind)
        return answer

    return read


def _only(key: str) -> Callable[[dict[str, Any]], Any]:
    """Return a reader of the list in one field."""

    def read(answer: dict[str, Any]) -> Any:
        field_of(answer, key, list)
        return answer[key]

    return read
