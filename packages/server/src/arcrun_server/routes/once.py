"""Writes that a client may repeat under an idempotency key (docs/contract.md#retries-and-idempotency)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.errors import ApiError
from arcrun_server.json_text import encode
from arcrun_server.routes.run_response import IDEMPOTENCY_KEY, REPLAYED, idempotency_error
from arcrun_server.runs.idempotency import IdempotencyError, IdempotentResponse, IdempotentRuns
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response


async def respond_once(
    runs: IdempotentRuns,
    request: Request,
    account: str,
    wanted: Any,
    store: Callable[[], Awaitable[IdempotentResponse]],
) -> Response:
    """Do a write, or repeat the response of the first one under its idempotency key.

    Args:
        runs: Keeps the responses.
        request: The request.
        account: Whose key it is.
        wanted: What makes two requests the same, as a JSON value.
        store: Does the write. Its refusal is a response too: it is kept under the key.

    Raises:
        ApiError: The write was refused, or the key was used for another request.
    """
    key = request.headers.get(IDEMPOTENCY_KEY)
    try:
        if key is None:
            response = await store()
        else:
            response = await runs.once(account, key, encode(wanted), _with_refusals(store))
    except IdempotencyError as error:
        raise idempotency_error(error) from None
    headers = {REPLAYED: "true"} if response.replayed else None
    return JsonResponse(response.body, status_code=response.status, headers=headers)


def _with_refusals(
    store: Callable[[], Awaitable[IdempotentResponse]],
) -> Callable[[], Awaitable[IdempotentResponse]]:
    async def run() -> IdempotentResponse:
        try:
            return await store()
        except ApiError as error:
            return IdempotentResponse(error.status, encode(error.body()))

    return run
