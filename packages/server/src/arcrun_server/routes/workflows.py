"""`/webhooks/named`: workflows, stored under a name and run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine.schedule import schedule_of
from arcrun_server.errors import ApiError
from arcrun_server.json_text import encode
from arcrun_server.routes.context import path_name
from arcrun_server.routes.paging import flag
from arcrun_server.routes.run_response import (
    IDEMPOTENCY_KEY,
    REPLAYED,
    accepted_response,
    idempotency_error,
    short_response,
)
from arcrun_server.routes.schemas import RUN_INPUT, WORKFLOW_PUSH
from arcrun_server.runs.account_schedules import first_ms
from arcrun_server.runs.idempotency import IdempotencyError, check_key
from arcrun_server.runs.run_request import Once
from arcrun_server.runs.service import WorkflowNotFoundError
from arcrun_server.store.schedules import Tick
from arcrun_server.validation import WORKFLOW_NAME, WORKFLOW_NAME_RULE
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.engine import Graph
    from arcrun_server.routes.context import Context
    from arcrun_server.runs.accepted import AcceptedRuns
    from arcrun_server.web.router import ApiRouter

_LISTED = "workflows"


class WorkflowRoutes:
    """Push, list, get, delete and run workflows, and list their executions."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._workflows = context.store.workflows

    def add_to(self, router: ApiRouter) -> None:
        """Add these routes."""
        router.add_api_route("/webhooks/named/{name}/trigger", self.trigger, methods=["POST"])
        router.add_api_route("/webhooks/named", self.list, methods=["GET"])
        router.add_api_route("/webhooks/named", self.push, methods=["POST"])
        router.add_api_route("/webhooks/named/{name}", self.delete, methods=["DELETE"])
        router.add_api_route("/webhooks/named/{name}/definition", self.get, methods=["GET"])
        router.add_api_route("/workflows/{name}/executions", self.executions, methods=["GET"])

    async def list(self, request: Request) -> Response:
        """Return a page of the account's workflows."""
        account = await self._context.account(request)
        pages = self._context.pages
        page = await self._workflows.list(account, pages.requested(request, _LISTED))
        base_url = self._context.base_url(request)
        entries = [
            entry | {"webhook_url": _webhook_url(base_url, entry["name"])} for entry in page.entries
        ]
        names = [entry["name"] for entry in entries]
        hooked = await self._workflows.with_webhook(account, names) if names else frozenset()
        for entry in entries:
            if entry["name"] in hooked:
                entry["hook_url"] = self._hook_url(request, account, entry["name"])
        body = {"workflows": entries, "total": page.total}
        return JsonResponse(body | pages.next(page, _LISTED))

    async def push(self, request: Request) -> Response:
        """Check a graph and store it under a name."""
        account = await self._context.account(request)
        pushed = await self._context.json(request, WORKFLOW_PUSH)
        name: str = pushed["name"]
        graph = pushed["graph"]
        known = await self._context.known_components(account)
        warnings = await self._context.checks.graph(graph, known, strict=pushed.get("strict"))
        created_at = await self._workflows.push(
            account,
            name,
            description=pushed["description"],
            # Its `cron` is kept beside it: a workflow can change it.
            graph={
                **{field: value for field, value in graph.items() if field != "cron"},
                "id": name,
                "name": name,
            },
            config=pushed.get("config"),
            first=self._first_tick(account, name, graph),
        )
        created = {
            "name": name,
            "webhook_url": _webhook_url(self._context.base_url(request), name),
            "description": pushed["description"],
            "created_at": created_at,
            **self._hook(request, account, name, graph),
            **warnings,
        }
        return JsonResponse(created, status_code=201)

    def _first_tick(self, account: str, name: str, graph: Graph) -> Tick | None:
        """Return when a workflow that was pushed runs first by itself, if it does."""
        schedule = schedule_of(graph)
        if schedule is None:
            return None
        self._context.durable_runs("cron", "leave cron out and trigger the workflow")
        return Tick(account, name, schedule, first_ms(schedule))

    async def get(self, request: Request) -> Response:
        """Return a workflow as it is stored."""
        account = await self._context.account(request)
        name = _name(request)
        workflow = await self._workflows.get(account, name)
        if workflow is None:
            raise _not_found(name)
        hook = self._hook(request, account, name, workflow.graph)
        return JsonResponse({**vars(workflow), **hook})

    async def delete(self, request: Request) -> Response:
        """Remove a workflow."""
        account = await self._context.account(request)
        name = _name(request)
        if not await self._workflows.delete(account, name):
            raise _not_found(name)
        return JsonResponse({"deleted": True, "name": name})

    async def trigger(self, request: Request) -> Response:
        """Run a workflow with the body as its input, and return its result."""
        account = await self._context.account(request)
        name = _name(request)
        strict = flag(request, "strict")
        in_background = flag(request, "async")
        accepted = self._context.durable_runs("?async=1") if in_background else None
        run_input = await self._context.json(request, RUN_INPUT)
        key = request.headers.get(IDEMPOTENCY_KEY)
        if accepted is not None:
            return await self._accept(accepted, account, name, run_input, key, strict=strict)
        runs = self._context.runs
        try:
            if key is None:
                response = await short_response(
                    await runs.run_workflow(account, name, run_input, strict=strict)
                )
            else:
                response = await runs.run_workflow_once(
                    account, name, run_input, key, short_response, strict=strict
                )
        except WorkflowNotFoundError:
            raise _not_found(name) from None
        except IdempotencyError as error:
            raise idempotency_error(error) from None
        headers = {REPLAYED: "true"} if response.replayed else None
        return JsonResponse(response.body, status_code=response.status, headers=headers)

    async def _accept(
        self,
        accepted: AcceptedRuns,
        account: str,
        name: str,
        run_input: dict[str, Any],
        key: str | None,
        *,
        strict: bool,
    ) -> Response:
        """Accept a run; a request that is repeated under its key gets the same run."""
        runs, work = self._context.runs, (accepted, account, name, run_input)
        try:
            if key is None:
                response = accepted_response(await runs.accept_workflow(*work, strict=strict))
            else:
                check_key(key)
                wanted = encode(["async", name, run_input, strict])
                once = Once(key, wanted, accepted_response)
                response = await runs.accept_workflow_once(*work, once, strict=strict)
        except WorkflowNotFoundError:
            raise _not_found(name) from None
        except IdempotencyError as error:
            raise idempotency_error(error) from None
        headers = {REPLAYED: "true"} if response.replayed else None
        return JsonResponse(response.body, status_code=response.status, headers=headers)

    def _hook(
        self, request: Request, account: str, name: str, graph: dict[str, Any]
    ) -> dict[str, str]:
        """Return the field that says where webhooks of a workflow are taken, if it takes any."""
        if "webhook" not in graph:
            return {}
        return {"hook_url": self._hook_url(request, account, name)}

    def _hook_url(self, request: Request, account: str, name: str) -> str:
        hook_id = self._context.store.hook_ids.write(account, name)
        return f"{self._context.base_url(request)}/hooks/{hook_id}"

    async def executions(self, request: Request) -> Response:
        """Return a page of how a workflow's runs ended, newest first."""
        account = await self._context.account(request)
        name = _name(request)
        pages, listed = self._context.pages, f"executions:{name}"
        asked = pages.requested(request, listed)
        if await self._workflows.graph_text(account, name) is None:
            raise _not_found(name)
        page = await self._context.store.executions.list(account, name, asked)
        data = {"workflow_name": name, "count": page.total, "executions": page.entries}
        return JsonResponse({"ok": True, "data": data | pages.next(page, listed)})


def _webhook_url(base_url: str, name: str) -> str:
    return f"{base_url}/webhooks/named/{name}/trigger"


def _name(request: Request) -> str:
    return path_name(request, "name", WORKFLOW_NAME, WORKFLOW_NAME_RULE)


def _not_found(name: str) -> ApiError:
    return ApiError(
        404,
        "workflow_not_found",
        f"no workflow {name!r} in this account",
        next_actions=["see the names: GET /webhooks/named"],
    )
