"""Serve an npm registry on loopback for as long as the rehearsal needs one, and upload to it.

The registry is verdaccio, pinned by the lock file in the folder `verdaccio`.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import processes
from scripts.release.npm import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.release.npm.build import NpmPackage

SOURCE = Path(__file__).resolve().parent / "verdaccio"
START_SECONDS = 60.0


def install_verdaccio(folder: Path, log: Path) -> Path:
    """Install the locked verdaccio into a folder; return the folder."""
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(SOURCE / name, folder / name)
    tools.install_locked(folder, log)
    return folder


@contextlib.contextmanager
def npm_registry(verdaccio: Path, storage: Path, log: Path) -> Iterator[str]:
    """Serve a registry; yield its URL.

    The system picks a free port. The registry has only what was uploaded to it.

    Args:
        verdaccio: The folder in which verdaccio is installed.
        storage: Keeps the uploads; created if it does not exist.
        log: Receives the log of the registry.

    Raises:
        processes.NotStarted: It did not start.
    """
    storage.mkdir(parents=True, exist_ok=True)
    command = [tools.program("node"), str(SOURCE / "serve.cjs")]
    command += [str(verdaccio), str(storage), str(log)]
    env = tools.environment()
    with (
        log.open("a", encoding="utf-8") as output,
        processes.started(command, stderr=output, env=env, cwd=storage) as process,
    ):
        yield processes.first_line(process, log, START_SECONDS)


def settings(folder: Path, registry: str) -> dict[str, str]:
    """Return the variables that make npm use this registry and an empty cache.

    The caller's own .npmrc, which may name another registry and a token, is not read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The registry accepts any token, and npm requires one.
    host = registry.removeprefix("http:")
    text = f"registry={registry}\n{host}:_authToken=rehearsal\n"
    (folder / "npmrc").write_text(text, "utf-8")
    return {
        "npm_config_userconfig": str(folder / "npmrc"),
        "npm_config_cache": str(folder / "cache"),
    }


def upload_package(package: NpmPackage, env: dict[str, str], log: Path) -> None:
    """Upload exactly this tarball to the registry that `settings` names.

    Raises:
        processes.CommandFailed: The registry refused it.
    """
    command = ("publish", str(package.path), "--access", "public", "--provenance=false")
    tools.npm(*command, cwd=package.path.parent, log=log, env=env)
