"""`/runs`, and the callbacks of runs that wait (docs/contract.md#runs)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.errors import ApiError, Detail
from arcrun_server.routes.context import path_name
from arcrun_server.routes.paging import flag, invalid_parameter, query_parameter
from arcrun_server.routes.run_response import accepted_response, encode_off_loop
from arcrun_server.routes.schemas import RESUME, RUN_RETRY
from arcrun_server.runs.errors import NotRepeatableError, RunEndedError, RunNotFoundError
from arcrun_server.runs.run_ids import RUN_ID, RUN_ID_RULE
from arcrun_server.runs.service import WorkflowNotFoundError
from arcrun_server.store.runs import PAUSED, STATUSES, summary
from arcrun_server.validation import WORKFLOW_NAME, WORKFLOW_NAME_RULE
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from arcrun_server.routes.context import Context
    from arcrun_server.runs.accepted import AcceptedRuns
    from arcrun_server.store.run_tokens import Callback
    from arcrun_server.store.runs import StoredRun
    from arcrun_server.web.router import ApiRouter

_LONGEST_TASK = 256
_NOTED = ("data", "error", "failed_node", "failed_input", "warnings", "failed_nodes", "usage")


class RunRoutes:
    """List, get, cancel, repeat and resume runs."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._runs = context.store.runs
        self._callbacks = context.store.callbacks

    def add_to(self, router: ApiRouter) -> None:
        """Add these routes."""
        router.add_api_route("/runs", self.list, methods=["GET"])
        router.add_api_route("/runs/{run_id}", self.get, methods=["GET"])
        router.add_api_route("/runs/{run_id}/cancel", self.cancel, methods=["POST"])
        router.add_api_route("/runs/{run_id}/retry", self.retry, methods=["POST"])
        router.add_api_route("/workflows/resume", self.resume, methods=["POST"])
        router.add_api_route("/executions/paused", self.paused, methods=["GET"])
        router.add_api_route("/executions/{task_id}", self.waiting, methods=["GET"])

    async def list(self, request: Request) -> Response:
        """Return a page of the account's runs, newest first."""
        account = await self._context.account(request)
        workflow = query_parameter(request, "workflow")
        if workflow is not None and not WORKFLOW_NAME.fullmatch(workflow):
            raise invalid_parameter("workflow", WORKFLOW_NAME_RULE)
        status = query_parameter(request, "status")
        if status is not None and status not in STATUSES:
            raise invalid_parameter("status", f"one of {', '.join(STATUSES)}")
        return await self._page(request, account, workflow, status)

    async def paused(self, request: Request) -> Response:
        """Return a page of the account's runs that wait for a callback."""
        account = await self._context.account(request)
        return await self._page(request, account, None, PAUSED)

    async def _page(
        self, request: Request, account: str, workflow: str | None, status: str | None
    ) -> Response:
        pages, listed = self._context.pages, f"runs:{workflow or ''}:{status or ''}"
        asked = pages.requested(request, listed)
        page = await self._runs.list(account, asked, workflow=workflow, status=status)
        body = {"runs": page.entries, "total": page.total}
        return JsonResponse(body | pages.next(page, listed))

    async def get(self, request: Request) -> Response:
        """Return a run."""
        account = await self._context.account(request)
        run_id = path_run_id(request)
        run = await self._runs.get(run_id)
        if run is None or run.account != account:
            raise run_not_found(run_id)
        return JsonResponse(await encode_off_loop(whole(run)))

    async def waiting(self, request: Request) -> Response:
        """Return the run that waits, or has waited, for a task."""
        account = await self._context.account(request)
        task_id = request.path_params["task_id"]
        callback = None
        if len(task_id) <= _LONGEST_TASK:
            callback = await self._callbacks.of_task(account, task_id)
        run = None if callback is None else await self._runs.get(callback.run)
        if run is None:
            raise _no_task(task_id)
        return JsonResponse(await encode_off_loop(whole(run)))

    async def cancel(self, request: Request) -> Response:
        """End a run that has not ended."""
        account, accepted = await self._asked(request)
        run_id = path_run_id(request)
        try:
            run = await accepted.cancel(account, run_id)
        except RunNotFoundError:
            raise run_not_found(run_id) from None
        except RunEndedError as ended:
            raise ApiError(
                409, "conflict", f"run {run_id} can't be cancelled: it is {ended}"
            ) from None
        return JsonResponse(await encode_off_loop(whole(run)))

    async def retry(self, request: Request) -> Response:
        """Run again what a run has run."""
        account, accepted = await self._asked(request)
        run_id = path_run_id(request)
        asked = await self._context.json(request, RUN_RETRY)
        try:
            latest = None
            if asked.get("latest"):
                run = await accepted.get(account, run_id)
                latest = await self._context.runs.workflow_graph(account, run.workflow or "")
            new = await accepted.retry(account, run_id, start=asked.get("from"), latest=latest)
        except RunNotFoundError:
            raise run_not_found(run_id) from None
        except WorkflowNotFoundError:
            raise ApiError(
                409, "conflict", f"run {run_id} has no workflow any more; leave `latest` out"
            ) from None
        except NotRepeatableError as error:
            raise ApiError(
                409, "conflict", f"run {run_id} can't be repeated like this: {error}"
            ) from None
        response = accepted_response(new)
        return JsonResponse(response.body, status_code=response.status)

    async def resume(self, request: Request) -> Response:
        """Take what the callback of a waiting run brings, and return how the run went on."""
        accepted = self._context.durable_runs("/workflows/resume")
        in_background = flag(request, "async")
        asked, callback = await self._callback(request)
        delivery = _delivery(asked)
        task = {"task_id": asked["task_id"]} if "task_id" in asked else {}
        if callback is None:
            return _nothing(task, "no run waits for this task")
        delivered = await accepted.resume(callback, delivery)
        if delivered.reason is not None:
            return _nothing(task, delivered.reason)
        body = {"success": True, "resumed": True, **task, "run_id": callback.run}
        if delivered.early or in_background:
            return JsonResponse(body, status_code=202)
        return JsonResponse(
            await encode_off_loop(_went_on(await accepted.ended(callback.run), body))
        )

    async def _callback(self, request: Request) -> tuple[dict[str, Any], Callback | None]:
        """Read what the callback is for: by the token of its URL, or by the task's id and the account's key."""
        token = query_parameter(request, "token")
        if token is not None:
            callback = self._context.store.run_tokens.read(token)
            if callback is None:
                raise ApiError(
                    401,
                    "unknown_token",
                    "the token of this callback URL is not one of this engine's",
                    next_actions=["call the callback_url as the engine gave it out"],
                )
            return await self._context.json(request, RESUME), callback
        account = await self._context.account(request)
        asked = await self._context.json(request, RESUME)
        if "task_id" not in asked:
            raise ApiError(
                400,
                "invalid_request",
                "task_id is missing, and the URL has no token",
                details=[Detail("required without a token", path="task_id")],
            )
        return asked, await self._callbacks.of_task(account, asked["task_id"])

    async def _asked(self, request: Request) -> tuple[str, AcceptedRuns]:
        account = await self._context.account(request)
        return account, self._context.durable_runs(request.url.path)


def _delivery(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what a callback brings; one with an `error` says that the task was not done."""
    delivery: dict[str, Any] = {
        name: asked[name] for name in ("success", "data", "error") if name in asked
    }
    if not asked.get("error"):
        return delivery
    if asked.get("success"):
        rule = "it says why a task was not done, but success is true"
        raise ApiError(
            400,
            "invalid_request",
            f"error can't be there: {rule}; leave one of them out",
            details=[Detail(rule, path="error")],
        )
    return delivery | {"success": False}


def whole(run: StoredRun) -> dict[str, Any]:
    """Return all that is shown of a run."""
    shown: dict[str, Any] = summary(vars(run)) | {
        "duration_ms": run.result.get("duration_ms"),
        "input": run.input,
        "data": None,
    }
    shown |= {name: run.result[name] for name in _NOTED if name in run.result}
    return shown | {"trace": run.trace}


def _went_on(run: StoredRun, body: dict[str, Any]) -> dict[str, Any]:
    """Return how a resumed run ended, or that it waits again."""
    if run.status == PAUSED:
        return body | {
            "paused_again": True,
            "task_id": run.result.get("task_id"),
            "paused_node_id": run.result.get("paused_node_id"),
        }
    shown = whole(run)
    ended = {name: shown[name] for name in ("status", "data", *_NOTED, "trace") if name in shown}
    return body | {"success": "error" not in shown and run.status != "cancelled"} | ended


def _nothing(task: dict[str, str], reason: str) -> JsonResponse:
    return JsonResponse({"success": True, "noop": True, **task, "reason": reason})


def path_run_id(request: Request) -> str:
    """Return the id of a run from the path."""
    return path_name(request, "run_id", RUN_ID, RUN_ID_RULE)


def run_not_found(run_id: str) -> ApiError:
    """Return the error response for a run that the account does not have."""
    return ApiError(
        404,
        "run_not_found",
        f"no run {run_id} in this account",
        next_actions=["see the runs: GET /runs"],
    )


def _no_task(task_id: str) -> ApiError:
    return ApiError(
        404,
        "run_not_found",
        f"no run of this account waits for a task {task_id[:_LONGEST_TASK]!r}",
        next_actions=["see the runs that wait: GET /executions/paused"],
    )
