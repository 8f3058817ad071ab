"""Checks whether a text is valid JSON, and whether a value fits a JSON Schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from arcrun_server.engine import ComponentError
from arcrun_server.engine.json_numbers import (
    JsonNumberError,
    finite_number,
    no_constant,
    whole_number,
)
from arcrun_server.engine.shorten import redacted, shorten
from arcrun_server.engine.sizes import has_more_values, rough_size
from arcrun_server.json_text import encode
from arcrun_server.workers import (
    Job,
    WorkerBusyError,
    WorkerError,
    WorkerTimeoutError,
)

from .contract import given_value, require

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from arcrun_server.engine import Component, Invocation, JsonObject
    from arcrun_server.workers import WorkerPool

    from .contract import ComponentContract

MAX_ERRORS = 20
# Of what is wrong with a value of more values than these, only the first is listed.
MANY_VALUES = 10_000
MAX_MESSAGE = 300
# A longer message is not quoted at all: half a secret in it could not be redacted any more.
MAX_QUOTED = 64 * 1024
SECONDS = 3.0
MAX_BYTES = 8 * 1024 * 1024
QUICK_BYTES = 16 * 1024
# With references, a small schema can mean a large one; expressions are compiled, which may be large too.
_SLOW = frozenset(
    {"$ref", "$dynamicRef", "$recursiveRef", "pattern", "patternProperties", "format"}
)
_JOB = Job(__name__, "violations_job")

CONTRACT: ComponentContract = {
    "canonical_id": "validate_json",
    "display_name": "JSON 驗證 Validate JSON",
    "category": "logic",
    "version": "1.0.0",
    "description": (
        "Checks `data` (a value, or JSON as text) against `schema`, JSON Schema 2020-12. "
        "Patterns can't look around or back; other documents are not fetched."
    ),
    "input_schema": {
        "type": "object",
        "required": ["data"],
        "properties": {
            "data": {"description": "A value; a text is read as JSON."},
            "schema": {"type": ["object", "boolean"]},
        },
    },
    "output_schema": {
        "type": "object",
        "required": ["success", "data"],
        "properties": {
            "success": {"const": True},
            "data": {
                "type": "object",
                "required": ["result", "branch", "value", "errors"],
                "properties": {
                    "result": {"type": "boolean"},
                    "branch": {"enum": ["true", "false"]},
                    "value": {
                        "description": "The value that was checked; null if it is not valid JSON."
                    },
                    "errors": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["path", "message"],
                            "properties": {
                                "path": {"type": "string"},
                                "message": {"type": "string"},
                            },
                        },
                    },
                },
            },
        },
    },
    "config_example": {
        "data": "{{prev.text}}",
        "schema": {"type": "object", "required": ["標題"]},
    },
    "branches": ["true", "false"],
}


def component(workers: WorkerPool) -> Component:
    """Return the component; schemas that may take long are checked by a worker."""
    check = schema_check(workers)

    async def run(given: JsonObject, _invocation: Invocation) -> JsonObject:
        value, errors = _read(given_value(given, "data", "json", "text"))
        schema = given.get("schema")
        if not errors and schema is not None:
            if not isinstance(schema, bool):
                require(schema, dict, "schema")
            try:
                errors = await check(schema, value)
            except InvalidSchemaError as problem:
                reason = shorten(str(problem), MAX_MESSAGE)
                raise ComponentError(f"`schema` is not a valid JSON Schema: {reason}") from None
        return _result(value, [_shortened(error) for error in errors])

    return run


def schema_check(workers: WorkerPool) -> Callable[[Any, Any], Awaitable[list[JsonObject]]]:
    """Return a function that returns where a value does not fit a schema, with the help of workers.

    It raises InvalidSchemaError for what is no schema, and ComponentError for what can't be checked.
    """

    async def check(schema: Any, value: Any) -> list[JsonObject]:
        if _is_quick(schema, value):
            return violations(schema, value)
        return await _violations_by(workers, schema, value)

    return check


class InvalidSchemaError(ValueError):
    """A schema is not valid. The message says why, at full length."""


def violations_job(payload: bytes) -> bytes:
    """Check a value in a worker: from `[schema, value]` to `{"errors"}` or `{"problem"}`, as JSON."""
    try:
        return encode({"errors": violations(*json.loads(payload))})
    except InvalidSchemaError as problem:
        return encode({"problem": str(problem)})


def violations(schema: Any, value: Any) -> list[JsonObject]:
    """Return where a value does not fit a schema.

    The messages are not cut: a worker does not know the secrets that have to be redacted first.

    Raises:
        InvalidSchemaError: The schema is not valid.

    Example:
        >>> violations({"properties": {"標題": {"type": "string"}}}, {"標題": 1})
        [{'path': '標題', 'message': '1 is not of type "string"'}]
    """
    try:
        validator = jsonschema_rs.Draft202012Validator(
            schema,
            offline=True,
            # The regular expressions without backtracking: no pattern can block the server.
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as problem:
        message = getattr(problem, "message", None) or str(problem)
        raise InvalidSchemaError(_quoted(message, "it does not fit the rules of schemas")) from None
    if validator.is_valid(value):
        return []
    errors = []
    for error in _errors(validator, value):
        path = ".".join(map(str, error.instance_path))
        place = "/".join(map(str, error.schema_path))
        message = _quoted(error.message, f"the value does not fit `{place}` of the schema")
        errors.append({"path": path, "message": message})
        if len(errors) == MAX_ERRORS:
            break
    return errors


def _errors(validator: jsonschema_rs.Draft202012Validator, value: Any) -> Iterable[Any]:
    """Return what is wrong with a value that is not valid; if very much may be, only the first error.

    All errors are made at once, each with a copy of what it is about: kilobytes for every row of a table.
    """
    if has_more_values([value], MANY_VALUES):
        try:
            validator.validate(value)
        except jsonschema_rs.ValidationError as first:
            return [first]
    return validator.iter_errors(value)


def _quoted(message: str, otherwise: str) -> str:
    return message if len(message) <= MAX_QUOTED else otherwise


def _shortened(error: JsonObject) -> JsonObject:
    return {**error, "message": shorten(error["message"], MAX_MESSAGE)}


async def _violations_by(workers: WorkerPool, schema: Any, value: Any) -> list[JsonObject]:
    if rough_size([schema, value], MAX_BYTES) > MAX_BYTES:
        raise ComponentError(f"`schema` and `data` are together larger than {MAX_BYTES:,} bytes")
    try:
        # A secret stays in this process: the worker sees `[redacted]` in its place.
        given = encode(redacted([schema, value]))
        answer = json.loads(await workers.run(_JOB, given, seconds=SECONDS))
    except WorkerTimeoutError:
        raise ComponentError(
            f"checking `data` against `schema` takes longer than {SECONDS:g} seconds; make the schema simpler"
        ) from None
    except WorkerBusyError:
        raise ComponentError("too many schemas are being checked; try again in a moment") from None
    except WorkerError:
        raise ComponentError(
            "`schema` can't be checked: it needs too much memory, or refers to itself without end"
        ) from None
    if "problem" in answer:
        raise InvalidSchemaError(answer["problem"])
    errors: list[JsonObject] = answer["errors"]
    return errors


def _is_quick(schema: Any, value: Any) -> bool:
    """Tell whether the work is sure to grow with schema and value only: both are small, nothing refers or matches."""
    if rough_size([schema, value], QUICK_BYTES) > QUICK_BYTES:
        return False
    pending = [schema]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            if not _SLOW.isdisjoint(part):
                return False
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)
    return True


def _result(value: Any, errors: list[JsonObject]) -> JsonObject:
    valid = not errors
    data = {
        "result": valid,
        "branch": "true" if valid else "false",
        "value": value,
        "errors": errors,
    }
    return {"success": True, "data": data}


def _read(data: Any) -> tuple[Any, list[JsonObject]]:
    if not isinstance(data, str):
        return data, []
    try:
        value = json.loads(
            data, parse_int=whole_number, parse_float=finite_number, parse_constant=no_constant
        )
    except JsonNumberError as problem:
        return None, [{"path": "", "message": f"the JSON can't be used: {problem}"}]
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        return None, [{"path": "", "message": f"not valid JSON: {problem.msg} ({where})"}]
    except RecursionError:
        return None, [{"path": "", "message": "the JSON is nested too deeply"}]
    return value, []
