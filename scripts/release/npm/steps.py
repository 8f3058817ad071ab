"""Run the steps of a rehearsal that need the npm package, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.console import make_console
from scripts.parity.parts import EXPLAINED, PARTS, Settings
from scripts.rehearsal import StepFailed
from scripts.release.artifacts import sha256
from scripts.release.npm import registry, runtimes, tools
from scripts.release.npm.build import build_twice
from scripts.release.npm.contents import check_budget, check_contents
from scripts.release.npm.install import install_package
from scripts.release.versions import NPM_NAME, SDK

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from scripts.rehearsal import Figures
    from scripts.release.context import ReleaseContext
    from scripts.release.npm.build import NpmPackage


def build(context: ReleaseContext, figures: Figures) -> None:
    """Build the npm package twice, with the tools of its lock file, and compare the bytes."""
    built = build_twice(
        context.root,
        context.work / "npm",
        context.dist,
        context.log("npm_build"),
        context.downloads,
    )
    context.npm_package = built
    figures["built_twice_and_identical"] = "now"
    figures["kilobytes"] = round(built.artifact.size / 1000, 1)


def check(context: ReleaseContext, figures: Figures) -> None:
    """Check the contents and the size of the package, its API report, and every way to import it."""
    package, log = _built(context), context.log("npm_check")
    figures["files"] = check_contents(package.path, context.root)
    figures["budget"] = check_budget(package.path)
    for name, arguments in (("publint", ("--strict",)), ("attw", ("--no-emoji",))):
        tools.tool(package.build_directory, name, str(package.path), *arguments, log=log)
        figures[name] = "clean"
    # The step `compatibility` has compared the report that is in the checkout.
    tools.tool(package.build_directory, "api-extractor", "run", log=log)
    figures["api_report"] = "up to date"


def upload(context: ReleaseContext, figures: Figures) -> None:
    """Upload exactly these bytes to an npm registry on loopback."""
    package, log = _built(context), context.log("npm_upload")
    registry.install_verdaccio(context.verdaccio, log, context.downloads)
    with _registry(context) as url:
        registry.upload_package(package, context.work / "npm-upload", url, log)
    stored = [sha256(path) for path in context.npm_uploads.rglob("*.tgz")]
    if stored != [package.artifact.sha256]:
        raise StepFailed(f"the registry has files other than those that were uploaded: {stored}")
    figures["files"] = len(stored)


def install(context: ReleaseContext, figures: Figures) -> None:
    """Install the package from that registry into a clean folder, and the runtimes beside it."""
    package, log = _built(context), context.log("npm_install")
    with _registry(context) as url:
        installed = install_package(package, context.npm_clean, url, log)
    adapters = _adapters(context, log)
    context.matrix = runtimes.matrix(adapters)
    runtimes.prepare(
        adapters,
        installed,
        context.runtimes,
        context.matrix.runtimes,
        log=log,
        downloads=context.downloads,
    )
    context.versions[NPM_NAME] = {NPM_NAME: package.version}
    figures["version"] = package.version
    figures["runtimes"] = ", ".join(context.matrix.runtimes)
    figures["not_on_this_machine"] = context.matrix.missing_summary


def parity(context: ReleaseContext, figures: Figures) -> None:
    """Compare what both SDKs offer and send, and let each open what the other seals."""
    package, log = _built(context), context.log("parity")
    if context.matrix is None:
        raise StepFailed("nothing was run: this step needs npm_install and conformance")
    work = context.work / "parity"
    work.mkdir()
    settings = Settings(
        sdks=context.matrix.sdks,
        report=context.conformance_reports,
        explained=EXPLAINED,
        adapters=_adapters(context, log),
        server_python=context.environments["arcrun-server"].python,
        adapter_python=context.environments[SDK].python,
        conformance_python=context.environments["arcrun-conformance"].python,
        node=tools.program("node"),
        work=work,
        js_sdk=package.build_directory,
        runtimes=context.runtimes,
    )
    # The tables and the explained differences are long: they go into the log.
    with log.open("a", encoding="utf-8") as output:
        console = make_console(output)
        for part, (_, compare) in PARTS.items():
            found = compare(settings, console)
            figures.update({f"{part}_{name}": value for name, value in found.items()})


def _adapters(context: ReleaseContext, log: Path) -> Path:
    return runtimes.installed_registry(context.environments["arcrun-conformance"], log)


def _built(context: ReleaseContext) -> NpmPackage:
    if context.npm_package is None:
        raise StepFailed("nothing was built: this step needs npm_build")
    return context.npm_package


def _registry(context: ReleaseContext) -> AbstractContextManager[str]:
    log = context.log("npm_registry")
    return registry.npm_registry(context.verdaccio, context.npm_uploads, log)
