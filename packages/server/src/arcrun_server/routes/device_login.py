"""`/auth/device…`: log-in of a device without a browser, as a terminal (RFC 8628; docs/contract.md#device-log-in)."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from arcrun_server.accounts.attempts import Attempts
from arcrun_server.accounts.keys import new_key, session_of
from arcrun_server.accounts.labels import LABEL_RULE, is_label
from arcrun_server.accounts.pages import Pages
from arcrun_server.errors import ApiError, too_many
from arcrun_server.routes.accounts import development_of
from arcrun_server.routes.browsers import check_origin, login_urls, page_response
from arcrun_server.routes.forms import read_fields
from arcrun_server.store.device_logins import DEVICE_SECONDS, INTERVAL, DeviceLoginError
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.accounts.pages import Page
    from arcrun_server.routes.context import Context
    from arcrun_server.store.sessions import Session
    from arcrun_server.web.router import ApiRouter

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
_PAGE = "/auth/device"
_WINDOW = 10 * 60
_GUESSES_PER_SESSION = 10
_GUESSES_PER_ADDRESS = 50
_BEGINNINGS_PER_ADDRESS = 60
_LONGEST_CODE = 32
_DESCRIPTIONS = {
    "authorization_pending": "the person has not confirmed the log-in yet; ask again after the interval",
    "slow_down": "the device asks too often; wait 5 seconds longer from now on",
    "expired_token": "the code has expired; begin again with POST /auth/device/code",
    "access_denied": "the person has refused the log-in",
    "invalid_grant": "the device code is unknown, or was used already",
    "unsupported_grant_type": f"grant_type must be {GRANT_TYPE}",
    "invalid_request": "device_code is missing",
}


class DeviceLoginRoutes:
    """Give codes to devices, let people confirm them, and hand out the key of the account."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._guesses_of_sessions = Attempts(_GUESSES_PER_SESSION, _WINDOW)
        self._guesses_of_addresses = Attempts(_GUESSES_PER_ADDRESS, _WINDOW)
        self._beginnings = Attempts(_BEGINNINGS_PER_ADDRESS, _WINDOW)

    def add_to(self, router: ApiRouter) -> None:
        """Add these routes."""
        router.add_api_route("/auth/device/code", self.begin, methods=["POST"])
        router.add_api_route("/auth/device/token", self.token, methods=["POST"])
        router.add_api_route(_PAGE, self.page, methods=["GET"])
        router.add_api_route(_PAGE, self.decide, methods=["POST"])

    async def begin(self, request: Request) -> Response:
        """Return the codes of a device's log-in."""
        fields = await read_fields(request, json=True)
        client_name = fields.get("client_name", "")
        if not is_label(client_name):
            raise ApiError(400, "invalid_request", f"client_name must have {LABEL_RULE}")
        address = _address(request)
        if seconds := self._beginnings.wait(address):
            raise too_many("too many log-ins of devices were begun from this address", seconds)
        codes = await self._store.device_logins.begin(client_name, address)
        page = f"{self._context.base_url(request)}{_PAGE}"
        return JsonResponse(
            {
                "device_code": codes.device_code,
                "user_code": codes.user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?{urlencode({'user_code': codes.user_code})}",
                "expires_in": DEVICE_SECONDS,
                "interval": INTERVAL,
            }
        )

    async def token(self, request: Request) -> Response:
        """Return the key of the account to which the device was logged in."""
        fields = await read_fields(request, json=True)
        if fields.get("grant_type") != GRANT_TYPE:
            raise _oauth_error("unsupported_grant_type")
        device_code = fields.get("device_code")
        if not device_code:
            raise _oauth_error("invalid_request")
        try:
            approved = await self._store.device_logins.poll(device_code)
        except DeviceLoginError as error:
            raise _oauth_error(error.code) from None
        provided = await self._store.key_rotation.provide(
            approved.account, new_key(), development=development_of(approved.provider)
        )
        return JsonResponse({"access_token": provided.api_key, "token_type": "Bearer"})

    async def page(self, request: Request) -> Response:
        """Show the page on which a person enters the code of a device."""
        pages = Pages(request.headers.get("accept-language", ""))
        code = request.query_params.get("user_code", "")[:_LONGEST_CODE]
        session = await session_of(request, self._store.sessions)
        if session is None or not session.is_fresh:
            return page_response(self._context, pages.log_in_first(self._providers(code)))
        # Only filled in: a link alone must not lead to the question.
        return page_response(self._context, pages.enter_code(self._form_token(session), code))

    async def decide(self, request: Request) -> Response:
        """Show what waits for a code, and log it in or refuse it."""
        pages = Pages(request.headers.get("accept-language", ""))
        session = await session_of(request, self._store.sessions)
        if session is None or not session.is_fresh:
            page = pages.log_in_first(self._providers(""))
            return page_response(self._context, page, status=401)
        check_origin(self._context, request, own_pages_only=True)
        fields = await read_fields(request)
        if not self._store.sessions.is_form_token(session, fields.get("form_token", "")):
            raise ApiError(
                403,
                "forbidden_origin",
                "this form is not of this session; open /auth/device again",
            )
        page, status = await self._decided(pages, request, session, fields)
        return page_response(self._context, page, status=status)

    async def _decided(
        self, pages: Pages, request: Request, session: Session, fields: Mapping[str, str]
    ) -> tuple[Page, int]:
        code = fields.get("user_code", "")[:_LONGEST_CODE]
        form_token = self._form_token(session)
        if self._guesses_of_sessions.wait(session.account) or self._guesses_of_addresses.wait(
            _address(request)
        ):
            return pages.enter_code(form_token, problem="too-often"), 429
        device = await self._store.device_logins.find(code)
        action = fields.get("action")
        if device is not None and action == "show":
            asked_at = datetime.fromtimestamp(device.created_at, timezone.utc)
            shown = f"{asked_at:%Y-%m-%d %H:%M:%S} UTC"
            return pages.confirm(form_token, code, device, shown), 200
        if device is not None and action in {"approve", "deny"}:
            approved = action == "approve"
            by = session if approved else None
            if await self._store.device_logins.decide(code, by):
                return pages.ended("approved" if approved else "denied"), 200
        return pages.enter_code(form_token, code, problem="unknown"), 404

    def _form_token(self, session: Session) -> str:
        return self._store.sessions.form_token(session)

    def _providers(self, code: str) -> list[tuple[str, str]]:
        """Return where a log-in that leads back to this page begins, for each provider."""
        back = f"{_PAGE}?{urlencode({'user_code': code})}" if code else _PAGE
        return login_urls(self._context, back)


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _oauth_error(code: str) -> ApiError:
    """Return an error in the shape of RFC 6749 (section 5.2), which clients of other makers read."""
    description = _DESCRIPTIONS[code]
    return ApiError(400, code, code, extra={"error_description": description})
