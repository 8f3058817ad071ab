"""Run the tests of every package: what they check, no scenario of the suite has to notice."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING

from scripts import processes
from scripts.rehearsal import StepFailed
from scripts.release.artifacts import copy_sources
from scripts.release.npm import tools
from scripts.release.python.install import CleanEnvironment, uv
from scripts.release.versions import NPM_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.rehearsal import Figures
    from scripts.release.context import ReleaseContext

# The packages, and what holds between them. The tests of the rehearsal itself are no proof of a package.
FOLDERS = ("packages/python-sdk/tests", "packages/server/tests", "conformance/tests", "tests")
# These measure the machine: on a busy one they wait for workers that are killed before they have begun.
LOAD = "packages/server/tests/load"
GROUPS = ("tests", "release", "parity", "js", "mutation")
# Files that are generated from others: each program exits with 1 if one is out of date.
GENERATED = ("unasync", "known_recipes", "contract_copies", "error_codes")
# Against tests that hang, not against slow ones: on two processors that others use too they took 32 minutes.
TIMEOUT_SECONDS = 5400.0
SHOWN_FAILURES = 20

_PYTEST_PASSED = re.compile(r"\b(\d+) passed\b")
_PYTEST_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+)$", re.MULTILINE)
_VITEST_PASSED = re.compile(r"^\s*Tests\s.*?\b(\d+) passed\b", re.MULTILINE)
_VITEST_FAILED = re.compile(r"^\s*FAIL\s+(.+)$", re.MULTILINE)


def python(context: ReleaseContext, figures: Figures) -> None:
    """Run the tests of the Python packages, and check that generated files are up to date."""
    log = context.log("tests")
    environment = CleanEnvironment("tests", context.work / "env" / "tests")
    with _temporary_folder() as temporary:
        command = ["sync", "--locked", "--quiet", "--no-default-groups", "--all-packages"]
        command += [part for group in GROUPS for part in ("--group", group)]
        where = {"UV_PROJECT_ENVIRONMENT": str(environment.folder), **temporary}
        uv(command, log=log, cwd=context.root, env={**context.downloads, **where})
        for name in GENERATED:
            check = [sys.executable, "-m", f"scripts.{name}", "--check"]
            processes.run(check, log=log, cwd=context.root)
        pytest = [str(environment.python), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        # As the session `tests`: neighbouring tests share what takes long to make.
        pytest += ["-n", "auto", "--dist", "worksteal"]
        pytest += ["-m", "not downloads", f"--ignore={LOAD}", *FOLDERS]
        variables = {**_programs(environment), **temporary}
        printed = _run(pytest, context.root, variables, log, _PYTEST_FAILED)
    figures["passed"] = _count(_PYTEST_PASSED, printed)
    figures["generated_files"] = "up to date"


def javascript(context: ReleaseContext, figures: Figures) -> None:
    """Run the tests of the JavaScript SDK with what was built, against the installed engine."""
    log, package = context.log("npm_tests"), context.npm_package
    if package is None:
        raise StepFailed("nothing was built: this step needs npm_build")
    folder = _tree(context.root, package.build_directory, context.work / "npm-tests")
    vitest = [str(folder / "node_modules" / ".bin" / "vitest"), "run"]
    engine = context.environments["arcrun-server"]
    with _temporary_folder() as temporary:
        printed = _run(vitest, folder, {**_programs(engine), **temporary}, log, _VITEST_FAILED)
    figures["passed"] = _count(_VITEST_PASSED, printed)


@contextlib.contextmanager
def _temporary_folder() -> Iterator[dict[str, str]]:
    """Give programs a folder for temporary files, and remove it at the end with what they left there.

    pytest leaves folders of its last runs, and uv its lock files. It is not in the rehearsal's own folder: the
    package that starts PostgreSQL lets every user into the folders above its data.
    """
    with processes.temporary_folder("arcrun-tests-") as folder:
        yield {"TMPDIR": str(folder)}


def _programs(environment: CleanEnvironment) -> dict[str, str]:
    """Return the variables with which tests find the programs of an environment, and those of Node.js."""
    variables = tools.environment()
    path = os.pathsep.join([str(environment.python.parent), variables["PATH"]])
    return {**variables, "PATH": path}


def _tree(root: Path, built: Path, target: Path) -> Path:
    """Copy what the tests of the JavaScript SDK read, and what was built; return the SDK's folder."""
    folder = target / NPM_FOLDER
    copy_sources(root, NPM_FOLDER, folder)
    copy_sources(root, "conformance/vectors", target / "conformance" / "vectors")
    shutil.copyfile(root / "README.md", target / "README.md")
    shutil.copytree(built / "dist", folder / "dist")
    (folder / "node_modules").symlink_to(built / "node_modules", target_is_directory=True)
    return folder


def _run(
    command: list[str], cwd: Path, variables: dict[str, str], log: Path, failed: re.Pattern[str]
) -> str:
    """Run tests; return what they printed.

    Raises:
        StepFailed: Some failed; the message names the first of them.
        processes.CommandFailed: They did not run to their end.
    """
    try:
        return processes.run(command, log=log, cwd=cwd, env=variables, timeout=TIMEOUT_SECONDS)
    except processes.CommandFailed as error:
        names = list(dict.fromkeys(failed.findall(log.read_text("utf-8", "replace"))))
        if not names:
            raise
        shown = "\n".join(f"  {name}" for name in names[:SHOWN_FAILURES])
        more = f"\n  … and {len(names) - SHOWN_FAILURES} more" if names[SHOWN_FAILURES:] else ""
        raise StepFailed(
            f"{len(names)} tests failed:\n{shown}{more}\nfull log: {error.log}"
        ) from None


def _count(passed: re.Pattern[str], printed: str) -> int:
    """Return how many tests passed.

    Raises:
        StepFailed: None did: then nothing is proved, whatever the exit code.
    """
    found = passed.search(printed)
    if found is None or int(found[1]) == 0:
        raise StepFailed("no test passed, so nothing is proved")
    return int(found[1])
