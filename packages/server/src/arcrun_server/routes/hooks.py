"""`/hooks/{id}`: workflows that others trigger by signed webhooks (docs/contract.md#webhooks-in)."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from arcrun_server import clock
from arcrun_server.engine import InvocationFailure
from arcrun_server.engine.characters import no_character
from arcrun_server.engine.webhook import Webhook, webhook_of
from arcrun_server.errors import ApiError
from arcrun_server.routes.run_response import accepted_response
from arcrun_server.runs.run_request import Once
from arcrun_server.runs.service import WorkflowNotFoundError
from arcrun_server.web.body import FORM, JSON, body_type, read_raw
from arcrun_server.web.responses import JsonResponse
from arcrun_server.web.webhook_signature import (
    HEADERS,
    SignatureError,
    Signed,
    is_signed,
    read_secrets,
    read_signed,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.routes.context import Context
    from arcrun_server.store.hook_ids import Hooked
    from arcrun_server.web.router import ApiRouter

MOST_FIELDS = 1000
"""How many fields a form or a query may have."""

# From here on signing a body takes as long as a request.
_LARGE = 256 * 1024
_log = logging.getLogger("arcrun_server.hooks")


class HookRoutes:
    """Take webhooks."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def add_to(self, router: ApiRouter) -> None:
        """Add this route."""
        router.add_api_route("/hooks/{id}", self.take, methods=["POST"])

    async def take(self, request: Request) -> Response:
        """Check a webhook's signature, and accept a run of the workflow."""
        accepted = self._context.durable_runs("/hooks")
        hooked = self._context.store.hook_ids.read(request.path_params["id"])
        if hooked is None:
            raise _not_found()
        webhook = await self._webhook(hooked)
        body = await read_raw(request, self._context.settings.max_body_bytes)
        signed = await self._checked(request, body, hooked, webhook)
        # No client's own key has a space. Whatever a repetition brings, it is the same webhook.
        key = f"webhook {hooked.workflow} {signed.id}"
        response = await self._context.runs.accept_workflow_once(
            accepted,
            hooked.account,
            hooked.workflow,
            {
                "body": await self._body(request, body),
                "query": _collected(await self._pairs(request.scope["query_string"], "query")),
                "headers": _chosen(request, webhook),
            },
            Once(key, key.encode(), accepted_response),
            strict=False,
            trigger="webhook",
        )
        return JsonResponse(response.body, status_code=response.status)

    async def _webhook(self, hooked: Hooked) -> Webhook:
        try:
            graph = await self._context.runs.workflow_graph(hooked.account, hooked.workflow)
        except WorkflowNotFoundError:
            raise _not_found() from None
        webhook = webhook_of(graph)
        if webhook is None or not await self._context.store.accounts.has_key(hooked.account):
            raise _not_found()
        return webhook

    async def _checked(
        self, request: Request, body: bytes, hooked: Hooked, webhook: Webhook
    ) -> Signed:
        """Return what a webhook is signed with, or raise 401."""
        given = {name: request.headers.getlist(name) for name in HEADERS}
        try:
            signed = read_signed(given, clock.now())
        except SignatureError as problem:
            raise _not_signed(str(problem)) from None
        secrets = await self._secrets(hooked, webhook)
        work = (signed, body, secrets)
        large = len(body) > _LARGE
        if not (await asyncio.to_thread(is_signed, *work) if large else is_signed(*work)):
            raise _not_signed(
                "no signature of this webhook is the one that its body should have: sign "
                "`webhook-id.webhook-timestamp.body` as Standard Webhooks says, with the secret of this webhook"
            )
        return signed

    async def _secrets(self, hooked: Hooked, webhook: Webhook) -> list[bytes]:
        """Return the secrets by which a webhook may be signed; none if there are none that can be used."""
        try:
            text = await self._context.runs.secret(hooked.account, webhook.secret)
        except InvocationFailure:
            text = None
        secrets = [] if text is None else read_secrets(text)
        if not secrets:
            # Only the owner of the workflow can do something about it, and the sender is nobody that is known.
            _log.warning(
                "webhooks of workflow %s can't be checked: credential %s is missing or holds no whsec_ secret",
                hooked.workflow,
                webhook.secret,
            )
        return secrets

    async def _pairs(self, content: bytes, what: str) -> list[tuple[str, str]]:
        """Return the names and values of a form, or of a query."""
        if len(content) <= _LARGE:
            return _read_pairs(content, what)
        return await asyncio.to_thread(_read_pairs, content, what)

    async def _body(self, request: Request, body: bytes) -> Any:
        """Return a body as a JSON value: of a form an object, whose repeated names have lists."""
        kind = body_type(request, empty=not body, taken=(JSON, FORM))
        if not body:
            return None
        if kind == FORM:
            # Through JSON, so that a form is as strict as everything else.
            body = json.dumps(_collected(await self._pairs(body, "form"))).encode()
        return await self._context.checks.parse(body, None, "invalid_request")


def _read_pairs(content: bytes, what: str) -> list[tuple[str, str]]:
    if content.count(b"&") >= MOST_FIELDS:
        raise ApiError(
            413,
            "too_many_values",
            f"the {what} has more than {MOST_FIELDS:,} fields; send less at once",
        )
    try:
        pairs = parse_qsl(content.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise ApiError(400, "invalid_text", f"the {what} is not UTF-8") from None
    for pair in pairs:
        if any(map(no_character, pair)):
            raise ApiError(400, "invalid_text", f"the {what} holds NUL (%00), which is no text")
    return pairs


def _collected(pairs: Iterable[tuple[str, str]]) -> dict[str, str | list[str]]:
    """Return values by name: a text, or a list of them if the name is repeated."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _chosen(request: Request, webhook: Webhook) -> dict[str, str]:
    return {
        name: _text_of(name, request.headers.getlist(name))
        for name in webhook.headers
        if name in request.headers
    }


def _text_of(name: str, values: list[str]) -> str:
    """Return the values of a header, which are read as ISO-8859-1, as the UTF-8 that they are."""
    try:
        return ", ".join(value.encode("iso-8859-1").decode() for value in values)
    except UnicodeDecodeError:
        raise ApiError(400, "invalid_text", f"the header {name} is not UTF-8") from None


def _not_signed(message: str) -> ApiError:
    return ApiError(401, "invalid_signature", message)


def _not_found() -> ApiError:
    return ApiError(
        404,
        "hook_not_found",
        "there is no webhook of this id",
        next_actions=["take the hook_url of the workflow as it is: GET /webhooks/named"],
    )
