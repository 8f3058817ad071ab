"""The requests of the engine's API, one function for each operation (docs/contract.md#routes)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, get_args

from .config import Settings
from .errors import InvalidArgumentError, UnexpectedResponseError
from .graphs import check_strict
from .names import check_component, in_path
from .request import Method, Request
from .response import field_of, object_of
from .secret import Secret
from .shapes import is_count, is_mapping, is_text, is_unicode, objects
from .types import (
    AuthRecipe,
    Component,
    ComponentResult,
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

if TYPE_CHECKING:  # loaded by the functions that need them: to import them takes time
    from .recipe import Recipe
    from .sealing import Envelope

T = TypeVar("T")
LONGEST_QUERY = 200


def own_request(
    method: str, path: str, body: Mapping[str, Any] | None, *, with_key: bool
) -> Request[dict[str, Any]]:
    """Send a request that has no method of its own."""
    if method not in get_args(Method):
        raise InvalidArgumentError(f"method must be one of {', '.join(get_args(Method))}")
    if not is_text(path) or not re.fullmatch(r"/(?!/)[!-~]*", path):
        raise InvalidArgumentError(
            f"path must be a path of the engine such as '/runs?limit=5', percent-encoded, not {path!r}"
        )
    if body is not None and not is_mapping(body):
        raise InvalidArgumentError("body must be a mapping, which is sent as a JSON object")

    def read(content: dict[str, Any]) -> dict[str, Any]:
        return content

    return Request(
        cast("Method", method),
        path,
        read,
        body=body,
        key="required" if with_key else "none",
        retryable=method not in {"POST", "PATCH"},
    )


def health() -> Request[Health]:
    """Get the engine's health: `GET /health`."""
    return Request("GET", "/health", with_field("ok", bool), key="none")


class Page(Generic[T]):
    """A part of a list, and what leads to the next one (docs/contract.md#lists)."""

    __slots__ = ("cursor", "items")

    def __init__(self, items: list[T], cursor: str | None) -> None:
        self.items = items
        self.cursor = cursor


def list_services(cursor: str | None = None) -> Request[Page[AuthRecipe]]:
    """List the auth recipes: `GET /auth-recipes`."""
    return Request("GET", paged("/auth-recipes", cursor), page_of("recipes"), key="optional")


def get_recipe(service: str) -> Request[Recipe]:
    """Get a service's auth recipe: `GET /auth-recipes/{service}`."""
    from .recipe import parse_recipe

    def read(content: dict[str, Any]) -> Recipe:
        return parse_recipe(object_of(content, "recipe"), service)

    path = f"/auth-recipes/{in_path(service)}"
    return Request("GET", path, read, key="optional", service=service)


def push_credential(
    settings: Settings,
    api_key: Secret,
    name: str,
    value: Secret,
    *,
    service: str | None,
    sensitivity: str | None,
) -> Request[PushedCredential]:
    """Store a credential, sealed or plain: `POST /credentials`."""
    from .sealing import credential_body

    if sensitivity not in {None, "standard", "high"}:
        raise InvalidArgumentError(f"sensitivity must be 'standard' or 'high', not {sensitivity!r}")
    body = credential_body(api_key, name, value, settings.credential_format)
    extra = {"service": service, "sensitivity": sensitivity}
    body.update({key: item for key, item in extra.items() if item is not None})
    sealed = settings.credential_format == "sealed"  # then no response can repeat the value
    secrets = () if sealed else (value,)
    read = with_field("name", str)
    return Request("POST", "/credentials", read, body=body, secrets=secrets, sealed=sealed)


def list_credentials(cursor: str | None = None) -> Request[Page[Credential]]:
    """List the credentials: `GET /credentials`."""
    return Request("GET", paged("/credentials", cursor), page_of("credentials"))


def read_credential(name: str) -> Request[Envelope | None]:
    """Get a credential's envelope: `GET /credentials/{name}`, the sealed read.

    The result is None if the engine responds with something else.
    """
    from .sealing import read_envelope

    def read(content: dict[str, Any]) -> Envelope | None:
        return read_envelope(name, content)

    return Request("GET", f"/credentials/{in_path(name)}", read)


def delete_credential(name: str) -> Request[DeletedCredential]:
    """Delete a credential: `DELETE /credentials/{name}`."""
    gone: DeletedCredential = {"name": name, "success": True}
    path = f"/credentials/{in_path(name)}"
    return Request("DELETE", path, with_field("name", str), result_if_gone=gone)


def compile_flow(flow: list[str]) -> Request[dict[str, Any]]:
    """Compile flow lines to a graph without config: `POST /cypher/search`."""

    def read(content: dict[str, Any]) -> dict[str, Any]:
        cypher = object_of(content, "cypher")
        field_of(cypher, "nodes", list)
        field_of(cypher, "edges", list)
        return content

    body = {"triplets": flow, "mode": "compile"}
    return Request("POST", "/cypher/search", read, body=body, key="none")


def push_workflow(
    name: str,
    graph: Mapping[str, Any],
    *,
    description: str,
    config: Mapping[str, Any] | None,
    strict: bool | None,
) -> Request[PushedWorkflow]:
    """Store a workflow: `POST /webhooks/named`."""
    body: dict[str, Any] = {"name": name, "graph": graph, "description": description}
    if config:
        body["config"] = config
    if strict is not None:
        body["strict"] = strict
    return Request("POST", "/webhooks/named", with_field("name", str), body=body)


def list_workflows(cursor: str | None = None) -> Request[Page[WorkflowSummary]]:
    """List the workflows: `GET /webhooks/named`."""
    return Request("GET", paged("/webhooks/named", cursor), page_of("workflows"))


def get_workflow(name: str) -> Request[Workflow]:
    """Get a workflow: `GET /webhooks/named/{name}/definition`."""
    return Request("GET", f"/webhooks/named/{in_path(name)}/definition", with_field("graph", dict))


def delete_workflow(name: str) -> Request[DeletedWorkflow]:
    """Delete a workflow: `DELETE /webhooks/named/{name}`."""
    gone: DeletedWorkflow = {"deleted": True, "name": name}
    path = f"/webhooks/named/{in_path(name)}"
    return Request("DELETE", path, with_field("name", str), result_if_gone=gone)


def run_workflow(
    name: str,
    input: Mapping[str, Any] | None,  # noqa: A002 - the contract's word
    *,
    run_async: bool = False,
    strict: bool = False,
    idempotency_key: str | None = None,
    retryable: bool = False,
) -> Request[RunResult]:
    """Run a workflow: `POST /webhooks/named/{name}/trigger`.

    It may be retried only where the engine supports idempotency keys (docs/contract.md#retries-and-idempotency).
    """
    if input is not None and not is_mapping(input):
        raise InvalidArgumentError(
            f"input must be a mapping such as {{'text': '你好'}}, not a value of type {type(input).__name__}"
        )

    def read(content: dict[str, Any]) -> RunResult:
        return cast("RunResult", content)

    options = {"async=1": run_async, "strict=true": check_strict(strict)}
    asked = "&".join(option for option, is_wanted in options.items() if is_wanted)
    return Request(
        "POST",
        f"/webhooks/named/{in_path(name)}/trigger" + (f"?{asked}" if asked else ""),
        read,
        body=dict(input or {}),
        idempotency_key=idempotency_key,
        retryable=retryable,
        runs_workflow=True,
    )


def list_executions(
    name: str, limit: int | None, cursor: str | None = None
) -> Request[Page[Execution]]:
    """List a workflow's runs: `GET /workflows/{name}/executions`."""
    if limit is not None and (not is_count(limit) or limit == 0):
        raise InvalidArgumentError(f"limit must be a whole number of at least 1, not {limit!r}")

    def read(content: dict[str, Any]) -> Page[Execution]:
        return page_of("executions")(object_of(content, "data"))

    path = f"/workflows/{in_path(name)}/executions"
    return Request("GET", paged(path, cursor) if limit is None else f"{path}?limit={limit}", read)


def list_components(cursor: str | None = None) -> Request[Page[Component]]:
    """List the components of the catalog: `GET /components`."""
    return Request("GET", paged("/components", cursor), page_of("components"), key="none")


def get_component(id: str) -> Request[Component]:  # noqa: A002 - the contract's word
    """Get a component of the catalog: `GET /components/{id}`."""

    def read(content: dict[str, Any]) -> Component:
        return cast("Component", object_of(content, "component"))

    path = f"/components/{in_path(check_component(id))}"
    return Request("GET", path, read, key="none")


def search_components(query: str, cursor: str | None = None) -> Request[Page[ComponentResult]]:
    """Find components and recipes: `GET /components/search`."""
    if not is_unicode(query) or len(query) > LONGEST_QUERY:
        raise InvalidArgumentError(
            f"query must be text of 1 to {LONGEST_QUERY} characters, without half a surrogate pair"
        )
    path = f"/components/search?q={in_path(query)}"
    return Request("GET", paged(path, cursor), page_of("results"), key="optional")


def with_field(key: str, kind: type) -> Callable[[dict[str, Any]], Any]:
    """Return a reader that checks one field and returns the whole object."""

    def read(content: dict[str, Any]) -> Any:
        field_of(content, key, kind)
        return content

    return read


def page_of(key: str) -> Callable[[dict[str, Any]], Page[Any]]:
    """Return a reader that returns the page of a list in one field.

    What is no entry, or can lead nowhere, is an error: a list that was cut would look like a whole one.
    """

    def read(content: dict[str, Any]) -> Page[Any]:
        items = cast("Any", field_of(content, key, list))
        cursor = content.get("next_cursor")
        if len(objects(items)) < len(items):
            raise UnexpectedResponseError(f"{key!r} in the response holds more than JSON objects")
        if cursor in (None, ""):
            return Page(items, None)
        if not is_unicode(cursor):
            raise UnexpectedResponseError("next_cursor in the response is not text")
        return Page(items, cursor)

    return read


def paged(path: str, cursor: str | None) -> str:
    """Return the path of the page that a cursor leads to; None for the first page."""
    separator = "&" if "?" in path else "?"
    return path if cursor is None else f"{path}{separator}cursor={in_path(cursor)}"
