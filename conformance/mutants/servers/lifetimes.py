"""Defects in what the engine keeps, and for how long."""

from __future__ import annotations

from arcrun_server.store import idempotency


def keeps_idempotency_keys_for_minutes() -> None:
    idempotency.KEPT_SECONDS = 24 * 60
