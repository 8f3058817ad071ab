"""`/prompt-texts`: texts that prompt recipes take as fragments (docs/prompt-recipes.md#fragments)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from arcrun_server.errors import ApiError
from arcrun_server.routes.context import path_name
from arcrun_server.routes.schemas import PROMPT_TEXT
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.routes.context import Context
    from arcrun_server.web.router import ApiRouter

KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}")
KEY_RULE = "1 to 128 letters, digits and . _ : - (A-Z a-z 0-9), not beginning with . : or -"
_LIST = "/prompt-texts"


class PromptTextRoutes:
    """Write, read, list and delete texts."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store.prompt_texts

    def add_to(self, router: ApiRouter) -> None:
        """Add these routes."""
        router.add_api_route(_LIST, self.list, methods=["GET"])
        router.add_api_route(f"{_LIST}/{{key}}", self.put, methods=["PUT"])
        router.add_api_route(f"{_LIST}/{{key}}", self.get, methods=["GET"])
        router.add_api_route(f"{_LIST}/{{key}}", self.delete, methods=["DELETE"])

    async def list(self, request: Request) -> Response:
        """Return a page of the keys."""
        account = await self._context.account_by_bearer(request)
        page = await self._store.list(account, self._context.pages.requested(request, _LIST))
        body = {
            "success": True,
            "keys": [entry["key"] for entry in page.entries],
            "count": page.total,
        }
        return JsonResponse(body | self._context.pages.next(page, _LIST))

    async def put(self, request: Request) -> Response:
        """Store or replace a text."""
        account = await self._context.account_by_bearer(request)
        key = _key(request)
        given = await self._context.json(request, PROMPT_TEXT)
        await self._store.put(account, key, given["text"])
        return JsonResponse({"success": True, "key": key})

    async def get(self, request: Request) -> Response:
        """Return a text."""
        account = await self._context.account_by_bearer(request)
        key = _key(request)
        text = await self._store.get(account, key)
        if text is None:
            raise _not_found(key)
        return JsonResponse({"success": True, **text})

    async def delete(self, request: Request) -> Response:
        """Remove a text."""
        account = await self._context.account_by_bearer(request)
        key = _key(request)
        if not await self._store.delete(account, key):
            raise _not_found(key)
        return JsonResponse({"success": True, "key": key})


def _key(request: Request) -> str:
    return path_name(request, "key", KEY, KEY_RULE)


def _not_found(key: str) -> ApiError:
    return ApiError(
        404,
        "text_not_found",
        f"no text {key!r} in this account",
        next_actions=["see all keys: GET /prompt-texts"],
    )
