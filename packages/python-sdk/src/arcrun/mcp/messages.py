"""Which messages are refused before the SDK reads them: it drops what it can't read, or repeats it in its error."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import mcp_types as types
from pydantic import ValidationError

DEEPEST = 200  # levels of arrays and objects, the limit of the SDK's JSON parser
# A string (also one without end), brackets that follow each other, or what stands between them. Nothing is tried twice:
# a large message costs no more than its length.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]++|[\]}]++|[,:]|[^\s"\[\]{},:]++', re.DOTALL)


def refusal(text: str) -> types.JSONRPCError | None:
    """Return the response to a text that is no JSON-RPC message; None if it is one.

    The response has the id of the request wherever one can be found: else who sent it would wait for ever.

    Args:
        text: what was sent, decoded with `surrogateescape`.

    Example:
        >>> refusal('{"jsonrpc": "2.0", "id": 7}').id
        7
    """
    if not _is_utf8(text):
        return _error(types.PARSE_ERROR, "Parse error: the message is not UTF-8", _outline(text).id)
    try:
        message = types.jsonrpc_message_adapter.validate_json(text, by_name=False)
    except ValidationError as error:
        outline = _outline(text)
        if not any(each["type"] == "json_invalid" for each in error.errors()):
            return _not_a_message(outline.id)
        if outline.deepest > DEEPEST:
            too_deep = f"Invalid request: the message is nested more than {DEEPEST} levels deep"
            return _error(types.INVALID_REQUEST, too_deep, outline.id)
        return _error(types.PARSE_ERROR, "Parse error: the message is not JSON", outline.id)
    if isinstance(message, types.JSONRPCNotification) and _outline(text).has_id:
        return _not_a_message(None)  # a request whose id is neither a string nor an integer
    return None


class _Outline(NamedTuple):
    """What can be told of a text that may be no JSON."""

    deepest: int
    has_id: bool
    id: str | int | None


def _outline(text: str) -> _Outline:
    depth = deepest = 0
    found = key = separator = ""
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token[0] in "[{":
            depth += len(token)
            deepest = max(deepest, depth)
            if (key, separator, depth - len(token)) == ('"id"', ":", 1):
                found = token
        elif token[0] in "]}":
            depth -= len(token)
        elif depth == 1 and (key, separator) == ('"id"', ":"):
            found = token
        key, separator = (separator, token) if depth == 1 else ("", "")
    is_object = text.lstrip().startswith("{") and depth == 0
    return _Outline(deepest, is_object and bool(found), _id_of(found) if is_object else None)


def _id_of(token: str) -> str | int | None:
    try:
        found = json.loads(token)
        str(found).encode()
    except ValueError:  # no JSON, too many digits, or half a surrogate pair
        return None
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _not_a_message(request: str | int | None) -> types.JSONRPCError:
    expected = "Invalid request: the message is not one JSON-RPC request, notification or response"
    return _error(types.INVALID_REQUEST, expected, request)


def _error(code: int, message: str, request: str | int | None) -> types.JSONRPCError:
    error = types.ErrorData(code=code, message=message)
    return types.JSONRPCError(jsonrpc="2.0", id=request, error=error)
