"""The conformance protocol (PROTOCOL.md) for `arcrun`, shared by both Python adapters.

An adapter passes `serve` its client class and a function that returns the value of a call: the
asynchronous one awaits it. Only lines of the protocol may be written to stdout.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import platform
import sys
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from python_cancelling import Cancelled, cancelling
from python_clock import Clock

import arcrun

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from types import TracebackType

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
    "workflows.resume",
    "runs.list",
    "runs.get",
    "runs.events",
    "runs.cancel",
    "runs.retry",
    "recipes.push",
    "recipes.list",
    "recipes.get",
    "recipes.delete",
    "recipes.render",
    "recipes.test",
    "recipes.backtest",
    "recipes.label",
    "recipes.unlabel",
    "recipes.versions",
    "recipes.diff",
    "components.list",
    "components.get",
    "components.search",
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
    "streams",
    "direct_loopback",
    "option_checks",
    "call_options",
    "copies",
    "own_client",
    "parallel",
    "clock",
    "interim_responses",
    "warnings",
)

# The SDK's error classes and their names in all languages, subclasses before their bases.
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
    "RecipeChangedError": "recipe_changed",
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
    "BoundConnectionError": "connection",  # of this adapter
}

# The attributes of errors that scenarios check; values that are not JSON are left out.
ERROR_ATTRIBUTES = (
    "requires",
    "details",
    "next_actions",
    "failed_node",
    "failed_input",
    "trace",
    "task_id",
    "missing",
    "body",
    "newest_version",
    "stored",
)


_SDK = str(Path(arcrun.__file__).parent)
OWN_USER_AGENT = "own-client/1.0"


def in_threads(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Make calls at the same time; return each value, or the exception instead."""

    def outcome(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:  # noqa: BLE001 -- raised where the results are read
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(outcome, calls))


def collected(events: Any, most: int | None) -> Any:
    """Return the first events of a run as a list; of an asynchronous client, a coroutine that does."""
    if hasattr(events, "__aiter__"):
        return async_collected(events, most)
    with closing(events):
        return list(islice(events, most))


async def async_collected(events: Any, most: int | None) -> list[Any]:
    """Return the first events of a run."""
    found: list[Any] = []
    async with aclosing(events):
        async for event in events:
            found.append(event)
            if len(found) == most:
                break
    return found


class BoundConnectionError(arcrun.ArcrunError):
    """What a bound client raised is an error of httpx, not of the SDK; it has the error's text."""


class Host:
    """Holds the clients and the bound clients of one adapter process."""

    virtual_clock = Clock()  # one for each process, like the time

    def __init__(
        self,
        client_class: Callable[..., Any],
        value_of: Callable[[Any], Any],
        values_of: Callable[[Sequence[Callable[[], Any]]], list[Any]] = in_threads,
    ) -> None:
        self._client_class = client_class
        self._value_of = value_of
        self._values_of = values_of
        self._own: dict[str, Any] = {}  # HTTP clients of the user's own, by client
        self._clients: dict[str, Any] = {}
        self._bound: dict[str, tuple[str, Any]] = {}
        self._replaced_environment: dict[str, str | None] = {}

    def start(self, protocol: int) -> dict[str, Any]:
        """Return the SDK and its capabilities, without methods that the SDK does not have."""
        return {
            "protocol": protocol,
            "sdk": {"name": "arcrun", "version": arcrun.__version__, "language": "python"},
            "runtime": f"{platform.python_implementation()} {platform.python_version()}",
            "capabilities": [
                *filter(self._has, METHODS),
                *OPTIONS,
                *(["cancellation"] if cancelling.possible else []),
            ],
        }

    def _has(self, method: str) -> bool:
        # `auth`, `creds` and `workflows` are set in __init__, so the class alone is not enough.
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
        **rest: Any,
    ) -> dict[str, Any]:
        """Create a client, with exactly the environment variables of the command, or a copy of one."""
        if "from" in rest:
            try:
                copied = self._clients[rest["from"]].with_options(**options)
            except TypeError as error:
                raise arcrun.ConfigurationError(str(error)) from error
            self._discard(client)
            self._clients[client] = copied
            return {}
        self._discard(client)
        self._set_environment(self._replaced_environment)
        self._replaced_environment = {name: os.environ.get(name) for name in environment or {}}
        self._set_environment(environment or {})
        if options.get("own_client"):
            self._own[client] = own = self._own_client()
            options = {k: v for k, v in options.items() if k != "own_client"} | {"http_client": own}
        try:
            self._clients[client] = self._client_class(**options)
        except TypeError as error:  # the language itself refuses an argument that does not exist
            raise arcrun.ConfigurationError(str(error)) from error
        return {}

    def _own_client(self) -> Any:
        """Return an HTTP client as a user may bring one, with defaults that are not the SDK's."""
        is_async = self._client_class is arcrun.AsyncArcrun
        kind = httpx.AsyncClient if is_async else httpx.Client
        headers = {"User-Agent": OWN_USER_AGENT, "X-Own": "1"}
        return kind(headers=headers, follow_redirects=True, trust_env=False)

    @staticmethod
    def _set_environment(environment: dict[str, str | None]) -> None:
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if "TZ" in environment and hasattr(time, "tzset"):  # not on Windows
            time.tzset()

    def clock(self, start: str | None = None, advance: float | None = None) -> dict[str, Any]:
        """Start or advance the clock that nobody waits for; without arguments, stop it."""
        if advance is not None:
            self.virtual_clock.advance(advance)
        elif start is not None:
            self.virtual_clock.start(start)
        else:
            self.virtual_clock.stop()
        return {}

    def call(
        self, client: str, method: str, arguments: dict[str, Any], bound: str | None = None
    ) -> Any:
        """Call a method; keep the client that `auth.bind` returns under the name `bound`."""
        begin, finish = self._prepared_call(client, method, arguments, bound)
        return finish(self._value_of(begin()))

    def bound_request(self, **command: Any) -> dict[str, Any]:
        """Send a request through a bound client."""
        begin, finish = self._prepared_bound_request(**command)
        try:
            return finish(self._value_of(begin()))
        except httpx.HTTPError as error:
            raise BoundConnectionError(error) from error

    def parallel(self, times: int, of: dict[str, Any]) -> dict[str, Any]:
        """Carry out a command several times at once."""
        name, command = of["command"].replace(".", "_"), dict(of)
        del command["command"]
        prepare = getattr(self, f"_prepared_{name}")
        prepared = [prepare(**command) for _ in range(times)]
        values = self._values_of([begin for begin, _ in prepared])
        for value in values:
            if isinstance(value, Exception):
                raise value
        return {"results": [finish(v) for (_, finish), v in zip(prepared, values, strict=True)]}

    def _prepared_call(
        self, client: str, method: str, arguments: dict[str, Any], bound: str | None = None
    ) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
        """Return what makes a call, and what makes the reply's result of its value."""
        target = self._clients[client]
        for part in method.split("."):
            target = getattr(target, part)
        arguments = dict(arguments)
        # `setup` takes secrets as keyword arguments; in the protocol they are one object.
        arguments.update(arguments.pop("secrets", {}) if method == "auth.setup" else {})
        if method == "runs.events":
            most = arguments.pop("most", None)
            return lambda: collected(target(**arguments), most), lambda events: events

        def finish(value: Any) -> Any:
            if method != "auth.bind":
                return value
            self._bound[bound or "main"] = (client, value)
            return {"shown": [repr(value), repr(value.headers), repr(value.base_url)]}

        return lambda: target(**arguments), finish

    def _prepared_bound_request(
        self, bound: str, method: str, url: str, *, stream: bool = False, **rest: Any
    ) -> tuple[Callable[[], Any], Callable[[Any], dict[str, Any]]]:
        """Return what sends a request through a bound client, and what makes the result of its response."""
        client = self._bound[bound][1]
        renamed = {"query": "params", "body": "content"}
        options = {renamed.get(name, name): value for name, value in rest.items()}
        if stream:
            read_once = async_pieces if hasattr(client, "aclose") else pieces
            options["content"] = read_once(options["content"])

        def finish(response: Any) -> dict[str, Any]:
            return {
                "status": response.status_code,
                "headers": dict(response.headers),
                "body": response.text,
                "shown": [
                    repr(response),
                    str(response.url),
                    repr(response.request),
                    repr(response.request.headers),
                    repr(response.history),
                ],
            }

        return lambda: client.request(method, url, **options), finish

    def reset(self) -> dict[str, Any]:
        """Forget the scenario before: its clients, its environment variables, its clock, its log."""
        self.virtual_clock.stop()
        logger = logging.getLogger("arcrun")  # ARCRUN_LOG opens it for the whole process
        logger.setLevel(logging.NOTSET)
        for handler in [*logger.handlers]:
            logger.removeHandler(handler)
        self._set_environment(self._replaced_environment)
        self._replaced_environment = {}
        return self.stop()

    def stop(self) -> dict[str, Any]:
        """Close all clients."""
        for client in [*self._clients, *self._own]:
            self._discard(client)
        return {}

    def _discard(self, name: str) -> None:
        for bound, (client, value) in list(self._bound.items()):
            if client == name:
                del self._bound[bound]
                self._close(value)
        for kept in (self._clients, self._own):
            if name in kept:
                self._close(kept.pop(name))

    def _close(self, client: Any) -> None:
        closed = client.aclose() if hasattr(client, "aclose") else client.close()
        if closed is not None:
            self._value_of(closed)


def pieces(text: str) -> Iterator[bytes]:
    """Yield a body in two pieces, once."""
    yield text[:1].encode()
    yield text[1:].encode()


async def async_pieces(text: str) -> AsyncIterator[bytes]:
    """Yield a body in two pieces, once."""
    for piece in pieces(text):
        yield piece


def sdk_error(error: arcrun.ArcrunError) -> dict[str, Any]:
    """Return a typed error as an object of the protocol."""
    names = [
        ERROR_NAMES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in ERROR_NAMES
    ]
    described: dict[str, Any] = {
        "name": names[0] if names else "arcrun",
        "class": type(
            error.__cause__ if isinstance(error, BoundConnectionError) else error
        ).__name__,
        "message": str(error),
        "shown": [
            repr(error),
            "".join(traceback.format_exception(error)),
            *locals_of_frames(error),
        ],
        "printed": [str(error), repr(error), pickled(error)],
    }
    for name in ("status", "code", "request_id"):
        described[name] = getattr(error, name, None)
    attributes = {name: getattr(error, name, None) for name in ERROR_ATTRIBUTES}
    described["attributes"] = {
        name: value for name, value in attributes.items() if is_json(value) and value is not None
    }
    return described


def locals_of_frames(error: BaseException | None) -> Iterator[str]:
    """Yield the variables of the SDK's frames in a traceback, as tools that report errors show them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        trace: TracebackType | None = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename.startswith(_SDK):
                yield from (
                    f"{name} = {value!r}" for name, value in trace.tb_frame.f_locals.items()
                )
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


def pickled(error: BaseException) -> str:
    """Return what tools that hand errors to another process would keep of one."""
    try:
        return pickle.dumps(error).decode("utf-8", "replace")
    except Exception as problem:  # noqa: BLE001 -- what can't be pickled, no tool keeps
        return f"{type(problem).__name__} when it is pickled"


def is_json(value: Any) -> bool:
    """Return whether a value can be written as JSON."""
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def reply_to(host: Host, line: str) -> dict[str, Any]:
    """Carry out one command and return the reply, with what was waited and what was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", arcrun.ArcrunWarning)
        reply = _reply_to(host, line)
    for warning in caught:
        print(f"{warning.category.__name__}: {warning.message}", file=sys.stderr)
    own = [str(each.message) for each in caught if issubclass(each.category, arcrun.ArcrunWarning)]
    if own:
        reply["warned"] = own
    waited = list(host.virtual_clock.taken())
    return {**reply, "waited": waited} if host.virtual_clock.running else reply


def _reply_to(host: Host, line: str) -> dict[str, Any]:
    command = json.loads(line)
    cancelling.after = command.pop("cancel_after", None)
    identifier, name = command.pop("id"), command.pop("command").replace(".", "_")
    try:
        result = getattr(host, name)(**command)
        json.dumps(result)
    except arcrun.ArcrunError as error:
        return {"id": identifier, "error": sdk_error(error)}
    except Cancelled:
        return {"id": identifier, "result": {"cancelled": True}}
    except Exception as error:  # noqa: BLE001 -- whatever else happens is the adapter's failure
        message = f"{type(error).__name__}: {error}"
        return {
            "id": identifier,
            "failure": {"message": message, "detail": traceback.format_exc()},
        }
    return {"id": identifier, "result": result}


def serve(
    client_class: Callable[..., Any],
    value_of: Callable[[Any], Any],
    values_of: Callable[[Sequence[Callable[[], Any]]], list[Any]] = in_threads,
) -> None:
    """Reply to the commands from stdin until `stop`."""
    out = sys.stdout.buffer
    sys.stdout = sys.stderr  # a stray print of the SDK must not break the protocol
    host = Host(client_class, value_of, values_of)
    for line in sys.stdin.buffer:
        reply = reply_to(host, line.decode())
        out.write(json.dumps(reply).encode() + b"\n")
        out.flush()
        if json.loads(line)["command"] == "stop":
            return
