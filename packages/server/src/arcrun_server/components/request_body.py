"""The body of an http_request: text, JSON, a form, or a multipart form with files (RFC 7578)."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from arcrun_server.engine import ComponentError
from arcrun_server.engine.nearest import nearest
from arcrun_server.engine.sizes import rough_size
from arcrun_server.json_text import as_text
from arcrun_server.outbound import json_content
from arcrun_server.outbound.client import MAX_REQUEST_BYTES

from .contract import describe, optional, require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arcrun_server.engine import JsonObject

MAX_PARTS = 1000
BODIES = ("multipart", "form", "body_json", "body")
_PART_KEYS = ("name", "value", "base64", "filename", "content_type")
_MEDIA_TYPE = re.compile(
    r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:; *[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|\"[ \w./+-]*\"))*", re.ASCII
)
# What would end a quoted name, or its line: encoded as browsers do.
_IN_NAMES = {ord('"'): "%22", **{code: f"%{code:02X}" for code in (*range(0x20), 0x7F)}}

PART_SCHEMA: JsonObject = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "value": {"description": "Text, sent as it is; anything else is sent as JSON."},
        "base64": {"type": "string", "description": "Instead of `value`: bytes, in Base64."},
        "filename": {"type": "string"},
        "content_type": {"type": "string"},
    },
}


def request_body(given: JsonObject, method: str, headers: dict[str, str]) -> bytes | None:
    """Return the body of a request, and set its content type if no header does.

    Args:
        given: The node's own data.
        method: The HTTP method. GET and HEAD have no body.
        headers: The headers of the request.

    Raises:
        ComponentError: A parameter is wrong, or the body would be too large.
    """
    name = next((name for name in BODIES if given.get(name) is not None), None)
    if name in {"multipart", "form"} and method in {"GET", "HEAD"}:
        raise ComponentError(f"`{name}` is not sent with {method}; set `method` to POST")
    if name is None or method in {"GET", "HEAD"}:
        return None
    value = given[name]
    if name == "multipart":
        return _multipart(given, headers)
    if name == "form":
        kind, content = "application/x-www-form-urlencoded", _form(given)
    elif name == "body" and isinstance(value, str):
        kind, content = "text/plain; charset=utf-8", value.encode("utf-8", "replace")
    else:
        kind, content = "application/json", json_content(value)
    if not _has_content_type(headers):
        headers["Content-Type"] = kind
    return content


def parameters(given: JsonObject, name: str) -> dict[str, str | list[str]]:
    """Return the parameters of a URL or a form; a list stands for a repeated one, null for none."""
    values = optional(given, name, dict, {})
    return {
        key: [as_text(item) for item in value] if isinstance(value, list) else as_text(value)
        for key, value in values.items()
        if value is not None
    }


def _has_content_type(headers: dict[str, str]) -> bool:
    return any(name.lower() == "content-type" for name in headers)


def _form(given: JsonObject) -> bytes:
    _check_size(rough_size(given["form"], MAX_REQUEST_BYTES))
    content = urlencode(parameters(given, "form"), doseq=True, errors="replace").encode()
    _check_size(len(content))
    return content


def _multipart(given: JsonObject, headers: dict[str, str]) -> bytes:
    parts = require(given["multipart"], list, "multipart")
    if any(given.get(name) is not None for name in BODIES if name != "multipart"):
        raise ComponentError(f"a request has one body; give one of {', '.join(BODIES)}")
    if _has_content_type(headers):
        raise ComponentError(
            "`multipart` sets the Content-Type, with the boundary of its parts; leave it out of `headers`"
        )
    if not 0 < len(parts) <= MAX_PARTS:
        raise ComponentError(f"`multipart` has 1 to {MAX_PARTS:,} parts, but it has {len(parts):,}")
    _check_size(rough_size(parts, MAX_REQUEST_BYTES))
    boundary = f"arcrun-{secrets.token_hex(16)}"  # nobody can guess it, so no value holds it
    pieces: list[bytes] = []
    size = 0
    for number, part in enumerate(parts):
        pieces += (f"--{boundary}\r\n".encode(), *_part(part, f"multipart.{number}"), b"\r\n")
        size += sum(map(len, pieces[-4:]))
        _check_size(size)
    headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()])


def _part(part: Any, where: str) -> Iterator[bytes]:
    """Yield the headers of a part, and its content."""
    _check_keys(require(part, dict, where), where)
    name = require(part.get("name"), str, f"{where}.name")
    if not name:
        raise ComponentError(f"`{where}.name` is empty; name the field")
    filename = part.get("filename")
    head = f'Content-Disposition: form-data; name="{_quoted(name)}"'
    if filename is not None:
        head += f'; filename="{_quoted(require(filename, str, f"{where}.filename"))}"'
    kind = _content_type(part, where)
    if kind is not None:
        head += f"\r\nContent-Type: {kind}"
    yield f"{head}\r\n\r\n".encode("utf-8", "replace")
    yield _value(part, where)


def _check_keys(part: JsonObject, where: str) -> None:
    for key in part:
        if key not in _PART_KEYS:
            near = nearest(key, _PART_KEYS)
            hint = f"did you mean '{near}'?" if near else f"it takes {', '.join(_PART_KEYS)}"
            raise ComponentError(f"`{where}` has an unknown field {describe(key)}; {hint}")
    if (part.get("value") is None) == (part.get("base64") is None):
        raise ComponentError(f"`{where}` needs either `value` (text) or `base64` (bytes)")


def _quoted(name: str) -> str:
    return name.translate(_IN_NAMES)


def _content_type(part: JsonObject, where: str) -> str | None:
    given = part.get("content_type")
    if given is not None:
        if not _MEDIA_TYPE.fullmatch(require(given, str, f"{where}.content_type")):
            raise ComponentError(
                f"`{where}.content_type` must be a media type such as image/png, but it is {describe(given)}"
            )
        return str(given)
    if part.get("base64") is not None:
        return "application/octet-stream"
    if isinstance(part["value"], (dict, list)):
        return "application/json"
    return None if part.get("filename") is None else "text/plain; charset=utf-8"


def _value(part: JsonObject, where: str) -> bytes:
    if part.get("base64") is None:
        return as_text(part["value"]).encode("utf-8", "replace")
    text = "".join(require(part["base64"], str, f"{where}.base64").split())
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise ComponentError(f"`{where}.base64` is not Base64") from None


def _check_size(size: int) -> None:
    if size > MAX_REQUEST_BYTES:
        raise ComponentError(f"the request's body is larger than {MAX_REQUEST_BYTES:,} bytes")
