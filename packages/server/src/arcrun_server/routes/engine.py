"""`/`, `/health` and `/metrics`: name, version, capabilities, and how the engine is."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from arcrun_server._version import __version__
from arcrun_server.accounts.keys import bearer_token
from arcrun_server.accounts.providers import providers_of
from arcrun_server.errors import ApiError
from arcrun_server.store.identities import DEVELOPMENT_PROVIDER
from arcrun_server.telemetry.metrics import CONTENT_TYPE
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from starlette.requests import Request

    from arcrun_server.routes.context import Context
    from arcrun_server.web.router import ApiRouter

# Only what is implemented: clients rely on it (docs/contract.md#capabilities).
CAPABILITIES = (
    "sealed_credentials",
    "sealed_read",
    "idempotency_key",
    "knowledge_base",
    "prompt_recipes",
    "recipe_versions",
    "components",
    "accounts",
)

# Runs outlive the process: not in an engine that is embedded in another program.
DURABLE = ("durable_runs", "schedules")
# Components may reach private and loopback addresses: in development mode only.
DEVELOPMENT = "private_addresses"
# People can log in, so that they can confirm the log-in of a device.
DEVICE_LOGIN = "device_login"


class EngineRoutes:
    """Name, version, health and metrics."""

    def __init__(self, context: Context) -> None:
        self._context = context
        capabilities = [
            *CAPABILITIES,
            *([] if context.accepted is None else DURABLE),
            *([DEVICE_LOGIN] if context.settings.has_login else []),
            *([DEVELOPMENT] if context.settings.private_addresses else []),
        ]
        # They never change, so they are made once.
        self._root = JsonResponse(
            {"service": "arcrun-server", "version": __version__, "status": "ok"}
        )
        development = [DEVELOPMENT_PROVIDER] if context.settings.development_login else []
        self._known = {
            "bundle_version": __version__,
            "capabilities": capabilities,
            "login": [*sorted(providers_of(context.settings.accounts)), *development],
        }

    def add_to(self, router: ApiRouter) -> None:
        """Add these routes."""
        router.add_api_route("/", self.root, methods=["GET"])
        router.add_api_route("/health", self.health, methods=["GET"])
        router.add_api_route("/metrics", self.metrics, methods=["GET"])

    async def root(self, _request: Request) -> Response:
        """Return name and version."""
        return self._root

    async def health(self, _request: Request) -> Response:
        """Return the capabilities, and how database and queue are; 503 if the database can't be used."""
        state = await self._context.store.probe.state()
        health: dict[str, Any] = {
            "ok": state.ok,
            **self._known,
            "database": {"ok": state.ok, "kind": state.kind},
        }
        if not state.ok:
            raise ApiError(
                503,
                "storage_unavailable",
                "the engine's database can't be used now; nothing was changed",
                next_actions=["try again in a moment; the log of the engine says why"],
                headers={"Retry-After": "1"},
                extra=health,
            )
        if state.runs is not None and self._context.accepted is not None:
            health["queue"] = {
                "queued": state.runs.queued,
                "oldest_seconds": state.runs.oldest_queued_seconds,
            }
        return JsonResponse(health)

    async def metrics(self, request: Request) -> Response:
        """Return the metrics; they are about all accounts, so they are for the operator of the engine."""
        self._check_operator(request)
        state = await self._context.store.probe.state()
        content = self._context.telemetry.metrics.text(state)
        return Response(content, media_type=CONTENT_TYPE)

    def _check_operator(self, request: Request) -> None:
        """Check the token, if one is set; without one, only development mode, which serves this machine, has metrics.

        Raises:
            ApiError: 401 `unknown_token`, or 404 `not_found`.
        """
        token = self._context.settings.metrics_token
        if token is None:
            if not self._context.settings.dev:
                raise ApiError(
                    404,
                    "not_found",
                    "this engine shows no metrics",
                    next_actions=["set ARCRUN_SERVER_METRICS_TOKEN where the engine runs"],
                )
            return
        given = bearer_token(request.headers.get("authorization", ""))
        if not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
            raise ApiError(
                401,
                "unknown_token",
                "GET /metrics needs the header `Authorization: Bearer TOKEN` with the token of this engine",
                next_actions=["send the value of ARCRUN_SERVER_METRICS_TOKEN"],
                headers={"WWW-Authenticate": "Bearer"},
            )
