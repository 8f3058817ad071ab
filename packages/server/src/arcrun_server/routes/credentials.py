"""`/credentials`: the account's secrets, without their values (docs/contract.md#credentials)."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Any

from arcrun_server.accounts.keys import presented_key, unknown_key
from arcrun_server.engine.nearest import Suggestions
from arcrun_server.errors import ApiError
from arcrun_server.routes.context import path_name
from arcrun_server.routes.large_bodies import LARGE
from arcrun_server.routes.schemas import (
    PLAIN_PUSH,
    PLAIN_REPLACEMENT,
    SEALED_PUSH,
    SEALED_REPLACEMENT,
)
from arcrun_server.store.credentials import RevokedKeyError
from arcrun_server.validation import CREDENTIAL_NAME, CREDENTIAL_NAME_RULE
from arcrun_server.web.body import check_values, checked, parse_json, read_body
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.routes.context import Context
    from arcrun_server.web.router import ApiRouter

_LISTED = "credentials"


_MOST_FIELDS = 100
# Enough for the longest value with each of its characters escaped.
_MOST_BYTES = 512 * 1024


class CredentialRoutes:
    """Push, list, read and delete credentials."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._credentials = context.store.credentials

    def add_to(self, router: ApiRouter) -> None:
        """Add these routes."""
        router.add_api_route("/credentials", self.list, methods=["GET"])
        router.add_api_route("/credentials", self.push, methods=["POST"])
        router.add_api_route("/credentials/{name}", self.read, methods=["GET"])
        router.add_api_route("/credentials/{name}", self.replace, methods=["PUT"])
        router.add_api_route("/credentials/{name}", self.delete, methods=["DELETE"])

    async def list(self, request: Request) -> Response:
        """Return a page of the names, and what is not secret."""
        account = await self._context.account(request)
        pages = self._context.pages
        page = await self._credentials.list(account, pages.requested(request, _LISTED))
        body = {"success": True, "credentials": page.entries, "total": page.total}
        return JsonResponse(body | pages.next(page, _LISTED))

    async def push(self, request: Request) -> Response:
        """Store or replace the credential that the body names."""
        account = await self._context.account(request)
        body = await self._body(request)
        schema = PLAIN_PUSH if _is_plain(body) else SEALED_PUSH
        pushed = checked(schema, body)
        return await self._store(request, account, pushed["name"], pushed)

    async def replace(self, request: Request) -> Response:
        """Store or replace the credential that the path names."""
        account = await self._context.account(request)
        name = _name(request)
        body = await self._body(request)
        schema = PLAIN_REPLACEMENT if _is_plain(body) else SEALED_REPLACEMENT
        return await self._store(request, account, name, checked(schema, body))

    async def read(self, request: Request) -> Response:
        """Return the client's own envelope; never a value that was pushed in plain form."""
        account = await self._context.account(request)
        name = _name(request)
        found = await self._credentials.get(account, name)
        if found is None:
            raise _not_found(name)
        envelope = {"encrypted": found.encrypted, "iv": found.iv} if found.encrypted else {}
        return JsonResponse(
            {
                "name": found.name,
                "sealed": bool(envelope),
                **envelope,
                "service": found.service,
                "sensitivity": found.sensitivity,
            }
        )

    async def delete(self, request: Request) -> Response:
        """Remove a credential."""
        account = await self._context.account(request)
        name = _name(request)
        if not await self._credentials.delete(account, name):
            raise _not_found(name)
        return JsonResponse({"success": True, "name": name})

    async def _body(self, request: Request) -> Any:
        content = await read_body(request, self._context.settings.max_body_bytes)
        if len(content) > _MOST_BYTES:
            raise ApiError(
                400,
                "invalid_request",
                f"the body is larger than any credential: {_MOST_BYTES} bytes are enough for the longest",
            )
        check_values(content, self._context.settings.max_values)
        # In a thread, and not by a worker as other large bodies: a secret stays in this process.
        body = (
            await asyncio.to_thread(parse_json, content)
            if len(content) > LARGE
            else parse_json(content)
        )
        # So many fields can't all be known; the first ones are enough to say so.
        return dict(islice(body.items(), _MOST_FIELDS)) if isinstance(body, dict) else body

    async def _store(
        self, request: Request, account: str, name: str, pushed: dict[str, str]
    ) -> Response:
        try:
            stored = await self._credentials.push(account, name, pushed, presented_key(request))
        except RevokedKeyError:
            raise unknown_key() from None
        return JsonResponse({"success": True, **stored})


def _is_plain(body: Any) -> bool:
    """Tell whether a body is meant to be in plain form, so that an error is about the right form."""
    if not isinstance(body, dict) or not body.keys().isdisjoint({"encrypted", "iv"}):
        return isinstance(body, dict) and "value" in body
    forms = ("value", "encrypted", "iv")
    suggestions = Suggestions()
    return any(
        suggestions.nearest(str(key), forms) == "value" for key in islice(body, _MOST_FIELDS)
    )


def _name(request: Request) -> str:
    return path_name(request, "name", CREDENTIAL_NAME, CREDENTIAL_NAME_RULE)


def _not_found(name: str) -> ApiError:
    return ApiError(
        404,
        "credential_not_found",
        f"no credential {name!r} in this account",
        next_actions=["see the names: GET /credentials"],
    )
