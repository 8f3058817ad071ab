"""The application: routes, errors in one shape, and the layer around them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Match

from arcrun_server.components.registry import Registry
from arcrun_server.errors import ApiError, StorageUnavailableError, too_many
from arcrun_server.llm.configuration import provider_of
from arcrun_server.outbound import Outbound
from arcrun_server.outbound.guard import resolver_with
from arcrun_server.recipes.catalog import load_catalog
from arcrun_server.recipes.resolver import RecipeResolver
from arcrun_server.routes.accounts import AccountRoutes
from arcrun_server.routes.components import ComponentRoutes
from arcrun_server.routes.context import Context
from arcrun_server.routes.contract import ContractRoutes
from arcrun_server.routes.credentials import CredentialRoutes
from arcrun_server.routes.device_login import DeviceLoginRoutes
from arcrun_server.routes.engine import EngineRoutes
from arcrun_server.routes.graphs import GraphRoutes
from arcrun_server.routes.hooks import HookRoutes
from arcrun_server.routes.kbdb import KnowledgeBaseRoutes
from arcrun_server.routes.large_bodies import BodyChecks
from arcrun_server.routes.login import LoginRoutes
from arcrun_server.routes.paging import Pages
from arcrun_server.routes.prompt_recipes import PromptRecipeRoutes
from arcrun_server.routes.prompt_texts import PromptTextRoutes
from arcrun_server.routes.recipes import ApiRecipeRoutes, AuthRecipeRoutes
from arcrun_server.routes.run_events import RunEventRoutes
from arcrun_server.routes.runs import RunRoutes
from arcrun_server.routes.workflows import WorkflowRoutes
from arcrun_server.runs.accepted import AcceptedRuns
from arcrun_server.runs.durable import DbosExecution
from arcrun_server.runs.schedules import Scheduler
from arcrun_server.runs.service import RunService
from arcrun_server.slots import NoSlotError
from arcrun_server.store import Store
from arcrun_server.store.admission import WorkflowFullError
from arcrun_server.telemetry.telemetry import Telemetry, make_tracing
from arcrun_server.web.event_stream import OpenStreams
from arcrun_server.web.middleware import ServerMiddleware
from arcrun_server.web.responses import JsonResponse
from arcrun_server.web.router import ApiRouter
from arcrun_server.web.site import Site, SiteMiddleware
from arcrun_server.workers import WorkerPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.settings import Settings

# Routes are tried in this order, so those with the most requests come first.
GROUPS = (
    EngineRoutes,
    WorkflowRoutes,
    RunRoutes,
    RunEventRoutes,
    HookRoutes,
    CredentialRoutes,
    AuthRecipeRoutes,
    ApiRecipeRoutes,
    GraphRoutes,
    KnowledgeBaseRoutes,
    PromptRecipeRoutes,
    PromptTextRoutes,
    ComponentRoutes,
    AccountRoutes,
    LoginRoutes,
    DeviceLoginRoutes,
    ContractRoutes,
)


def create_app(settings: Settings, store: Store | None = None) -> Starlette:
    """Return the server's application.

    Args:
        settings: The settings of the server.
        store: An open store, which the caller closes; by default the one in `settings.data_dir`, which is
            closed when the application shuts down.

    Raises:
        StartupError: The store can't be used; the message says why and what to do.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import mkdtemp
        >>> from arcrun_server.settings import Settings
        >>> len(create_app(Settings(data_dir=Path(mkdtemp()))).routes) > 0
        True
    """
    open_store = store or Store(
        settings.data_dir,
        settings.database_url,
        serving=True,
        development=settings.dev,
        run_days=settings.run_days,
    )
    telemetry = Telemetry(make_tracing(on=settings.tracing))
    outbound = Outbound(
        development=settings.private_addresses,
        resolver=resolver_with(settings.testing.resolve),
        calls_per_key=settings.calls_per_key,
        telemetry=telemetry,
    )
    workers, sandboxes = WorkerPool(), WorkerPool()
    provider = provider_of(settings.llm, outbound, settings.llm_script, settings.public_url)
    registry = Registry(outbound, workers, sandboxes, provider, settings.llm.models)
    catalog = load_catalog()
    recipes = RecipeResolver(outbound, catalog, open_store, settings.public_url or "")
    accepted = None
    if settings.durable:
        accepted = _accepted_runs(settings, open_store, registry, recipes, telemetry)
    runs = RunService(
        open_store,
        registry,
        recipes,
        runs_per_account=settings.runs_per_key,
        limits=settings.run,
        accepted=accepted,
        telemetry=telemetry,
    )
    scheduler = None if accepted is None else Scheduler(open_store, runs, accepted)
    context = Context(
        settings=settings,
        store=open_store,
        catalog=catalog,
        registry=registry,
        runs=runs,
        accepted=accepted,
        telemetry=telemetry,
        pages=Pages(open_store.cursors),
        checks=BodyChecks(workers, settings.max_values),
        streams=OpenStreams(),
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await open_store.probe.begin()
        if accepted is not None and scheduler is not None:
            await accepted.begin()
            scheduler.start()
        yield
        if accepted is not None and scheduler is not None:
            await scheduler.aclose()
            await accepted.aclose()
        await outbound.aclose()
        await workers.aclose()
        await sandboxes.aclose()
        await asyncio.to_thread(telemetry.tracing.close)
        if store is None:
            open_store.close()

    router = ApiRouter(lifespan=lifespan, redirect_slashes=False)
    for group in GROUPS:
        group(context).add_to(router)
    app = Starlette()
    app.router = router
    app.state.streams = context.streams
    if settings.site is not None:
        app.add_middleware(SiteMiddleware, site=Site(settings.site), routes=router.routes)
    app.add_middleware(
        ServerMiddleware,
        cors_origins=_origins_that_may_call(settings),
        local_pages=settings.dev,
        local_only=settings.dev and settings.public_url is None,
        requests_per_key=settings.requests_per_key,
        telemetry=telemetry,
    )
    app.add_exception_handler(ApiError, _respond_to_api_error)
    app.add_exception_handler(StorageUnavailableError, _respond_to_storage_error)
    app.add_exception_handler(NoSlotError, _respond_to_no_slot)
    app.add_exception_handler(WorkflowFullError, _respond_to_full_workflow)
    app.add_exception_handler(HTTPException, _respond_to_routing_error)
    return app


def _origins_that_may_call(settings: Settings) -> tuple[str, ...]:
    site = settings.accounts.site_url
    return settings.cors_origins if site is None else (*settings.cors_origins, site)


def _accepted_runs(
    settings: Settings,
    store: Store,
    registry: Registry,
    recipes: RecipeResolver,
    telemetry: Telemetry,
) -> AcceptedRuns:
    def execution(executor: str) -> DbosExecution:
        return DbosExecution(store.database.durable_engine, executor, settings.runs_at_once)

    return AcceptedRuns(
        store,
        registry,
        recipes,
        settings.run,
        execution,
        days=settings.run_days,
        kept=settings.kept_runs,
        telemetry=telemetry,
    )


async def _respond_to_api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - for the type checker; it is registered for this type
    return JsonResponse(error.body(), status_code=error.status, headers=error.headers)


async def _respond_to_no_slot(request: Request, error: Exception) -> Response:
    return await _respond_to_api_error(request, too_many(str(error)))


async def _respond_to_full_workflow(request: Request, error: Exception) -> Response:
    return await _respond_to_api_error(
        request,
        ApiError(
            409,
            "workflow_full",
            f"the workflow does not start one more run: {error}",
            next_actions=[
                "try again when one has ended: GET /runs?status=running",
                'or let further runs wait: push the workflow with "when_full": "queue"',
            ],
        ),
    )


async def _respond_to_storage_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, StorageUnavailableError)  # noqa: S101 - as above
    return await _respond_to_api_error(
        request,
        ApiError(
            503,
            "storage_unavailable",
            f"the engine's store can't be used now ({error.reason}); {error.outcome}",
            next_actions=["try again in a moment"],
            headers={"Retry-After": "1"},
        ),
    )


async def _respond_to_routing_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        methods = ", ".join(_allowed_methods(request))
        return await _respond_to_api_error(
            request,
            ApiError(
                405,
                "method_not_allowed",
                f"this path does not take {request.method}; it takes {methods}",
                headers={"Allow": methods},
            ),
        )
    return await _respond_to_api_error(
        request,
        ApiError(
            404,
            "not_found",
            "there is no such route",
            next_actions=["see the routes: GET /docs or GET /openapi.json"],
        ),
    )


def _allowed_methods(request: Request) -> list[str]:
    methods: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= getattr(route, "methods", None) or set()
    return sorted(methods)
