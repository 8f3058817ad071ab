"""What a bound client signs in with: the rendered secrets, and an access token if needed."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

from arcrun._concurrency import AsyncLock
from arcrun._core.errors import ArcrunError, TokenExchangeError
from arcrun._core.exceptions import scrubbed
from arcrun._core.injection import Injection
from arcrun._core.recipe import AssertionGrant, Inject, RefreshGrant
from arcrun._core.secret import Secret, blank_out
from arcrun._core.tokens import AccessToken, read_token, token_form, token_text
from arcrun._http import USER_AGENT, attempt, httpx, is_of_connection, unobserved

from .reading import read_body

_LARGEST = 1024 * 1024  # bytes of a token endpoint's response

logger = logging.getLogger("arcrun")


class AsyncTokenSource:
    """Fetches a service's access token when it is needed, and keeps it until it expires."""

    def __init__(
        self,
        service: str,
        grant: AssertionGrant | RefreshGrant,
        values: dict[str, Secret],
        timeout: httpx.Timeout,
        keep: Callable[[str, Secret], Awaitable[None]],
    ) -> None:
        """Prepare to fetch.

        Args:
            service: the service, for error messages.
            grant: how its recipe gets an access token.
            values: the secrets, by key.
            timeout: the time-outs of one exchange.
            keep: stores a refresh token that replaces the one in use, under a key.
        """
        self._service = service
        self._grant = grant
        self.values = values
        self._timeout = timeout
        self._keep = keep
        self._lock = AsyncLock()
        self._token: AccessToken | None = None

    async def get(
        self, transport: httpx.AsyncBaseTransport, stale: AccessToken | None = None
    ) -> AccessToken:
        """Return an access token that has not expired.

        Args:
            transport: sends the request for a token.
            stale: a token that the service refused; another one is fetched, unless one was already.

        Raises:
            TokenExchangeError: the token endpoint returned none.
        """
        async with self._lock:
            token = self._token
            if token is None or token is stale or time.monotonic() >= token.use_until:
                token = self._token = await self._fetch(transport)
            return token

    async def _fetch(self, transport: httpx.AsyncBaseTransport) -> AccessToken:
        service = self._service
        form = token_form(self._grant, self.values, time.time())
        try:
            status, content = await self._exchange(transport, form)
        except BaseException as error:  # noqa: BLE001 - the frames of each hold secrets
            secrets = (form, *self.values.values())
            reason = blank_out(f"{type(error).__name__}: {error}", secrets)
            failure = scrubbed(error, lambda text: blank_out(text, secrets))
            if is_of_connection(error):
                failure = TokenExchangeError(
                    f"{service!r}: the token endpoint {self._grant.endpoint} could not be reached "
                    f"({reason})"
                )
        else:
            sent = tuple(self.values.values())
            token = read_token(service, status, content, now=time.monotonic(), sent=sent)
            await self._keep_rotated(token)
            return token
        raise failure

    async def _exchange(
        self, transport: httpx.AsyncBaseTransport, form: Secret
    ) -> tuple[int, Secret]:
        options = attempt(self._timeout)
        request = httpx.Request(
            "POST",
            self._grant.endpoint,
            content=form.reveal().encode("ascii"),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
                "User-Agent": USER_AGENT,
            },
            extensions=options,
        )
        response = await unobserved(
            transport, transport.handle_async_request, "handle_async_request"
        )(request)
        try:
            content = await read_body(response, options["timeout"], _LARGEST)
            return response.status_code, token_text(response.status_code, content)
        finally:
            await response.aclose()

    async def _keep_rotated(self, token: AccessToken) -> None:
        """Keep a new refresh token: the one in use is no longer valid."""
        if not isinstance(self._grant, RefreshGrant) or token.refresh is None:
            return
        key = self._grant.refresh_key
        if token.refresh == self.values[key]:
            return
        self.values[key] = token.refresh
        try:
            await self._keep(key, token.refresh)
        except ArcrunError as error:
            logger.warning("the new refresh token %s could not be stored: %s", key, error)


class AsyncSignIn:
    """What one bound client signs in with: rendered once, or again for each new token."""

    def __init__(
        self,
        inject: Inject,
        values: dict[str, Secret],
        source: AsyncTokenSource | None,
    ) -> None:
        self._inject = inject
        self._values = values
        self._source = source
        self._rendered: tuple[AccessToken | None, Injection] | None = None
        if source is None:
            self.injection(None)  # so that `bind` refuses a secret that a request can't carry

    def __reduce__(self) -> NoReturn:
        raise TypeError("a bound client cannot be pickled: bind again in the process that needs it")

    async def token(self, transport: httpx.AsyncBaseTransport) -> AccessToken | None:
        """Return the access token, if the service needs one."""
        return None if self._source is None else await self._source.get(transport)

    async def renewed(
        self, transport: httpx.AsyncBaseTransport, stale: AccessToken
    ) -> AccessToken | None:
        """Return another access token than the one that the service refused."""
        return None if self._source is None else await self._source.get(transport, stale)

    def injection(self, token: AccessToken | None) -> Injection:
        """Return what is added to a request, rendered again only for another token."""
        rendered = self._rendered
        if rendered is None or rendered[0] is not token:
            access = token.access if token else None
            rendered = self._rendered = token, Injection(self._inject, self._values, access)
        return rendered[1]
