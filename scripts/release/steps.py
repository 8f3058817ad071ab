"""Run the steps of a release's rehearsal, in their order."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scripts import processes
from scripts.engine import engine_with_accounts
from scripts.fuzz.run import SETTINGS, fuzz
from scripts.mcp_conformance import suite as mcp
from scripts.rehearsal import Figures, StepFailed
from scripts.release import evidence, git, sbom, sbom_facts, unit_tests
from scripts.release.artifacts import sha256
from scripts.release.compatibility.gate import require_compatible
from scripts.release.example import steps as example
from scripts.release.npm import steps as npm
from scripts.release.python.build import build_all, built_before, fingerprint, remember
from scripts.release.python.contents import check_budgets, check_contents
from scripts.release.python.index import package_index, upload_files
from scripts.release.python.install import install_packages
from scripts.release.suite import conformance_figures, list_artifacts, reporting, suite_command
from scripts.release.versions import NPM_NAME, agreed_version

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scripts.release.context import ReleaseContext
    from scripts.release.npm.runtimes import Matrix

# How a scenario is run in the checkout, on its sources.
AGAIN = "nox -s conformance --"
# A suite that takes longer than this on any machine hangs.
SUITE_SECONDS = 3600.0


@dataclass(frozen=True)
class ReleaseStep:
    """One step of a rehearsal.

    Attributes:
        name: As `--only` and the evidence name it.
        summary: What it does, in a few words.
        run: Does it, and records its figures.
        needs: The steps whose results it uses.
        npm: Whether `--python-only` leaves it out.
        page: The page of the reports that shows what failed.
    """

    name: str
    summary: str
    run: Callable[[ReleaseContext, Figures], None]
    needs: tuple[str, ...] = ()
    npm: bool = False
    page: str | None = None


def versions(context: ReleaseContext, figures: Figures) -> None:
    """Check that all packages and the changelog state one version."""
    context.version = agreed_version(context.root)
    figures["version"] = context.version


def compatibility(context: ReleaseContext, figures: Figures) -> None:
    """Check that version and changelog say what broke since the last release."""
    figures.update(require_compatible(context.root, agreed_version(context.root)))


def build(context: ReleaseContext, figures: Figures) -> None:
    """Build wheels and sdists twice and compare the bytes; reuse them while the sources are the same."""
    record = context.root / ".arcrun" / "release" / "build.json"
    sources, kept = fingerprint(context.root), record.with_name("python")
    reused = built_before(record, sources, kept)
    built = reused or build_all(context.root, context.work / "build", kept, context.log("build"))
    remember(record, sources, built)
    context.dist.mkdir(parents=True, exist_ok=True)
    context.artifacts = [replace(each, path=context.dist / each.path.name) for each in built]
    for each in built:
        shutil.copyfile(each.path, context.dist / each.path.name)
    figures["artifacts"] = len(context.artifacts)
    figures["built_twice_and_identical"] = "reused, sources unchanged" if reused else "now"
    figures["kilobytes"] = round(sum(each.size for each in context.artifacts) / 1000, 1)


def check(context: ReleaseContext, figures: Figures) -> None:
    """Check the metadata, the contents and the sizes of the artifacts."""
    log = context.log("check")
    files = [str(each.path) for each in context.artifacts]
    wheels = [str(each.path) for each in context.artifacts if each.is_wheel]
    processes.run([sys.executable, "-m", "twine", "check", "--strict", *files], log=log)
    processes.run([sys.executable, "-m", "check_wheel_contents", *wheels], log=log)
    counts = [check_contents(each, context.root) for each in context.artifacts]
    figures["artifacts"] = len(files)
    figures["files"] = sum(counts)
    figures["fullest_budget"] = check_budgets(context.artifacts)


def upload(context: ReleaseContext, figures: Figures) -> None:
    """Upload exactly these bytes to a package index on loopback."""
    with package_index(context.uploads, context.log("index")) as url:
        upload_files(context.artifacts, url, context.work / "upload", context.log("upload"))
    stored = {path.name: sha256(path) for path in context.uploads.iterdir()}
    sent = {each.path.name: each.sha256 for each in context.artifacts}
    if stored != sent:
        raise StepFailed(f"the index has files other than those uploaded: {sorted(stored)}")
    figures["files"] = len(stored)


def install(context: ReleaseContext, figures: Figures) -> None:
    """Install each package from that index into a clean environment of its own."""
    log = context.log("install")
    context.environments = install_packages(
        context.root,
        context.artifacts,
        uploads=context.uploads,
        folder=context.work / "env",
        logs=context.log,
        downloads=context.downloads,
    )
    for package, environment in context.environments.items():
        context.versions[package] = evidence.installed_versions(environment, log)
        installed = context.versions[package].get(package)
        if installed != context.artifacts[0].version:
            raise StepFailed(f"{package} {installed} was installed, not what was built")
    figures["environments"] = len(context.environments)
    figures["distributions"] = sum(len(each) for each in context.versions.values())


def bills_of_materials(context: ReleaseContext, figures: Figures) -> None:
    """Write the bill of materials of each package twice, compare the bytes, and check them against the schema."""
    log, time = context.log("sbom"), int(git.commit_time(context.root))
    facts = {
        package: sbom_facts.python_facts(
            context.root,
            context.artifacts,
            package,
            environments=[
                environment,
                *(each for each in (context.faces,) if each and each.package == package),
            ],
            time=time,
            log=log,
            downloads=context.downloads,
        )
        for package, environment in context.environments.items()
    }
    if context.npm_package:
        built = context.npm_package
        facts[NPM_NAME] = sbom_facts.npm_facts(built.artifact, built.build_directory, time=time)
    for package, each in facts.items():
        path = context.evidence / sbom.file_name(package)
        sbom.write_twice(each, path, context.work / "sbom", log)
        context.sboms[package] = path
    figures["packages"] = len(facts)
    figures["dependencies"] = sum(len(each["dependencies"]) for each in facts.values())
    figures["written_twice_and_identical"] = "now"


def fuzz_engine(context: ReleaseContext, figures: Figures) -> None:
    """Fuzz the engine that was installed from its wheel."""
    python = context.environments["arcrun-server"].python
    with (
        processes.temporary_folder("arcrun-fuzz-") as private,
        engine_with_accounts(
            python, private, context.log("fuzz-engine"), settings=SETTINGS
        ) as engine,
    ):
        report = context.evidence / "fuzz"
        figures.update(fuzz(engine, work=private, report=report, seed=context.seed))


def _suite_command(
    context: ReleaseContext,
    reports: Path,
    again: str,
    matrix: Matrix | None = None,
    *,
    engine_suite: bool = False,
) -> list[str]:
    """Return the command that runs a suite against the installed engine and applies the gate.

    The reports name `again` to repeat a failure: what is installed here is removed at the end.
    """
    listed = list_artifacts(context.everything_built, context.evidence / "artifacts.json")
    command = suite_command(
        context.environments,
        sdks=matrix.sdks if matrix else (),
        runtimes=context.runtimes if matrix else None,
        engine_suite=engine_suite,
    )
    return [*command, *reporting(reports, listed), "--target", "local", "--gate", "--again", again]


def engine_suite(context: ReleaseContext, figures: Figures) -> None:
    """Run the engine suite, which needs no SDK, on the installed engine, and apply the gate."""
    reports = context.evidence / "engine-suite"
    command = _suite_command(context, reports, f"{AGAIN} --suite engine", engine_suite=True)
    try:
        processes.run(command, log=context.log("engine-suite"), timeout=SUITE_SECONDS)
    finally:
        _copy_reports(reports, context.reports / "engine-suite")
    document = json.loads((reports / "conformance.json").read_text("utf-8"))
    figures.update(conformance_figures(document, str(context.artifacts[0].version)))


def conformance(context: ReleaseContext, figures: Figures) -> None:
    """Run the conformance suite on what was installed, and apply the gate to the results."""
    reports = context.conformance_reports
    command = _suite_command(context, reports, AGAIN, context.matrix)
    try:
        processes.run(command, log=context.log("conformance"), timeout=SUITE_SECONDS)
    finally:
        _copy_reports(reports, context.reports)
    document = json.loads((reports / "conformance.json").read_text("utf-8"))
    figures.update(conformance_figures(document, str(context.artifacts[0].version)))
    context.versions["runtimes"] = {sdk["name"]: sdk["runtime"] for sdk in document["sdks"]}
    if context.matrix:
        figures["not_on_this_machine"] = context.matrix.missing_summary


def _copy_reports(written: Path, target: Path) -> None:
    """Copy the HTML report, the recordings that it names, and the summary for CI, to where readers look for them."""
    target.mkdir(parents=True, exist_ok=True)
    for name in ("index.html", "summary.md"):
        if (written / name).is_file():
            shutil.copyfile(written / name, target / name)
    if (written / "failures").is_dir():
        shutil.copytree(written / "failures", target / "failures")


def mcp_suite(context: ReleaseContext, figures: Figures) -> None:
    """Measure the installed `arcrun-mcp` by the suite of the Model Context Protocol."""
    if context.faces is None:
        raise StepFailed("arcrun-mcp was not installed: this step needs faces")
    log, work = context.log("mcp_suite"), context.work / "mcp-suite"
    mcp.install(work / "suite", log, context.downloads)
    measured = mcp.measure(
        python=context.faces.python,
        engine_python=context.environments["arcrun-server"].python,
        installed=work / "suite",
        work=work,
        results=context.evidence / "mcp-suite",
        log=log,
    )
    figures.update(measured)


STEPS = (
    ReleaseStep("versions", "packages and changelog state one version", versions),
    ReleaseStep("compatibility", "what broke since the last release", compatibility),
    ReleaseStep("build", "each package twice, in two environments", build),
    ReleaseStep("npm_build", "the npm package twice, in two environments", npm.build, npm=True),
    ReleaseStep("check", "metadata, contents, budgets", check, ("build",)),
    ReleaseStep(
        "npm_check",
        "contents, budget, API report, publint, attw",
        npm.check,
        ("npm_build",),
        npm=True,
    ),
    ReleaseStep("upload", "to a package index on loopback", upload, ("build",)),
    ReleaseStep("npm_upload", "to verdaccio on loopback", npm.upload, ("npm_build",), npm=True),
    ReleaseStep("install", "from there, by version and hash", install, ("upload",)),
    ReleaseStep(
        "npm_install",
        "from there, by version and hash; the runtimes",
        npm.install,
        ("npm_upload", "install"),
        npm=True,
    ),
    ReleaseStep("example", "the design's recipe, by the Python SDK", example.python, ("install",)),
    ReleaseStep(
        "npm_example",
        "the design's recipe, by the JavaScript SDK",
        example.javascript,
        ("npm_install",),
        npm=True,
    ),
    ReleaseStep(
        "faces", "the design's recipe, by acr and by arcrun-mcp", example.by_faces, ("install",)
    ),
    ReleaseStep(
        "mcp_suite",
        "arcrun-mcp, by the suite of the protocol",
        mcp_suite,
        ("install", "faces"),
        npm=True,
    ),
    ReleaseStep(
        "sbom",
        "bills of materials, twice, in two environments",
        bills_of_materials,
        ("npm_build", "install", "faces"),
    ),
    ReleaseStep("fuzz", "the contract, against the installed engine", fuzz_engine, ("install",)),
    ReleaseStep(
        "engine_suite",
        "every engine scenario, without an SDK; the gate",
        engine_suite,
        ("install",),
        page="engine-suite/index.html",
    ),
    ReleaseStep(
        "conformance",
        "every scenario, every SDK; the gate",
        conformance,
        ("install", "npm_install"),
        page="index.html",
    ),
    ReleaseStep(
        "parity", "what the SDKs offer, send and seal", npm.parity, ("conformance",), npm=True
    ),
    # Last: what is wrong on the wire has to be found by the steps before them.
    ReleaseStep("tests", "of every Python package; generated files", unit_tests.python),
    ReleaseStep(
        "npm_tests",
        "of the JavaScript SDK, as it was built",
        unit_tests.javascript,
        ("npm_build", "install"),
        npm=True,
    ),
)


def steps(*, python_only: bool) -> list[ReleaseStep]:
    """Return the steps of a rehearsal, in their order.

    Example:
        >>> [step.name for step in steps(python_only=True)][:4]
        ['versions', 'compatibility', 'build', 'check']
    """
    return [step for step in STEPS if not (python_only and step.npm)]


def chosen(only: str | None, *, python_only: bool = False) -> list[ReleaseStep]:
    """Return the steps to run: all of them, or one and the steps that it needs.

    Example:
        >>> [step.name for step in chosen("fuzz")]
        ['build', 'upload', 'install', 'fuzz']
    """
    possible = steps(python_only=python_only)
    if only is None:
        return possible
    wanted: set[str] = {only}
    for step in reversed(possible):
        if step.name in wanted:
            wanted.update(step.needs)
    return [step for step in possible if step.name in wanted]
