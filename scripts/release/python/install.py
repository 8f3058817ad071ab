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
from scripts.release.environment import neutral, require_loopback
from scripts.release.python.index import package_index
from scripts.release.versions import PACKAGES, module_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scripts.release.artifacts import Artifact


# Extras whose dependencies are installed as well: the suite asks a model by them.
EXTRAS = {"arcrun-server": ("anthropic",)}


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


def install_packages(
    root: Path,
    artifacts: list[Artifact],
    *,
    uploads: Path,
    folder: Path,
    logs: Callable[[str], Path],
    downloads: Mapping[str, str],
) -> dict[str, CleanEnvironment]:
    """Install each package into a clean environment of its own; return them by package.

    Args:
        root: The checkout, with the lock file.
        artifacts: What was built.
        uploads: The folder of the index on loopback that has it.
        folder: Receives the environments.
        logs: Returns the path of the log of that name.
        downloads: The caller's network settings.

    Raises:
        The errors of `install_package`.
    """
    with package_index(uploads, logs("index")) as url:
        return {
            package: install_package(
                root,
                artifacts,
                package,
                index=url,
                folder=folder / package,
                log=logs("install"),
                downloads=downloads,
            )
            for package in PACKAGES
        }


def install_package(
    root: Path,
    artifacts: list[Artifact],
    package: str,
    *,
    index: str,
    folder: Path,
    log: Path,
    downloads: Mapping[str, str],
    extras: tuple[str, ...] = (),
) -> CleanEnvironment:
    """Make a clean environment and install one package into it, by version and hash.

    Its dependencies come first, with the versions and hashes of the lock file, from where the machine
    gets packages. The package itself comes from `index` and from nowhere else: the unrelated `arcrun`
    of the public index is never a candidate, and no setting of the caller takes part.

    Args:
        root: The checkout, with the lock file.
        artifacts: What was built.
        package: The package to install.
        index: The URL of the index on loopback that has it.
        folder: The folder of the environment; one beside it keeps what is needed to fill it.
        log: Receives what uv prints.
        downloads: The caller's network settings.
        extras: Extras whose dependencies are installed as well, besides those of `EXTRAS`.

    Raises:
        NotLoopback: The index is on another machine.
        processes.CommandFailed: The installation failed.
        InstallMismatch: The installed files are not those of the built wheel.
    """
    require_loopback(index)
    environment = CleanEnvironment(package, folder)
    beside = folder.with_name(f"{folder.name}-installation")
    beside.mkdir(parents=True)
    uv(["venv", "--clear", "--python", sys.executable, str(folder)], log=log)
    install = ["pip", "install", "--python", str(environment.python), "--require-hashes"]
    dependencies, ours = beside / "dependencies.txt", beside / "package.txt"
    dependencies.write_text(
        _locked(root, package, (*EXTRAS.get(package, ()), *extras), log, downloads), "utf-8"
    )
    uv([*install, "-r", str(dependencies)], log=log, env=downloads)
    ours.write_text(requirement(artifacts, package), "utf-8")
    command = [*install, "--no-config", "--no-deps", "--default-index", f"{index}simple/"]
    uv([*command, "-r", str(ours)], log=log, env=neutral(beside), inherit=False)
    # All dependencies of the package, as its metadata names them, are in the lock file.
    uv(["pip", "check", "--python", str(environment.python)], log=log)
    wheel = next(each for each in artifacts if each.package == package and each.is_wheel)
    compare_installed(wheel.path, environment, log)
    return environment


def uv(
    arguments: list[str],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    inherit: bool = True,
) -> str:
    """Run uv; return what it printed. The options are those of `processes.run`."""
    command = [sys.executable, "-m", "uv", *arguments]
    return processes.run(command, log=log, cwd=cwd, env=env, inherit=inherit)


def compare_installed(wheel: Path, environment: CleanEnvironment, log: Path) -> int:
    """Compare each installed file with the wheel's, byte by byte; return how many there are.

    Raises:
        InstallMismatch: Names the first file that is missing or differs.
    """
    module = module_of(environment.package)
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


def _locked(
    root: Path, package: str, extras: tuple[str, ...], log: Path, downloads: Mapping[str, str]
) -> str:
    """Return the dependencies of a package, with the versions and hashes of the lock file."""
    command = ["export", "--locked", "--quiet", "--package", package, "--no-dev", "--no-header"]
    command += ["--no-emit-workspace", "--no-annotate"]
    command += [part for extra in extras for part in ("--extra", extra)]
    return uv(command, log=log, cwd=root, env=downloads)


def requirement(artifacts: list[Artifact], package: str) -> str:
    """Return a package as a requirement: its version, and the hashes of its files."""
    ours = [each for each in artifacts if each.package == package]
    hashes = " ".join(f"--hash=sha256:{each.sha256}" for each in ours)
    return f"{package}=={ours[0].version} {hashes}\n"
