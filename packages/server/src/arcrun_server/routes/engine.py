"""`/` and `/health`: name, version, health and capabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response  # noqa: TC002 - FastAPI reads the annotations

from arcrun_server._version import __version__
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from arcrun_server.routes.context import Context

# Only what is implemented: clients rely on it (docs/contract.md#capabilities).
CAPABILITIES = (
    "sealed_credentials",
    "sealed_read",
    "idempotency_key",
    "knowledge_base",
    "prompt_recipes",
    "recipe_versions",
    "components",
)

# Runs outlive the process: not in an engine that is embedded in another program.
DURABLE = ("durable_runs", "schedules")
# Components may reach private and loopback addresses: in development mode only.
DEVELOPMENT = "private_addresses"


class EngineRoutes:
    """Name, version and health."""

    def __init__(self, context: Context) -> None:
        self._context = context
        capabilities = [
            *CAPABILITIES,
            *([] if context.accepted is None else DURABLE),
            *([DEVELOPMENT] if context.settings.private_addresses else []),
        ]
        # They never change, so they are made once.
        self._root = JsonResponse(
            {"service": "arcrun-server", "version": __version__, "status": "ok"}
        )
        self._health = JsonResponse(
            {"ok": True, "bundle_version": __version__, "capabilities": capabilities}
        )

    def add_to(self, router: APIRouter) -> None:
        """Add these routes."""
        router.add_api_route("/", self.root, methods=["GET"])
        router.add_api_route("/health", self.health, methods=["GET"])

    async def root(self) -> Response:
        """Return name and version."""
        return self._root

    async def health(self) -> Response:
        """Return the capabilities if the engine and its store work."""
        await self._context.store.ping()
        return self._health
