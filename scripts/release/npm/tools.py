"""Run Node.js and npm from the environment of the session, never those of the machine."""

from __future__ import annotations

import os
import shutil
import sysconfig
from typing import TYPE_CHECKING

from scripts import processes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class NodeMissing(Exception):
    """The environment has no Node.js; the message says how to install it."""


def program(name: str) -> str:
    """Return the path of a program of the environment: `node`, `npm`, `uv`.

    Raises:
        NodeMissing: It is not installed.
    """
    scripts = sysconfig.get_path("scripts")
    found = shutil.which(name, path=scripts)
    if found is None:
        raise NodeMissing(
            f"{name} was not found in {scripts}: `nox -s release` installs it "
            "(dependency groups `release` and `js`), and --python-only does not need it"
        )
    return found


def environment() -> dict[str, str]:
    """Return the variables with which npm, and the programs that it starts, find this Node.js first."""
    return {
        "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")]),
        # No package may run code because it is installed.
        "npm_config_ignore_scripts": "true",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
        "NO_COLOR": "1",
    }


def npm(
    *arguments: str,
    cwd: Path,
    log: Path,
    env: Mapping[str, str] | None = None,
    inherit: bool = True,
) -> str:
    """Run npm in a folder; return what it printed.

    `env` and `inherit` are those of `processes.run`.

    Raises:
        NodeMissing: npm is not installed.
        processes.CommandFailed: npm failed.
    """
    command = [program("npm"), *arguments]
    variables = {**environment(), **(env or {})}
    return processes.run(command, log=log, cwd=cwd, env=variables, inherit=inherit)


def install_locked(folder: Path, log: Path, downloads: Mapping[str, str]) -> None:
    """Install what the package-lock.json of a folder names, and check the hashes.

    npm uses what earlier rehearsals downloaded, and checks that as well. `downloads` has the caller's
    network settings.
    """
    npm("ci", "--prefer-offline", cwd=folder, log=log, env=downloads)


def tool(folder: Path, name: str, *arguments: str, log: Path) -> str:
    """Run a program that npm installed into a folder; return what it printed.

    Raises:
        processes.CommandFailed: It failed.
    """
    command = [str(folder / "node_modules" / ".bin" / name), *arguments]
    return processes.run(command, log=log, cwd=folder, env=environment())
