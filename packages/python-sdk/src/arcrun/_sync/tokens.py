# Generated from _async by scripts/unasync.py: edit there.
"""What a bound client signs in with: the rendered secrets, and an access token if needed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import NoReturn

from arcrun._concurrency import Lock
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


class TokenSource:
    """Fetches a service's access token when it is needed, and keeps it until it expires."""

    def __init__(
        self,
        service: str,
        grant: AssertionGrant | RefreshGrant,
        values: dict[str, Secret],
        timeout: httpx.Timeout,
        keep: Callable[[str, Secret], None],
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
        self._lock = Lock()
        self._token: AccessToken | None = None

    def get(
        self, transport: httpx.BaseTransport, stale: AccessToken | None = None
    ) -> AccessToken:
        """Return an access token that has not expired.

        Args:
            transport: sends the request for a token.
            stale: a token that the service refused; another one is fetched, unless one was already.

        Raises:
            TokenExchangeError: the token endpoint returned none.
        """
        with self._lock:
            token = self._token
            if token is None or token is stale or time.monotonic() >= token.use_until:
                token = self._token = self._fetch(transport)
            return token

    def _fetch(self, transport: httpx.BaseTransport) -> AccessToken:
        service = self._service
        form = token_form(self._grant, self.values, time.time())
        try:
            status, content = self._exchange(transport, form)
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
            self._keep_rotated(token)
            return token
        raise failure

    def _exchange(
        self, transport: httpx.BaseTransport, form: Secret
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
        response = unobserved(
            transport, transport.handle_request, "handle_request"
        )(request)
        try:
            content = read_body(response, options["timeout"], _LARGEST)
            return response.status_code, token_text(response.status_code, content)
        finally:
            response.close()

    def _keep_rotated(self, token: AccessToken) -> None:
        """Keep a new refresh token: the one in use is no longer valid."""
        if not isinstance(self._grant, RefreshGrant) or token.refresh is None:
            return
        key = self._grant.refresh_key
        if token.refresh == self.values[key]:
            return
        self.values[key] = token.refresh
        try:
            self._keep(key, token.refresh)
        except ArcrunError as error:
            logger.warning("the new refresh token %s could not be stored: %s", key, error)


class SignIn:
    """What one bound client signs in with: rendered once, or again for each new token."""

    def __init__(
        self,
        inject: Inject,
        values: dict[str, Secret],
        source: TokenSource | None,
    ) -> None:
        self._inject = inject
        self._values = values
        self._source = source
        self._rendered: tuple[AccessToken | None, Injection] | None = None
        if source is None:
            self.injection(None)  # so that `bind` refuses a secret that a request can't carry

    def __reduce__(self) -> NoReturn:
        raise TypeError("a bound client cannot be pickled: bind again in the process that needs it")

    def token(self, transport: httpx.BaseTransport) -> AccessToken | None:
        """Return the access token, if the service needs one."""
        return None if self._source is None else self._source.get(transport)

    def renewed(
        self, transport: httpx.BaseTransport, stale: AccessToken
    ) -> AccessToken | None:
        """Return another access token than the one that the service refused."""
        return None if self._source is None else self._source.get(transport, stale)

    def injection(self, token: AccessToken | None) -> Injection:
        """Return what is added to a request, rendered again only for another token."""
        rendered = self._rendered
        if rendered is None or rendered[0] is not token:
            access = token.access if token else None
            rendered = self._rendered = token, Injection(self._inject, self._values, access)
        return rendered[1]
