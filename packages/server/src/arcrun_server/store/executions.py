"""The history of an account's runs, written after their responses: a killed process may lose the last few entries."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select

from arcrun_server.store.pages import PagedQuery
from arcrun_server.store.schema import executions
from arcrun_server.store.workflows import timestamp

if TYPE_CHECKING:
    from sqlalchemy import Delete

    from arcrun_server.engine import RunResult
    from arcrun_server.store.database import Database
    from arcrun_server.store.pages import Page, PageRequest

# Entries kept for each workflow; trimmed when this many more have come.
KEPT = 500
SLACK = 100
# Workflows whose runs are counted; it bounds the memory, not the histories.
COUNTED = 10_000

_table = executions.c
_RECORD = insert(executions)
_LIST = PagedQuery(
    [_table.started_at_ms, _table.verdict, _table.duration_ms, _table.message, _table.usage],
    position=_table.id,
    where=[_table.account == bindparam("account"), _table.workflow == bindparam("workflow")],
    descending=True,
)


def trim(kept: int) -> Delete:
    """Return the statement that removes all but a workflow's newest runs."""
    of_workflow = (_table.account == bindparam("of"), _table.workflow == bindparam("named"))
    newest_to_remove = (
        select(_table.id).where(*of_workflow).order_by(_table.id.desc()).limit(1).offset(kept)
    )
    return delete(executions).where(*of_workflow, _table.id <= newest_to_remove.scalar_subquery())


_TRIM = trim(KEPT)


class Executions:
    """The runs of all accounts of one database; every method takes the account."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Runs of each workflow since its history was trimmed.
        self._recorded: dict[tuple[str, str], int] = {}

    def record(self, account: str, workflow: str, started_ms: int, result: RunResult) -> None:
        """Note how a run ended."""
        row = {
            "account": account,
            "workflow": workflow,
            "started_at_ms": started_ms,
            "verdict": result.verdict,
            "duration_ms": round(result.duration_ms),
            # A service's text may be no text; no database takes half of a surrogate pair.
            "message": (result.error or "").encode("utf-8", "replace").decode(),
            "usage": None if result.usage is None else json.dumps(result.usage),
        }
        self._database.write_behind(_RECORD, row)
        if self._is_due(account, workflow):
            self._database.write_behind(_TRIM, {"of": account, "named": workflow})

    def _is_due(self, account: str, workflow: str) -> bool:
        """Count a run, and tell whether the history is to be trimmed: at the first run, then after each `SLACK`."""
        if len(self._recorded) >= COUNTED:
            self._recorded.clear()  # all are trimmed at their next run
        recorded = self._recorded.get((account, workflow), 0)
        self._recorded[account, workflow] = (recorded + 1) % SLACK
        return recorded == 0

    async def list(self, account: str, workflow: str, request: PageRequest) -> Page:
        """Return a page of a workflow's runs, newest first; waits for those that are being recorded."""
        await self._database.settle()
        page = await _LIST.page(self._database, request, account=account, workflow=workflow)
        entries = [
            {
                "timestamp": timestamp(entry["started_at_ms"]),
                "workflow_id": workflow,
                "verdict": entry["verdict"],
                "duration_ms": entry["duration_ms"],
                "message": entry["message"],
                **({} if entry["usage"] is None else {"usage": json.loads(entry["usage"])}),
            }
            for entry in page.entries
        ]
        return replace(page, entries=entries)
