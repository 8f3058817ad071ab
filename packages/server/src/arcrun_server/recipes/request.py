"""One request to a service: with what its auth recipe adds, and its response without the secrets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from arcrun_server.engine import ComponentError, InvocationFailure
from arcrun_server.engine.redaction import Redactor
from arcrun_server.engine.shorten import redacting
from arcrun_server.json_text import as_text
from arcrun_server.outbound import Unreachable, json_content
from arcrun_server.outbound.repetition import with_repeat_key
from arcrun_server.outbound.urls import fill_places, with_query
from arcrun_server.recipes.auth.injection import ACCESS_TOKEN, Injection, fill_injection
from arcrun_server.recipes.auth.record import TOKEN_PRIMITIVES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_server.outbound import Outbound, Response
    from arcrun_server.recipes.auth.tokens import AccessTokens

    SecretReader = Callable[[str], Awaitable[str | None]]

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class ServiceRequest:
    """What is asked of a service, without its secrets.

    Args:
        method: HTTP method, in capitals.
        url: Where to, or if it begins with /, where below the service's base URL; its `{name}` parts
            are filled by the auth recipe's path values.
        headers: Headers, names as they were given.
        query: Parameters to add to the URL.
        body: Fields or any JSON; text is sent as it is; None sends nothing.
        repeat_key: The same for each repetition of this request; None if it is not repeated.
    """

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    repeat_key: str | None = None


@dataclass(frozen=True)
class ServiceClient:
    """Sends requests to services on behalf of one account.

    Args:
        read_secret: Returns one of the account's credentials in plain text, or None.
        outbound: The guarded HTTP client.
        tokens: Fetches access tokens, for the recipes that need some.
    """

    read_secret: SecretReader
    outbound: Outbound
    tokens: AccessTokens

    async def call(
        self, request: ServiceRequest, auth_recipe: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Send a request and return the component's result, `{"success", "status", "data"}` or a failure.

        A request that is refused (401) though it had an access token is sent once more, with a new one.

        Args:
            request: The request.
            auth_recipe: How to authenticate; None sends the request as it is.

        Raises:
            ComponentError: It can't be sent: a secret is missing, or the address is not the service's.
        """
        result, status = await self._attempt(request, auth_recipe, fresh=False)
        has_token = auth_recipe is not None and auth_recipe["primitive"] in TOKEN_PRIMITIVES
        if status == 401 and has_token:
            result, _ = await self._attempt(request, auth_recipe, fresh=True)
        return result

    async def check(self, auth_recipe: dict[str, Any]) -> None:
        """Find out whether a request could be signed: an access token is fetched, if the service needs one.

        Raises:
            ComponentError: It could not: a secret is missing or can't stand where it belongs, or there is no token.
        """
        await self._authenticate(auth_recipe, fresh=False)

    async def _attempt(
        self, request: ServiceRequest, auth_recipe: dict[str, Any] | None, *, fresh: bool
    ) -> tuple[dict[str, Any], int]:
        injection = None
        if auth_recipe is not None:
            injection = await self._authenticate(auth_recipe, fresh=fresh)
        redactor = Redactor(injection.secrets if injection else ())
        with redacting(redactor):
            try:
                response = await _send(request, injection, self.outbound)
            except (Unreachable, ComponentError) as problem:
                message = redactor.text(str(problem))
                raise ComponentError(message, kind=problem.kind) from None
            result = _result(response)
        return redactor.value(result), response.status

    async def _authenticate(self, recipe: dict[str, Any], *, fresh: bool) -> Injection:
        values = await self._read_secrets(recipe)
        if recipe["primitive"] in TOKEN_PRIMITIVES:
            values[ACCESS_TOKEN] = await self.tokens.get(recipe, values, fresh=fresh)
        return fill_injection(recipe, values)

    async def _read_secrets(self, recipe: dict[str, Any]) -> dict[str, str]:
        values, missing = {}, []
        for entry in recipe["required_secrets"]:
            try:
                value = await self.read_secret(entry["key"])
            except InvocationFailure as problem:  # the credential exists, but can't be opened
                raise ComponentError(str(problem)) from None
            if value is not None:
                values[f"secret.{entry['key']}"] = value
            elif not entry.get("optional"):
                missing.append(entry["key"])
        if missing:
            names = ", ".join(missing)
            raise ComponentError(
                f"the service {recipe['service']!r} needs the credentials {names}; push them under these names first"
            )
        return values


async def _send(
    request: ServiceRequest, injection: Injection | None, outbound: Outbound
) -> Response:
    headers = {name.lower(): value for name, value in request.headers.items()}
    url, query, body = request.url, dict(request.query), request.body
    if injection is not None:
        url = injection.base_url + url if url.startswith("/") or not url else url
        _check_origin(url, injection.base_url)
        headers |= {name.lower(): value for name, value in injection.headers.items()}
        query |= injection.query
        url = fill_places(url, injection.path)
        if injection.body:
            if not isinstance(body, (dict, type(None))):
                raise ComponentError(
                    "this service's recipe adds to the body, so it must be an object"
                )
            body = {**(body or {}), **injection.body}
    content = _content(body, headers)
    headers = with_repeat_key(headers, request.method, request.repeat_key)
    return await outbound.send(
        request.method, with_query(url, query), headers=headers, content=content
    )


def _check_origin(url: str, base_url: str) -> None:
    """Refuse to send a service's secrets to another origin."""
    expected, actual = urlsplit(base_url), urlsplit(url)
    if (expected.scheme, expected.netloc.lower()) != (actual.scheme, actual.netloc.lower()):
        raise ComponentError(
            f"the request goes to {actual.hostname or 'another host'}, but the service's secrets go to "
            f"{expected.hostname} only"
        )


def _content(body: Any, headers: dict[str, str]) -> bytes | None:
    if body is None:
        return None
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if isinstance(body, str):
        headers.setdefault("content-type", "text/plain; charset=utf-8")
        return body.encode("utf-8", "replace")
    if kind == FORM and isinstance(body, dict):
        return urlencode({name: as_text(value) for name, value in body.items()}).encode()
    headers.setdefault("content-type", "application/json")
    return json_content(body)


def _result(response: Response) -> dict[str, Any]:
    if not response.ok:
        return response.failure()
    content = response.content()
    data = content if response.is_base64 else content["body"]
    return {"success": True, "status": response.status, "data": data}
