"""Runs JavaScript in a worker, each time in a new runtime: nothing of one call is there in the next.

The engine is QuickJS, which is written in C: a defect of it may end or take over this process, and no other. The
process holds no secrets and no store, it is confined before it runs anything, and the pool ends it when a call takes
too long.
"""

from __future__ import annotations

import json
import re
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import quickjs

from arcrun_server.workers.confinement import confine

MEMORY_BYTES = 16 * 1024 * 1024
STACK_BYTES = 512 * 1024
# The author's code begins after so many lines, so that its places differ from those of the prelude.
LINES_BEFORE = 1000
_PRELUDE = Path(__file__).with_name("prelude.js").read_text("utf-8")
_SHA256 = Path(__file__).with_name("sha256.js").read_text("utf-8")
_OUT_OF_TIME = "InternalError: interrupted"
_TOO_DEEP = "RangeError: Maximum call stack size exceeded"
_OUT_OF_MEMORY = (
    "InternalError: out of memory",
    "InternalError: string too long",
    "RangeError: invalid array buffer length",
)
# What `JSON.stringify` says of a cycle; the error names no place in the author's code.
_CIRCULAR = "circular reference"
_PLACE = re.compile(r"<input>:([0-9]{1,9}):([0-9]{1,9})")
# As `JSON.stringify` writes them: half of a surrogate pair, and NUL.
_NO_TEXT = re.compile(r"(?<!\\)(?:\\\\)*\\u(?:d[89a-f]|0000)")
_THROW = re.compile(r"\bthrow\b(?!\s+new\b)([^;}\n]*)")
_CAUGHT = re.compile(r"\bcatch\s*\(\s*([\w$]+)\s*\)")
_REJECTS = re.compile(r"\b(?:Promise|reject|then|eval|Function|constructor)\b")
# The characters of an outcome around the returned value.
_AROUND = len('{"data":}')


def job(payload: bytes) -> bytes:
    """Run code in a worker: from `{code, input, seconds, most_bytes}` to an outcome, both as JSON."""
    _confine_once()
    given = json.loads(payload)
    outcome = run(given["code"], given["input"], given["seconds"], given["most_bytes"])
    return json.dumps(outcome).encode()


@lru_cache(maxsize=1)
def _confine_once() -> None:
    confine()


def run(code: str, value: Any, seconds: float, most_bytes: int) -> dict[str, Any]:
    """Run the body of a function of `input`, and wait for what it returns.

    Args:
        code: The body; it may await promises.
        value: The input.
        seconds: How much time of a processor it may use.
        most_bytes: How large the returned value may be, as JSON.

    Returns:
        `{"data": …}` or `{"error": {"kind", …}}`. Kinds are `error` and `thrown` (by the code), `contract`, `time`,
        `memory`, `depth`, `large`, and `endless` for a promise that nothing settles.

    Example:
        >>> run("return input.數 * 2", {"數": 21}, seconds=1, most_bytes=100)
        {'data': 42}
    """
    context = quickjs.Context()
    context.set_memory_limit(MEMORY_BYTES)
    context.set_max_stack_size(STACK_BYTES)
    context.set_time_limit(seconds)
    try:
        outcome = _outcome(context, code, json.dumps(value), seconds, most_bytes)
    except quickjs.JSException as problem:
        # The prelude catches what the code throws, but for the limits of the engine.
        return {"error": _limit(str(problem)) or {"kind": "memory"}}
    if outcome is None:
        return {"error": {"kind": "endless"}}
    return _read(outcome, code, most_bytes)


def _outcome(context: Any, code: str, value: str, seconds: float, most_bytes: int) -> str | None:
    """Return the outcome as the prelude writes it; None if nothing is left to do and there is none."""
    ends = time.process_time() + seconds
    start = context.eval(_PRELUDE)(_SHA256)
    poll = start(code, value, most_bytes + _AROUND, "\n" * LINES_BEFORE)
    while (outcome := poll()) is None:
        left = ends - time.process_time()
        if left <= 0:
            raise quickjs.JSException(_OUT_OF_TIME)
        context.set_time_limit(left)
        if not context.execute_pending_job():
            return None
    return str(outcome)


def _read(outcome: str, code: str, most_bytes: int) -> dict[str, Any]:
    try:
        read: dict[str, Any] = json.loads(outcome)
    except RecursionError:
        return _contract("the returned value is nested too deeply")
    if "error" in read:
        return {"error": _of_error(read["error"], code)}
    if "large" in read or len(outcome.encode()) > most_bytes + _AROUND:
        return {"error": {"kind": "large"}}
    if _NO_TEXT.search(outcome):
        return _contract("the returned value has a text with half of a surrogate pair or NUL")
    return {"data": read.get("data")}  # it is not there if the code returned undefined


def _contract(message: str) -> dict[str, Any]:
    return {"error": {"kind": "contract", "message": message}}


def _of_error(error: dict[str, Any], code: str) -> dict[str, Any]:
    if error == {"kind": "thrown", "message": "null"} and not _may_throw_null(code):
        return {"kind": "memory"}
    if error["kind"] != "error":
        return error
    place = _place(error.pop("stack"))
    if error["message"] == _CIRCULAR and not place:
        return {
            "kind": "contract",
            "message": "the returned value is a cycle, which JSON has no form for",
        }
    return _limit(f"{error['name']}: {error['message']}") or {**error, **place}


def _may_throw_null(code: str) -> bool:
    """Tell whether code may throw null itself; if not, the engine did, which had no memory left for an error.

    What was caught and is thrown again is not the code's own.
    """
    caught = set(_CAUGHT.findall(code))
    thrown = (what.strip() for what in _THROW.findall(code))
    return bool(_REJECTS.search(code)) or any(what not in caught for what in thrown)


def _limit(text: str) -> dict[str, Any]:
    """Return which limit the engine's own error means; nothing if it is another error."""
    if text.startswith(_OUT_OF_TIME):
        return {"kind": "time"}
    if text.startswith(_TOO_DEEP):
        return {"kind": "depth"}
    if text.startswith(_OUT_OF_MEMORY):
        return {"kind": "memory"}
    return {}


def _place(stack: str) -> dict[str, int]:
    """Return the first place in the author's code that a stack names."""
    for line, column in _PLACE.findall(stack):
        if int(line) > LINES_BEFORE + 1:
            return {"line": int(line) - LINES_BEFORE - 1, "column": int(column)}
    return {}
