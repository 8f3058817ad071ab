"""Install the uploaded npm package into a clean folder, and prove that it is what was built."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

from scripts.release.artifacts import InstallMismatch
from scripts.release.npm import tools
from scripts.release.npm.registry import settings
from scripts.release.versions import NPM_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.release.npm.build import NpmPackage


def install_package(package: NpmPackage, folder: Path, registry: str, log: Path) -> Path:
    """Install the package by version and hash; return the folder that holds it.

    Args:
        package: What was uploaded.
        folder: The clean folder; must not exist.
        registry: The URL of the registry to install from.
        log: Receives what npm prints.

    Raises:
        NotLoopback: The registry is on another machine.
        processes.CommandFailed: The registry does not have it, or with another hash.
        InstallMismatch: The installed files are not those of the tarball.
    """
    folder.mkdir(parents=True)
    wanted = {"name": "clean", "private": True, "dependencies": {NPM_NAME: package.version}}
    entry = {"version": package.version, "integrity": package.integrity}
    lock = {
        "name": "clean",
        "lockfileVersion": 3,
        "requires": True,
        # Without `resolved`, npm asks the registry which file that version is.
        "packages": {"": wanted, f"node_modules/{NPM_NAME}": entry},
    }
    (folder / "package.json").write_text(json.dumps(wanted), "utf-8")
    (folder / "package-lock.json").write_text(json.dumps(lock), "utf-8")
    env = settings(folder.with_name(f"{folder.name}-settings"), registry)
    tools.npm("ci", cwd=folder, log=log, env=env, inherit=False)
    installed = folder / "node_modules" / NPM_NAME
    compare_installed(package.path, installed)
    return installed


def compare_installed(tarball: Path, installed: Path) -> int:
    """Compare the installed files with the tarball's, byte by byte; return how many there are.

    Raises:
        InstallMismatch: Names the first file that is missing, differs, or is not in the tarball.
    """
    with tarfile.open(tarball) as archive:
        sent = {
            member.name.removeprefix("package/"): stream.read()
            for member in archive.getmembers()
            if (stream := archive.extractfile(member))
        }
    found = {
        path.relative_to(installed).as_posix(): path.read_bytes()
        for path in installed.rglob("*")
        if path.is_file()
    }
    for name in sorted(sent.keys() | found.keys()):
        if sent.get(name) != found.get(name):
            raise InstallMismatch(
                f"{name} as installed is not the file in {tarball.name}: something other than our "
                f"package was installed under the name {NPM_NAME}"
            )
    return len(found)
