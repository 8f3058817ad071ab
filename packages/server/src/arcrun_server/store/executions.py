"""The history of an account's runs, written after their responses: a killed process may lose the last few entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select

from arcrun_server.store.schema import executions
from arcrun_server.store.workflows import timestamp

if TYPE_CHECKING:
    from sqlalchemy import Connection, Delete

    from arcrun_server.engine import RunResult
    from arcrun_server.store.database import Database

# Entries kept for each workflow; trimmed when this many more have come.
KEPT = 500
SLACK = 100

_table = executions.c
_RECORD = insert(executions)
_LIST = (
    select(_table.started_at_ms, _table.verdict, _table.duration_ms, _table.message)
    .where(_table.account == bindparam("account"), _table.workflow == bindparam("workflow"))
    .order_by(_table.id.desc())
    .limit(bindparam("count"))
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
        self._recorded = 0

    def record(self, account: str, workflow: str, started_ms: int, result: RunResult) -> None:
        """Note how a run ended."""
        row = {
            "account": account,
            "workflow": workflow,
            "started_at_ms": started_ms,
            "verdict": "success" if result.success and result.paused is None else "failed",
            "duration_ms": round(result.duration_ms),
            "message": result.error or "",
        }
        self._database.write_behind(_RECORD, row)
        self._recorded += 1
        if self._recorded % SLACK == 0:
            self._database.write_behind(_TRIM, {"of": account, "named": workflow})

    async def list(self, account: str, workflow: str, count: int) -> list[dict[str, Any]]:
        """Return the newest runs of a workflow, newest first; waits for those that are being recorded."""

        def query(connection: Connection) -> list[dict[str, Any]]:
            rows = connection.execute(
                _LIST, {"account": account, "workflow": workflow, "count": count}
            )
            return [
                {
                    "timestamp": timestamp(row.started_at_ms),
                    "workflow_id": workflow,
                    "verdict": row.verdict,
                    "duration_ms": row.duration_ms,
                    "message": row.message,
                }
                for row in rows
            ]

        await self._database.settle()
        return await self._database.read(query)
