"""`/me` and `/register`: the account of a key or of a person who has logged in (docs/contract.md#accounts)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.accounts.keys import Caller, caller_of, new_key, session_of, unknown_key
from arcrun_server.errors import ApiError
from arcrun_server.routes.browsers import check_origin
from arcrun_server.routes.schemas import KEY_LABEL, KEY_PROPOSAL
from arcrun_server.store.accounts import FURTHER
from arcrun_server.store.identities import DEVELOPMENT_PROVIDER
from arcrun_server.store.key_rotation import KeyInUseError
from arcrun_server.web.body import read_body
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.routes.context import Context
    from arcrun_server.store.accounts import KeyEntry
    from arcrun_server.store.key_rotation import NewKey
    from arcrun_server.store.sessions import Session
    from arcrun_server.web.router import ApiRouter


class AccountRoutes:
    """Show an account, and manage its key."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def add_to(self, router: ApiRouter) -> None:
        """Add these routes."""
        router.add_api_route("/me", self.show, methods=["GET"])
        router.add_api_route("/me/api-key", self.label, methods=["PUT"])
        router.add_api_route("/me/api-key", self.revoke, methods=["DELETE"])
        router.add_api_route("/me/api-key/rotate", self.rotate, methods=["PUT"])
        router.add_api_route("/me/api-key/reveal", self.reveal, methods=["POST"])
        router.add_api_route("/register", self.register, methods=["POST"])

    async def show(self, request: Request) -> Response:
        """Return the account, who may log in to it, and what may be shown of its key."""
        caller = await caller_of(request, self._store.accounts, self._store.sessions)
        identities = await self._store.identities.of_account(caller.account)
        # A verified address says more than another one; of those, the first that was added.
        emails = sorted(
            (one for one in identities if one.email), key=lambda one: not one.email_verified
        )
        body: dict[str, Any] = {
            "account": caller.account,
            "email": emails[0].email if emails else None,
            "identities": [
                {
                    "provider": identity.provider,
                    "email": identity.email,
                    "email_verified": identity.email_verified,
                }
                for identity in identities
            ],
            "key": shown_key(await self._store.accounts.valid_key(caller.account)),
        }
        if caller.session is not None:
            body["session"] = {
                "provider": caller.session.provider,
                "logged_in_at": caller.session.logged_in_at,
                "expires_at": caller.session.expires_at,
            }
        return JsonResponse(body)

    async def label(self, request: Request) -> Response:
        """Change what the key is called."""
        caller = await self._changing(request)
        body = await self._context.json(request, KEY_LABEL)
        key = await self._store.accounts.valid_key(caller.account)
        if key is None:
            raise _no_key()
        await self._store.accounts.label_key(key.id, body["label"])
        return JsonResponse({"key": shown_key(key, label=body["label"])})

    async def rotate(self, request: Request) -> Response:
        """Replace the key, by one that the client proposes if it does; what the old one opened, the new one opens.

        A client that keeps its proposal before it sends it needs no response: after a lost one it tries which
        key is valid. Nothing is returned again to the holder of the old key.
        """
        caller = await self._changing(request)
        if caller.session is not None:
            _require_fresh(caller.session)
        content = await read_body(request, self._context.settings.max_body_bytes)
        proposal = await self._context.checks.parse(
            content or b"{}", KEY_PROPOSAL, "invalid_request"
        )
        try:
            replaced = await self._store.key_rotation.rotate(
                caller.account, proposal.get("api_key") or new_key(), presented=caller.api_key
            )
        except KeyInUseError:
            raise ApiError(
                409, "conflict", "the key is or was in use already: propose 192 bits of randomness"
            ) from None
        if replaced is None:
            raise unknown_key() if caller.api_key else _no_key()
        return await self._key_response(caller.account, replaced)

    async def revoke(self, request: Request) -> Response:
        """Revoke the account's key from now on."""
        caller = await self._changing(request)
        if not await self._store.accounts.revoke_all(caller.account):
            raise unknown_key() if caller.api_key else _no_key()
        return JsonResponse({"revoked": True})

    async def reveal(self, request: Request) -> Response:
        """Return the key to its owner, who has just logged in."""
        session = await self._fresh_session(request)
        keys = await self._store.accounts.keys_of(session.account)
        if not keys:
            raise _no_key()
        return await self._key_response(session.account, keys[0])

    async def register(self, request: Request) -> Response:
        """Return the key to its owner, who has just logged in; the first time, it is made."""
        session = await self._fresh_session(request)
        provided = await self._store.key_rotation.provide(
            session.account, new_key(), development=development_of(session.provider)
        )
        return await self._key_response(session.account, provided)

    async def _changing(self, request: Request) -> Caller:
        caller = await caller_of(request, self._store.accounts, self._store.sessions)
        if caller.session is not None:
            check_origin(self._context, request)
        return caller

    async def _fresh_session(self, request: Request) -> Session:
        session = await session_of(request, self._store.sessions)
        if session is None:
            raise ApiError(
                401,
                "missing_session",
                "this route needs a session: log in with a browser first",
                requires="session",
                next_actions=["log in: GET /auth/google/start or GET /auth/github/start"],
                headers={"WWW-Authenticate": 'Session realm="arcrun"'},
            )
        check_origin(self._context, request)
        _require_fresh(session)
        return session

    async def _key_response(self, account: str, key: NewKey | str) -> Response:
        shown = shown_key(await self._store.accounts.valid_key(account))
        if isinstance(key, str):
            return JsonResponse({"api_key": key, "key": shown})
        body: dict[str, Any] = {"api_key": key.api_key, "key": shown, "created": key.created}
        if key.created:
            body |= {"resealed": key.resealed, "unopened": list(key.unopened)}
        return JsonResponse(body)


def development_of(provider: str) -> str | None:
    """Return what a key is that a person makes: after a development log-in, one that is not valid elsewhere."""
    return FURTHER if provider == DEVELOPMENT_PROVIDER else None


def shown_key(key: KeyEntry | None, label: str | None = None) -> dict[str, Any] | None:
    """Return what may be shown of a key, with another label if it has just changed."""
    if key is None:
        return None
    return {
        "id": key.id,
        "label": key.label if label is None else label,
        "prefix": key.prefix,
        "last_four": key.last_four,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
    }


def _require_fresh(session: Session) -> None:
    """Check that the person has just logged in.

    Raises:
        ApiError: 403 `login_too_old`.
    """
    if not session.is_fresh:
        raise ApiError(
            403,
            "login_too_old",
            "the key is shown only in the 10 minutes after a log-in; log in again",
            next_actions=["log in again: GET /auth/google/start or GET /auth/github/start"],
        )


def _no_key() -> ApiError:
    return ApiError(
        404,
        "key_not_found",
        "the account has no valid key",
        next_actions=["make one, after a log-in: POST /register"],
    )
