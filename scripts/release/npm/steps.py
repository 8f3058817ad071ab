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
    from scripts.release.context import ReleaseContext
    from scripts.release.npm.build import NpmPackage


def build(context: ReleaseContext, figures: Figures) -> None:
    """The npm package, installed from its lock file, built and packed twice, bytes equal."""
    built = npm_package.build_twice(
        context.root, context.work / "npm", context.dist, context.log("npm_build")
    )
    context.npm_package = built
    figures["built_twice_and_identical"] = "now"
    figures["kilobytes"] = round(built.artifact.size / 1000, 1)


def check(context: ReleaseContext, figures: Figures) -> None:
    """The package is well-formed for every way to import it, and holds what belongs there."""
    package, log = _built(context), context.log("npm_check")
    figures["files"] = npm_files.check(package.path, context.root)
    figures["budget"] = npm_files.check_budget(package.path)
    for name, arguments in (("publint", ("--strict",)), ("attw", ("--no-emoji",))):
        npm_tools.tool(package.workshop, name, str(package.path), *arguments, log=log)
        figures[name] = "clean"


def publish(context: ReleaseContext, figures: Figures) -> None:
    """Publish just these bytes to an npm registry on loopback."""
    package, log = _built(context), context.log("npm_publish")
    npm_registry.install_verdaccio(context.verdaccio, log)
    with _registry(context) as url:
        settings = npm_registry.settings(context.work / "npm-publish", url)
        npm_registry.publish(package, settings, log)
    stored = [sha256(path) for path in context.npm_uploads.rglob("*.tgz")]
    if stored != [package.artifact.sha256]:
        raise StepFailed(f"the registry holds other files than were sent: {stored}")
    figures["files"] = len(stored)


def install(context: ReleaseContext, figures: Figures) -> None:
    """Install from that registry into a clean folder; give it to the runtimes."""
    package, log = _built(context), context.log("npm_install")
    with _registry(context) as url:
        settings = npm_registry.settings(context.work / "npm-install", url)
        installed = npm_install.install(package, context.work / "npm-clean", settings, log)
    npm_install.write_sbom(package, context.evidence / "sbom-arcrun-sdk.json", log)
    registry = _adapters(context, log)
    context.matrix = npm_runtimes.matrix(registry)
    npm_runtimes.prepare(registry, installed, context.runtimes, context.matrix.runtimes, log)
    context.versions[NPM_NAME] = {NPM_NAME: package.version}
    figures["version"] = package.version
    figures["runtimes"] = ", ".join(context.matrix.runtimes)
    figures["not_on_this_machine"] = context.matrix.told_missing


def parity(context: ReleaseContext, figures: Figures) -> None:
    """Both SDKs offer and send the same, and open what each other seals."""
    package, log = _built(context), context.log("parity")
    if context.matrix is None:
        raise StepFailed("nothing was run: this step builds on npm_install and conformance")
    work = context.work / "parity"
    work.mkdir()
    plan = Plan(
        sdks=context.matrix.sdks,
        report=context.conformance_reports,
        explained=EXPLAINED,
        adapters=_adapters(context, log),
        server_python=context.environments["arcrun-server"].python,
        adapter_python=context.environments["arcrun"].python,
        node=npm_tools.program("node"),
        work=work,
        js_sdk=package.workshop,
        runtimes=context.runtimes,
    )
    # The tables and the explained differences are long: they are for the log.
    with log.open("a", encoding="utf-8") as told:
        console = Console(file=told, width=160, soft_wrap=True)
        for part, (_, compare) in PARTS.items():
            found = compare(plan, console)
            figures.update({f"{part}_{name}": value for name, value in found.items()})


def _adapters(context: ReleaseContext, log: Path) -> Path:
    return npm_runtimes.installed_registry(context.environments["arcrun-conformance"], log)


def _built(context: ReleaseContext) -> NpmPackage:
    if context.npm_package is None:
        raise StepFailed("nothing was built: this step builds on npm_build")
    return context.npm_package


def _registry(context: ReleaseContext) -> AbstractContextManager[str]:
    log = context.log("npm_registry")
    return npm_registry.npm_registry(context.verdaccio, context.npm_uploads, log)
