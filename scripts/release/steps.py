"""The steps of a release's rehearsal, in their order, and what they hand on to each other."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts import processes
from scripts.engine import engine_with_accounts
from scripts.fuzz import run as fuzz
from scripts.rehearsal import Figures, StepFailed
from scripts.release import evidence
from scripts.release.npm import steps as npm_steps
from scripts.release.python import build as artifacts
from scripts.release.python import contents as artifact_files
from scripts.release.python import index as registry
from scripts.release.python import install as clean_install
from scripts.release.versions import PACKAGES, agreed_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.release.context import ReleaseContext


@dataclass(frozen=True)
class ReleaseStep:
    """One step: its name, what it does in a few words, and which steps it builds on.

    Those about the npm package are left out where the rehearsal is Python's only.
    """

    name: str
    doing: str
    run: Callable[[ReleaseContext, Figures], None]
    needs: tuple[str, ...] = ()
    about_npm: bool = False


def versions(context: ReleaseContext, figures: Figures) -> None:
    """Packages and changelog state one version."""
    context.version = agreed_version(context.root)
    figures["version"] = context.version


def build(context: ReleaseContext, figures: Figures) -> None:
    """Wheels and sdists, each built twice, bytes equal; reused while their sources are the same."""
    memory = context.root / ".arcrun" / "release" / "build.json"
    fingerprint = artifacts.fingerprint(context.root)
    kept = memory.with_name("python")
    reused = artifacts.built_before(memory, fingerprint, kept)
    built = reused or artifacts.build_all(
        context.root, context.work / "build", kept, context.log("build")
    )
    artifacts.remember(memory, fingerprint, built)
    context.dist.mkdir(exist_ok=True)
    context.artifacts = [replace(each, path=context.dist / each.path.name) for each in built]
    for each in built:
        shutil.copyfile(each.path, context.dist / each.path.name)
    figures["artifacts"] = len(context.artifacts)
    figures["built_twice_and_identical"] = "reused, sources unchanged" if reused else "now"
    figures["kilobytes"] = round(sum(each.size for each in context.artifacts) / 1000, 1)


def check(context: ReleaseContext, figures: Figures) -> None:
    """The artifacts are well-formed, in their budgets, and hold nothing but what belongs there."""
    log = context.log("check")
    files = [str(each.path) for each in context.artifacts]
    wheels = [str(each.path) for each in context.artifacts if each.is_wheel]
    processes.run([sys.executable, "-m", "twine", "check", "--strict", *files], log=log)
    processes.run([sys.executable, "-m", "check_wheel_contents", *wheels], log=log)
    counts = [artifact_files.check(each, context.root) for each in context.artifacts]
    figures["artifacts"] = len(files)
    figures["files"] = sum(counts)
    figures["fullest_budget"] = artifact_files.check_budgets(context.artifacts)


def publish(context: ReleaseContext, figures: Figures) -> None:
    """Publish just these bytes to a registry on loopback."""
    with registry.python_registry(context.uploads, context.log("registry")) as url:
        registry.upload(context.artifacts, url, context.log("publish"))
    stored = {path.name: artifacts.sha256(path) for path in context.uploads.iterdir()}
    sent = {each.path.name: each.sha256 for each in context.artifacts}
    if stored != sent:
        raise StepFailed(f"the registry holds other files than were sent: {sorted(stored)}")
    figures["files"] = len(stored)


def install(context: ReleaseContext, figures: Figures) -> None:
    """Install from that registry into clean environments, one for each package."""
    log = context.log("install")
    with registry.python_registry(context.uploads, context.log("registry")) as url:
        for package in PACKAGES:
            environment = clean_install.install(
                context.root,
                context.artifacts,
                package,
                registry=url,
                folder=context.work / "env" / package,
                log=log,
            )
            context.environments[package] = environment
            context.versions[package] = evidence.installed_versions(environment, log)
            installed = context.versions[package].get(package)
            if installed != context.artifacts[0].version:
                raise StepFailed(f"{package} {installed} was installed, not what was built")
            evidence.write_sbom(
                context.root, package, context.evidence / f"sbom-{package}.json", log
            )
    figures["environments"] = len(context.environments)
    figures["distributions"] = sum(len(each) for each in context.versions.values())


def fuzzing(context: ReleaseContext, figures: Figures) -> None:
    """Fuzz the engine that was installed from its wheel."""
    python = context.environments["arcrun-server"].python
    with (
        tempfile.TemporaryDirectory() as private,
        engine_with_accounts(python, Path(private), context.log("fuzz-engine")) as running,
    ):
        report = context.evidence / "fuzz"
        found = fuzz.fuzz(running, work=Path(private), report=report, seed=context.seed)
        figures.update(found)


def conformance(context: ReleaseContext, figures: Figures) -> None:
    """Run the suite on what was installed, and hold it against the gate."""
    harness = context.environments["arcrun-conformance"].script("arcrun-conformance")
    reports = context.conformance_reports
    command = [str(harness), "run", "--target", "local", "--gate", "--jobs", "2"]
    command += ["--server-python", str(context.environments["arcrun-server"].python)]
    command += ["--adapter-python", str(context.environments["arcrun"].python)]
    command += ["--report-dir", str(reports)]
    if context.matrix:
        command += ["--sdk", ",".join(context.matrix.sdks)]
        command += ["--adapter-runtimes", str(context.runtimes)]
    try:
        processes.run(command, log=context.log("conformance"))
    finally:
        _show_reports(reports, context.reports)
    document = json.loads((reports / "conformance.json").read_text("utf-8"))
    figures.update(conformance_figures(document, str(context.artifacts[0].version)))
    context.versions["runtimes"] = {sdk["name"]: sdk["runtime"] for sdk in document["sdks"]}
    if context.matrix:
        figures["not_on_this_machine"] = context.matrix.told_missing


def conformance_figures(document: dict[str, Any], version: str) -> Figures:
    """Read the figures of a run from the suite's own report.

    Raises:
        StepFailed: The report does not say GO, though the suite's exit code did; or an SDK was of
            another version than the one that was built.
    """
    gate = document["gate"]
    if gate["verdict"] != "GO" or not document["cells"]:
        raise StepFailed(f"the suite's report says {gate['verdict']}: {gate['reasons']}")
    others = [
        f"{each['name']} {each['version']}"
        for each in document["sdks"]
        if each["version"] != version
    ]
    if others:
        raise StepFailed(f"the suite ran {', '.join(others)}, and {version} was built")
    return {
        "scenarios": len(document["scenarios"]),
        "sdks": len(document["sdks"]),
        "cells": len(document["cells"]),
        "skipped": sum(cell["outcome"] == "skipped" for cell in document["cells"]),
        "checks": sum(len(cell["checks"]) for cell in document["cells"]),
        "gate": gate["verdict"],
    }


def _show_reports(written: Path, shown: Path) -> None:
    """Put the page for people, and the summary for the job, where they are looked for."""
    shown.mkdir(parents=True, exist_ok=True)
    for name in ("index.html", "summary.md"):
        if (written / name).is_file():
            shutil.copyfile(written / name, shown / name)


STEPS = (
    ReleaseStep("versions", "packages and changelog state one version", versions),
    ReleaseStep("build", "each package twice, in two places", build),
    ReleaseStep(
        "npm_build", "the npm package twice, in two places", npm_steps.build, about_npm=True
    ),
    ReleaseStep("check", "metadata, contents, files, budgets", check, ("build",)),
    ReleaseStep(
        "npm_check",
        "contents, budget, publint, attw",
        npm_steps.check,
        ("npm_build",),
        about_npm=True,
    ),
    ReleaseStep("publish", "to a registry on loopback", publish, ("build",)),
    ReleaseStep(
        "npm_publish", "to verdaccio on loopback", npm_steps.publish, ("npm_build",), about_npm=True
    ),
    ReleaseStep("install", "from there, by version and hash", install, ("publish",)),
    ReleaseStep(
        "npm_install",
        "from there, by version and hash; the runtimes",
        npm_steps.install,
        ("npm_publish", "install"),
        about_npm=True,
    ),
    ReleaseStep("fuzz", "the contract, against the installed engine", fuzzing, ("install",)),
    ReleaseStep(
        "conformance",
        "every scenario, every SDK; the gate",
        conformance,
        ("install", "npm_install"),
    ),
    ReleaseStep(
        "parity",
        "what the SDKs offer, send and seal",
        npm_steps.parity,
        ("conformance",),
        about_npm=True,
    ),
)


def steps(*, python_only: bool) -> list[ReleaseStep]:
    """Return the steps of a rehearsal, in their order.

    Example:
        >>> [step.name for step in steps(python_only=True)][:3]
        ['versions', 'build', 'check']
    """
    return [step for step in STEPS if not (python_only and step.about_npm)]


def chosen(only: str | None, *, python_only: bool = False) -> list[ReleaseStep]:
    """Return the steps to run: all of them, or one with those that it builds on.

    Example:
        >>> [step.name for step in chosen("fuzz")]
        ['build', 'publish', 'install', 'fuzz']
    """
    possible = steps(python_only=python_only)
    if only is None:
        return possible
    wanted: set[str] = {only}
    for step in reversed(possible):
        if step.name in wanted:
            wanted.update(step.needs)
    return [step for step in possible if step.name in wanted]
