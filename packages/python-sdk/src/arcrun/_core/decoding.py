"""Bodies of responses, decoded within a limit: a few kilobytes of gzip can become a gigabyte."""

from __future__ import annotations

import zlib

from .advice import advised
from .errors import UnexpectedResponseError

ACCEPTED = "gzip, deflate"  # the `Accept-Encoding` of requests: what `Decoder` reads
MAX_RESPONSE_BYTES = 64 * 1024 * 1024
_ANY_HEADER = zlib.MAX_WBITS | 32
_NO_HEADER = -zlib.MAX_WBITS


class CorruptBodyError(Exception):
    """The body is not what its `Content-Encoding` says."""


class Decoder:
    """Decodes the parts of one body, and counts what comes out.

    It takes what httpx and Chromium take: deflate also without zlib's header, as some servers have always
    sent it; of gzip the first member, whatever follows it.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        """Prepare to decode.

        Args:
            encoding: the `Content-Encoding`.
            limit: how many bytes may come out.

        Raises:
            UnexpectedResponseError: it is another encoding than those asked for.
        """
        self._limit = self._left = limit
        self._inflate = None
        # The start of a body in deflate, until its first two bytes are there.
        self._start: bytes | None = None
        name = encoding.strip().lower()
        if name in {"gzip", "x-gzip"}:
            self._inflate = zlib.decompressobj(_ANY_HEADER)
        elif name == "deflate":
            self._start = b""
        elif name not in {"", "identity"}:
            raise UnexpectedResponseError(
                f"the response is encoded as {encoding[:40]!r}; the SDK asked for {ACCEPTED}"
            )

    def feed(self, part: bytes) -> bytes:
        """Return what a part of the body decodes to.

        Raises:
            UnexpectedResponseError: there is more than the limit.
            CorruptBodyError: it cannot be decoded.
        """
        if self._start is not None:
            part = self._start = self._start + part
            if len(part) < 2:
                return b""
            self._inflate = zlib.decompressobj(_ANY_HEADER if _has_header(part) else _NO_HEADER)
            self._start = None
        if self._inflate is not None:
            try:
                part = self._inflate.decompress(part, self._left + 1)
            except zlib.error as error:
                raise CorruptBodyError(str(error)) from None
        self._left -= len(part)
        if self._left < 0:
            problem = f"the response is larger than {self._limit:,} bytes"
            failure = UnexpectedResponseError(
                f"{problem}; a client takes more with max_response_bytes=…"
            )
            raise advised(failure, problem, "max_response_bytes")
        return part


def _has_header(body: bytes) -> bool:
    """Tell whether a body begins as zlib (RFC 1950) or gzip does."""
    is_zlib = body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0
    return is_zlib or body.startswith(b"\x1f\x8b")
