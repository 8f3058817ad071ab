"""Checking everything that a server needs, without changing any of it."""

from __future__ import annotations

import platform
import sqlite3
from typing import TYPE_CHECKING

from arcrun_server import clock
from arcrun_server._version import __version__
from arcrun_server.errors import StartupError
from arcrun_server.maintenance.database_checks import check_records
from arcrun_server.maintenance.findings import fail, failed, ok
from arcrun_server.maintenance.folder_checks import (
    check_file_system,
    check_folder,
    check_key,
    check_space,
)
from arcrun_server.maintenance.postgresql_checks import examine_postgresql
from arcrun_server.maintenance.sqlite_checks import examine_sqlite
from arcrun_server.settings import settings_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from arcrun_server.maintenance.findings import Finding

# Two zones whose rules differ, one of them with a name of the old form.
_ZONES = ("America/New_York", "Asia/Taipei", "UTC")


def examine(
    data_dir: Path, database_url: str | None, environment: Mapping[str, str]
) -> Iterator[Finding]:
    """Check data folder, server key, database, clock and settings.

    Args:
        data_dir: The data folder.
        database_url: URL of a PostgreSQL database; by default, the database is the SQLite file in the folder.
        environment: Where settings come from, usually `os.environ`.
    """
    yield ok(
        "version",
        f"arcrun-server {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
    )
    yield _check_settings(environment, data_dir, database_url)
    yield _check_time_zones()
    folder = check_folder(data_dir)
    yield folder
    if not data_dir.is_dir():
        return
    yield check_space(data_dir)
    yield check_file_system(data_dir, sqlite=database_url is None)
    key, finding = check_key(data_dir)
    yield finding
    if database_url is None:
        yield from examine_sqlite(data_dir, lambda connection: check_records(connection, key))
    else:
        yield from examine_postgresql(
            database_url, lambda connection: check_records(connection, key)
        )


def _check_settings(
    environment: Mapping[str, str], data_dir: Path, database_url: str | None
) -> Finding:
    try:
        settings_from(environment, data_dir=data_dir, database_url=database_url)
    except StartupError as error:
        return failed("settings", error)
    names = sorted(
        name for name, value in environment.items() if name.startswith("ARCRUN_SERVER_") and value
    )
    return ok("settings", f"{', '.join(names)} can be used" if names else "all by default")


def _check_time_zones() -> Finding:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415

    try:
        for zone in _ZONES:
            clock.utc().astimezone(ZoneInfo(zone))
    except ZoneInfoNotFoundError:
        return fail(
            "time zones", "there is no data of time zones", "Run: python -m pip install tzdata"
        )
    return ok("time zones", "data is there")
