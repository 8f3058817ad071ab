"""Reading a request's JSON: strictly, so that any client can read what is stored."""

from __future__ import annotations

import gc
import json
import math
import re
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from arcrun_server.engine.model import readable
from arcrun_server.engine.nearest import Suggestions
from arcrun_server.errors import ApiError, Detail
from arcrun_server.web.text import bad_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails
    from starlette.requests import Request

MAX_DEPTH = 100
# How many problems of one body are listed.
MAX_DETAILS = 50
# How many values a body may have. Each costs time and memory, whatever its length.
MAX_VALUES = 100_000
# More digits than any double has before its point; it also keeps reading a number cheap.
MAX_DIGITS = 400


async def read_body(request: Request, limit: int) -> bytes:
    """Read the body of a request, which `parse_json` can parse.

    Args:
        request: The request.
        limit: Largest body, in bytes.

    Raises:
        ApiError: 413 too large, 415 not JSON by its content type.
    """
    content = await read_raw(request, limit)
    body_type(request, empty=not content)
    return content


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


async def read_raw(request: Request, limit: int) -> bytes:
    """Read the body of a request as it is, whatever it is.

    Args:
        request: The request.
        limit: Largest body, in bytes.

    Raises:
        ApiError: 413 too large.
    """
    declared = request.headers.get("content-length")
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    return await _read(request, limit)


def body_type(request: Request, *, empty: bool, taken: tuple[str, ...] = (JSON,)) -> str:
    """Return the media type of a body, one of those that are taken; of an empty one without a type, the first of these.

    Raises:
        ApiError: 415, it is another one, not in UTF-8, or compressed.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise ApiError(
            415, "unsupported_media_type", "compressed bodies are not supported; send plain JSON"
        )
    given, _, parameters = request.headers.get("content-type", "").partition(";")
    media_type = given.strip().lower()
    if not media_type and empty:
        return taken[0]
    if media_type not in taken or not _is_utf8(parameters):
        kinds = "JSON" if taken == (JSON,) else "JSON or a form"
        raise ApiError(
            415,
            "unsupported_media_type",
            f"the body must be {kinds} in UTF-8: send the header Content-Type: {' or '.join(taken)}",
            requires=f"Content-Type: {' or '.join(taken)}",
        )
    return media_type


def check_values(content: bytes, most: int) -> None:
    """Check that a body does not have too many values, before any of them is made.

    Args:
        content: The body. What is no JSON is counted too: something.
        most: How many it may have: texts, numbers, lists, objects and so on, at every level.

    Raises:
        ApiError: 413 `too_many_values`.

    Example:
        >>> check_values(b'{"a": [1, 2], "b": ",,,"}', 5)
    """
    if _count(content) > most and _count(_TEXT.sub(b"", content)) > most:
        raise ApiError(
            413,
            "too_many_values",
            f"the body has more than {most:,} values (texts, numbers, lists, objects …), which is the limit "
            "here; send less at once, or what is a table as one text",
        )


def parse_json(content: bytes) -> Any:
    """Parse JSON strictly: UTF-8, no duplicate keys, no NaN, limited depth and digits, and nothing in a text that is none.

    Raises:
        ApiError: 400 `invalid_json`, with line and column where they are known, or `invalid_text` with a path.

    Example:
        >>> parse_json('{"名": 1}'.encode())
        {'名': 1}
    """
    if not content:
        raise _invalid("the body is empty; send a JSON object, at least {}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(f"the body is not UTF-8 (byte {error.start + 1})") from None
    try:
        with _no_collection():
            value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _invalid(
            f"the body is not JSON: line {error.lineno}, column {error.colno}: {error.msg}",
            Detail(error.msg, line=error.lineno, column=error.colno),
        ) from None
    except RecursionError:
        raise _too_deep() from None
    _check_depth(value)
    _check_texts(text, value)
    return value


def checked(adapter: TypeAdapter[Any], value: Any, code: str = "invalid_request") -> Any:
    """Check a value against a schema of the contract.

    Args:
        adapter: The schema.
        value: What the client sent.
        code: Code of the error, if it is not about a name.

    Returns:
        The value.

    Raises:
        ApiError: 400; `details` lists all that is wrong, without quoting any value.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - only its name is needed here

    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        count = error.error_count()
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    details = list(_details(problems[:MAX_DETAILS], adapter))
    raise ApiError(400, _code(problems[0], code), _sentence(details, count), details=details)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector from looking through a large value again and again while it is built."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


async def _read(request: Request, limit: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _is_utf8(parameters: str) -> bool:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "charset" and value.strip('" ').lower() not in {"utf-8", "utf8"}:
            return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _invalid("the body has an object with a duplicate key")
    return result


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise _invalid(f"the body has a number of more than {MAX_DIGITS} digits")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _invalid("the body has a number that is too large for a 64-bit float")
    return value


# A text with its quotes; one without an end goes to the end.
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)', re.DOTALL)


def _count(content: bytes) -> int:
    """Count the values of a body: each follows a comma, an opening bracket, or nothing. Those in texts count too."""
    empty = content.count(b"[]") + content.count(b"{}")
    return 1 + sum(map(content.count, (b",", b"[", b"{"))) - empty


def _no_constant(name: str) -> Any:
    raise _invalid(f"the body has {name}, which is not valid in JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_no_constant
)


def _check_depth(value: Any) -> None:
    layer, depth = [value], 0
    while layer:
        depth += 1
        if depth > MAX_DEPTH:
            raise _too_deep()
        layer = [
            child for item in layer for child in _children(item) if isinstance(child, (dict, list))
        ]


def _children(item: Any) -> Iterator[Any]:
    if isinstance(item, dict):
        yield from item.values()
    elif isinstance(item, list):
        yield from item


def _check_texts(source: str, value: Any) -> None:
    found = bad_text(source, value)
    if found is not None:
        path, what = found
        place = path_text(path)
        raise ApiError(
            400,
            "invalid_text",
            f"{place or 'the body'} has {what}; leave it out, or send it in Base64",
            details=[Detail(f"has {what}", path=place or None)],
        )


def _details(problems: list[ErrorDetails], adapter: TypeAdapter[Any]) -> Iterator[Detail]:
    suggestions = Suggestions()
    for problem in problems:
        path = problem["loc"]
        if problem["type"] == "extra_forbidden":
            known = _known_keys(adapter, path[:-1])
            suggestion = suggestions.nearest(str(path[-1]), known)
            yield Detail("unknown field", path=path_text(path), suggestion=suggestion)
        else:
            yield Detail(_plain(problem["msg"]), path=path_text(path) or None)


def _known_keys(adapter: TypeAdapter[Any], path: tuple[int | str, ...]) -> list[str]:
    """Return the names of the fields that the schema has at this path."""
    schema = _json_schema(adapter)
    definitions = schema.get("$defs", {})

    def resolved(node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            node = definitions[node["$ref"].rpartition("/")[2]]
        return node

    node = resolved(schema)
    for step in path:
        inner = node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
        node = resolved(inner or {})
    return list(node.get("properties", {}))


@lru_cache(maxsize=64)
def _json_schema(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    return adapter.json_schema(mode="validation")


def path_text(path: tuple[int | str, ...]) -> str:
    """Return a path in a body as text.

    Example:
        >>> path_text(("graph", "edges", 0, "to"))
        'graph.edges[0].to'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return readable(text.removeprefix("."))


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:]


# The fields that name what is pushed, or a service.
_NAMES = frozenset({"name", "service", "canonical_id"})


def _code(first: ErrorDetails, code: str) -> str:
    is_name = len(first["loc"]) == 1 and first["loc"][0] in _NAMES
    return "invalid_name" if is_name and first["type"] == "pattern" else code


def _sentence(details: list[Detail], count: int) -> str:
    first = details[0]
    text = f"{first.path}: {first.message}" if first.path else f"the body: {first.message}"
    if first.suggestion:
        text += f"; did you mean {first.suggestion!r}?"
    if count > 1:
        text += f" (and {count - 1} more, see details)"
    return text


def _invalid(message: str, *details: Detail) -> ApiError:
    return ApiError(400, "invalid_json", message, details=details)


def _too_deep() -> ApiError:
    return _invalid(f"the body is nested more than {MAX_DEPTH} deep")


def _too_large(limit: int) -> ApiError:
    return ApiError(
        413, "payload_too_large", f"the body is larger than {limit} bytes, which is the limit here"
    )
