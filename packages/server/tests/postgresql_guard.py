"""End a PostgreSQL server of the tests that nobody uses any more, where its users could not do so themselves.

PostgreSQL runs in a session of its own, so it outlives a test run that is killed. This program is in the group of the
processes of the test run, and stays until the last of them has ended, by whatever signal.

    python postgresql_guard.py FOLDER USERS

`FOLDER` has the server's data; `USERS` has a file for each process that uses the server, named after its id. Without
`USERS`, the server was stopped in an orderly way, and there is nothing to do.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
from pathlib import Path

import psutil

# Seconds between looks at who has come; that somebody has gone is noticed at once.
LOOK = 1.0
# Seconds that a server has to end.
END = 30.0
IGNORED = ("SIGINT", "SIGTERM", "SIGHUP")


def processes(users: Path) -> list[psutil.Process]:
    """Return the processes that use the server and run; one that ended may be listed until its parent asks how."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for path in users.iterdir():
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(int(path.name))
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
    return found


def end(folder: Path) -> None:
    """End the server without letting it finish, and remove its files."""
    with contextlib.suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
        server = psutil.Process(int((folder / "postmaster.pid").read_text("utf-8").split()[0]))
        server.send_signal(getattr(signal, "SIGQUIT", signal.SIGTERM))
        server.wait(END)
    shutil.rmtree(folder, ignore_errors=True)


def main(folder: Path, users: Path) -> None:
    """Wait until nobody uses the server; end it, if it is still there."""
    for name in IGNORED:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    print("watching", flush=True)
    while using := processes(users):
        psutil.wait_procs(using, timeout=LOOK)
    if users.exists():
        end(folder)
        shutil.rmtree(users, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
