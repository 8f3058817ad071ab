"""A process that opens a store, for tests that kill it or run two of it.

Arguments: the data folder, the URL of a PostgreSQL database or an empty text, and where to stop: `nowhere`,
`before the backup is named`, `before the first change`, `between two changes` or `before the commit`. There, the process
kills itself; with `wait` in front, it prints a line and goes on once it has read one.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from arcrun_server.store import Store, backup, migrations

if TYPE_CHECKING:
    from sqlalchemy import Connection


def stop(waiting: bool) -> None:
    if waiting:
        print("stopped", flush=True)
        sys.stdin.readline()
    else:
        os.kill(os.getpid(), signal.SIGKILL)


def stop_at(point: str, waiting: bool) -> None:
    publish, upgrade = backup.publish, migrations.upgrade

    def stopping_publish(draft: Path, path: Path) -> bool:
        stop(waiting)
        return publish(draft, path)

    def stopping_upgrade(connection: Connection, version: int) -> None:
        if point == "before the first change":
            stop(waiting)
        if point == "between two changes":
            migrations.version_2._config_as_text = lambda _connection: stop(waiting)
        upgrade(connection, version)
        if point == "before the commit":
            stop(waiting)

    if point == "before the backup is named":
        backup.publish = stopping_publish
    else:
        migrations.upgrade = stopping_upgrade


if __name__ == "__main__":
    folder, url, point = sys.argv[1:]
    if point != "nowhere":
        stop_at(point.removeprefix("wait "), point.startswith("wait "))
    Store(Path(folder), url or None).close()
    print("opened", flush=True)
