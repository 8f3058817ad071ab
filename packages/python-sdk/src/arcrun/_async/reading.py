"""Reading the body of a response: within a time, and within a size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from arcrun._core.deadlines import deadline_of
from arcrun._core.decoding import CorruptBodyError, Decoder
from arcrun._http import httpx


async def read_body(
    response: httpx.Response, limits: Mapping[str, float | None], limit: int
) -> bytes:
    """Return the decoded body.

    The time counts for head and body together, if the connection is one of ours. A transport of the
    user's own knows nothing of it: then it starts when the headers are there. It is checked only while
    data is missing.

    Args:
        response: a response whose body was not read yet.
        limits: the time-outs that the request was sent with.
        limit: how many bytes it may have, decoded.

    Raises:
        httpx.ReadTimeout: it took longer.
        httpx.DecodingError: it is not what its `Content-Encoding` says.
        UnexpectedResponseError: it is larger, or has another encoding than those asked for.
    """
    deadline = deadline_of(limits)
    if deadline is not None:
        deadline.start()
    if response.is_stream_consumed:  # by a transport that makes responses, as in tests
        return Decoder("", limit).feed(await response.aread())
    decoder, is_late, corrupt = (
        Decoder(response.headers.get("content-encoding", ""), limit),
        False,
        "",
    )
    parts: list[bytes] = []
    async for part in response.aiter_raw():
        if is_late:
            raise httpx.ReadTimeout("the body did not arrive in time")
        try:
            parts.append(decoder.feed(part))
        except CorruptBodyError as error:
            corrupt = str(error)
            break
        is_late = deadline is not None and deadline.is_over
    if corrupt:
        raise httpx.DecodingError(corrupt)
    return b"".join(parts)


def parts_of(response: httpx.Response) -> AsyncIterator[bytes]:
    """Return the body as it comes; of a transport that makes responses, as in tests, the whole of it."""
    return _whole(response) if response.is_stream_consumed else response.aiter_raw()


async def _whole(response: httpx.Response) -> AsyncIterator[bytes]:
    yield await response.aread()
