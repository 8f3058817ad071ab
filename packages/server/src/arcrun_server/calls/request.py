"""One request to a service, with what its auth recipe adds, and its answer without the secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from arcrun_server.calls.auth import TOKEN_PRIMITIVES, inject
from arcrun_server.engine import ComponentError
from arcrun_server.engine.redaction import Redactor
from arcrun_server.outbound import Unreachable

if TYPE_CHECKING:
    from arcrun_server.calls.auth import Injected, Secrets
    from arcrun_server.calls.tokens import Tokens
    from arcrun_server.outbound import Outbound, Response

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class ServiceRequest:
    """What is asked of a service, without its secrets.

    Args:
        method: HTTP method, in capitals.
        url: Where to, or if it begins with /, where below the service's base URL; `{name}` places are
            filled by the auth recipe's path values.
        headers: Headers, names as they were given.
        query: Parameters to add to the URL.
        body: Fields or any JSON; text is sent as it is; None sends nothing.
    """

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None


async def call_service(
    request: ServiceRequest,
    auth_recipe: dict[str, Any] | None,
    secret: Secrets,
    outbound: Outbound,
    tokens: Tokens,
) -> dict[str, Any]:
    """Send a request and return the component's result, `{"success", "status", "data"}` or a failure.

    Raises:
        ComponentError: It can't be sent: a secret is missing, or the address is not the service's.
    """
    result, status = await _attempt(request, auth_recipe, secret, outbound, tokens, fresh=False)
    has_token = auth_recipe is not None and auth_recipe["primitive"] in TOKEN_PRIMITIVES
    if status == 401 and has_token:
        result, _ = await _attempt(request, auth_recipe, secret, outbound, tokens, fresh=True)
    return result


async def _attempt(
    request: ServiceRequest,
    auth_recipe: dict[str, Any] | None,
    secret: Secrets,
    outbound: Outbound,
    tokens: Tokens,
    *,
    fresh: bool,
) -> tuple[dict[str, Any], int]:
    injected = None
    if auth_recipe is not None:
        injected = await inject(auth_recipe, secret, tokens, fresh=fresh)
    redactor = Redactor(injected.secrets if injected else ())
    try:
        reply = await _send(request, injected, outbound)
    except (Unreachable, ComponentError) as problem:
        raise ComponentError(redactor.text(str(problem))) from None
    return redactor.value(_result(reply)), reply.status


async def _send(request: ServiceRequest, injected: Injected | None, outbound: Outbound) -> Response:
    headers = {name.lower(): value for name, value in request.headers.items()}
    url, query, body = request.url, dict(request.query), request.body
    if injected is not None:
        url = injected.base_url + url if url.startswith("/") or not url else url
        _check_origin(url, injected.base_url)
        headers |= {name.lower(): value for name, value in injected.headers.items()}
        query |= injected.query
        for name, value in injected.path.items():
            url = url.replace(f"{{{name}}}", value)
        if injected.body:
            if not isinstance(body, (dict, type(None))):
                raise ComponentError(
                    "this service's recipe adds to the body, so it must be an object"
                )
            body = {**(body or {}), **injected.body}
    content = _content(body, headers)
    return await outbound.send(
        request.method, _with_query(url, query), headers=headers, content=content
    )


def _check_origin(url: str, base_url: str) -> None:
    """Refuse to carry a service's secrets to another place."""
    wanted, is_ = urlsplit(base_url), urlsplit(url)
    if (wanted.scheme, wanted.netloc.lower()) != (is_.scheme, is_.netloc.lower()):
        raise ComponentError(
            f"the request goes to {is_.hostname or 'another host'}, but the service's secrets go to "
            f"{wanted.hostname} only"
        )


def _content(body: Any, headers: dict[str, str]) -> bytes | None:
    if body is None:
        return None
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if isinstance(body, str):
        headers.setdefault("content-type", "text/plain; charset=utf-8")
        return body.encode("utf-8", "replace")
    if kind == FORM and isinstance(body, dict):
        return urlencode({name: _text(value) for name, value in body.items()}).encode()
    headers.setdefault("content-type", "application/json")
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _with_query(url: str, query: dict[str, str]) -> str:
    if not query:
        return url
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in query]
    return urlunsplit(parts._replace(query=urlencode([*kept, *query.items()], quote_via=quote)))


def _result(reply: Response) -> dict[str, Any]:
    if not reply.ok:
        return reply.failure()
    is_json, value = reply.json()
    return {"success": True, "status": reply.status, "data": value if is_json else reply.text}
