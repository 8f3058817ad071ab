"""Node.js and npm, as the session's own environment has them: the machine's are never used."""

from __future__ import annotations

import os
import shutil
import sysconfig
from typing import TYPE_CHECKING

from scripts import processes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class NoNode(Exception):
    """The environment has no Node.js; the message says how it comes there."""


def program(name: str) -> str:
    """Return the path of a program of the environment: `node`, `npm`, `uv`.

    Raises:
        NoNode: It is not there.
    """
    scripts = sysconfig.get_path("scripts")
    found = shutil.which(name, path=scripts)
    if found is None:
        raise NoNode(
            f"there is no {name} in {scripts}: `nox -s release` puts it there "
            "(dependency groups `release` and `js`), and --python-only does without it"
        )
    return found


def environment() -> dict[str, str]:
    """Return the variables with which npm, and what it starts, find this Node.js and no other."""
    return {
        "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")]),
        # Packages are data here: none of them runs anything because it was installed.
        "npm_config_ignore_scripts": "true",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
        "NO_COLOR": "1",
    }


def npm(*arguments: str, cwd: Path, log: Path, env: Mapping[str, str] | None = None) -> str:
    """Run npm in a folder; return what it printed.

    Raises:
        NoNode: There is no npm.
        processes.CommandFailed: npm said no.
    """
    command = [program("npm"), *arguments]
    return processes.run(command, log=log, cwd=cwd, env={**environment(), **(env or {})})


def install_locked(folder: Path, log: Path) -> None:
    """Install what a folder's package-lock.json names, hash and all.

    What earlier rehearsals downloaded is asked for first; npm holds that, too, against the hashes.
    """
    npm("ci", "--prefer-offline", cwd=folder, log=log)


def tool(folder: Path, name: str, *arguments: str, log: Path) -> str:
    """Run a program that npm installed into a folder; return what it printed.

    Raises:
        processes.CommandFailed: It said no.
    """
    command = [str(folder / "node_modules" / ".bin" / name), *arguments]
    return processes.run(command, log=log, cwd=folder, env=environment())
