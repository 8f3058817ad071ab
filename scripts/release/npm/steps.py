"""The steps of a rehearsal that need the npm package, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from scripts.parity.parts import EXPLAINED, PARTS, Plan
from scripts.rehearsal import StepFailed
from scripts.release.npm import build as npm_package
from scripts.release.npm import contents as npm_files
from scripts.release.npm import install as npm_install
from scripts.release.npm import registry as npm_registry
from scripts.release.npm import runtimes as npm_runtimes
from scripts.release.npm import tools as npm_tools
from scripts.release.python.build import sha256
from scripts.release.versions import NPM_NAME

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from scripts.rehearsal import Figures
    from scripts.release.npm.build import NpmPackage
    from scripts.release.steps import Release


def build(release: Release, figures: Figures) -> None:
    """The npm package, installed from its lock file, built and packed twice, bytes equal."""
    built = npm_package.build_twice(
        release.root, release.work / "npm", release.dist, release.log("npm_build")
    )
    release.npm_package = built
    figures["built_twice_and_identical"] = "now"
    figures["kilobytes"] = round(built.artifact.size / 1000, 1)


def check(release: Release, figures: Figures) -> None:
    """The package is well-formed for every way to import it, and holds what belongs there."""
    package, log = _built(release), release.log("npm_check")
    figures["files"] = npm_files.check(package.path, release.root)
    figures["budget"] = npm_files.check_budget(package.path)
    for name, arguments in (("publint", ("--strict",)), ("attw", ("--no-emoji",))):
        npm_tools.tool(package.workshop, name, str(package.path), *arguments, log=log)
        figures[name] = "clean"


def publish(release: Release, figures: Figures) -> None:
    """Publish just these bytes to an npm registry on loopback."""
    package, log = _built(release), release.log("npm_publish")
    npm_registry.install_verdaccio(release.verdaccio, log)
    with _registry(release) as url:
        settings = npm_registry.settings(release.work / "npm-publish", url)
        npm_registry.publish(package, settings, log)
    stored = [sha256(path) for path in release.npm_uploads.rglob("*.tgz")]
    if stored != [package.artifact.sha256]:
        raise StepFailed(f"the registry holds other files than were sent: {stored}")
    figures["files"] = len(stored)


def install(release: Release, figures: Figures) -> None:
    """Install from that registry into a clean folder; give it to the runtimes."""
    package, log = _built(release), release.log("npm_install")
    with _registry(release) as url:
        settings = npm_registry.settings(release.work / "npm-install", url)
        installed = npm_install.install(package, release.work / "npm-clean", settings, log)
    npm_install.write_sbom(package, release.evidence / "sbom-arcrun-sdk.json", log)
    registry = _adapters(release, log)
    release.matrix = npm_runtimes.matrix(registry)
    npm_runtimes.prepare(registry, installed, release.runtimes, release.matrix.runtimes, log)
    release.versions[NPM_NAME] = {NPM_NAME: package.version}
    figures["version"] = package.version
    figures["runtimes"] = ", ".join(release.matrix.runtimes)
    figures["not_on_this_machine"] = release.matrix.told_missing


def parity(release: Release, figures: Figures) -> None:
    """Both SDKs offer and send the same, and open what each other seals."""
    package, log = _built(release), release.log("parity")
    if release.matrix is None:
        raise StepFailed("nothing was run: this step builds on npm_install and conformance")
    work = release.work / "parity"
    work.mkdir()
    plan = Plan(
        sdks=release.matrix.sdks,
        report=release.conformance_reports,
        explained=EXPLAINED,
        adapters=_adapters(release, log),
        server_python=release.environments["arcrun-server"].python,
        adapter_python=release.environments["arcrun"].python,
        node=npm_tools.program("node"),
        work=work,
        js_sdk=package.workshop,
        runtimes=release.runtimes,
    )
    # The tables and the explained differences are long: they are for the log.
    with log.open("a", encoding="utf-8") as told:
        console = Console(file=told, width=160, soft_wrap=True)
        for part, (_, compare) in PARTS.items():
            found = compare(plan, console)
            figures.update({f"{part}_{name}": value for name, value in found.items()})


def _adapters(release: Release, log: Path) -> Path:
    return npm_runtimes.installed_registry(release.environments["arcrun-conformance"], log)


def _built(release: Release) -> NpmPackage:
    if release.npm_package is None:
        raise StepFailed("nothing was built: this step builds on npm_build")
    return release.npm_package


def _registry(release: Release) -> AbstractContextManager[str]:
    log = release.log("npm_registry")
    return npm_registry.npm_registry(release.verdaccio, release.npm_uploads, log)
