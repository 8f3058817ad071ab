"""Durable runs, and the callbacks that came before their runs had paused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, ForeignKey, Index, MetaData, String, Table, text

from arcrun_server.store.types import Characters, Whole

if TYPE_CHECKING:
    from sqlalchemy import Connection

_metadata = MetaData()
# As version 1 wrote it.
Table(
    "accounts",
    _metadata,
    Column("id", Characters().with_variant(String(), "sqlite"), primary_key=True),
    Column("created_at", Whole, nullable=False),
)
# What the engine has accepted to run: asynchronous triggers, runs that have paused, ticks of schedules, retries.
_runs = Table(
    "runs",
    _metadata,
    # Orders all lists of runs.
    Column("number", Whole, primary_key=True),
    Column("id", Characters, nullable=False, unique=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    # NULL for a graph that is stored nowhere.
    Column("workflow", Characters),
    Column("status", Characters, nullable=False),
    # What made it: `api`, `schedule`, `webhook`, `retry` or `failure`.
    Column("trigger", Characters, nullable=False),
    Column("retry_of", Characters),
    # How many runs of its workflow may go on at the same time, itself included; NULL for any number.
    Column("max_running", Whole),
    # A run has one segment more than it has been resumed.
    Column("segment", Whole, nullable=False),
    # The process that executes the segment, or was to; empty while it waits for other runs of its workflow.
    Column("executor", Characters, nullable=False),
    # As JSON text, as all that follows: what the run needs to be executed, again if need be.
    Column("plan", Characters, nullable=False),
    Column("input", Characters, nullable=False),
    # The state of a paused run, and what its callback has brought.
    Column("continuation", Characters),
    Column("delivery", Characters),
    # How it ended, or what can be said of it while it is paused.
    Column("result", Characters),
    Column("trace", Characters),
    Column("created_at_ms", Whole, nullable=False),
    Column("started_at_ms", Whole),
    Column("ended_at_ms", Whole),
    Index("runs_by_number", "account", "number"),
    Index("runs_by_workflow", "account", "workflow", "number"),
    Index("runs_by_status", "account", "status", "number"),
    Index("runs_by_executor", "status", "executor", "account", "workflow", "number"),
    Index("runs_by_end", "ended_at_ms"),
    Index(
        "runs_going_on",
        *("account", "workflow", "status"),
        sqlite_where=text("ended_at_ms IS NULL"),
        postgresql_where=text("ended_at_ms IS NULL"),
    ),
)

# The processes that execute runs, or have left some; on PostgreSQL only.
_executors = Table("executors", _metadata, Column("name", Characters, primary_key=True))

# What runs wait for, or have waited for last.
_awaited_tasks = Table(
    "awaited_tasks",
    _metadata,
    Column("run", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    # Which invocation waits, as `store/run_tokens.py` names it.
    Column("waiting", Characters, primary_key=True),
    # Where in the run that is.
    Column("place", Characters, nullable=False),
    Column("account", Characters, nullable=False),
    # What its component calls the task.
    Column("task_id", Characters, nullable=False),
    Column("paused_at_ms", Whole, nullable=False),
    Index("awaited_tasks_by_id", "account", "task_id", "paused_at_ms"),
)

# Callbacks that came before the run had paused.
_early_callbacks = Table(
    "early_callbacks",
    _metadata,
    # A run that somebody waits for stands in no table yet.
    Column("run", Characters, primary_key=True),
    Column("waiting", Characters, primary_key=True),
    Column("delivery", Characters, nullable=False),
    Column("created_at_ms", Whole, nullable=False),
)


def create_tables(connection: Connection) -> None:
    """Create the tables."""
    _metadata.create_all(connection, tables=[_runs, _executors, _awaited_tasks, _early_callbacks])
