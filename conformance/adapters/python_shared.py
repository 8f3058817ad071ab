"""What both Python hosts share: the conformance protocol (PROTOCOL.md) spoken for `arcrun`.

A host hands `serve` its client class and a way to get the value of a call: the synchronous one
calls, the asynchronous one calls and awaits. Nothing but protocol lines may reach stdout.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import traceback
from typing import TYPE_CHECKING, Any

import arcrun

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS = (
    "health",
    "auth.list_services",
    "auth.setup",
    "auth.bind",
    "auth.get_token",
    "creds.push",
    "creds.list",
    "creds.delete",
    "workflows.push",
    "workflows.list",
    "workflows.get",
    "workflows.delete",
    "workflows.run",
    "workflows.executions",
)
OPTIONS = (
    "sealing",
    "retries",
    "environment",
    "config_file",
    "user_agent",
    "redirects",
    "single_requests",
    "raw_http",
)

# The SDK's classes and their names in all languages, subclasses before their bases.
ERROR_NAMES = {
    "SealedCredentialsUnsupportedError": "sealed_unsupported",
    "UnknownServiceError": "unknown_service",
    "APITimeoutError": "timeout",
    "ConfigurationError": "configuration",
    "InvalidArgumentError": "invalid_argument",
    "InsecureTransportError": "insecure_transport",
    "APIConnectionError": "connection",
    "UnexpectedResponseError": "unexpected_response",
    "MissingSecretError": "missing_secret",
    "RecipeOriginError": "recipe_origin",
    "WorkflowPaused": "workflow_paused",
    "TokenExchangeError": "token_exchange",
    "WorkflowRunError": "workflow_run",
    "BadRequestError": "bad_request",
    "AuthenticationError": "authentication",
    "PermissionDeniedError": "permission_denied",
    "NotFoundError": "not_found",
    "ConflictError": "conflict",
    "RateLimitError": "rate_limit",
    "ServerError": "server",
    "APIStatusError": "status",
}

# Attributes of errors that scenarios look at; values that are no JSON are left out.
ERROR_ATTRIBUTES = ("requires", "details", "next_actions", "failed_node", "task_id", "missing")


class Host:
    """Holds the clients and the bound clients of one adapter process."""

    def __init__(self, client_class: Callable[..., Any], value_of: Callable[[Any], Any]) -> None:
        self._client_class = client_class
        self._value_of = value_of
        self._clients: dict[str, Any] = {}
        self._bound: dict[str, tuple[str, Any]] = {}
        self._replaced_environment: dict[str, str | None] = {}

    def start(self, protocol: int) -> dict[str, Any]:
        """Say which SDK this is and what it can do; methods that the SDK lacks are left out."""
        return {
            "protocol": protocol,
            "sdk": {"name": "arcrun", "version": arcrun.__version__, "language": "python"},
            "runtime": f"{platform.python_implementation()} {platform.python_version()}",
            "capabilities": [*filter(self._has, METHODS), *OPTIONS],
        }

    def _has(self, method: str) -> bool:
        # `auth`, `creds` and `workflows` are made in __init__, so the class alone can't tell.
        client = self._client_class(api_key="ak_" + "0" * 48)
        try:
            target = client
            for part in method.split("."):
                target = getattr(target, part, None)
            return callable(target)
        finally:
            self._close(client)

    def construct(
        self,
        client: str,
        options: dict[str, Any],
        environment: dict[str, str | None] | None = None,
    ) -> dict[str, Any]:
        """Make a client, in the environment asked for and no other."""
        self._discard(client)
        self._set_environment(self._replaced_environment)
        self._replaced_environment = {name: os.environ.get(name) for name in environment or {}}
        self._set_environment(environment or {})
        self._clients[client] = self._client_class(**options)
        return {}

    @staticmethod
    def _set_environment(environment: dict[str, str | None]) -> None:
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def call(
        self, client: str, method: str, arguments: dict[str, Any], bound: str | None = None
    ) -> Any:
        """Call a method; what `auth.bind` returns is kept under the name `bound`."""
        target = self._clients[client]
        for part in method.split("."):
            target = getattr(target, part)
        arguments = dict(arguments)
        # `setup` takes secrets as keywords of their own; the protocol keeps them together.
        arguments.update(arguments.pop("secrets", {}) if method == "auth.setup" else {})
        value = self._value_of(target(**arguments))
        if method == "auth.bind":
            self._bound[bound or "main"] = (client, value)
            return {"shown": [repr(value), repr(value.headers), repr(value.base_url)]}
        return value

    def bound_request(self, bound: str, method: str, url: str, **rest: Any) -> dict[str, Any]:
        """Send a request through a bound client."""
        renamed = {"query": "params", "body": "content"}
        options = {renamed.get(name, name): value for name, value in rest.items()}
        answer = self._value_of(self._bound[bound][1].request(method, url, **options))
        return {
            "status": answer.status_code,
            "headers": dict(answer.headers),
            "body": answer.text,
            "shown": [
                repr(answer),
                str(answer.url),
                repr(answer.request),
                repr(answer.request.headers),
                repr(answer.history),
            ],
        }

    def stop(self) -> dict[str, Any]:
        """Close everything."""
        for client in list(self._clients):
            self._discard(client)
        return {}

    def _discard(self, name: str) -> None:
        for bound, (client, value) in list(self._bound.items()):
            if client == name:
                del self._bound[bound]
                self._close(value)
        if name in self._clients:
            self._close(self._clients.pop(name))

    def _close(self, client: Any) -> None:
        closed = client.aclose() if hasattr(client, "aclose") else client.close()
        if closed is not None:
            self._value_of(closed)


def sdk_error(error: arcrun.ArcrunError) -> dict[str, Any]:
    """A typed error as the protocol carries it."""
    names = [
        ERROR_NAMES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in ERROR_NAMES
    ]
    described: dict[str, Any] = {
        "name": names[0] if names else "arcrun",
        "class": type(error).__name__,
        "message": str(error),
        "shown": [repr(error), "".join(traceback.format_exception(error))],
    }
    for name in ("status", "code", "request_id"):
        described[name] = getattr(error, name, None)
    attributes = {name: getattr(error, name, None) for name in ERROR_ATTRIBUTES}
    described["attributes"] = {
        name: value for name, value in attributes.items() if is_json(value) and value is not None
    }
    return described


def is_json(value: Any) -> bool:
    """Whether a value can be carried as JSON."""
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def answer(host: Host, line: str) -> dict[str, Any]:
    """Carry out one command."""
    command = json.loads(line)
    identifier, name = command.pop("id"), command.pop("command").replace(".", "_")
    try:
        result = getattr(host, name)(**command)
        json.dumps(result)
    except arcrun.ArcrunError as error:
        return {"id": identifier, "error": sdk_error(error)}
    except Exception as error:  # noqa: BLE001 -- whatever else happens is the adapter's failure
        message = f"{type(error).__name__}: {error}"
        return {
            "id": identifier,
            "failure": {"message": message, "detail": traceback.format_exc()},
        }
    return {"id": identifier, "result": result}


def serve(client_class: Callable[..., Any], value_of: Callable[[Any], Any]) -> None:
    """Answer commands from stdin until `stop`."""
    out = sys.stdout.buffer
    sys.stdout = sys.stderr  # a stray print of the SDK must not break the protocol
    host = Host(client_class, value_of)
    for line in sys.stdin.buffer:
        reply = answer(host, line.decode())
        out.write(json.dumps(reply, ensure_ascii=False).encode() + b"\n")
        out.flush()
        if json.loads(line)["command"] == "stop":
            return
