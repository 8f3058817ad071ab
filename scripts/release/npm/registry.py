"""Serve an npm registry on loopback for as long as the rehearsal needs one, and upload to it.

The registry is verdaccio, pinned by the lock file in the folder `verdaccio`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import processes
from scripts.release.environment import neutral, require_loopback
from scripts.release.npm import tools
from scripts.release.versions import NPM_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scripts.release.npm.build import NpmPackage

SOURCE = Path(__file__).resolve().parent / "verdaccio"
START_SECONDS = 60.0
SCOPE = NPM_NAME.split("/", maxsplit=1)[0]


def install_verdaccio(folder: Path, log: Path, downloads: Mapping[str, str]) -> Path:
    """Install the locked verdaccio into a folder; return the folder."""
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(SOURCE / name, folder / name)
    tools.install_locked(folder, log, downloads)
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
    """Return the environment in which npm uses this registry, and nothing that the caller configured.

    Args:
        folder: Receives the settings, and npm's cache; an upload runs in it.
        registry: The URL of the registry.

    Raises:
        NotLoopback: The registry is on another machine.
    """
    require_loopback(registry)
    folder.mkdir(parents=True, exist_ok=True)
    # The registry accepts any token, and npm requires one.
    host = registry.removeprefix("http:")
    text = f"registry={registry}\n{SCOPE}:registry={registry}\n{host}:_authToken=rehearsal\n"
    (folder / "npmrc").write_text(text, "utf-8")
    # npm looks for a project, and so for one more npmrc, in the folders above until it finds this.
    (folder / "package.json").write_text("{}", "utf-8")
    return {
        **neutral(folder),
        **tools.environment(),
        "npm_config_userconfig": str(folder / "npmrc"),
        "npm_config_globalconfig": os.devnull,
        "npm_config_cache": str(folder / "cache"),
    }


def upload_package(package: NpmPackage, folder: Path, registry: str, log: Path) -> None:
    """Upload exactly this tarball to a registry on loopback.

    The registry is named on the command line too: it has precedence over the package's own `publishConfig`.

    Args:
        package: What to upload.
        folder: A folder for the settings.
        registry: The URL of the registry.
        log: Receives what npm prints.

    Raises:
        NotLoopback: The registry is on another machine; nothing was sent.
        processes.CommandFailed: The registry refused it.
    """
    env = settings(folder, registry)
    command = ["publish", str(package.path), "--access", "public", "--provenance=false"]
    command += [f"--registry={registry}", f"--{SCOPE}:registry={registry}"]
    tools.npm(*command, cwd=folder, log=log, env=env, inherit=False)
