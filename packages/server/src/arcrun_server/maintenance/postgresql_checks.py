"""Checks of a PostgreSQL database, beside the servers that use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import DatabaseError

from arcrun_server import clock
from arcrun_server.errors import StartupError
from arcrun_server.maintenance.database_checks import MOST_AHEAD_SECONDS, check_schema
from arcrun_server.maintenance.findings import fail, failed, ok
from arcrun_server.store import migrations
from arcrun_server.store.database_url import read_database_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from arcrun_server.maintenance.findings import Finding


def examine_postgresql(
    database_url: str, check_records: Callable[[Connection], Iterator[Finding]]
) -> Iterator[Finding]:
    """Check a database.

    Args:
        database_url: Its URL.
        check_records: Checks what is stored, given a connection to a database of the newest schema.
    """
    try:
        url = read_database_url(database_url)
    except StartupError as error:
        yield failed("database", error)
        return
    # They need the driver, without which the URL was not read.
    from arcrun_server.store.postgresql import make_engine  # noqa: PLC0415
    from arcrun_server.store.postgresql_errors import reason  # noqa: PLC0415

    engine = make_engine(url)
    try:
        with engine.connect() as connection, connection.begin() as transaction:
            yield from _check(connection, str(url), check_records)
            transaction.rollback()
    except StartupError as error:
        yield failed("database", error)
    except DatabaseError as error:
        yield fail(
            "database",
            f"{url}: {reason(error)}",
            "Look at the URL, at the rights of its user, and at the server's own log.",
        )
    finally:
        engine.dispose()


def _check(
    connection: Connection, shown: str, check_records: Callable[[Connection], Iterator[Finding]]
) -> Iterator[Finding]:
    from arcrun_server.store.postgresql import check_server, schema_version  # noqa: PLC0415

    check_server(connection, shown)
    version = schema_version(connection, shown)
    if connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "on":
        yield fail(
            "database",
            f"{shown} can only be read: it is a standby, or its transactions are read-only",
            "Name the primary: with several hosts in the URL, add target_session_attrs=read-write.",
        )
        return
    if version:
        # The transaction is undone.
        connection.exec_driver_sql("UPDATE schema_version SET version = version")
    number = connection.exec_driver_sql("SHOW server_version").scalar_one()
    yield ok("database", f"{shown} can be read and written, PostgreSQL {number}, UTF-8")
    yield check_schema(version)
    yield _check_clocks(connection)
    if version == migrations.newest_version():
        yield from check_records(connection)


def _check_clocks(connection: Connection) -> Finding:
    before = clock.now()
    database = connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())")
    moment = float(database.scalar_one())
    # Between its two readings, this machine's clock was at the time at which the database's was read.
    apart = max(before - moment, moment - clock.now(), 0.0)
    message = f"this machine's clock and the database's are {apart:.1f} s apart"
    if apart > MOST_AHEAD_SECONDS:
        return fail("clocks", message, "Set both, and let them be kept by NTP.")
    return ok("clocks", message)
