"""Large bodies are checked by a worker: however much is wrong with one, the server responds to others meanwhile."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from arcrun_server.engine import Problem, check_graph, check_parameters
from arcrun_server.engine.sizes import rough_size
from arcrun_server.errors import ApiError, Detail, too_many
from arcrun_server.json_text import encode
from arcrun_server.recipes.api.record import API_RECIPE
from arcrun_server.recipes.auth.record import AUTH_RECIPE
from arcrun_server.routes import schemas
from arcrun_server.routes.problems import graph_error, join_path
from arcrun_server.web.body import MAX_VALUES, check_values, checked, parse_json
from arcrun_server.workers import Job, WorkerBusyError, WorkerError, WorkerTimeoutError

if TYPE_CHECKING:
    from collections.abc import Collection

    from arcrun_server.engine import Graph, ParameterWarning
    from arcrun_server.workers import WorkerPool

LARGE = 32 * 1024
# How many large bodies are made values at once: a value takes many times the memory of its text.
_AT_ONCE = 2
_SCHEMAS: dict[str, TypeAdapter[Any]] = {
    "API_RECIPE": API_RECIPE,
    "AUTH_RECIPE": AUTH_RECIPE,
    **{name: schema for name, schema in vars(schemas).items() if isinstance(schema, TypeAdapter)},
}
_NAMES = {id(schema): name for name, schema in _SCHEMAS.items()}


@dataclass
class BodyChecks:
    """Checks bodies and graphs; large ones in a worker.

    Args:
        workers: The pool of workers.
        max_values: How many values a body may have.
    """

    workers: WorkerPool
    max_values: int = MAX_VALUES
    _values: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def parse(self, content: bytes, schema: TypeAdapter[Any] | None, code: str) -> Any:
        """Parse a body and check it against a schema.

        Args:
            content: The body.
            schema: A schema of the contract; None takes any JSON.
            code: Code of the error, if the body does not fit.

        Raises:
            ApiError: 400, what is wrong with it; 413, it has too many values; 429, there are too many large bodies.
        """
        if len(content) <= LARGE:
            check_values(content, self.max_values)
            return _parse(content, schema, code)
        name = None if schema is None else _NAMES[id(schema)]
        await self._ask(
            "body_job", {"schema": name, "code": code, "most": self.max_values}, content
        )
        async with self._values:
            return await asyncio.to_thread(_parse, content, schema, code)

    async def graph(
        self,
        graph: Any,
        known: Collection[str],
        prefix: str = "graph",
        *,
        strict: bool | None = None,
    ) -> dict[str, Any]:
        """Check a graph: first what it means, then its fields against the contract, then its parameters.

        Args:
            graph: What the client sent; `strict` is set in it.
            known: Component ids that there are, besides built-ins and URLs.
            prefix: Its path in the body.
            strict: Whether warnings are errors, now and when it runs; None leaves that to the graph.

        Returns:
            `{"warnings": […]}` if there are any, else nothing.

        Raises:
            ApiError: 400, with everything that is wrong; 429, there are too many large graphs.
        """
        if rough_size(graph, LARGE) <= LARGE:
            return _check_graph(graph, known, prefix, strict)
        found = await self.graph_text(encode(graph), known, prefix, strict=strict)
        if strict is not None:
            graph["strict"] = strict
        return {name: value for name, value in found.items() if name == "warnings"}

    async def graph_text(
        self,
        content: bytes,
        known: Collection[str],
        prefix: str,
        *,
        strict: bool | None = None,
    ) -> dict[str, Any]:
        """Check a graph that is the whole body; return `nodeCount`, `edgeCount` and what `graph` returns.

        Raises:
            ApiError: As `graph`, 400 if it is not JSON, and 413 if it has too many values.
        """
        if len(content) <= LARGE:
            check_values(content, self.max_values)
            return _checked_graph(content, known, prefix, strict)
        more = {
            "known": sorted(known),
            "prefix": prefix,
            "strict": strict,
            "most": self.max_values,
        }
        found: dict[str, Any] = await self._ask("graph_job", more, content)
        return found

    async def _ask(self, function: str, more: dict[str, Any], content: bytes) -> Any:
        job, head = Job(__name__, function), encode(more) + b"\n"
        try:
            answer = json.loads(await self.workers.run(job, head, content))
        except WorkerTimeoutError as problem:
            raise ApiError(
                400, "invalid_request", f"the body can't be checked: {problem}; send a smaller one"
            ) from None
        except WorkerBusyError:
            raise too_many("too many large requests are being checked") from None
        except WorkerError:
            raise ApiError(
                400, "invalid_request", "the body can't be checked; send a smaller one"
            ) from None
        if "error" in answer:
            error = answer["error"]
            details = [Detail(**detail) for detail in error.pop("details")]
            raise ApiError(**error, details=details)
        return answer["value"]


def body_job(payload: bytes) -> bytes:
    """Check a body in a worker: a line with schema and code, then the body."""
    more, content = _split(payload)
    schema = more["schema"]

    def check() -> None:
        check_values(content, more["most"])
        _parse(content, schema and _SCHEMAS[schema], more["code"])

    return _answer(check)


def graph_job(payload: bytes) -> bytes:
    """Check a graph in a worker: a line with components, prefix and strictness, then the graph."""
    more, content = _split(payload)
    most = more.pop("most")

    def check() -> dict[str, Any]:
        check_values(content, most)
        return _checked_graph(content, **more)

    return _answer(check)


def _split(payload: bytes) -> tuple[dict[str, Any], bytes]:
    line, _, content = payload.partition(b"\n")
    return json.loads(line), content


def _answer(check: Any) -> bytes:
    try:
        return encode({"value": check()})
    except ApiError as error:
        shown = {"status": error.status, "code": error.code, "message": error.message}
        details = [detail.as_json() for detail in error.details]
        return encode({"error": {**shown, "details": details}})


def _parse(content: bytes, schema: TypeAdapter[Any] | None, code: str) -> Any:
    value = parse_json(content)
    return value if schema is None else checked(schema, value, code)


def _checked_graph(
    content: bytes, known: Collection[str], prefix: str, strict: bool | None
) -> dict[str, Any]:
    graph = parse_json(content)
    warnings = _check_graph(graph, known, prefix, strict)
    return {"nodeCount": len(graph["nodes"]), "edgeCount": len(graph["edges"]), **warnings}


def _check_graph(
    graph: Any, known: Collection[str], prefix: str, strict: bool | None
) -> dict[str, Any]:
    problems = check_graph(graph, known)
    if problems:
        raise graph_error(problems, prefix=prefix)
    try:
        checked(schemas.GRAPH, graph, "invalid_graph")
    except ApiError as error:
        error.details = tuple(
            Detail(
                detail.message, path=join_path(prefix, detail.path), suggestion=detail.suggestion
            )
            for detail in error.details
        )
        raise
    if strict is not None:
        graph["strict"] = strict
    found = check_parameters(graph)
    problems = list(found.problems)
    if graph.get("strict"):
        problems += [_as_problem(graph, warning) for warning in found.warnings]
    if problems:
        raise graph_error(problems, prefix=prefix)
    return {"warnings": list(map(vars, found.warnings))} if found.warnings else {}


def _as_problem(graph: Graph, warning: ParameterWarning) -> Problem:
    number = next(
        number for number, node in enumerate(graph["nodes"]) if node["id"] == warning.node
    )
    return Problem(warning.message, path=f"nodes[{number}]")
