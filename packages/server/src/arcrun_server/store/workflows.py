"""Named workflows of an account, as compiled graphs."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, or_, select

from arcrun_server import clock
from arcrun_server.engine.schedule import Schedule
from arcrun_server.store.database import Query
from arcrun_server.store.pages import PagedQuery
from arcrun_server.store.schedules import put, remove
from arcrun_server.store.schema import executions, schedules, workflows
from arcrun_server.store.upserts import Upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from arcrun_server.store.database import Database
    from arcrun_server.store.pages import Page, PageRequest
    from arcrun_server.store.schedules import Schedules, Tick

_table = workflows.c
_OWN_SCHEDULE = and_(schedules.c.account == _table.account, schedules.c.workflow == _table.name)
_CRON_EXPR = select(schedules.c.expr).where(_OWN_SCHEDULE).scalar_subquery().label("cron_expr")
_LIST = PagedQuery(
    [_table.name, _table.description, _table.created_at_ms, _CRON_EXPR],
    position=_table.name,
    where=[_table.account == bindparam("account")],
)
_ONE = (
    select(
        *(_table.name, _table.description, _table.graph, _table.config, _table.created_at_ms),
        *(schedules.c.expr, schedules.c.timezone),
    )
    .outerjoin(schedules, _OWN_SCHEDULE)
    .where(_table.account == bindparam("account"), _table.name == bindparam("name"))
)
_GRAPH = Query(
    select(_table.graph).where(
        _table.account == bindparam("account"), _table.name == bindparam("name")
    )
)
_PUSH = Upsert(workflows, replaced=["description", "graph", "config"], returning=["created_at_ms"])


@dataclass(frozen=True)
class StoredWorkflow:
    """A workflow as it is stored.

    Args:
        name: Its name, and the graph's `id` and `name`.
        description: One sentence on what it does.
        graph: The compiled graph; its `cron` is the schedule that the workflow has now.
        config: The `config` that was pushed with it, or None.
        created_at: When it was first pushed, RFC 3339.
    """

    name: str
    description: str
    graph: dict[str, Any]
    config: dict[str, Any] | None
    created_at: str


class Workflows:
    """The workflows of all accounts of one database; every method takes the account."""

    def __init__(self, database: Database, schedules: Schedules) -> None:
        self._database = database
        self._schedules = schedules

    async def list(self, account: str, request: PageRequest) -> Page:
        """Return name, description, time and schedule of a page of them, sorted by name."""
        page = await _LIST.page(self._database, request, account=account)
        entries = [
            {
                "name": entry["name"],
                "description": entry["description"],
                "created_at": timestamp(entry["created_at_ms"]),
                **({} if entry["cron_expr"] is None else {"cron_expr": entry["cron_expr"]}),
            }
            for entry in page.entries
        ]
        return replace(page, entries=entries)

    async def get(self, account: str, name: str) -> StoredWorkflow | None:
        """Return one, or None."""
        row = await self._database.read(
            lambda connection: connection.execute(_ONE, {"account": account, "name": name}).first()
        )
        if row is None:
            return None
        graph = json.loads(row.graph)
        if row.expr is not None:
            graph["cron"] = Schedule(row.expr, row.timezone).as_json()
        return StoredWorkflow(
            row.name,
            row.description,
            graph,
            None if row.config is None else json.loads(row.config),
            timestamp(row.created_at_ms),
        )

    async def with_webhook(self, account: str, names: Sequence[str]) -> frozenset[str]:
        """Return those of some workflows that take webhooks.

        Raises:
            StorageUnavailableError: It takes too long, or the database can't be used now.
        """
        statement = select(_table.name, _table.graph).where(
            _table.account == account,
            _table.name.in_(names),
            _table.graph.contains('"webhook":{'),  # a node's data may have it too
        )

        def read(connection: Connection) -> frozenset[str]:
            rows = connection.execute(statement)
            return frozenset(row.name for row in rows if "webhook" in json.loads(row.graph))

        return await self._database.read_long(read)

    async def holding(self, account: str, texts: Sequence[str], most: int) -> Sequence[str]:
        """Return the names of workflows whose graph, as compact JSON, holds one of the texts; at most so many.

        Raises:
            StorageUnavailableError: It takes too long, or the database can't be used now.
        """
        statement = (
            select(_table.name)
            .where(
                _table.account == account,
                or_(*(_table.graph.contains(text, autoescape=True) for text in texts)),
            )
            .order_by(_table.name)
            .limit(most)
        )
        return await self._database.read_long(
            lambda connection: connection.execute(statement).scalars().all()
        )

    async def graph_text(self, account: str, name: str) -> str | None:
        """Return a workflow's graph as JSON, or None."""
        rows = await self._database.rows(_GRAPH, account=account, name=name)
        return rows[0][0] if rows else None

    async def push(
        self,
        account: str,
        name: str,
        *,
        description: str,
        graph: dict[str, Any],
        config: dict[str, Any] | None,
        first: Tick | None = None,
    ) -> str:
        """Store or replace one.

        Args:
            account: Whose it is.
            name: Its name.
            description: One sentence on what it does.
            graph: The compiled graph, without its `cron`.
            config: The `config` that was pushed with it.
            first: The first tick of its schedule; the schedule that it has goes on as before. Without one, it has none.

        Returns:
            When it was first pushed, RFC 3339.
        """
        row = {
            "account": account,
            "name": name,
            "description": description,
            "graph": json.dumps(graph, ensure_ascii=False, separators=(",", ":")),
            "config": None if config is None else json.dumps(config),
            "created_at_ms": int(clock.now() * 1000),
        }

        def change(connection: Connection) -> int:
            created: int = connection.execute(_PUSH.on(connection), row).scalar_one()
            if first is None:
                remove(connection, account, name)
            else:
                put(connection, first)
            return created

        created = await self._database.write(change)
        if first is not None:
            self._schedules.changed.set()
        return timestamp(created)

    async def delete(self, account: str, name: str) -> bool:
        """Remove one and its history; return False if it was not there."""
        statement = delete(workflows).where(_table.account == account, _table.name == name)
        history = delete(executions).where(
            executions.c.account == account, executions.c.workflow == name
        )

        def change(connection: Connection) -> bool:
            connection.execute(history)
            return connection.execute(statement).rowcount == 1

        return await self._database.write(change)


def timestamp(milliseconds: int) -> str:
    """Write a time as RFC 3339 in UTC.

    Example:
        >>> timestamp(1767225600123)
        '2026-01-01T00:00:00.123Z'
    """
    moment = datetime.fromtimestamp(milliseconds / 1000, tz=timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
