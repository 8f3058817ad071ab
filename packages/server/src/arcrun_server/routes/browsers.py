"""What routes for browsers share: cookies, the origin of a request, where a log-in leads, and pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from starlette.responses import HTMLResponse

from arcrun_server.errors import ApiError
from arcrun_server.settings import is_loopback
from arcrun_server.web.local import is_local_origin

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.accounts.pages import Page
    from arcrun_server.routes.context import Context

# A path of the same origin: a second slash or a backslash would name another host.
_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,1023}")
# Pages of the engine itself, to which a log-in may lead; all others are the site's.
OWN_PAGES = ("/auth/device",)


def is_secure(context: Context, request: Request) -> bool:
    """Tell whether browsers reach the engine by https.

    Raises:
        ApiError: 400 `insecure_transport`, neither that nor on this machine: a cookie could be read on the way.
    """
    parts = urlsplit(context.base_url(request))
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ApiError(
            400,
            "insecure_transport",
            "log-in needs https: over http, others on the way could take the session",
            next_actions=[
                "call the engine by https://, and set ARCRUN_SERVER_PUBLIC_URL to that URL"
            ],
        )
    return parts.scheme == "https"


def set_cookie(
    context: Context,
    request: Request,
    response: Response,
    *,
    name: str,
    value: str,
    seconds: int,
) -> None:
    """Let a browser keep a cookie that no script can read and no other site's form sends."""
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        domain=context.settings.accounts.cookie_domain,
        secure=is_secure(context, request),
        httponly=True,
        samesite="lax",
    )


def delete_cookie(context: Context, response: Response, name: str) -> None:
    """Let a browser forget a cookie."""
    response.delete_cookie(
        name, path="/", domain=context.settings.accounts.cookie_domain, httponly=True
    )


def check_origin(context: Context, request: Request, *, own_pages_only: bool = False) -> None:
    """Check that a page which may act for the person has sent this request, and no other site's.

    Args:
        context: The server's parts.
        request: A request that changes something and is known by its cookie.
        own_pages_only: Whether only pages of the engine itself may send it.

    Raises:
        ApiError: 403 `forbidden_origin`.
    """
    origin = request.headers.get("origin", "")
    settings = context.settings
    if origin and origin == _origin(context.base_url(request)):
        return
    if not own_pages_only:
        if origin and origin in (*settings.cors_origins, settings.accounts.site_url):
            return
        if settings.dev and is_local_origin(origin.encode("latin-1", "replace")):
            return
    raise ApiError(
        403,
        "forbidden_origin",
        "the header Origin does not name a page that may do this with a session",
        next_actions=[
            "from a program, send the API key instead of the cookie",
            "for a site, set ARCRUN_SERVER_SITE_URL or ARCRUN_SERVER_CORS_ORIGINS where the engine runs",
        ],
    )


def checked_redirect(value: str | None) -> str:
    """Return the path to which a log-in leads, by default `/`.

    Raises:
        ApiError: 400 `invalid_request`, it is no path: whoever made the link could send people to a page of theirs.
    """
    if value is None:
        return "/"
    if not _PATH.fullmatch(value):
        raise ApiError(
            400,
            "invalid_request",
            "redirect must be a path that begins with one slash, as /account",
        )
    return value


def redirect_target(context: Context, request: Request, path: str) -> str:
    """Return the URL to which a log-in leads: a page of the site, or of the engine itself."""
    site = context.settings.accounts.site_url
    own = site is None or path.partition("?")[0] in OWN_PAGES
    return f"{context.base_url(request) if own else site}{path}"


def login_page(context: Context, request: Request) -> str | None:
    """Return the URL of the site's page for log-ins; None if there is no site."""
    settings = context.settings
    if settings.accounts.site_url is None and settings.site is None:
        return None
    return redirect_target(context, request, "/login")


def login_urls(context: Context, redirect: str | None = None) -> list[tuple[str, str]]:
    """Return where a log-in begins that leads to a path, for each provider of the engine."""
    accounts = context.settings.accounts
    names = {
        "google": accounts.google is not None,
        "github": accounts.github is not None,
        "dev": context.settings.development_login,
    }
    return [(name, login_url(name, redirect)) for name, there in names.items() if there]


def login_url(provider: str, redirect: str | None) -> str:
    """Return where a log-in begins at a provider."""
    start = f"/auth/{provider}/start"
    return start if redirect is None else f"{start}?redirect={quote(redirect, safe='')}"


def page_response(context: Context, page: Page, *, status: int = 200) -> HTMLResponse:
    """Return a page that runs no script, loads nothing, and can't be shown inside another one."""
    sources = ["'self'", context.settings.accounts.site_url or ""]
    policy = (
        f"default-src 'none'; style-src '{page.style_hash}'; form-action {' '.join(sources).strip()}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        # Not `no-referrer`: with that, browsers send `Origin: null` with the page's own forms.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Content-Language": page.language,
        "Vary": "Accept-Language",
    }
    return HTMLResponse(page.html, status_code=status, headers=headers)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
