"""Checks of what is in a database of either kind: its schema, its server key, and how old its newest record is."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from arcrun_server import clock
from arcrun_server.maintenance.findings import fail, ok, warn
from arcrun_server.store import migrations, read_key_check
from arcrun_server.store.credentials import location
from arcrun_server.store.schema import api_keys, credentials, executions, runs, workflows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from arcrun_server.maintenance.findings import Finding
    from arcrun_server.sealing.server_key import ServerKey

# By how much clocks of a machine and its database may differ.
MOST_AHEAD_SECONDS = 5

# In seconds, and in milliseconds; none of them looks through a large table.
_NEWEST_SECONDS = (select(func.max(api_keys.c.created_at)),)
_NEWEST_MILLISECONDS = (
    select(func.max(workflows.c.created_at_ms)),
    select(executions.c.started_at_ms).order_by(executions.c.id.desc()).limit(1),
    select(runs.c.created_at_ms).order_by(runs.c.number.desc()).limit(1),
)
_PLAIN = (
    select(credentials.c.account, credentials.c.name, credentials.c.at_rest)
    .where(credentials.c.at_rest.is_not(None))
    .limit(1)
)


def check_schema(version: int) -> Finding:
    """Say what a start does to a schema of this version; newer ones have been refused."""
    newest = migrations.newest_version()
    if version == 0:
        return ok("schema", "none yet; the first start makes it")
    if version < newest:
        return warn(
            "schema",
            f"schema {version}; the next start upgrades it to {newest}",
            "Stop all servers of this database, back it up, then start the new version.",
        )
    return ok("schema", f"schema {version}, the newest")


def check_records(connection: Connection, key: ServerKey | None) -> Iterator[Finding]:
    """Check the key and the clock against what is stored in the newest schema.

    Args:
        connection: To the database, which has the newest schema.
        key: The server key, if it can be read.
    """
    yield _check_key(connection, key)
    yield _check_clock(connection)


def _check_key(connection: Connection, key: ServerKey | None) -> Finding:
    if key is None:
        return fail(
            "secrets",
            "the database has been used with a server key, and there is none that can be read",
            "Put the key file back; without it nothing secret in the database can be opened.",
        )
    known = read_key_check(connection)
    if known is None or not hmac.compare_digest(known, key.check_value()):
        return fail(
            "secrets",
            "the server key is not the one under which the database was made",
            "Put the right key file back; with this one nothing secret in the database can be opened.",
        )
    row = connection.execute(_PLAIN).first()
    if row is None:
        return ok("secrets", "the server key is the database's; no plain credential is stored")
    try:
        key.open(row.at_rest, location(row.account, row.name))
    except ValueError:
        return fail(
            "secrets",
            f"the credential {row.name!r} of the account {row.account} does not open",
            "The database was altered. Restore a backup, or store this credential again.",
        )
    return ok("secrets", "the server key opens a credential that is stored")


def _check_clock(connection: Connection) -> Finding:
    newest = [float(at or 0) for at in (connection.scalar(one) for one in _NEWEST_SECONDS)]
    newest += [(at or 0) / 1000 for at in (connection.scalar(one) for one in _NEWEST_MILLISECONDS)]
    ahead = max(newest) - clock.now()
    if ahead > MOST_AHEAD_SECONDS:
        return fail(
            "clock",
            f"this machine's clock is at least {ahead:,.0f} s behind: there are records of a later time",
            "Set the clock, and let it be kept by NTP.",
        )
    return ok("clock", f"{clock.utc():%Y-%m-%dT%H:%M:%SZ}, later than all that is stored")
