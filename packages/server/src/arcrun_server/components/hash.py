"""Digests of texts, with or without a key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from .contract import data_schema, given_value, one_of, require, success

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation, JsonObject

    from .contract import ComponentContract

ALGORITHMS = ("sha256", "sha512", "sha384", "sha1", "md5", "sha3_256", "sha3_512", "blake2b")
ENCODINGS = ("hex", "base64", "base64url")

CONTRACT: ComponentContract = {
    "canonical_id": "hash",
    "display_name": "雜湊 Hash",
    "category": "logic",
    "version": "1.0.0",
    "description": (
        "The digest of a text as UTF-8; with `key` an HMAC. A value that is not text is hashed as compact JSON."
    ),
    "input_schema": {
        "type": "object",
        "required": ["text"],
        "properties": {
            "text": {},
            "algorithm": {"enum": [*ALGORITHMS], "default": "sha256"},
            "encoding": {"enum": [*ENCODINGS], "default": "hex"},
            "key": {"type": "string", "description": "Makes it an HMAC."},
        },
    },
    "output_schema": data_schema({"type": "string"}),
    "config_example": {"text": "{{input.內容}}", "algorithm": "sha256"},
}


async def run(given: JsonObject, _invocation: Invocation) -> JsonObject:
    """Compute the digest.

    Example:
        >>> import asyncio
        >>> asyncio.run(run({"text": "你好"}, None))["data"]["result"][:8]
        '670d9743'
    """
    text = given_value(given, "text", "value")
    algorithm = one_of(given.get("algorithm", "sha256"), ALGORITHMS, "algorithm")
    encoding = one_of(given.get("encoding", "hex"), ENCODINGS, "encoding")
    content = _bytes(text)
    if given.get("key") is None:
        # Old algorithms are here for services that require them, not for security.
        digest = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    else:
        digest = hmac.digest(_bytes(require(given["key"], str, "key")), content, algorithm)
    return success(_encode(digest, encoding))


def _bytes(value: Any) -> bytes:
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return bytes(value, "utf-8", "surrogatepass")


def _encode(digest: bytes, encoding: str) -> str:
    if encoding == "hex":
        return digest.hex()
    if encoding == "base64":
        return base64.b64encode(digest).decode()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
