"""Install what was uploaded into clean environments, and prove that it is what was built."""

from __future__ import annotations

import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import processes
from scripts.release.artifacts import InstallMismatch

if TYPE_CHECKING:
    from scripts.release.artifacts import Artifact


@dataclass(frozen=True)
class CleanEnvironment:
    """A virtual environment that holds one package and its dependencies."""

    package: str
    folder: Path

    @property
    def python(self) -> Path:
        """Return the path of its interpreter."""
        return self._scripts / f"python{sysconfig.get_config_var('EXE') or ''}"

    def script(self, name: str) -> Path:
        """Return the path of one of its console scripts."""
        return self._scripts / f"{name}{sysconfig.get_config_var('EXE') or ''}"

    @property
    def _scripts(self) -> Path:
        return self.folder / ("Scripts" if sys.platform == "win32" else "bin")


def install_package(
    root: Path, artifacts: list[Artifact], package: str, *, index: str, folder: Path, log: Path
) -> CleanEnvironment:
    """Make a clean environment and install one package into it, by version and hash.

    The package comes from `index` and from nowhere else; its dependencies come from the public
    index, with the versions and hashes of the lock file.

    Raises:
        processes.CommandFailed: The installation failed.
        InstallMismatch: The installed files are not those of the built wheel.
    """
    environment = CleanEnvironment(package, folder)
    requirements = folder.with_name(f"{folder.name}.txt")
    requirements.parent.mkdir(parents=True, exist_ok=True)
    requirements.write_text(_requirements(root, artifacts, package, log), "utf-8")
    uv(["venv", "--clear", "--python", sys.executable, str(folder)], log=log)
    command = ["pip", "install", "--python", str(environment.python), "--require-hashes"]
    # Where the first index has a package of that name, uv asks no other: the unrelated `arcrun` of
    # the public index is never a candidate.
    command += ["--index", f"{index}simple/", "--index-strategy", "first-index"]
    command += ["--refresh-package", package, "-r", str(requirements)]
    uv(command, log=log)
    wheel = next(each for each in artifacts if each.package == package and each.is_wheel)
    compare_installed(wheel.path, environment, log)
    return environment


def uv(arguments: list[str], *, log: Path, cwd: Path | None = None) -> str:
    """Run uv; return what it printed."""
    return processes.run([sys.executable, "-m", "uv", *arguments], log=log, cwd=cwd)


def compare_installed(wheel: Path, environment: CleanEnvironment, log: Path) -> int:
    """Compare each installed file with the wheel's, byte by byte; return how many there are.

    Raises:
        InstallMismatch: Names the first file that is missing or differs.
    """
    module = environment.package.replace("-", "_")
    code = f"import {module}, pathlib; print(pathlib.Path({module}.__file__).parent.parent)"
    printed = processes.run([str(environment.python), "-I", "-c", code], log=log)
    site_packages = Path(printed.strip().splitlines()[-1])
    if not site_packages.is_relative_to(environment.folder):
        raise InstallMismatch(
            f"{module} is imported from {site_packages}, not from the clean environment"
        )
    count = 0
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            # The installer rewrites RECORD: it adds the files that it makes itself.
            if name.endswith(("/", ".dist-info/RECORD")):
                continue
            installed = site_packages / name
            if not installed.is_file() or installed.read_bytes() != archive.read(name):
                raise InstallMismatch(
                    f"{name} as installed is not the file in {wheel.name}: something other than "
                    f"our package was installed under the name {environment.package}"
                )
            count += 1
    return count


def _requirements(root: Path, artifacts: list[Artifact], package: str, log: Path) -> str:
    command = ["export", "--locked", "--quiet", "--package", package, "--no-dev", "--no-header"]
    locked = uv([*command, "--no-emit-workspace", "--no-annotate"], log=log, cwd=root)
    ours = [each for each in artifacts if each.package == package]
    hashes = " ".join(f"--hash=sha256:{each.sha256}" for each in ours)
    return f"{package}=={ours[0].version} {hashes}\n{locked}"
