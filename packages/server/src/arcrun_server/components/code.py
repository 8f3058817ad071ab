"""JavaScript of the workflow's author, in a sandbox (docs/components.md#code)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError
from arcrun_server.engine.destinations import code_problem
from arcrun_server.engine.model import readable
from arcrun_server.engine.nearest import nearest
from arcrun_server.engine.sizes import rough_size
from arcrun_server.json_text import encode
from arcrun_server.workers import (
    Job,
    WorkerBusyError,
    WorkerError,
    WorkerFailedError,
    WorkerPool,
    WorkerTimeoutError,
)

from .contract import describe

if TYPE_CHECKING:
    from arcrun_server.engine import Component, Invocation, JsonObject
    from arcrun_server.slots import Queues

    from .contract import ComponentContract

TIMEOUT_MS = 1_000
MOST_TIMEOUT_MS = 10_000
OUTPUT_BYTES = 1024 * 1024
CODE_BYTES = 256 * 1024
INPUT_BYTES = 4 * 1024 * 1024
ERROR_TYPES = ("ContractError", "UserCodeError", "TimeoutError", "ResourceError", "SandboxError")
_JOB = Job("arcrun_server.workers.javascript", "job")
_LIMITS = {
    "timeout_ms": (TIMEOUT_MS, MOST_TIMEOUT_MS),
    "max_output_bytes": (OUTPUT_BYTES, OUTPUT_BYTES),
}
# What the worker's kinds of errors mean; the others bring a text of their own.
_TEXTS = {
    "time": ("TimeoutError", "the code took longer than {timeout_ms:,} ms"),
    "memory": ("ResourceError", "the code needs more than 16 MiB of memory"),
    "depth": ("ResourceError", "the code calls functions, or nests values, too deeply"),
    "large": ("ResourceError", "the returned value is larger than {max_output_bytes:,} bytes"),
    "endless": (
        "UserCodeError",
        "the code waits for a promise that nothing settles; there are no timers and no requests",
    ),
}
# Without memory for an error, the engine throws null, which looks like that of code that may throw null too.
_NULL = ", as it also does when no memory is left for an error"

CONTRACT: ComponentContract = {
    "canonical_id": "code",
    "display_name": "程式碼 Code",
    "category": "logic",
    "version": "1.0.0",
    "description": (
        "Runs JavaScript in a sandbox: `code` is the body of a function of `input`, and what it returns is `data`. "
        "There is `sha256(text)`, and nothing else beyond the language."
    ),
    "input_schema": {
        "type": "object",
        "required": ["code"],
        "properties": {
            "code": {"type": "string", "description": "It is never a template; it may `await`."},
            "input": {"description": "By default the `input` of the context, or an empty object."},
            "limits": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    name: {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": most,
                        "default": usual,
                    }
                    for name, (usual, most) in _LIMITS.items()
                },
            },
        },
    },
    "output_schema": {
        "type": "object",
        "required": ["success"],
        "properties": {
            "success": {"type": "boolean"},
            "data": {"description": "What the code returned."},
            "error": {"type": "string"},
            "error_type": {"enum": [*ERROR_TYPES]},
        },
    },
    "config_example": {
        "code": "return { 題: input.題.trim(), id: sha256(input.題).slice(0, 12) };",
        "input": {"題": "{{input.標題}}"},
    },
}


class _Failure(Exception):
    """The code can't be run, or brought no result.

    Args:
        error_type: One of ERROR_TYPES.
        text: What is wrong, for the author of the workflow.
    """

    def __init__(self, error_type: str, text: str) -> None:
        super().__init__(text)
        self.error_type = error_type


def component(workers: WorkerPool) -> Component:
    """Return the component.

    Args:
        workers: Run the code; they do nothing else, so that code that takes long keeps nobody else waiting.
    """

    async def run(given: JsonObject, invocation: Invocation) -> JsonObject:
        problem = code_problem(invocation.credentials)
        if problem is not None:
            raise ComponentError(problem)
        try:
            code = _code(invocation.own)
            limits = _limits(invocation.own)
            return {"success": True, "data": await _run(workers, code, given, limits)}
        except _Failure as failure:
            text = _printable(str(failure))
            return {"success": False, "error": text, "error_type": failure.error_type}

    return run


def in_turn(component: Component, queues: Queues, account: str) -> Component:
    """Return a component that runs the code of one account at a time, so that nobody's code keeps all sandboxes busy.

    Args:
        component: The component.
        queues: Whose turn it is.
        account: Whose run it is.
    """

    async def run(given: JsonObject, invocation: Invocation) -> Any:
        async with queues.turn(account):
            return await component(given, invocation)

    return run


async def _run(workers: WorkerPool, code: str, given: JsonObject, limits: dict[str, int]) -> Any:
    value = given.get("input", {})
    if rough_size(value, INPUT_BYTES) > INPUT_BYTES:
        raise _Failure("ResourceError", f"`input` is larger than {INPUT_BYTES:,} bytes")
    seconds = limits["timeout_ms"] / 1000
    job = {
        "code": code,
        "input": value,
        "seconds": seconds,
        "most_bytes": limits["max_output_bytes"],
    }
    try:
        # The worker counts its own processor's time; its process ends when twice of that is over on the clock.
        answer = await workers.run(_JOB, encode(job), seconds=2 * seconds + 1)
    except WorkerError as problem:
        raise _of_worker(problem, limits) from None
    outcome = json.loads(answer)
    if "error" in outcome:
        raise _of_code(outcome["error"], limits)
    return outcome["data"]


def _code(own: JsonObject) -> str:
    if "code" not in own:
        raise _Failure("ContractError", "`code` is missing; give it in the node's config")
    code = own["code"]
    if not isinstance(code, str):
        raise _Failure("ContractError", f"`code` must be text, but it is {describe(code)}")
    if len(code) > CODE_BYTES or len(code.encode("utf-8", "replace")) > CODE_BYTES:
        raise _Failure("ContractError", f"`code` is larger than {CODE_BYTES:,} bytes")
    if "\0" in code:
        raise _Failure("ContractError", "`code` holds NUL")
    return code


def _limits(own: JsonObject) -> dict[str, int]:
    given = own.get("limits") or {}
    if not isinstance(given, dict):
        raise _Failure("ContractError", f"`limits` must be an object, but it is {describe(given)}")
    for name in given:
        if name not in _LIMITS:
            near = nearest(name, list(_LIMITS))
            hint = f"; did you mean '{near}'?" if near else f"; there are {', '.join(_LIMITS)}"
            raise _Failure("ContractError", f"`limits` has no {describe(name)}{hint}")
    limits = {}
    for name, (usual, most) in _LIMITS.items():
        value = given.get(name, usual)
        if type(value) is not int or not 1 <= value <= most:
            raise _Failure(
                "ContractError", f"`limits.{name}` must be a whole number from 1 to {most:,}"
            )
        limits[name] = value
    return limits


def _of_worker(problem: WorkerError, limits: dict[str, int]) -> _Failure:
    if isinstance(problem, WorkerTimeoutError):
        return _of_code({"kind": "time"}, limits)
    if isinstance(problem, WorkerBusyError):
        return _Failure(
            "SandboxError", "too many nodes run code at the moment; try again in a moment"
        )
    if isinstance(problem, WorkerFailedError) and str(problem) == "MemoryError":
        return _of_code({"kind": "memory"}, limits)
    return _Failure("SandboxError", "the sandbox ended before the code did")


def _of_code(error: JsonObject, limits: dict[str, int]) -> _Failure:
    kind = error["kind"]
    if kind in _TEXTS:
        error_type, text = _TEXTS[kind]
        return _Failure(error_type, text.format(**limits))
    if kind == "contract":
        return _Failure("ContractError", error["message"])
    if kind == "thrown":
        note = _NULL if error["message"] == "null" else ""
        return _Failure("UserCodeError", f"the code threw {error['message']}{note}")
    where = f"line {error['line']}, column {error['column']}: " if "line" in error else ""
    return _Failure("UserCodeError", f"{where}{error['name']}: {error['message']}")


def _printable(text: str) -> str:
    """Return a text that moves no cursor where it is printed: code chooses its error's words."""
    return readable("".join(sign if sign.isprintable() else " " for sign in text))
