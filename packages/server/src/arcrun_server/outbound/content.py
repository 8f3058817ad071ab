"""What a response's body is: JSON, text, or bytes that are neither."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING

from .errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
_TEXT_TYPES = ("text/", "application/xml", "application/javascript", "application/x-www-form")


def media_type(content_type: str) -> str:
    """Return a content type without its parameters, in lower case.

    Example:
        >>> media_type("Application/JSON; charset=utf-8")
        'application/json'
    """
    return content_type.partition(";")[0].strip().lower()


def is_json_type(kind: str) -> bool:
    """Tell whether a media type is JSON.

    Example:
        >>> is_json_type("application/problem+json"), is_json_type("text/plain")
        (True, False)
    """
    return kind in {"application/json", "text/json"} or kind.endswith("+json")


def is_text(body: bytes, kind: str) -> bool:
    """Tell whether a body is text: by its type, or because it is UTF-8 without NUL."""
    if is_json_type(kind) or kind.startswith(_TEXT_TYPES):
        return True
    try:
        return "\0" not in body.decode()
    except UnicodeDecodeError:
        return False


def as_base64(body: bytes) -> str:
    """Return bytes in Base64."""
    return base64.b64encode(body).decode()


async def decompressed(parts: AsyncIterator[bytes], coding: str, most: int) -> AsyncIterator[bytes]:
    """Yield a body as it was before compression, never much more of it than is allowed.

    Args:
        parts: The body as it comes.
        coding: Its content coding.
        most: How many bytes it may have.

    Raises:
        Unreachable: It is larger, damaged, or compressed in another way.
    """
    if coding not in _COMPRESSED | {"", "identity"}:
        raise Unreachable(f"the response is compressed with {coding[:40]}, which is not supported")
    decoder = zlib.decompressobj(_GZIP_OR_ZLIB) if coding in _COMPRESSED else None
    size = 0
    async for part in parts:
        plain = _plain(decoder, part, most - size + 1) if decoder else part
        size += len(plain)
        if size > most or (decoder and decoder.unconsumed_tail):
            raise Unreachable(f"the response is larger than {most:,} bytes")
        yield plain
    if decoder and size and not decoder.eof:
        raise Unreachable("the response is compressed, and cut off")


def _plain(decoder: zlib._Decompress, part: bytes, most: int) -> bytes:
    try:
        plain = decoder.decompress(part, most)
    except zlib.error:
        raise Unreachable("the response says that it is compressed, but it is not") from None
    if decoder.unused_data[:1] == b"\x1f":
        # Another gzip stream: its text would be lost in silence.
        raise Unreachable("the response is compressed in several parts, which is not supported")
    return plain
