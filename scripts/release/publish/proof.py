"""Prove that what an index gives out is what was released: installed by hash, and through the gate once more."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from scripts import ROOT, processes
from scripts.rehearsal import describe
from scripts.release.environment import neutral
from scripts.release.publish.publication import NotDone
from scripts.release.python.install import CleanEnvironment, requirement, uv

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.release.publish.publication import Publication

SUITE_SECONDS = 3600.0


def install_by_hash(publication: Publication) -> None:
    """Install each Python package from the index into an environment of its own, by version and hash.

    Raises:
        NotDone: The index does not give out these files yet.
    """
    home = publication.work / "home"
    home.mkdir(exist_ok=True)
    env = {**neutral(home), **publication.network}
    for package in sorted({each.package for each in publication.python}):
        environment = CleanEnvironment(package, publication.work / "installed" / package)
        log = publication.log
        uv(["venv", "--clear", "--python", sys.executable, str(environment.folder)], log=log)
        wanted = publication.work / f"{package}.txt"
        wanted.write_text(requirement(list(publication.artifacts), package), "utf-8")
        index = f"{publication.registries.pypi.rstrip('/')}/simple/"
        command = ["pip", "install", "--python", str(environment.python), "--require-hashes"]
        command += ["--no-config", "--no-deps", "--no-cache", "--default-index", index]
        try:
            uv([*command, "-r", str(wanted)], log=log, env=env, inherit=False)
        except processes.CommandFailed as failed:
            raise NotDone(
                f"{package} can't be installed by hash; resume in a few minutes.\n{describe(failed)}"
            ) from None


def through_the_gate(publication: Publication, folder: Path) -> str:
    """Install from the index, and run the gate on the files that it gave out; return what is to be told.

    Raises:
        NotDone: One of both failed.
    """
    install_by_hash(publication)
    command = [
        sys.executable,
        "-m",
        "scripts.release.packages",
        "--packages",
        str(folder),
        "--gate",
    ]
    command += ["--evidence", str(publication.evidence_file)]
    command += ["--report-dir", str(publication.root / "reports" / "published")]
    try:
        processes.run(command, log=publication.log, cwd=ROOT, timeout=SUITE_SECONDS)
    except processes.CommandFailed as failed:
        raise NotDone(
            f"the gate does not hold for what PyPI gives out: {describe(failed)}"
        ) from None
    return "installed by hash, GO once more"
