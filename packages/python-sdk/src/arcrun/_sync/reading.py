# Generated from _async by scripts/unasync.py: edit there.
"""Reading the body of a response: within a time, and within a size."""

from __future__ import annotations

import time

from arcrun._core.decoding import CorruptBodyError, Decoder
from arcrun._http import httpx


def read_body(response: httpx.Response, seconds: float | None, limit: int) -> bytes:
    """Return the decoded body.

    The time counts for the whole body: httpx's own time-out counts for each part, so a sender of a
    byte now and then would never reach it. It starts when the headers are there, so that waiting for
    a connection does not count, and is checked only while data is missing.

    Args:
        response: a response whose body was not read yet.
        seconds: how long the body may take; None for as long as it takes.
        limit: how many bytes it may have, decoded.

    Raises:
        httpx.ReadTimeout: it took longer.
        httpx.DecodingError: it is not what its `Content-Encoding` says.
        UnexpectedResponseError: it is larger, or has another encoding than those asked for.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    if response.is_stream_consumed:  # by a transport that makes responses, as in tests
        return Decoder("", limit).feed(response.read())
    decoder, is_late, corrupt = (
        Decoder(response.headers.get("content-encoding", ""), limit),
        False,
        "",
    )
    parts: list[bytes] = []
    for part in response.iter_raw():
        if is_late:
            raise httpx.ReadTimeout("the body did not arrive in time")
        try:
            parts.append(decoder.feed(part))
        except CorruptBodyError as error:
            corrupt = str(error)
            break
        is_late = deadline is not None and time.monotonic() > deadline
    if corrupt:
        raise httpx.DecodingError(corrupt)
    return b"".join(parts)
