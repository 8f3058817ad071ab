"""An npm registry on loopback: verdaccio, pinned in the folder beside it, for as long as it is needed."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import processes
from scripts.release.npm import tools as npm_tools

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
    npm_tools.install_locked(folder, log)
    return folder


@contextlib.contextmanager
def npm_registry(verdaccio: Path, storage: Path, log: Path) -> Iterator[str]:
    """Serve a registry that knows nothing but what is published to it; yield its URL.

    The port is a free one that the system picks, so a taken port is never in the way.

    Args:
        verdaccio: Where it is installed.
        storage: Keeps what is published; made if it is not there.
        log: Receives what the registry logs.

    Raises:
        processes.NotStarted: It did not come up.
    """
    storage.mkdir(parents=True, exist_ok=True)
    command = [npm_tools.program("node"), str(SOURCE / "serve.cjs")]
    command += [str(verdaccio), str(storage), str(log)]
    env = npm_tools.environment()
    with (
        log.open("a", encoding="utf-8") as output,
        processes.started(command, stderr=output, env=env, cwd=storage) as process,
    ):
        yield processes.first_line(process, log, START_SECONDS)


def settings(folder: Path, registry: str) -> dict[str, str]:
    """Return the variables that turn npm to this registry alone, with an empty cache.

    What is in the caller's own .npmrc (another registry, a token) has no say.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # npm insists on having a token; the registry on loopback takes any.
    host = registry.removeprefix("http:")
    text = f"registry={registry}\n{host}:_authToken=rehearsal\n"
    (folder / "npmrc").write_text(text, "utf-8")
    return {
        "npm_config_userconfig": str(folder / "npmrc"),
        "npm_config_cache": str(folder / "cache"),
    }


def publish(package: NpmPackage, env: dict[str, str], log: Path) -> None:
    """Publish just this tarball to the registry that `settings` names.

    Raises:
        processes.CommandFailed: The registry refused it.
    """
    command = ("publish", str(package.path), "--access", "public", "--provenance=false")
    npm_tools.npm(*command, cwd=package.path.parent, log=log, env=env)
