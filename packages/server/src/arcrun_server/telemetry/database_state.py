"""How the database is, as `/health` and `/metrics` show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RunCounts:
    """The accepted runs of all accounts that have not ended.

    Attributes:
        queued: How many wait to be executed.
        running: How many are executed.
        paused: How many wait for a callback.
        oldest_queued_seconds: For how long the oldest queued one has waited; 0 if none is queued.
    """

    queued: int
    running: int
    paused: int
    oldest_queued_seconds: float


@dataclass(frozen=True)
class DatabaseState:
    """How the database is.

    Attributes:
        ok: Whether it responds.
        kind: `sqlite` or `postgresql`.
        runs: Its runs; None if they are not known.
    """

    ok: bool
    kind: str
    runs: RunCounts | None = None
