"""Bodies of responses, decoded within a limit: a few kilobytes of gzip can become a gigabyte."""

from __future__ import annotations

import zlib

from .errors import UnexpectedResponseError

ACCEPTED = "gzip, deflate"  # the `Accept-Encoding` of requests: what `Decoder` reads
MAX_RESPONSE_BYTES = 64 * 1024 * 1024
_ANY_HEADER = zlib.MAX_WBITS | 32


class CorruptBodyError(Exception):
    """The body is not what its `Content-Encoding` says."""


class Decoder:
    """Decodes the parts of one body, and counts what comes out."""

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
        name = encoding.strip().lower()
        if name in {"gzip", "x-gzip", "deflate"}:
            self._inflate = zlib.decompressobj(_ANY_HEADER)
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
        if self._inflate is not None:
            try:
                part = self._inflate.decompress(part, self._left + 1)
            except zlib.error as error:
                raise CorruptBodyError(str(error)) from None
        self._left -= len(part)
        if self._left < 0:
            raise UnexpectedResponseError(
                f"the response is larger than {self._limit:,} bytes; a client takes more with "
                "max_response_bytes=…"
            )
        return part
