"""`/auth/…`: log-in with a browser at Google, GitHub or the development provider (docs/contract.md#log-in)."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

from arcrun_server.accounts.keys import SESSION_COOKIE, session_of
from arcrun_server.accounts.pages import AGAIN, Pages
from arcrun_server.accounts.provider_client import LoginRefused, ProviderError
from arcrun_server.accounts.providers import LoginAttempt, providers_of
from arcrun_server.errors import ApiError
from arcrun_server.routes.browsers import (
    check_origin,
    checked_redirect,
    delete_cookie,
    is_secure,
    login_page,
    login_url,
    login_urls,
    page_response,
    redirect_target,
    set_cookie,
)
from arcrun_server.routes.forms import read_fields
from arcrun_server.store.identities import DEVELOPMENT_PROVIDER, Identity
from arcrun_server.store.pending_logins import PENDING_SECONDS
from arcrun_server.store.sessions import SESSION_SECONDS
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from arcrun_server.accounts.pages import Links, Problem
    from arcrun_server.routes.context import Context
    from arcrun_server.store.pending_logins import PendingLogin, Started
    from arcrun_server.web.router import ApiRouter

# Holds which browser has begun a log-in, while it is at the provider.
LOGIN_COOKIE = "arcrun_login"
_NAMES = {"google": "GOOGLE", "github": "GITHUB"}
_DEVELOPMENT_NAMES = ("dev",)
_DEVELOPMENT_NAME = re.compile(r"[a-z0-9_-]{1,64}")

_log = logging.getLogger("arcrun_server.accounts")


class LoginRoutes:
    """Send browsers to a provider, and begin a session when they come back."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._providers = providers_of(context.settings.accounts)

    def add_to(self, router: ApiRouter) -> None:
        """Add these routes."""
        router.add_api_route("/auth/google/start", self.google, methods=["GET"])
        router.add_api_route("/auth/github/start", self.github, methods=["GET"])
        router.add_api_route("/auth/dev/start", self.development, methods=["GET"])
        router.add_api_route("/auth/dev/login", self.development_login, methods=["POST"])
        router.add_api_route("/auth/callback", self.callback, methods=["GET"])
        router.add_api_route("/auth/logout", self.logout, methods=["POST"])

    async def google(self, request: Request) -> Response:
        """Send a browser to Google."""
        return await self._start(request, "google")

    async def github(self, request: Request) -> Response:
        """Send a browser to GitHub."""
        return await self._start(request, "github")

    async def development(self, request: Request) -> Response:
        """Show the page on which anybody says who they are; in development mode only."""
        self._require_development()
        redirect = checked_redirect(request.query_params.get("redirect"))
        started = await self._store.pending_logins.begin(DEVELOPMENT_PROVIDER, redirect)
        pages = Pages(request.headers.get("accept-language", ""))
        response = page_response(
            self._context, pages.development_login(started.state, _DEVELOPMENT_NAMES)
        )
        self._remember_login(request, response, started)
        return response

    async def development_login(self, request: Request) -> Response:
        """Log in as a development identity."""
        self._require_development()
        check_origin(self._context, request, own_pages_only=True)
        fields = await read_fields(request)
        name = fields.get("name", "")
        if not _DEVELOPMENT_NAME.fullmatch(name):
            return self._failed(request, "bad-name", [(AGAIN, "/auth/dev/start")])
        pending = await self._pending(request, fields.get("state", ""))
        if pending is None or pending.provider != DEVELOPMENT_PROVIDER:
            return self._not_pending(request)
        return await self._logged_in(request, pending, Identity(DEVELOPMENT_PROVIDER, name))

    async def callback(self, request: Request) -> Response:
        """Begin a session for the person whom the provider names, and go to where the log-in leads."""
        parameters = _single(request)
        state = "" if parameters is None else parameters.get("state", "")
        pending = await self._pending(request, state)
        provider = None if pending is None else self._providers.get(pending.provider)
        if parameters is None or pending is None or provider is None:
            return self._not_pending(request)
        try:
            identity = await provider.identity(self._attempt(request, state), parameters)
        except ProviderError as error:
            _log.warning("a log-in at %s failed: %s", pending.provider, error)
            return self._provider_failed(request, *pending, error)
        return await self._logged_in(request, pending, identity)

    async def logout(self, request: Request) -> Response:
        """End the session."""
        session = await session_of(request, self._store.sessions)
        if session is not None:
            check_origin(self._context, request)
            await self._store.sessions.end(session.token)
        response = JsonResponse({"logged_out": session is not None})
        delete_cookie(self._context, response, SESSION_COOKIE)
        return response

    async def _start(self, request: Request, name: str) -> Response:
        provider = self._providers.get(name)
        if provider is None:
            variables = f"ARCRUN_SERVER_{_NAMES[name]}_CLIENT_ID"
            raise ApiError(
                404,
                "provider_not_configured",
                f"this engine has no log-in with {name}",
                next_actions=[f"set {variables} and {variables[:-2]}SECRET where the engine runs"],
            )
        is_secure(self._context, request)
        redirect = checked_redirect(request.query_params.get("redirect"))
        started = await self._store.pending_logins.begin(name, redirect)
        try:
            url = await provider.authorization_url(self._attempt(request, started.state))
        except ProviderError as error:
            _log.warning("a log-in at %s can't begin: %s", name, error)
            return self._provider_failed(request, name, redirect, error, status=502)
        response = _redirect(url)
        self._remember_login(request, response, started)
        return response

    def _remember_login(self, request: Request, response: Response, started: Started) -> None:
        set_cookie(
            *(self._context, request, response),
            name=LOGIN_COOKIE,
            value=started.browser,
            seconds=PENDING_SECONDS,
        )

    def _attempt(self, request: Request, state: str) -> LoginAttempt:
        pending = self._store.pending_logins
        return LoginAttempt(
            state=state,
            code_verifier=pending.code_verifier(state),
            nonce=pending.nonce(state),
            redirect_uri=f"{self._context.base_url(request)}/auth/callback",
        )

    async def _pending(self, request: Request, state: str) -> PendingLogin | None:
        browser = request.cookies.get(LOGIN_COOKIE)
        if not state or not browser:
            return None
        return await self._store.pending_logins.take(state, browser)

    async def _logged_in(
        self, request: Request, pending: PendingLogin, identity: Identity
    ) -> Response:
        account = await self._store.identities.account_of(identity)
        # Never the token that the browser brings: somebody else may have put it there.
        session = await self._store.sessions.create(
            account, identity.provider, replaced=request.cookies.get(SESSION_COOKIE)
        )
        response = _redirect(redirect_target(self._context, request, pending.redirect))
        set_cookie(
            *(self._context, request, response),
            name=SESSION_COOKIE,
            value=session.token,
            seconds=SESSION_SECONDS,
        )
        delete_cookie(self._context, response, LOGIN_COOKIE)
        return response

    def _require_development(self) -> None:
        if not self._context.settings.development_login:
            raise ApiError(
                404,
                "provider_not_configured",
                "the development provider exists only in development mode, on loopback",
                next_actions=["start the engine with: arcrun-server serve --dev"],
            )

    def _provider_failed(
        self,
        request: Request,
        provider: str,
        redirect: str,
        error: ProviderError,
        *,
        status: int = 400,
    ) -> Response:
        """Show why a provider has logged nobody in, with a way to the same page once more."""
        links = [(provider, login_url(provider, redirect))]
        if isinstance(error, LoginRefused):
            return self._failed(request, "refused", links, status=status)
        return self._failed(request, "provider-failed", links, detail=str(error), status=status)

    def _not_pending(self, request: Request) -> Response:
        """Show that nobody knows where this log-in was to lead, with a way to all providers."""
        page = login_page(self._context, request)
        links = [(AGAIN, page)] if page else login_urls(self._context)
        return self._failed(request, "not-pending", links)

    def _failed(
        self,
        request: Request,
        problem: Problem,
        links: Links,
        *,
        detail: str = "",
        status: int = 400,
    ) -> Response:
        pages = Pages(request.headers.get("accept-language", ""))
        page = pages.failed(problem, links, detail=detail)
        return page_response(self._context, page, status=status)


def _single(request: Request) -> Mapping[str, str] | None:
    """Return the parameters of the query, or None if one is there twice: then nobody can say which counts."""
    pairs = request.query_params.multi_items()
    parameters = dict(pairs)
    return parameters if len(parameters) == len(pairs) else None


def _redirect(url: str) -> RedirectResponse:
    # 303: whatever the method was, the browser goes on with GET.
    return RedirectResponse(url, status_code=303, headers={"Referrer-Policy": "no-referrer"})
