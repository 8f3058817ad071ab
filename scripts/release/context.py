"""Hold what the steps of a rehearsal share, and where they leave their results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scripts.rehearsal import Rehearsal
    from scripts.release.artifacts import Artifact
    from scripts.release.npm.build import NpmPackage
    from scripts.release.npm.runtimes import Matrix
    from scripts.release.python.install import CleanEnvironment
    from scripts.release.results import Results


@dataclass
class ReleaseContext:
    """The settings of a rehearsal, and what each step leaves for those that need it.

    Attributes:
        results: Where this rehearsal writes.
        work: A temporary folder, removed at the end.
        seed: The seed of the fuzzer.
        rehearsal: The steps so far.
        downloads: The caller's variables that decide where and how packages are downloaded.
        python_only: Whether the npm package is left out.
        version: The version that is released, once `versions` has run.
        artifacts: What `build` has made.
        environments: The clean environment of each package, once `install` has run.
        faces: The clean environment of the SDK with `acr` and `arcrun-mcp`, once `faces` has run.
        sboms: The bill of materials of each package, once `sbom` has run.
        versions: What is installed in each environment, by distribution.
        npm_package: What `npm_build` has made.
        matrix: The SDKs and runtimes of the conformance run, once `npm_install` has run.
    """

    results: Results
    work: Path
    seed: int
    rehearsal: Rehearsal
    downloads: Mapping[str, str]
    python_only: bool = False
    version: str | None = None
    artifacts: list[Artifact] = field(default_factory=list)
    environments: dict[str, CleanEnvironment] = field(default_factory=dict)
    faces: CleanEnvironment | None = None
    sboms: dict[str, Path] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    npm_package: NpmPackage | None = None
    matrix: Matrix | None = None

    @property
    def root(self) -> Path:
        """Return the checkout."""
        return self.results.root

    @property
    def everything_built(self) -> list[Artifact]:
        """Return all artifacts that would be published."""
        return [*self.artifacts, *([self.npm_package.artifact] if self.npm_package else [])]

    @property
    def dist(self) -> Path:
        """Return the folder that receives the artifacts."""
        return self.results.folder / "dist"

    @property
    def evidence(self) -> Path:
        """Return the folder that receives the evidence."""
        return self.results.folder / "evidence"

    @property
    def reports(self) -> Path:
        """Return the folder that receives the HTML report and the summary."""
        return self.results.folder / "reports"

    @property
    def uploads(self) -> Path:
        """Return the folder in which the package index on loopback keeps uploads."""
        return self.work / "index"

    @property
    def verdaccio(self) -> Path:
        """Return the folder in which the npm registry on loopback is installed."""
        return self.work / "verdaccio"

    @property
    def npm_uploads(self) -> Path:
        """Return the folder in which the npm registry on loopback keeps uploads."""
        return self.work / "npm-registry"

    @property
    def npm_clean(self) -> Path:
        """Return the clean folder in which the npm package is installed."""
        return self.work / "npm-clean"

    @property
    def conformance_reports(self) -> Path:
        """Return the folder of the conformance suite's reports."""
        return self.evidence / "conformance"

    @property
    def runtimes(self) -> Path:
        """Return the folder of the JavaScript runtimes, with the installed SDK."""
        return self.work / "javascript"

    def log(self, name: str) -> Path:
        """Return the path of the log of a step."""
        path = self.evidence / "logs" / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
