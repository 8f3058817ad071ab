"""Numbered migrations: what each version of the schema changed, applied in order, in one transaction.

A fresh database goes through all of them, so there is one way to a schema, and a test holds its result against
`schema.py`. A migration keeps its own copy of the tables it works on: `schema.py` goes on, migrations don't change.
They are plain functions over SQLAlchemy Core. Alembic would bring branches, generated scripts and an environment
of its own, where a list and a number are enough; the transaction, the lock and the backup around them would
still be ours to write.

To add one: write `version_N.py` with `upgrade`, append it to `MIGRATIONS`, and add a database of version N-1 to the
tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arcrun_server.errors import StartupError
from arcrun_server.store.migrations import version_1, version_2, version_3, version_4

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    version_1.upgrade,
    version_2.upgrade,
    version_3.upgrade,
    version_4.upgrade,
)


def newest_version() -> int:
    """Return the version of the schema that this program works with."""
    return len(MIGRATIONS)


def upgrade(connection: Connection, version: int) -> None:
    """Bring a database to the newest version.

    Args:
        connection: Inside of a transaction, which the caller commits together with the new version number.
        version: The version that the database has; 0 for an empty one.
    """
    for migration in MIGRATIONS[version:]:
        migration(connection)


def refusal(database: str, version: int, reason: str) -> StartupError:
    """Return the error for an upgrade that failed and was undone."""
    return StartupError(
        f"cannot upgrade the database {database} from schema {version} to {newest_version()}: {reason}.\n"
        "It was left as it was. Start again once that is solved, or install the earlier version again."
    )
